"""A Prometheus collector with a cache: a scrape reads the index only if the last reading is too old.

If the index is unavailable, `presslake_up` is 0 and the response is otherwise complete, as Prometheus' exporter guide
recommends, which distinguishes a down target from a down index.
"""

import platform
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version

from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from tasks.errors import PresslakeError
from tasks.index.database import HEAD, open_reader
from tasks.index.state import IndexState, read_state
from tasks.metrics.families import source_families, whole_families

TIMEOUT_S = 8
"""The time-out of one reading of the index; Prometheus' default for a scrape is 10."""

REST = 10
"""A reading is cached for ten times as long as it took, so that scrapes use at most a tenth of the index's time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectorConfig:
    """The index to read, the greatest age of an answer, and how many sources have series of their own."""

    index_url: str
    cache_s: float = 15.0
    max_sources: int = 500


class IndexCollector(Collector):
    """The index as metrics; threads share one reading of the index.

    `listed` returns the sources that may have series of their own (None: all in the index). `report` is called once
    with the reason when the index becomes unavailable, and with None when it is back.
    """

    def __init__(
        self,
        config: CollectorConfig,
        *,
        listed: Callable[[], frozenset[str] | None] = lambda: None,
        report: Callable[[str | None], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._config = config
        self._listed = listed
        self._report = report
        self._clock = clock
        self._lock = threading.Lock()
        self._families: tuple[Metric, ...] = ()
        self._fresh_until = -1.0
        self.trouble: str | None = None

    def describe(self) -> Iterable[Metric]:
        """Describe nothing, so that registering does not read the index."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Return all families, not older than the cache allows."""
        with self._lock:
            if self._clock() >= self._fresh_until:
                begun = self._clock()
                self._families = tuple(self._read())
                ended = self._clock()
                self._fresh_until = ended + max(self._config.cache_s, REST * (ended - begun))
            return self._families

    def _read(self) -> Iterator[Metric]:
        begun = self._clock()
        state = self._state()
        yield GaugeMetricFamily("presslake_up", "Whether the index could be read.", value=state is not None)
        info = {"version": version("presslake"), "schema": HEAD, "python": platform.python_version()}
        yield InfoMetricFamily("presslake_build", "What serves these metrics.", value=info)
        if state is not None:
            yield from whole_families(state)
            yield from self._of_sources(state)
            yield GaugeMetricFamily(
                "presslake_read_timestamp_seconds", "When the index was read.", value=state.read_at.timestamp()
            )
        yield GaugeMetricFamily(
            "presslake_read_duration_seconds", "How long reading it took.", value=self._clock() - begun
        )

    def _state(self) -> IndexState | None:
        trouble: str | None = None
        try:
            with open_reader(self._config.index_url, timeout_s=TIMEOUT_S) as index, index.read() as tx:
                return read_state(tx, now=datetime.now(UTC))
        except PresslakeError as error:
            trouble = str(error)
            return None
        finally:
            if trouble != self.trouble:
                self.trouble = trouble
                self._report(trouble)

    def _of_sources(self, state: IndexState) -> Iterator[Metric]:
        listed = self._listed()
        known = state.source_ids if listed is None else state.source_ids & listed
        named = most_captured(state, known, limit=self._config.max_sources)
        yield GaugeMetricFamily("presslake_sources", "Sources that the index knows.", value=len(state.source_ids))
        yield GaugeMetricFamily("presslake_sources_listed", "Sources with their own series.", value=len(named))
        if named:
            yield from source_families(state, named)


def most_captured(state: IndexState, known: Iterable[str], *, limit: int) -> frozenset[str]:
    """Return the sources with the most captures: a stable order, which keeps a source that falls silent."""
    captures = dict.fromkeys(known, 0)
    for one in state.capture_counts:
        if one.source_id in captures:
            captures[one.source_id] += one.captures
    return frozenset(sorted(captures, key=lambda source_id: (-captures[source_id], source_id))[:limit])
