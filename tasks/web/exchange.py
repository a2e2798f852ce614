"""What crossed the wire: requests and their answers, what an answer's status means, and where it leads. Pure.

A page that says nothing but that it leads elsewhere is a redirect to us, as it is to its reader: by a Refresh field, a
meta element, or one line of script. One that has a text of its own is a page: it may reload itself, or send those on
that run no scripts.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from html import unescape
from typing import Self

from tasks.errors import BadResponse, BodyTruncated, GoneError, HttpRefused, ServerBusy
from tasks.reasons import Disposition, reason_of_status
from tasks.values.url import Url
from tasks.web.headers import capped, parse_retry_after
from tasks.web.sniffing import is_html
from tasks.web.text import decode_text

# Of these the first counts when a server sends several; of all others, all do (RFC 9110, 5.3).
_SINGULAR = frozenset({"content-type", "content-length", "date", "etag", "last-modified", "location", "retry-after"})

_MAX_FIELDS = 100

_PAGES = frozenset({200, 203})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})

LONGEST_WAIT_S = 10.0
"""Who is sent on later than this has something to read meanwhile."""

LOOKED_AT_SIZE = 32 * 1024
"""Bytes of a page that are looked at."""

LITTLE_TEXT = 400
"""Characters below which a page says nothing of its own."""

# HTML, 4.2.5.3: seconds, then a URL, in quotes or not; some leave `url=` out
_REFRESH = re.compile(
    r"\s*+([0-9]*+)[0-9.]*+(?:\s*+[;,]\s*+|\s++)(?:url\s*+=\s*+)?([\"']?)(.+)", re.IGNORECASE | re.DOTALL
)
# an element that refreshes has these words near each other; "refresh" alone is in the scripts of every fourth page
_REFRESHES = re.compile(rb"http-equiv[^<>]{0,100}?refresh")
_META = re.compile(r"<meta\s([^<>]{1,4000})>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"([a-z-]{1,20})\s*+=\s*+(?:\"([^\"]*+)\"|'([^']*+)'|([^\s\"'>]++))", re.IGNORECASE)
_SCRIPT = re.compile(r"<script\b[^<>]*>", re.IGNORECASE)
_ONLOAD = re.compile(r"<body\b[^<>]{0,2000}?\bonload\s*+=\s*+(?:\"([^\"]*+)\"|'([^']*+)')", re.IGNORECASE)
# a text, which stays, or a comment, with the marks that hide a script from what knows none
_REMARK = re.compile(
    r"(\"[^\"\n]*+\"|'[^'\n]*+'|`[^`]*+`)|/\*(?>[^*]|\*(?!/))*+(?>\*/)?+|//[^\n]*+|<!--|-->|<!\[CDATA\[|\]\]>"
)
_FUNCTION = r"(?>\(?\s*+function\s*+\(\s*+\)\s*+\{|\(\s*+\)\s*+=>\s*+\{?)"
_MOVES = re.compile(
    r"\s*+(?:(?:window\.)?(?:onload\s*+=|setTimeout\s*+\()\s*+)?[\"']?" + _FUNCTION + r"?+\s*+"  # run at once, or soon
    r"(?:(?:window|document|self|top|parent)\.){0,3}location(?:\.href)?\s*+(?:=\s*+|\.(?:replace|assign)\s*+\(\s*+)"
    r"(?:\"([^\"]*+)\"|'([^']*+)'|`([^`$]*+)`)[\s;})\"']*+(?>,\s*+([0-9]{1,9}))?+[\s;()]*+",
    re.IGNORECASE,
)
_HIDDEN = re.compile(r"<(script|style|title|noscript)\b|<!--", re.IGNORECASE)
_NOSCRIPT = re.compile(r"<(noscript)\b", re.IGNORECASE)
_COMMENT = re.compile(r"<!--()")
_TAG = re.compile(r"<[^<>]*>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and its answer. Heads are in HTTP/1.1's form, with CRLF and the empty line that ends them.

    `headers` have lower-case names and Latin-1 values; `body` is as received, its transfer coding undone and its
    content coding kept, or as much of it as came if it `is_cut_short`; `mended` says what was changed in the answer's
    head, which is in `response_head` as it came;
    `address` is the server's, None if it is not known; `started_at` is aware UTC.

    Of a whole GET, it is the answer that is no redirect: `redirects` are those before it, `content` is its body with
    its content coding undone, and if that ended before its end, `missing` says how much came: `5 of 7 bytes`.
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
        raise BadResponse(f"{said}, which was not requested")
    disposition = reason_of_status(status).disposition
    if disposition is Disposition.STAYS_DUE:
        raise ServerBusy(said, status=status, retry_after_s=parse_retry_after(answer.header("retry-after"), now=now))
    raise (GoneError if disposition is Disposition.GONE else HttpRefused)(said, status=status)


def raise_for_missing(answer: Exchange) -> None:
    """Raise BodyTruncated for an answer that ended before its end."""
    if answer.missing is not None:
        raise BodyTruncated(f"{answer.missing} at {answer.url}")


def leads_to(answer: Exchange, content: bytes) -> str | None:
    """Return where a page leads its readers on to, as it spells that, or None for a page of its own.

    `content` is its body without a content coding.
    """
    if answer.status not in {200, 203}:
        return None
    if (target := _refreshed(capped(answer.header("refresh")))) is not None:
        return target
    start = content[:LOOKED_AT_SIZE]
    is_short = len(content) <= LOOKED_AT_SIZE
    if not _may_lead(start, by_script=is_short):
        return None
    kind = (answer.header("content-type") or "").lower()
    if not (is_html(start) or "html" in kind):
        return None
    text = decode_text(start, answer.header("content-type"))[0]
    bare = _without(_COMMENT, text)
    if (target := _of_meta(_without(_NOSCRIPT, bare))) is not None:
        return target
    has_little = is_short and len(_shown(text)) < LITTLE_TEXT
    return (_of_script(text) or _of_meta(bare)) if has_little else None


def _may_lead(start: bytes, *, by_script: bool) -> bool:
    """Whether the words are there, without which a page leads nowhere: few have them, and the rest costs far more."""
    lower = start.lower()
    # UTF-16 has its letters apart; every other charset of the web has ASCII's as they are
    may_refresh = b"refresh" in lower and _REFRESHES.search(lower) is not None
    return may_refresh or (by_script and b"location" in lower) or b"\0" in lower


def _of_meta(text: str) -> str | None:
    for element in _META.finditer(text):
        attributes = {
            found[1].lower(): found[2] or found[3] or found[4] or "" for found in _ATTRIBUTE.finditer(element[1])
        }
        if attributes.get("http-equiv", "").strip().lower() == "refresh":
            return _refreshed(unescape(attributes.get("content", "")))
    return None


def _of_script(text: str) -> str | None:
    """Return where the only scripts that do anything lead: one statement, and nothing beside it."""
    lower, position = text.lower(), 0
    while (opened := _SCRIPT.search(text, position)) and (end := lower.find("</script", opened.end())) >= 0:
        position = end
        if target := _moved_by(text[opened.end() : end]):
            return target
    onload = _ONLOAD.search(text)
    return _moved_by(unescape(onload[1] or onload[2] or "")) if onload else None


def _moved_by(script: str) -> str | None:
    moves = _MOVES.fullmatch(_REMARK.sub(lambda found: found[1] or " ", script))
    if moves is None or int(moves[4] or 0) > 1000 * LONGEST_WAIT_S:
        return None
    return (moves[1] or moves[2] or moves[3] or "").replace("\\/", "/") or None


def _refreshed(value: str) -> str | None:
    found = _REFRESH.fullmatch(capped(value))
    if found is None or not found[1] or float(found[1][:6]) > LONGEST_WAIT_S:
        return None
    quote, url = found[2], found[3]
    return (url.partition(quote)[0] if quote else url).strip() or None


def _without(opening: re.Pattern[str], text: str) -> str:
    """Return the text without the elements, or comments, that begin so; one that never ends hides all that follows."""
    parts, position, lower = [], 0, text.lower()
    while found := opening.search(text, position):
        parts.append(text[position : found.start()])
        close = f"</{found[1].lower()}" if found[1] else "-->"
        position = lower.find(close, found.end())
        if position < 0:
            return "".join(parts)
        position += 0 if found[1] else len(close)
    return "".join((*parts, text[position:]))


def _shown(text: str) -> str:
    return " ".join(_TAG.sub(" ", _without(_HIDDEN, text)).split())
