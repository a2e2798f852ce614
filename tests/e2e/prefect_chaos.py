"""Prefect's server is killed and restarted during sweeps: decided batches are kept, and the next sweep continues.

In the long form, the server is a process that is killed; in the tests, it is the session's server behind a gate that is
closed.
"""

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from flows.server.defaults import DEFAULTS
from tests.engine import Presslake
from tests.forking import Running
from tests.press import Press
from tests.servers import free_port

STARTUP_S = 120
SWEEP_S = 240
SMALL = {"PRESSLAKE_BATCH_SIZE": "8"}


@dataclass
class KillableServer:
    """A Prefect server that restarts on the same port with the same database."""

    home: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api"

    @property
    def is_up(self) -> bool:
        """Whether the server is running."""
        return self.process is not None and self.process.poll() is None

    def go_away(self) -> None:
        """Kill the server and its descendants."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(timeout=30)
        self.process.stdin.close()

    def come_back(self) -> None:
        """Start the server, and wait until it answers."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "flows.server.process", str(self.port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **DEFAULTS, "PREFECT_HOME": str(self.home), "PREFECT_SERVER_UI_ENABLED": "false"},
            start_new_session=True,
        )
        deadline = time.monotonic() + STARTUP_S
        while time.monotonic() < deadline:
            with suppress(httpx.TransportError):
                if httpx.get(f"{self.url}/health", timeout=5, trust_env=False).status_code == 200:
                    return
            time.sleep(0.1)
        raise RuntimeError("the Prefect server did not start")


@dataclass
class Gate:
    """A proxy to a server that can be closed: it then cuts its connections and refuses new ones."""

    upstream: tuple[str, int]
    port: int = field(default_factory=free_port)
    _door: socket.socket | None = None
    _open: list[socket.socket] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api"

    def go_away(self) -> None:
        door, self._door = self._door, None
        with suppress(OSError):
            door.shutdown(socket.SHUT_RDWR)
        door.close()
        for one in self._open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self._open.clear()

    def come_back(self) -> None:
        self._door = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._serve, args=(self._door,), daemon=True).start()

    def _serve(self, door: socket.socket) -> None:
        with suppress(OSError):
            while True:
                here, _ = door.accept()
                there = socket.create_connection(self.upstream)
                self._open += [here, there]
                for one, other in ((here, there), (there, here)):
                    threading.Thread(target=_pass_on, args=(one, other), daemon=True).start()


def _pass_on(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while body := one.recv(65536):
            other.sendall(body)
        other.shutdown(socket.SHUT_WR)


@contextmanager
def killable_server(home: Path) -> Iterator[KillableServer]:
    server = KillableServer(home)
    server.come_back()
    try:
        yield server
    finally:
        server.go_away()


@contextmanager
def gate_to(api_url: str) -> Iterator[Gate]:
    parts = urlsplit(api_url)
    gate = Gate((parts.hostname, parts.port))
    gate.come_back()
    try:
        yield gate
    finally:
        gate.go_away()


def sweep_without_server(
    presslake: Presslake,
    server: KillableServer | Gate,
    press: Press,
    catalogue: Path,
    *,
    away_s: float,
    chance: random.Random,
) -> int:
    """Sweep, with the server unavailable for a while in the middle; return the sweep's exit code."""
    hits = sum(press.hits.values())
    sweep = presslake.start("ingest", "--catalogue", catalogue, **SMALL, PREFECT_API_URL=server.url)
    try:
        await_hits(press, hits + 4, sweep)
        time.sleep(chance.uniform(0, 1.5))
        server.go_away()
        time.sleep(away_s)
        server.come_back()
        sweep.communicate(timeout=SWEEP_S)
    finally:
        if sweep.poll() is None:
            sweep.kill()
            sweep.communicate()
    return sweep.returncode


def await_hits(press: Press, number: int, sweep: Running) -> None:
    """Wait, at most a minute, until the press got `number` requests or the sweep has ended."""
    deadline = time.monotonic() + 60
    while sum(press.hits.values()) < number and sweep.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
