"""A temporary Prefect server on this machine.

The server is a child process that exits when its standard input closes. So it ends with this process, even if that is
killed.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from flows.cli.saying import say
from flows.server import process as server_process
from flows.server.defaults import STARTUP_TIMEOUT_S
from flows.server.log import first_trouble
from tasks.errors import ServerUnavailable
from tasks.runtime.safe_path import safe_environment

STOP_TIMEOUT_S = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class _Server:
    child: subprocess.Popen[bytes]
    api_url: str
    log_file: Path


class _EndedEarly(ServerUnavailable):
    """The server's process exited before it answered."""


@contextmanager
def local_server(*, port: int | None = None, has_ui: bool) -> Iterator[str]:
    """Run a Prefect server and yield the URL of its API.

    Raises ServerUnavailable if the port is taken, or if the server does not start; the error names the first error in its log.
    """
    if port and not _is_free(port):
        raise ServerUnavailable(
            f"port {port} is in use: set another with PRESSLAKE_UI_PORT, or stop the process that uses it"
        )
    server = _started(port, has_ui=has_ui)
    try:
        yield server.api_url
        server.log_file.unlink(missing_ok=True)  # after an error the log is kept
    finally:
        _stop(server.child)


def _started(port: int | None, *, has_ui: bool) -> _Server:
    """Start a server and wait until it answers; if it exits early, try once more, on another port unless `port` is given."""
    try:
        return _start(port or _free_port(), has_ui=has_ui)
    except _EndedEarly as first:
        say(f"presslake: the local Prefect server did not start; trying once more: {first}")
        try:
            return _start(port or _free_port(), has_ui=has_ui)
        except _EndedEarly as second:
            raise ServerUnavailable(
                f"the local Prefect server did not start: {second}; the first time: {first}"
            ) from second


def _start(port: int, *, has_ui: bool) -> _Server:
    url = f"http://127.0.0.1:{port}"
    log_file = _log_file(port)
    with log_file.open("wb") as log:
        child = subprocess.Popen(  # noqa: S603 - our own file, no shell
            [sys.executable, server_process.__file__, str(port)],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={
                **safe_environment(os.environ),
                "PREFECT_SERVER_UI_ENABLED": str(has_ui).lower(),
                # registering blocks costs a second of CPU on a new database; only the UI needs their forms
                "PREFECT_SERVER_REGISTER_BLOCKS_ON_START": str(has_ui).lower(),
                "PREFECT_SERVER_UI_API_URL": f"{url}/api",
            },
            start_new_session=True,  # Ctrl-C must not reach the server: it stops after it has received the end of the run
        )
    server = _Server(child=child, api_url=f"{url}/api", log_file=log_file)
    try:
        _wait_until_healthy(server)
    except BaseException:
        _stop(child)
        raise
    return server


def _wait_until_healthy(server: _Server) -> None:
    deadline = time.monotonic() + STARTUP_TIMEOUT_S
    with httpx.Client(trust_env=False, timeout=5) as client:
        while time.monotonic() < deadline:
            if server.child.poll() is not None:
                raise _EndedEarly(_how_it_ended(server))
            try:
                if client.get(f"{server.api_url}/health").status_code == httpx.codes.OK:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.1)
    raise ServerUnavailable(
        f"the local Prefect server did not answer within {STARTUP_TIMEOUT_S} s; its log: {server.log_file}"
    )


def _how_it_ended(server: _Server) -> str:
    code = server.child.returncode
    how = f"ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
    return f"{first_trouble(server.log_file.read_text(errors='replace'))} ({how}; full log: {server.log_file})"


def _stop(child: subprocess.Popen[bytes]) -> None:
    if child.stdin:
        child.stdin.close()
    try:
        child.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _log_file(port: int) -> Path:
    home = Path(os.environ.get("PREFECT_HOME", "~/.prefect")).expanduser()
    home.mkdir(parents=True, exist_ok=True)
    return home / f"presslake-server-{os.getpid()}-{port}.log"


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
