"""The Prefect engine for tests: one real server per session, and the command as a user runs it."""

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from flows.server.defaults import set_prefect_defaults
from flows.server.local import local_server
from tests import forking


@dataclass(frozen=True)
class Presslake:
    """The command with its own place: `home` is its working folder, with `lake` and `index.db` in it."""

    home: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def lake(self) -> Path:
        return self.home / "lake"

    def run(self, *words: str | Path, timeout: float = 180, check: bool = True, **environment: str) -> "Ended":
        """Run the command to its end; with `check`, its exit code must be 0."""
        full = self._environment(environment)
        done = forking.run(list(map(str, words)), cwd=self.home, environment=full, timeout=timeout)
        ended = Ended(done.returncode, done.stdout.decode(), done.stderr.decode())
        assert not check or ended.code == 0, ended
        return ended

    def execute(self, program: str, *words: str | Path, timeout: float = 240) -> "Ended":
        """Run a Python program here, forked from a process that has the command's imports."""
        done = forking.run(
            list(map(str, words)), cwd=self.home, environment=self._environment({}), timeout=timeout, program=program
        )
        return Ended(done.returncode, done.stdout.decode(), done.stderr.decode())

    def start(self, *words: str | Path, **environment: str) -> forking.Running:
        """Start the command in its own session."""
        return forking.start(list(map(str, words)), cwd=self.home, environment=self._environment(environment))

    def ingest(self, *words: str | Path, **environment: str) -> dict[str, Any]:
        """Run a sweep, and return its `--json` object."""
        return self.run("ingest", *words, "--json", **environment).json()

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables of this place: the lake, the index and those given."""
        index = {"PRESSLAKE_INDEX": f"sqlite:///{self.home / 'index.db'}", "PRESSLAKE_LAKE": str(self.lake)}
        return {**index, **self.environment}

    def _environment(self, more: dict[str, str]) -> dict[str, str]:
        return {**os.environ, **self.variables, **more}


@dataclass(frozen=True)
class Ended:
    """A finished command: its exit code and output."""

    code: int
    out: str
    err: str

    def json(self) -> dict[str, Any]:
        """Return the last line of standard output, which is JSON."""
        return json.loads(self.out.splitlines()[-1])


@contextmanager
def started_prefect() -> Iterator[str]:
    """Start a server with its own home, removed at the end; yield the API's URL."""
    with tempfile.TemporaryDirectory(prefix="prefect-", ignore_cleanup_errors=True) as home, ExitStack() as running:
        with _environment_of(Path(home)):
            url = running.enter_context(local_server(has_ui=True))
        yield url


@pytest.fixture(scope="session")
def prefect_api_url(server_url: Callable[[str], str]) -> Iterator[str]:
    url = server_url("prefect")
    answer = httpx.get(f"{url}/admin/settings", timeout=60, trust_env=False).raise_for_status()
    with _environment_of(Path(answer.json()["home"])):
        forking.expect_many({**os.environ, "PREFECT_API_URL": url})
        yield url


@contextmanager
def _environment_of(home: Path) -> Iterator[None]:
    """Set the environment so that processes started now use Prefect with this home and our defaults only."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("PREFECT_")]:
            patch.delenv(name)
        patch.setenv("PREFECT_HOME", str(home))
        set_prefect_defaults(is_quiet=True)
        yield


@pytest.fixture
def presslake(prefect_api_url: str, tmp_path: Path) -> Presslake:
    """The command, on the session's server."""
    return Presslake(tmp_path, {"PREFECT_API_URL": prefect_api_url})


@pytest.fixture
def offline_presslake(tmp_path: Path) -> Presslake:
    """The command with an API URL at which no server answers: for what must not need one."""
    return Presslake(tmp_path, {"PREFECT_API_URL": "http://127.0.0.1:9/api", "PREFECT_HOME": str(tmp_path / "prefect")})
