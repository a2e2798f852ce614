"""An S3 server that kills who writes to it: when so many writes have been done, and before the next one is."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from tests.e2e.flaky_s3 import Forwarding, served


@dataclass
class Death:
    """Who dies, and after how many writes; nobody if `after` is None. `writes` are the keys written so far."""

    after: int | None
    writes: list[str] = field(default_factory=list)
    victim: int = 0
    is_known: threading.Event = field(default_factory=threading.Event)

    def comes_to(self, victim: int) -> None:
        """Say who it is that asks: nothing is answered before."""
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
    """Give the address of such a server before the real one."""
    death = Death(after)
    with served(_Deadly, endpoint_url, death=death) as url:
        yield url, death
