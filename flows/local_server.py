"""Prefect's own server on this machine, for as long as it is needed: no second terminal, nothing left behind.

The server is a child that ends when its standard input does, so it goes with this process, however this one goes.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tasks.errors import ServerUnavailable

STARTUP_TIMEOUT_S = 180
STOP_TIMEOUT_S = 10

DEFAULTS = {
    "PREFECT_API_REQUEST_TIMEOUT": "30",  # each of six tries
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": str(STARTUP_TIMEOUT_S),
    # bursts lose task records at the defaults (docs/adr/0002)
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "100",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "100",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
}
"""What Prefect is told where the user has said nothing."""


def set_prefect_defaults(*, is_quiet: bool) -> None:
    """Set what Prefect reads at its import; call it before that. The user's own settings win.

    `is_quiet` keeps the terminal for our own words: the log goes to Prefect's API alone.
    """
    names = ("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "PREFECT_INTERNAL_LOGGING_LEVEL")
    quiet = dict.fromkeys(names, "CRITICAL") if is_quiet else {}
    for name, value in {**DEFAULTS, **quiet}.items():
        os.environ.setdefault(name, value)


@contextmanager
def local_server(*, port: int | None = None, has_ui: bool) -> Iterator[str]:
    """Run a Prefect server and give its API's URL; raises ServerUnavailable with the log's last line."""
    taken = port or _free_port()
    if port and not _is_free(port):
        raise ServerUnavailable(
            f"port {port} is taken: give another with PRESSLAKE_UI_PORT, or stop what listens there"
        )
    url = f"http://127.0.0.1:{taken}"
    log_file = _log_file()
    with log_file.open("wb") as log:
        child = subprocess.Popen(  # noqa: S603 - our own module, no shell
            [sys.executable, "-m", "flows.server_process", str(taken)],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={
                **os.environ,
                "PREFECT_SERVER_UI_ENABLED": str(has_ui).lower(),
                "PREFECT_SERVER_UI_API_URL": f"{url}/api",
            },
            start_new_session=True,  # Ctrl-C is for us: the server goes when we have told it the end of the run
        )
    try:
        _wait_until_healthy(child, f"{url}/api", log_file)
        yield f"{url}/api"
        log_file.unlink(missing_ok=True)  # kept where something went wrong
    finally:
        _stop(child)


def _wait_until_healthy(child: subprocess.Popen[bytes], api_url: str, log_file: Path) -> None:
    deadline = time.monotonic() + STARTUP_TIMEOUT_S
    with httpx.Client(trust_env=False, timeout=5) as client:
        while time.monotonic() < deadline:
            if child.poll() is not None:
                raise ServerUnavailable(
                    f"the local Prefect server did not start: {_last_line(log_file)} (all of it: {log_file})"
                )
            try:
                if client.get(f"{api_url}/health").status_code == httpx.codes.OK:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.1)
    raise ServerUnavailable(
        f"the local Prefect server did not answer within {STARTUP_TIMEOUT_S} s; its log: {log_file}"
    )


def _stop(child: subprocess.Popen[bytes]) -> None:
    if child.stdin:
        child.stdin.close()
    try:
        child.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _log_file() -> Path:
    home = Path(os.environ.get("PREFECT_HOME", "~/.prefect")).expanduser()
    home.mkdir(parents=True, exist_ok=True)
    return home / f"presslake-server-{os.getpid()}.log"


def _last_line(log_file: Path) -> str:
    lines = log_file.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"


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
