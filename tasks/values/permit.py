"""Permits to make one request at a host, and robots.txt as an origin answered it. Pure."""

import base64
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

import orjson
from isal import isal_zlib


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The exchange by which a document came, as it is recorded: heads as sent and received, the body with its content coding.

    `body` is empty if the status is not 2xx: what such a page says is no rule, and it may say the time.
    """

    url: str
    request_head: bytes
    response_head: bytes
    body: bytes
    address: str | None

    def pack(self) -> bytes:
        """Return it as bytes for the index."""
        heads = (self.request_head, self.response_head, self.body)
        parts = [self.url, self.address, *(base64.b64encode(one).decode() for one in heads)]
        return isal_zlib.compress(orjson.dumps(parts), 1)

    @classmethod
    def unpack(cls, packed: bytes) -> Self:
        """Return what was packed."""
        url, address, *parts = orjson.loads(isal_zlib.decompress(packed))
        request_head, response_head, body = map(base64.b64decode, parts)
        return cls(url=url, address=address, request_head=request_head, response_head=response_head, body=body)


@dataclass(frozen=True, slots=True, kw_only=True)
class RobotsAnswer:
    """robots.txt as an origin (scheme://host[:port]) answered it; `status` None: nothing answered.

    Other daily requests to an origin have names of their own: see tasks.politeness.client. `evidence`
    is the packed exchange of a document that is kept in the lake; its `turn` distinguishes it from an earlier time when
    it had the same form. `age` is how old the answer was when it was read, `is_fresh` whether it may be used without
    asking again.
    """

    origin: str
    status: int | None
    body: bytes
    fetched_at: datetime
    evidence: bytes | None = None
    turn: str | None = None
    age: timedelta = timedelta(0)
    is_fresh: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class PermitRequest:
    """A permit wanted at one host, under one source's rules: one request, which takes at most `lease_s` (seconds).

    `place` is the name of the host's registrable domain on its address, None if that has no pace of its own.
    """

    host: str
    delay_s: float
    max_per_host: int
    lease_s: float
    place: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """Permission to make one request at a host, and at its place if it has one, now."""

    permit_id: str
    host: str
    place: str | None = None


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
    """A robots.txt that was just asked for, and the delay that it wants at its host (seconds).

    `policy_id` is the document that it is, if it is one that the lake keeps, and `form` its content.
    """

    answer: RobotsAnswer
    host: str
    crawl_delay_s: float | None
    policy_id: str | None = None
    form: str | None = None
