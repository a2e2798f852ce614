"""What a batch adds to the health of its sources: looks by what they came to, delays, hours of publication. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta

from tasks.deduplicate.resemblance import told_at
from tasks.index.health import ArrivalDay, Quarantined, Tally, TallyKind, lag_bucket
from tasks.lake.keys import quarantine_key
from tasks.values.rows import Article, Capture, Outcome

LONGEST_LAG = timedelta(days=2)
"""What was older when it was first seen was not late: it was there before we looked."""


def tallies_of(
    captures: Sequence[Capture], articles: Iterable[Article], *, run_id: str, now: datetime
) -> Iterator[Tally]:
    """Yield what a decided batch came to, by source and day; `now` is when its articles were stored."""
    last: dict[tuple[str, date], datetime] = {}
    numbers: Counter[tuple[str, date, TallyKind, str]] = Counter()
    for one in captures:
        last[one.source_id, one.dt] = max(one.fetched_at, last.get((one.source_id, one.dt), one.fetched_at))
        numbers[one.source_id, one.dt, TallyKind.LOOK, _came_to(one)] += 1
    for row in articles:
        if row.revision == 1 and row.published_at is not None:
            lag = now - min(told_at(row.published_at, row.first_seen_at), now)
            if lag <= LONGEST_LAG:
                numbers[row.source_id, row.dt, TallyKind.LAG, lag_bucket(lag)] += 1
    for (source_id, day, kind, what), number in numbers.items():
        yield Tally(
            source_id=source_id,
            day=day,
            kind=kind,
            what=what,
            number=number,
            last_at=last[source_id, day],
            run_id=run_id,
            run_number=number,
        )


def arrivals_of(articles: Iterable[Article]) -> Iterator[ArrivalDay]:
    """Yield when the new articles were published, by source and UTC day; a date in the future is when it was first seen."""
    newest: dict[tuple[str, date], datetime] = {}
    hours: dict[tuple[str, date], Counter[int]] = {}
    for row in articles:
        if row.revision == 1:
            at = min(told_at(row.published_at, row.first_seen_at), row.first_seen_at)
            place = (row.source_id, at.date())
            newest[place] = max(at, newest.get(place, at))
            hours.setdefault(place, Counter())[at.hour] += 1
    for (source_id, day), counts in hours.items():
        yield ArrivalDay(
            source_id=source_id,
            day=day,
            hours=tuple(counts[hour] for hour in range(24)),
            newest_at=newest[source_id, day],
        )


def quarantined_of(captures: Sequence[Capture], *, batch_id: str) -> Iterator[Quarantined]:
    """Yield the batch's pages that cannot be processed, each with the key that its document gets."""
    for number, one in enumerate(captures):
        if one.outcome is Outcome.QUARANTINED:
            yield Quarantined(
                document_key=quarantine_key(batch_id, number, one.dt),
                url_key=one.url_key,
                source_id=one.source_id,
                url=one.url,
                reason=str(one.reason),
                captured_at=one.fetched_at,
            )


def _came_to(capture: Capture) -> str:
    if capture.outcome is Outcome.OK:
        return str(capture.novelty)
    return Outcome.NOT_MODIFIED if capture.outcome is Outcome.NOT_MODIFIED else str(capture.reason)
