"""Permits to make one request at a host, and robots.txt as an origin answered it. Pure."""

import base64
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

import orjson
from isal import isal_zlib


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The recorded exchange of a policy document: heads as sent and received, the body with its content coding.

    `body` is empty if the status is not 2xx: an error page is not a rule, and may differ each time.
    """

    url: str
    request_head: bytes
    response_head: bytes
    body: bytes
    address: str | None

    def pack(self) -> bytes:
        """Return it serialized, for the index."""
        heads = (self.request_head, self.response_head, self.body)
        parts = [self.url, self.address, *(base64.b64encode(one).decode() for one in heads)]
        return isal_zlib.compress(orjson.dumps(parts), 1)

    @classmethod
    def unpack(cls, packed: bytes) -> Self:
        """Return the evidence that `pack` serialized."""
        url, address, *parts = orjson.loads(isal_zlib.decompress(packed))
        request_head, response_head, body = map(base64.b64decode, parts)
        return cls(url=url, address=address, request_head=request_head, response_head=response_head, body=body)


@dataclass(frozen=True, slots=True, kw_only=True)
class RobotsAnswer:
    """The response of an origin (scheme://host[:port]) for robots.txt; `status` None: no response.

    Other daily requests to an origin have names of their own: see tasks.politeness.client. `evidence`
    is the packed exchange of a document that is kept in the lake; `turn` distinguishes a document that returned from
    its earlier period. `age` is the age of the response when it was read, `is_fresh` whether it may be used without a
    new request.
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
    """A request for a permit at one host, under one source's rules. The permitted GET takes at most `lease_s` (seconds).

    `place` identifies the host's registrable domain on its address, None if that is not limited separately.
    """

    host: str
    delay_s: float
    max_per_host: int
    lease_s: float
    place: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """Permission to make one request now at a host, and at its place, if any."""

    permit_id: str
    host: str
    place: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """No permit yet: ask again in `wait_s` seconds. Requests to the host are `delay_s` seconds apart."""

    host: str
    wait_s: float
    delay_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PermitEnd:
    """The end of a permit: the request's duration, whether the host is busy, and the wait it requires (seconds).

    `delay_s` is the source's setting.
    """

    permit: Permit
    delay_s: float
    elapsed_s: float
    is_busy: bool = False
    hold_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedRobots:
    """A robots.txt that was just fetched, and its crawl delay for the host (seconds).

    `policy_id` identifies the document, if the lake keeps it, and `form` its content.
    """

    answer: RobotsAnswer
    host: str
    crawl_delay_s: float | None
    policy_id: str | None = None
    form: str | None = None
