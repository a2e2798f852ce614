"""An S3 proxy that kills its client after a number of writes, before the next one."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from tests.e2e.flaky_s3 import Forwarding, served


@dataclass
class Death:
    """The process to kill, and after how many writes (None: never). `writes` are the keys written so far."""

    after: int | None
    writes: list[str] = field(default_factory=list)
    victim: int = 0
    is_known: threading.Event = field(default_factory=threading.Event)

    def comes_to(self, victim: int) -> None:
        """Set the client's process id: no request is answered before."""
        self.victim = victim
        self.is_known.set()

    def is_due(self) -> bool:
        return self.after is not None and len(self.writes) >= self.after


class _Deadly(Forwarding):
    death: Death

    def _serve(self) -> None:
        body = self._body()
        self.death.is_known.wait(60)
        is_write = self.command not in {"GET", "HEAD"}
        if is_write and self.death.is_due():
            self._kill()
            return
        status, headers, content = self._ask(body)
        if is_write and status < 300:
            self.death.writes.append(self.path)
        if self.death.is_due() and is_write:
            self._kill()
        else:
            self._answer(status, headers, content)

    def _kill(self) -> None:
        self.close_connection = True
        with suppress(ProcessLookupError):
            os.kill(self.death.victim, signal.SIGKILL)


@contextmanager
def deadly_s3(endpoint_url: str, *, after: int | None) -> Iterator[tuple[str, Death]]:
    """Yield the address of such a proxy in front of the real server."""
    death = Death(after)
    with served(_Deadly, endpoint_url, death=death) as url:
        yield url, death
