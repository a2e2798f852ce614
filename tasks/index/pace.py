"""The pace of one host across all processes: when a permit is granted, and how its end changes the pace. Pure.

A permit allows one request. The delay starts when the previous request ends: only then has the host certainly received
it. At most `max_per_host` permits are in use at a time.

The hosts of one registrable domain at one address form one place. Together they have the pace of the host being
requested.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tasks.values.permit import Permit, PermitEnd, PermitRequest, Wait

LATENCY_AT_EASE_S = 1.0
"""A host with a longer mean latency gets a delay of at least that latency."""

LONGEST_DELAY_S = 120.0
"""Upper bound of a host's delay, unless its source sets a longer one."""

MOST_SLOWDOWN = 32.0

_LEAST_SLOWED_S = 0.25
_NEWEST_SHARE = 0.3
_RECOVERY = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """One host: its next free slot, Crawl-delay and mean latency (seconds), and its permits in use.

    `slowdown` multiplies the delay. `turns` (the column's name): permits in use, with the ends of their leases.
    """

    next_slot_at: datetime
    crawl_delay_s: float | None = None
    latency_s: float | None = None
    slowdown: float = 1.0
    turns: dict[str, datetime]

    def delay_s(self, wanted_s: float) -> float:
        """Return the delay in seconds that applies, given the source's own."""
        return kept_delay_s(
            wanted_s, crawl_delay_s=self.crawl_delay_s, latency_s=self.latency_s, slowdown=self.slowdown
        )


def kept_delay_s(
    wanted_s: float, *, crawl_delay_s: float | None, latency_s: float | None, slowdown: float | None
) -> float:
    """Return a host's delay in seconds: the source's or robots.txt's, longer for a slow or busy host.

    Unknown values are None.
    """
    latency_s = latency_s or 0.0
    delay_s = max(wanted_s, crawl_delay_s or 0.0, latency_s if latency_s > LATENCY_AT_EASE_S else 0.0)
    # A busy host needs a delay above 0, or the multiplication has no effect.
    if slowdown is not None and slowdown > 1:
        delay_s = max(delay_s, _LEAST_SLOWED_S) * slowdown
    return min(delay_s, max(wanted_s, LONGEST_DELAY_S))


def grant_permit(pace: Pace, wanted: PermitRequest, *, permit_id: str, now: datetime) -> tuple[Pace, Permit | Wait]:
    """Return a permit, or how long to wait before the next request for one. Drops expired leases."""
    turns = {held_id: until for held_id, until in pace.turns.items() if until > now}
    delay_s = pace.delay_s(wanted.delay_s)
    wait_s = 0.0
    if now < pace.next_slot_at:
        wait_s = (pace.next_slot_at - now).total_seconds()
    elif len(turns) >= wanted.max_per_host:
        # The permits in use may belong to other processes, whose ends are not reported to this one.
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
    """Return a permit at a host with a shared place, or the longer wait. A grant changes both paces, a refusal none."""
    asked, answer = grant_permit(host, wanted, permit_id=permit_id, now=now)
    if isinstance(answer, Wait):
        return asked, place, answer
    as_here = replace(wanted, delay_s=host.delay_s(wanted.delay_s))
    shared, answer = grant_permit(place, as_here, permit_id=permit_id, now=now)
    return (host if isinstance(answer, Wait) else asked), shared, answer


def end_at_place(host: Pace, place: Pace, end: PermitEnd, *, now: datetime) -> tuple[Pace, Pace]:
    """Return both paces after a permit ends. A requested wait applies to the host, the delay also to its place."""
    host = end_permit(host, end, now=now)
    free_at = now + timedelta(seconds=host.delay_s(end.delay_s))
    turns = {permit_id: until for permit_id, until in place.turns.items() if permit_id != end.permit.permit_id}
    return host, replace(place, turns=turns, next_slot_at=max(place.next_slot_at, free_at))


def end_permit(pace: Pace, end: PermitEnd, *, now: datetime) -> Pace:
    """Return the pace after a permit ends: 429 and 503 halve the rate, other answers restore it, latency slows it."""
    slowdown = min(pace.slowdown * 2, MOST_SLOWDOWN) if end.is_busy else max(pace.slowdown * _RECOVERY, 1.0)
    # An exponential moving average: one slow answer does not slow a host down, many do.
    known_s = end.elapsed_s if pace.latency_s is None else pace.latency_s
    latency_s = known_s + _NEWEST_SHARE * (end.elapsed_s - known_s)
    delay_s = kept_delay_s(end.delay_s, crawl_delay_s=pace.crawl_delay_s, latency_s=latency_s, slowdown=slowdown)
    # counted from the end of the request, because only then is a slow server certainly done
    free_at = now + timedelta(seconds=max(delay_s, end.hold_s or 0.0))
    return replace(
        pace,
        slowdown=slowdown,
        latency_s=latency_s,
        turns={permit_id: until for permit_id, until in pace.turns.items() if permit_id != end.permit.permit_id},
        next_slot_at=max(pace.next_slot_at, free_at),
    )
