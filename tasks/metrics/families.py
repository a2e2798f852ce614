"""The index's state as families of metrics. Pure.

Names and units follow Prometheus' conventions: base units, `_total` for counters, and the instant of an event, not its
age, so that a figure is right at any time (`time() - ..._timestamp_seconds`). A metric without a value has no sample.
Series by source have names of their own, since their number is bounded while the totals always cover all sources.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from tasks.index.capture_counts import ARRIVALS, CaptureCount
from tasks.index.frontier import State
from tasks.index.state import IndexState
from tasks.values.rows import Novelty, Outcome

Values = Mapping[tuple[str, ...], float]

FAILURES = frozenset({Outcome.FAILED, Outcome.QUARANTINED})
LAST_RUN = {
    "discovered": "New URLs that it found.",
    "fetched": "Pages that it fetched.",
    "not_modified": "Unchanged URLs.",
    "failed": "URLs and feeds that failed.",
}
PENDING = (State.DUE, State.LEASED)


def whole_families(state: IndexState) -> Iterator[Metric]:
    """Yield the metrics of the whole index."""
    yield from _frontier(state)
    yield from _captures(state)
    yield from _feeds(state)
    yield from _runs(state)
    yield _gauge("outbox_batches", "Decided batches not yet published to the lake.", state.unpublished)
    yield _instant("outbox_oldest_timestamp_seconds", "When the oldest of them was decided.", state.unpublished_since)
    yield _gauge("hosts", "Hosts ever contacted.", state.hosts)
    yield _gauge("hosts_held", "Hosts paused for another minute or more.", state.held_hosts)
    yield _gauge("hosts_slowed", "Hosts with a longer delay because they were busy.", state.slowed_hosts)
    yield _gauge("index_bytes", "Size of the index's database.", state.size)


def source_families(state: IndexState, source_ids: Collection[str]) -> Iterator[Metric]:
    """Yield the metrics of each of these sources."""
    capture_counts = [one for one in state.capture_counts if one.source_id in source_ids]
    newest: dict[str, datetime] = {}
    for one in capture_counts:
        if one.latest_at and one.novelty in ARRIVALS:
            newest[one.source_id] = max(one.latest_at, newest.get(one.source_id, one.latest_at))
    yield _by(
        "source_newest_article_timestamp_seconds",
        "When the source's newest article was fetched.",
        ("source",),
        {(source_id,): at.timestamp() for source_id, at in newest.items()},
    )
    yield _counter_by(
        "source_articles",
        "Pages of the source by novelty.",
        ("source", "novelty"),
        _add_up(capture_counts, lambda one: (one.source_id, one.novelty) if one.novelty else None),
    )
    yield _counter_by(
        "source_captures",
        "Visits to the source's URLs, by outcome.",
        ("source", "outcome"),
        _add_up(capture_counts, lambda one: (one.source_id, one.outcome)),
    )
    yield _counter_by(
        "source_failures",
        "Visits to the source's URLs that failed or were quarantined, by reason.",
        ("source", "reason"),
        _add_up(capture_counts, lambda one: (one.source_id, one.reason) if one.outcome in FAILURES else None),
    )
    pending: Values = {
        (source_id,): sum(state.urls.get(source_id, {}).get(waiting, 0) for waiting in PENDING)
        for source_id in source_ids
    }
    yield _by("source_pending_urls", "Pending URLs of the source.", ("source",), pending)
    feeds = {source_id: one for source_id, one in state.feeds.items() if source_id in source_ids}
    yield _by(
        "source_feeds",
        "Polled feeds of the source.",
        ("source",),
        {(k,): one.polled for k, one in feeds.items()},
    )
    yield _by(
        "source_feeds_failing",
        "Feeds of the source whose last poll failed.",
        ("source",),
        {(k,): one.failing for k, one in feeds.items()},
    )


def _frontier(state: IndexState) -> Iterator[Metric]:
    by_state: Counter[str] = Counter({one.value: 0 for one in State})
    for counts in state.urls.values():
        by_state.update(counts)
    yield _by("frontier_urls", "URLs known, by state.", ("state",), {(name,): n for name, n in by_state.items()})
    yield _gauge("frontier_due_urls", "URLs that may be fetched now, in any state.", state.due.urls)
    yield _instant("frontier_oldest_due_timestamp_seconds", "When the oldest of them became due.", state.due.oldest_at)
    yield _gauge("frontier_expired_leases", "URLs with an expired lease.", state.due.expired_leases)


def _captures(state: IndexState) -> Iterator[Metric]:
    yield _counter_by(
        "captures",
        "Visits to URLs, by outcome, and by reason if there is no page.",
        ("outcome", "reason"),
        {(Outcome.OK.value, ""): 0, **_add_up(state.capture_counts, lambda one: (one.outcome, one.reason))},
    )
    size = sum(one.payload_size for one in state.capture_counts)
    yield _counter_by("captured_bytes", "Payloads captured, decoded.", (), {(): size})
    yield _counter_by(
        "articles",
        "Pages by novelty.",
        ("novelty",),
        {
            **{(novelty.value,): 0 for novelty in Novelty},
            **_add_up(state.capture_counts, lambda one: (one.novelty,) if one.novelty else None),
        },
    )
    yield _gauge("known_articles", "Articles that the index knows.", state.known_articles)
    arrived = [one.latest_at for one in state.capture_counts if one.latest_at and one.novelty in ARRIVALS]
    yield _instant(
        "newest_article_timestamp_seconds",
        "When the newest article of any source was fetched.",
        max(arrived, default=None),
    )


def _feeds(state: IndexState) -> Iterator[Metric]:
    sources = state.feeds.values()
    yield _gauge("feeds", "Polled feeds, without those found through other feeds.", sum(one.polled for one in sources))
    yield _gauge("feeds_due", "Feeds due now.", sum(one.due for one in sources))
    yield _gauge("feeds_ended", "Feeds that returned 410 and are no longer polled.", sum(one.ended for one in sources))
    yield _by(
        "feeds_failing",
        "Feeds whose last poll failed, by reason.",
        ("reason",),
        {(reason,): number for reason, number in state.failing_feeds.items()},
    )
    polled = [one.last_polled_at for one in sources if one.last_polled_at]
    yield _instant("last_poll_timestamp_seconds", "When a feed was last polled.", max(polled, default=None))


def _runs(state: IndexState) -> Iterator[Metric]:
    yield _by("runs", "Runs that the index remembers, by state.", ("state",), {(k,): n for k, n in state.runs.items()})
    if state.last_run is None:
        return
    last = state.last_run
    yield _instant("last_run_timestamp_seconds", "When the last run that reported ended.", last.ended_at)
    yield _gauge("last_run_duration_seconds", "How long it took.", last.seconds)
    for name, meaning in LAST_RUN.items():
        yield _gauge(f"last_run_{name}", meaning, last.counts[name])


def _add_up(
    capture_counts: Iterable[CaptureCount], key: Callable[[CaptureCount], tuple[str, ...] | None]
) -> dict[tuple[str, ...], int]:
    sums: Counter[tuple[str, ...]] = Counter()
    for one in capture_counts:
        if (labels := key(one)) is not None:
            sums[labels] += one.captures
    return dict(sums)


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(f"presslake_{name}", meaning, value=value)


def _instant(name: str, meaning: str, at: datetime | None) -> Metric:
    return _by(name, meaning, (), {(): at.timestamp()} if at else {})


def _by(name: str, meaning: str, labels: tuple[str, ...], values: Values) -> Metric:
    return _filled(GaugeMetricFamily(f"presslake_{name}", meaning, labels=labels), values)


def _counter_by(name: str, meaning: str, labels: tuple[str, ...], values: Values) -> Metric:
    return _filled(CounterMetricFamily(f"presslake_{name}", meaning, labels=labels), values)


def _filled(family: GaugeMetricFamily | CounterMetricFamily, values: Values) -> Metric:
    for labels, value in sorted(values.items()):
        family.add_metric(labels, value)
    return family
