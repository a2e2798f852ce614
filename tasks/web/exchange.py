"""HTTP exchanges: requests, responses, the meaning of their status, and where they redirect. Pure.

A page whose only purpose is to send readers elsewhere (by a Refresh field, a meta element, or one line of script) is a
redirect. A page with its own text is a page: it may reload itself, or redirect only clients without scripts.
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

# for these fields the first of several counts; the others are joined (RFC 9110, 5.3)
_SINGULAR = frozenset({"content-type", "content-length", "date", "etag", "last-modified", "location", "retry-after"})

_MAX_FIELDS = 100

_PAGES = frozenset({200, 203})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})

LONGEST_WAIT_S = 10.0
"""A redirect later than this gives its readers something to read first."""

LOOKED_AT_SIZE = 32 * 1024
"""Bytes of a page that are examined."""

LITTLE_TEXT = 400
"""A page with fewer characters of text has no text of its own."""

# HTML, 4.2.5.3: seconds, then a URL, optionally quoted; some omit `url=`
_REFRESH = re.compile(
    r"\s*+([0-9]*+)[0-9.]*+(?:\s*+[;,]\s*+|\s++)(?:url\s*+=\s*+)?([\"']?)(.+)", re.IGNORECASE | re.DOTALL
)
# a refresh element has these words close together; "refresh" alone occurs in the scripts of every fourth page
_REFRESHES = re.compile(rb"http-equiv[^<>]{0,100}?refresh")
_META = re.compile(r"<meta\s([^<>]{1,4000})>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"([a-z-]{1,20})\s*+=\s*+(?:\"([^\"]*+)\"|'([^']*+)'|([^\s\"'>]++))", re.IGNORECASE)
_SCRIPT = re.compile(r"<script\b[^<>]*>", re.IGNORECASE)
_ONLOAD = re.compile(r"<body\b[^<>]{0,2000}?\bonload\s*+=\s*+(?:\"([^\"]*+)\"|'([^']*+)')", re.IGNORECASE)
# a string, which is kept, or a comment, including the marks that hide scripts from old browsers
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
    """One request and its response. Heads are in HTTP/1.1 form, with CRLF and the final empty line.

    `headers`: lower-case names and Latin-1 values. `body`: without transfer coding but with its content coding; only
    the received part if it `is_cut_short`. `mended`: corrections to the response head; `response_head` has it as
    received. `address`: the server's, or None if unknown. `started_at`: aware UTC.

    For a whole GET it is the final response. `redirects` are those before it, and `content` is its decoded body. If the
    body was truncated, `missing` says how much was received: `5 of 7 bytes`.
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
        """All responses of the GET, in order; this one is the last."""
        return (*self.redirects, self)

    def header(self, name: str) -> str | None:
        """Return a field's value by lower-case name, capped in length except for Location, which is a URL."""
        values = [value for known, value in self.headers if known == name]
        if not values:
            return None
        if name == "location":
            return values[0]
        return capped(values[0] if name in _SINGULAR else ", ".join(values[:_MAX_FIELDS]))

    @property
    def is_redirect(self) -> bool:
        """Whether this response redirects."""
        return self.status in _REDIRECTS and self.header("location") is not None

    @property
    def is_conditional(self) -> bool:
        """Whether the request was conditional, so that 304 answers it."""
        return any(
            line.startswith((b"if-none-match:", b"if-modified-since:"))
            for line in self.request_head.lower().split(b"\r\n")
        )


def raise_for_status(answer: Exchange, *, now: datetime) -> None:
    """Accept a page, and a 304 to a conditional request; raise for everything else.

    Raises ServerBusy with the server's requested wait for 408, 425, 429 and 5xx, GoneError for 410, HttpRefused for
    other responses that are not pages, and BadResponse for invalid ones.
    """
    status, shown = answer.status, f"{answer.status} at {answer.url}"
    if status in _PAGES or (status == 304 and answer.is_conditional):
        return
    if status in _REDIRECTS:
        raise BadResponse(f"{shown} without a Location")
    if status in (206, 304) or not 200 <= status < 600:
        raise BadResponse(f"{shown}, which was not requested")
    disposition = reason_of_status(status).disposition
    if disposition is Disposition.STAYS_DUE:
        raise ServerBusy(shown, status=status, retry_after_s=parse_retry_after(answer.header("retry-after"), now=now))
    raise (GoneError if disposition is Disposition.GONE else HttpRefused)(shown, status=status)


def raise_for_missing(answer: Exchange) -> None:
    """Raise BodyTruncated for a truncated response."""
    if answer.missing is not None:
        raise BodyTruncated(f"{answer.missing} at {answer.url}")


def leads_to(answer: Exchange, content: bytes) -> str | None:
    """Return where a page sends its readers, as written, or None if it has a text of its own.

    `content` is its decoded body.
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
    """Whether the page has words without which it cannot redirect. This cheap test rules out most pages."""
    lower = start.lower()
    # UTF-16 has NULs between its letters; every other web charset contains ASCII unchanged
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
    """Return where a page's script redirects: a script with one statement and nothing else."""
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
    """Return the text without elements or comments that start like this. An unclosed one hides the rest."""
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
