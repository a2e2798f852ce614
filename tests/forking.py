"""Run the command in a forked process with its libraries loaded: importing them is half the cost of most commands.

One process imports them and forks for each command, which gets its own environment, folder and output and runs the usual
script. Prefect reads its settings when imported, so settings shared by many commands get their own process that has imported
Prefect with them. These processes end with this one.
"""

import atexit
import gc
import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import IO

COMMAND = Path(sys.executable).with_name("presslake")
MODULES = (
    "tasks.discover.polling", "tasks.fetch.fetching", "tasks.extract.extraction", "tasks.deduplicate.deciding",
    "tasks.store.publishing", "tasks.verify.verification", "tasks.maintain.maintenance", "flows.cli.app",
    "alembic.command", "boto3.session", "deltalake", "griffe", "jsonschema", "pyarrow.parquet", "rich.progress",
    "starlette.applications", "pendulum" if sys.version_info < (3, 13) else "whenever",
)  # fmt: skip
"""Modules that commands import, without Prefect; some are also Prefect's dependencies."""


WITH_PREFECT = (
    "flows.ingest", "flows.maintain", "flows.report", "flows.verify", "flows.cli.progress_bar", "flows.sweep.by_hand",
    "flows.sweep.shards", "tasks.health.table", "tasks.report.period", "prefect.client.orchestration",
)  # fmt: skip
"""Modules that commands that run a flow import in addition."""

READ_AT_IMPORT = ("PREFECT_", "OTEL_", "DO_NOT_TRACK")
Settings = frozenset[tuple[str, str]]
_common: set[Settings] = set()


