"""Counts that a batch adds to its sources' health: looks by result, delays, hours of publication. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from tasks.deduplicate.resemblance import article_time
from tasks.index.health import ArrivalDay, Quarantined, Tally, TallyKind, lag_bucket
from tasks.lake.keys import quarantine_key
from tasks.values.rows import Capture

LONGEST_LAG = timedelta(days=2)
"""An article older than this when first seen is not counted as late: it existed before we looked."""


class LookResult(NamedTuple):
    """One look at a URL of a source, and its result."""

    source_id: str
    at: datetime
    came_to: str


class Arrival(NamedTuple):
    """A new article."""

    source_id: str
    published_at: datetime | None
    first_seen_at: datetime


def tallies_of(
    looks: Iterable[LookResult], arrivals: Iterable[Arrival], *, run_id: str, now: datetime
) -> Iterator[Tally]:
    """Yield the results of a decided batch, by source and day; `now` is when its articles were stored."""
    last: dict[tuple[str, date], datetime] = {}
    numbers: Counter[tuple[str, date, TallyKind, str]] = Counter()
    for one in looks:
        place = one.source_id, one.at.astimezone(UTC).date()
        last[place] = max(one.at, last.get(place, one.at))
        numbers[*place, TallyKind.LOOK, one.came_to] += 1
    for new in arrivals:
        if new.published_at is not None:
            lag = now - min(article_time(new.published_at, new.first_seen_at), now)
            if lag <= LONGEST_LAG:
                numbers[new.source_id, new.first_seen_at.astimezone(UTC).date(), TallyKind.LAG, lag_bucket(lag)] += 1
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


def arrivals_of(arrivals: Iterable[Arrival]) -> Iterator[ArrivalDay]:
    """Yield when the new articles were published, by source and UTC day; instead of a future date, when the article was first seen."""
    newest: dict[tuple[str, date], datetime] = {}
    hours: dict[tuple[str, date], Counter[int]] = {}
    for one in arrivals:
        at = min(article_time(one.published_at, one.first_seen_at), one.first_seen_at)
        place = (one.source_id, at.date())
        newest[place] = max(at, newest.get(place, at))
        hours.setdefault(place, Counter())[at.hour] += 1
    for (source_id, day), counts in hours.items():
        yield ArrivalDay(
            source_id=source_id,
            day=day,
            hours=tuple(counts[hour] for hour in range(24)),
            newest_at=newest[source_id, day],
        )


def quarantined_of(captures: Iterable[tuple[int, Capture]], *, batch_id: str) -> Iterator[Quarantined]:
    """Yield pages that cannot be processed, with the keys of their documents."""
    for number, one in captures:
        yield Quarantined(
            document_key=quarantine_key(batch_id, number, one.dt),
            url_key=one.url_key,
            source_id=one.source_id,
            url=one.url,
            reason=str(one.reason),
            captured_at=one.fetched_at,
        )
