"""Choose which child sitemaps and linked feeds to poll in this sweep.

Pure. Of sitemaps with a date the newest are polled. Those without a date are polled in turn, over several sweeps; since
some sites list the newest first and some last, both ends are polled each time.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from tasks.values.feed import Entry, FeedState

LASTMOD_LAG = timedelta(hours=36)
"""A sitemap's lastmod may be a day without a time, in any time zone."""

_NEVER = datetime.min.replace(tzinfo=UTC)


def choose_children(named: Sequence[Entry], known: Mapping[str, FeedState], *, limit: int) -> list[Entry]:
    """Return at most `limit` of the feeds in an index, dated ones first.

    `named` is in the order of the index; `known` is what we know of each of them.
    """

    def asked_at(one: Entry) -> datetime:
        state = known.get(one.url)
        return state.polled_at or _NEVER if state else _NEVER

    # those with equal dates in turn as well: some sites give all of them the date of the index
    dated = sorted((one for one in named if one.modified_at is not None), key=asked_at)
    dated.sort(key=lambda one: one.modified_at or _NEVER, reverse=True)
    undated = [one for one in named if one.modified_at is None]
    room = min(len(undated), max(limit - len(dated), limit // 2))
    return dated[: limit - room] + _in_turn(undated, asked_at, room=room)


def is_open(state: FeedState, now: datetime) -> bool:
    """Whether a feed has not ended, and is not failing."""
    return state.due_at is not None and not (state.failures and state.due_at > now)


def is_worth_asking(state: FeedState, modified_at: datetime | None, *, now: datetime) -> bool:
    """Whether a child feed may have news: it has not ended, is not failing, and may have changed since the last poll."""
    if not is_open(state, now):
        return False
    return state.polled_at is None or modified_at is None or state.polled_at <= modified_at + LASTMOD_LAG


def _in_turn(undated: Sequence[Entry], asked_at: Callable[[Entry], datetime], *, room: int) -> list[Entry]:
    """Return entries from both ends and, for the other half of `room`, those polled longest ago."""
    ordered = list(_from_both_ends(undated))
    ends, between = ordered[: room // 2], ordered[room // 2 :]
    return ends + sorted(between, key=asked_at)[: room - len(ends)]


def _from_both_ends(values: Sequence[Entry]) -> Iterator[Entry]:
    first, last = 0, len(values) - 1
    while first <= last:
        yield values[last]
        if first < last:
            yield values[first]
        first, last = first + 1, last - 1