class Forker:
    """Handle of the forking process. With `settings` it has imported Prefect; with `path`, all modules come from there."""

    def __init__(self, settings: Mapping[str, str] | None = None, *, path: str = "") -> None:
        self._asked, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    *(("-P",) if path else ()),  # else this checkout would take precedence
                    "-m",
                    "tests.forking",
                    str(theirs.fileno()),
                    *(() if settings is None else WITH_PREFECT),
                ],
                cwd=Path(__file__).parents[1],
                env=(dict(os.environ) if settings is None else {**_others(os.environ), **settings})
                | ({"PYTHONPATH": path} if path else {}),
                pass_fds=[theirs.fileno()],
            )

    def start(
        self,
        words: Sequence[str],
        *,
        cwd: Path,
        environment: Mapping[str, str],
        program: str | None = None,
        has_session: bool = False,
    ) -> "Running":
        """Start the command, or a Python program, like `subprocess.Popen`."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        out, err = tempfile.TemporaryFile(), tempfile.TemporaryFile()  # noqa: SIM115 - owned by the started command
        with theirs, tempfile.TemporaryFile() as wanted:
            wanted.write(json.dumps([list(words), str(cwd), dict(environment), program, has_session]).encode())
            wanted.seek(0)
            files = [wanted.fileno(), out.fileno(), err.fileno(), theirs.fileno()]
            socket.send_fds(self._asked, [b"run"], files)
        return Running(words, ours, out, err)

    def close(self) -> None:
        self._asked.close()
        self._process.wait(timeout=60)


class Running:
    """A started command, with the part of `subprocess.Popen` that tests use."""

    def __init__(self, words: Sequence[str], answers: socket.socket, out: IO[bytes], err: IO[bytes]) -> None:
        self._words, self._answers, self._out, self._err = words, answers, out, err
        self.pid = int(answers.recv(64))
        self.returncode: int | None = None

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end, and return the exit code; raise subprocess.TimeoutExpired if it takes longer than `timeout` (s)."""
        if self.returncode is None:
            self._answers.settimeout(timeout)
            try:
                self.returncode = int(self._answers.recv(64))
            except (TimeoutError, BlockingIOError):
                raise subprocess.TimeoutExpired(self._words, timeout or 0) from None
            self._answers.close()
        return self.returncode

    def poll(self) -> int | None:
        with suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[bytes, bytes]:
        """Wait for the end, and return standard output and standard error."""
        self.wait(timeout)
        with self._out, self._err:
            return self._said(self._out), self._said(self._err)

    @property
    def err(self) -> bytes:
        """The output on standard error so far."""
        return self._said(self._err)

    @staticmethod
    def _said(file: IO[bytes]) -> bytes:
        return os.pread(file.fileno(), os.fstat(file.fileno()).st_size, 0)  # leaves the shared file position alone

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def run(
    words: Sequence[str],
    *,
    cwd: Path,
    environment: Mapping[str, str],
    timeout: float,
    program: str | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """Run the command, or a Python program with these arguments, to its end, like `subprocess.run`."""
    started = _forker(environment).start(words, cwd=cwd, environment=environment, program=program)
    try:
        out, err = started.communicate(timeout)
    except subprocess.TimeoutExpired:
        started.kill()
        started.communicate()
        raise
    return subprocess.CompletedProcess(words, started.wait(), out, err)


def start(words: Sequence[str], *, cwd: Path, environment: Mapping[str, str]) -> Running:
    """Start the command in its own session."""
    return _forker(environment).start(words, cwd=cwd, environment=environment, has_session=True)


def _forker(environment: Mapping[str, str]) -> Forker:
    """Return the forking process with the imports of a command in this environment."""
    settings, path = _settings(environment), environment.get("PYTHONPATH", "")
    return _started(settings if settings in _common and not path else None, path)


def expect_many(environment: Mapping[str, str]) -> None:
    """Start a forking process with Prefect imported under this environment's settings."""
    _common.add(_settings(environment))


def _settings(environment: Mapping[str, str]) -> Settings:
    return frozenset((name, value) for name, value in environment.items() if name.startswith(READ_AT_IMPORT))


@cache
def _started(settings: Settings | None, path: str) -> Forker:
    started = Forker(None if settings is None else dict(settings), path=path)
    atexit.register(started.close)
    return started


def _others(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if not name.startswith(READ_AT_IMPORT)}


def _serve(asked: socket.socket, with_prefect: Sequence[str]) -> None:
    """Fork for each requested command until the requesting end is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the parent, which ends this process
    for name in (*MODULES, *with_prefect):
        importlib.import_module(name)
    assert with_prefect or "prefect" not in sys.modules
    gc.freeze()  # so that children do not copy pages when collecting
    while True:
        said, files, _, _ = socket.recv_fds(asked, 16, 4)
        if not said:
            return
        if os.fork() == 0:
            asked.close()
            _attend(*files)
        for file in files:
            os.close(file)
        while _has_reaped():
            pass


def _attend(wanted: int, out: int, err: int, answers: int) -> None:
    """Run one command in a child; send its process id and its exit code."""
    if (pid := os.fork()) == 0:
        os.close(answers)
        _become(wanted, out, err)
    with socket.socket(fileno=answers) as answer:
        answer.send(str(pid).encode())
        _, status = os.waitpid(pid, 0)
        answer.send(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def _become(wanted: int, out: int, err: int) -> None:
    """Become the command or the program; does not return."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with open(wanted, "rb") as file:
        words, cwd, environment, program, has_session = json.load(file)
    if has_session:
        os.setsid()
    for ours, standard in ((out, 1), (err, 2)):
        os.dup2(ours, standard)
        os.close(ours)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(cwd)
    sys.argv = [str(COMMAND) if program is None else "-c", *words]
    sys.path[0 : 0 if sys.flags.safe_path else 1] = [str(COMMAND.parent)]
    if program is None:
        runpy.run_path(str(COMMAND), run_name="__main__")
    else:
        exec(compile(program, "<string>", "exec"), {"__name__": "__main__"})
    sys.exit(0)


def _has_reaped() -> bool:
    try:
        return os.waitpid(-1, os.WNOHANG) != (0, 0)
    except ChildProcessError:
        return False


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])), sys.argv[2:])
