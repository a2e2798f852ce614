"""What crossed the wire: requests and their answers, and what an answer's status means. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from tasks.errors import BadResponse, BodyTruncated, GoneError, HttpRefused, ServerBusy
from tasks.reasons import Disposition, reason_of_status
from tasks.values.url import Url
from tasks.web.headers import capped, parse_retry_after

# Of these the first counts when a server sends several; of all others, all do (RFC 9110, 5.3).
_SINGULAR = frozenset({"content-type", "content-length", "date", "etag", "last-modified", "location", "retry-after"})

_MAX_FIELDS = 100

_PAGES = frozenset({200, 203})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and its answer. Heads are in HTTP/1.1's form, with CRLF and the empty line that ends them.

    `headers` have lower-case names and Latin-1 values; `body` is as received, its transfer coding undone and its
    content coding kept, or as much of it as came where it `is_cut_short`; `mended` says what was changed in the answer's head, which stands in `response_head` as it came;
    `address` is the server's, None where it is not known; `started_at` is aware UTC.

    Of a whole GET, it is the answer that is no redirect: `redirects` are those before it, `content` is its body with its
    content coding undone, and where that ended before its end, `missing` says how much came: `5 of 7 bytes`.
    """

    url: Url
    request_head: bytes
    response_head: bytes
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    address: str | None
    started_at: datetime
    elapsed_ms: int
    mended: tuple[str, ...] = ()
    is_cut_short: bool = False
    content: bytes = b""
    missing: str | None = None
    redirects: tuple[Self, ...] = ()

    @property
    def hops(self) -> tuple[Self, ...]:
        """All answers of the GET, in their order; this is the last."""
        return (*self.redirects, self)

    def header(self, name: str) -> str | None:
        """Return a field's value, by its lower-case name; of all but Location, which is a URL, no more than is looked at."""
        values = [value for known, value in self.headers if known == name]
        if not values:
            return None
        if name == "location":
            return values[0]
        return capped(values[0] if name in _SINGULAR else ", ".join(values[:_MAX_FIELDS]))

    @property
    def is_redirect(self) -> bool:
        """Whether this answer leads elsewhere."""
        return self.status in _REDIRECTS and self.header("location") is not None

    @property
    def is_conditional(self) -> bool:
        """Whether the request asked for a change alone, so that 304 is an answer to it."""
        return any(
            line.startswith((b"if-none-match:", b"if-modified-since:"))
            for line in self.request_head.lower().split(b"\r\n")
        )


def raise_for_status(answer: Exchange, *, now: datetime) -> None:
    """Return for a page, and for a 304 that was asked for.

    Raises ServerBusy with the server's own wait for 408, 425, 429 and 5xx, GoneError for 410, HttpRefused for every
    other answer that is no page, and BadResponse for one that makes no sense.
    """
    status, said = answer.status, f"{answer.status} at {answer.url}"
    if status in _PAGES or (status == 304 and answer.is_conditional):
        return
    if status in _REDIRECTS:
        raise BadResponse(f"{said} without a Location")
    if status in (206, 304) or not 200 <= status < 600:
        raise BadResponse(f"{said}, which was not asked for")
    disposition = reason_of_status(status).disposition
    if disposition is Disposition.STAYS_DUE:
        raise ServerBusy(said, status=status, retry_after_s=parse_retry_after(answer.header("retry-after"), now=now))
    raise (GoneError if disposition is Disposition.GONE else HttpRefused)(said, status=status)


def raise_for_missing(answer: Exchange) -> None:
    """Raise BodyTruncated for an answer that ended before its end."""
    if answer.missing is not None:
        raise BodyTruncated(f"{answer.missing} at {answer.url}")
