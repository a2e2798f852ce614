"""The command in a process of its own that has the libraries already: to import them is half of what most commands cost.

One process imports them and forks for each command, which gets an environment, a folder and output of its own and runs
the same script as ever. Prefect reads its settings when it is imported: those that many commands have in common get a
process of their own that has imported it with them. The processes end with ours.
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
from functools import cache
from pathlib import Path

COMMAND = Path(sys.executable).with_name("presslake")
MODULES = (
    "tasks.discover.polling", "tasks.fetch.fetching", "tasks.extract.extraction", "tasks.deduplicate.deciding",
    "tasks.store.publishing", "tasks.verify.verification", "tasks.maintain.maintenance", "flows.cli.app",
    "alembic.command", "boto3.session", "deltalake", "griffe", "jsonschema", "pendulum", "pyarrow.parquet",
    "rich.progress", "starlette.applications",
)  # fmt: skip
"""What commands import, as far as it knows nothing of Prefect; some of it is Prefect's own."""


WITH_PREFECT = (
    "flows.ingest", "flows.maintain", "flows.report", "flows.verify", "flows.cli.progress_bar", "flows.sweep.by_hand",
    "flows.sweep.shards", "tasks.health.table", "tasks.report.period", "prefect.client.orchestration",
)  # fmt: skip
"""What the commands that run a flow import besides."""

READ_AT_IMPORT = ("PREFECT_", "OTEL_", "DO_NOT_TRACK")
Settings = frozenset[tuple[str, str]]
_common: set[Settings] = set()


class Forker:
    """The process that forks, as this one sees it; with settings it has imported Prefect as well, with a path from there."""

    def __init__(self, settings: Mapping[str, str] | None = None, *, path: str = "") -> None:
        self._asked, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    *(("-P",) if path else ()),  # else this checkout would come before the path
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

    def run(
        self, words: Sequence[str], *, cwd: Path, environment: Mapping[str, str], timeout: float
    ) -> subprocess.CompletedProcess[bytes]:
        """Run the command to its end, as `subprocess.run` does."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with ours, tempfile.TemporaryFile() as wanted, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            wanted.write(json.dumps([list(words), str(cwd), dict(environment)]).encode())
            wanted.seek(0)
            with theirs:
                files = [wanted.fileno(), out.fileno(), err.fileno(), theirs.fileno()]
                socket.send_fds(self._asked, [b"run"], files)
            code = _code_of(ours, timeout)
            out.seek(0)
            err.seek(0)
            return subprocess.CompletedProcess(words, code, out.read(), err.read())

    def close(self) -> None:
        self._asked.close()
        self._process.wait(timeout=60)


def run(
    words: Sequence[str], *, cwd: Path, environment: Mapping[str, str], timeout: float
) -> subprocess.CompletedProcess[bytes]:
    """Run the command to its end, forked where a process has imported what it would."""
    settings, path = _settings(environment), environment.get("PYTHONPATH", "")
    forker = _started(settings if settings in _common and not path else None, path)
    return forker.run(words, cwd=cwd, environment=environment, timeout=timeout)


def expect_many(environment: Mapping[str, str]) -> None:
    """Let commands that have this environment's settings of Prefect find it imported."""
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


def _code_of(answers: socket.socket, timeout: float) -> int:
    """Wait for the end of a command, which is killed where it takes too long."""
    pid = int(answers.recv(64))
    answers.settimeout(timeout)
    try:
        return int(answers.recv(64))
    except TimeoutError:
        os.kill(pid, signal.SIGKILL)
        raise subprocess.TimeoutExpired(str(COMMAND), timeout) from None


def _serve(asked: socket.socket, with_prefect: Sequence[str]) -> None:
    """Fork for each command that is asked for, until nobody can ask any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for who asks: we end when it has ended
    for name in (*MODULES, *with_prefect):
        importlib.import_module(name)
    assert with_prefect or "prefect" not in sys.modules
    gc.freeze()  # so that no child copies what it collects
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
    """Run one command in a child, and tell its id and its exit code."""
    if (pid := os.fork()) == 0:
        os.close(answers)
        _become(wanted, out, err)
    with socket.socket(fileno=answers) as answer:
        answer.send(str(pid).encode())
        _, status = os.waitpid(pid, 0)
        answer.send(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def _become(wanted: int, out: int, err: int) -> None:
    """Be the command from here on; does not return."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with open(wanted, "rb") as file:
        words, cwd, environment = json.load(file)
    for ours, standard in ((out, 1), (err, 2)):
        os.dup2(ours, standard)
        os.close(ours)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(cwd)
    sys.argv = [str(COMMAND), *words]
    sys.path[0 : 0 if sys.flags.safe_path else 1] = [str(COMMAND.parent)]
    runpy.run_path(str(COMMAND), run_name="__main__")
    sys.exit(0)


def _has_reaped() -> bool:
    try:
        return os.waitpid(-1, os.WNOHANG) != (0, 0)
    except ChildProcessError:
        return False


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])), sys.argv[2:])
