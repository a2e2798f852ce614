"""Renew a run's leases in a background thread while the run works."""

import logging
import threading
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from tasks.errors import IndexUnavailable
from tasks.index import frontier, runs
from tasks.index.database import Index

logger = logging.getLogger(__name__)


class LeaseKeeper:
    """Context manager that renews a run's leases and its heartbeat, three times per lease period."""

    def __init__(self, index: Index, *, run_id: str, lease_s: float) -> None:
        self._index = index
        self._run_id = run_id
        self._lease_s = lease_s
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._renew, name="leases", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _renew(self) -> None:
        while not self._ended.wait(self._lease_s / 3):
            try:
                with self._index.write() as tx:
                    now = datetime.now(UTC)
                    frontier.renew(tx, owner=self._run_id, lease_s=self._lease_s, now=now)
                    runs.record_heartbeat(tx, run_id=self._run_id, now=now)
            except IndexUnavailable as error:  # an expired lease costs one more GET, and no article
                logger.warning("leases not renewed: %s", error)
