"""The pace of one host for all processes: when it gives a permit, and how a permit's end changes the pace. Pure.

A permit allows one request. The next one comes a delay after the end of the last, since only then it is certain that
the host has received it. At once there are as many permits as the source allows.

The hosts of one registrable domain on one address are one place: together they have the pace of the host that is asked.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tasks.values.permit import Permit, PermitEnd, PermitRequest, Wait

LATENCY_AT_EASE_S = 1.0
"""A host whose answers take longer than this gets a delay as long as its answers take."""

LONGEST_DELAY_S = 120.0
"""No host is slowed beyond this, except by its source's own delay."""

MOST_SLOWDOWN = 32.0

_LEAST_SLOWED_S = 0.25
_NEWEST_SHARE = 0.3
_RECOVERY = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """One host: its next free slot, its Crawl-delay, its mean latency (seconds), and its permits in use.

    `slowdown` multiplies the delay. `turns` (the name in the index) are the permits in use, with the instants at which
    their leases end.
    """

    next_slot_at: datetime
    crawl_delay_s: float | None = None
    latency_s: float | None = None
    slowdown: float = 1.0
    turns: dict[str, datetime]

    def delay_s(self, wanted_s: float) -> float:
        """Return the delay that applies, given the source's own."""
        return kept_delay_s(
            wanted_s, crawl_delay_s=self.crawl_delay_s, latency_s=self.latency_s, slowdown=self.slowdown
        )


def kept_delay_s(
    wanted_s: float, *, crawl_delay_s: float | None, latency_s: float | None, slowdown: float | None
) -> float:
    """Return a host's delay (seconds): the source's or robots.txt's, longer for a slow or busy host.

    What is unknown of the host is None.
    """
    latency_s = latency_s or 0.0
    delay_s = max(wanted_s, crawl_delay_s or 0.0, latency_s if latency_s > LATENCY_AT_EASE_S else 0.0)
    # A busy host needs a delay that can be multiplied, even if the source allows 0.
    if slowdown is not None and slowdown > 1:
        delay_s = max(delay_s, _LEAST_SLOWED_S) * slowdown
    return min(delay_s, max(wanted_s, LONGEST_DELAY_S))


def grant_permit(pace: Pace, wanted: PermitRequest, *, permit_id: str, now: datetime) -> tuple[Pace, Permit | Wait]:
    """Return a permit, or the wait before the next request for one; expired leases are dropped."""
    turns = {one: until for one, until in pace.turns.items() if until > now}
    delay_s = pace.delay_s(wanted.delay_s)
    wait_s = 0.0
    if now < pace.next_slot_at:
        wait_s = (pace.next_slot_at - now).total_seconds()
    elif len(turns) >= wanted.max_per_host:
        # Permits in use may be another process's, whose end is not reported here.
        wait_s = min(max(delay_s / 4, 0.1), 0.5)
    if wait_s:
        return replace(pace, turns=turns), Wait(host=wanted.host, wait_s=wait_s, delay_s=delay_s)
    pace = replace(
        pace,
        next_slot_at=now + timedelta(seconds=delay_s),
        turns={**turns, permit_id: now + timedelta(seconds=wanted.lease_s)},
    )
    return pace, Permit(permit_id=permit_id, host=wanted.host, place=wanted.place)


def grant_at_place(
    host: Pace, place: Pace, wanted: PermitRequest, *, permit_id: str, now: datetime
) -> tuple[Pace, Pace, Permit | Wait]:
    """Return a permit at a host that shares its place with others, or the longer wait; both paces change or none."""
    asked, answer = grant_permit(host, wanted, permit_id=permit_id, now=now)
    if isinstance(answer, Wait):
        return asked, place, answer
    as_here = replace(wanted, delay_s=host.delay_s(wanted.delay_s))
    shared, answer = grant_permit(place, as_here, permit_id=permit_id, now=now)
    return (host if isinstance(answer, Wait) else asked), shared, answer


def end_at_place(host: Pace, place: Pace, end: PermitEnd, *, now: datetime) -> tuple[Pace, Pace]:
    """Return both paces after a permit ends. The wait that a host asks for is its own; its delay is its place's too."""
    host = end_permit(host, end, now=now)
    free_at = now + timedelta(seconds=host.delay_s(end.delay_s))
    turns = {one: until for one, until in place.turns.items() if one != end.permit.permit_id}
    return host, replace(place, turns=turns, next_slot_at=max(place.next_slot_at, free_at))


def end_permit(pace: Pace, end: PermitEnd, *, now: datetime) -> Pace:
    """Return the pace after a permit ends: 429 and 503 halve the rate, answers bring it back, a long latency slows it."""
    slowdown = min(pace.slowdown * 2, MOST_SLOWDOWN) if end.is_busy else max(pace.slowdown * _RECOVERY, 1.0)
    # An exponential moving average: one slow answer does not slow a host, many do.
    known_s = end.elapsed_s if pace.latency_s is None else pace.latency_s
    latency_s = known_s + _NEWEST_SHARE * (end.elapsed_s - known_s)
    delay_s = kept_delay_s(end.delay_s, crawl_delay_s=pace.crawl_delay_s, latency_s=latency_s, slowdown=slowdown)
    # from the end of the request: only then is it certain that a slow server has finished
    free_at = now + timedelta(seconds=max(delay_s, end.hold_s or 0.0))
    return replace(
        pace,
        slowdown=slowdown,
        latency_s=latency_s,
        turns={one: until for one, until in pace.turns.items() if one != end.permit.permit_id},
        next_slot_at=max(pace.next_slot_at, free_at),
    )
