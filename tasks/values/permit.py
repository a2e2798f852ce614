"""Permits to make one request at a host, and robots.txt as an origin answered it. Pure."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RobotsAnswer:
    """robots.txt as an origin (scheme://host[:port]) answered it; `status` None: nothing answered.

    What else an origin is asked once a day stands under another name than its own: see tasks.politeness.client.
    """

    origin: str
    status: int | None
    body: bytes
    fetched_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PermitRequest:
    """A permit wanted at one host, under one source's rules: one request, which takes at most `lease_s` (seconds)."""

    host: str
    delay_s: float
    max_per_host: int
    lease_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """Permission to make one request at a host, now."""

    permit_id: str
    host: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """No permit yet: it may be asked for again in `wait_s`. The host is asked every `delay_s` (seconds)."""

    host: str
    wait_s: float
    delay_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PermitEnd:
    """How a permit ended: how long it took, whether the host said that it is busy, the wait it wants (seconds).

    `delay_s` is the source's own.
    """

    permit: Permit
    delay_s: float
    elapsed_s: float
    is_busy: bool = False
    hold_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedRobots:
    """A robots.txt that was just asked for, and the delay that it wants at its host (seconds)."""

    answer: RobotsAnswer
    host: str
    crawl_delay_s: float | None
