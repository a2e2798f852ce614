"""Turn a response into a row of the captures table.

Pure. A page is a response with 200 and HTML; everything else is a capture too, with the reason why it is not a page.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime

from tasks.errors import ItemError, SkippedError
from tasks.values.look import DueUrl, Look
from tasks.values.rows import Capture, Outcome, outcome_of
from tasks.values.url import Url
from tasks.web.exchange import Exchange
from tasks.web.headers import media_type
from tasks.web.heads import described
from tasks.web.sniffing import SNIFFED_SIZE, is_fragment, is_html, is_other

LOOKS = 3
"""A truncated body is accepted after this many looks with the same bytes: some servers always declare more than they
send."""


def count_partial(due: DueUrl, digest: str) -> str:
    """Return what is stored about a truncated body: how many looks in a row gave it, and its digest."""
    number, _, before = (due.partial or "0 ").partition(" ")
    return f"{int(number) + 1 if before == digest else 1} {digest}"


def is_accepted(partial: str) -> bool:
    """Whether the same truncated body was seen often enough to accept it as the page."""
    return int(partial.partition(" ")[0]) >= LOOKS


_LANGUAGE = re.compile(r"[a-z]{2}(?:[-_][a-z]{2})?", re.IGNORECASE)
_INDEX = re.compile(r"(?:index|home|default)(?:\.\w{2,5})?", re.IGNORECASE)
_STORY_PLACE = re.compile(r"\d{3}|(?:[^/-]+-){3}")  # a number or a slug in the path or query


def check_is_not_home(fetched: Exchange) -> None:
    """Raise SkippedError if redirects led from an article's URL to a front page or section page: the article is gone."""
    if len(fetched.hops) > 1 and leads_home(fetched.hops[0].url, fetched.url):
        raise SkippedError(f"{fetched.hops[0].url} leads to {fetched.url}"[:500], reason="redirected_home")


def leads_home(asked: str, found: str) -> bool:
    """Whether a redirect leads to the root (or a language's root), or to a section above the article's path.

    The dropped part must look like a story's path, and the rest must not: `/story-of-a-harbour/amp` may lead to
    `/story-of-a-harbour`.
    """
    asked_place, found_place = Url.of(asked).parts, Url.of(found).parts
    before, after = _segments(asked_place.path), _segments(found_place.path)
    if not before or found_place.search:
        return False
    if not after or (len(after) == 1 and _LANGUAGE.fullmatch(after[0])):
        return before != after
    is_within = len(after) < len(before) and before[: len(after)] == after
    left_out = "/".join(before[len(after) :]) + (asked_place.search or "?")
    return is_within and bool(_STORY_PLACE.search(left_out)) and not _STORY_PLACE.search("/".join(after))


def _segments(path: str) -> list[str]:
    segments = [segment for segment in path.split("/") if segment]
    return segments[:-1] if segments and _INDEX.fullmatch(segments[-1]) else segments


HTML_TYPES = frozenset({"text/html", "application/xhtml+xml", "application/vnd.wap.xhtml+xml"})
UNTYPED = frozenset({
    None, "", "application/octet-stream", "binary/octet-stream", "text/plain", "unknown/unknown", "application/unknown",
    "application/x-unknown-content-type",
})  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordAddress:
    """The location of a payload: its digest, and offset and length (bytes) and id of its record."""

    payload_digest: str | None
    warc_key: str
    warc_offset: int
    warc_length: int
    record_id: str


def check_is_html(fetched: Exchange) -> None:
    """Raise SkippedError unless the response is HTML."""
    kind = media_type(fetched.header("content-type"))
    if not is_page(kind, fetched.content[:SNIFFED_SIZE]):
        raise SkippedError(f"{kind or 'no content type'} at {fetched.url}", reason="not_html")


def is_page(kind: str | None, start: bytes) -> bool:
    """Whether a body is HTML by its first decoded bytes or, if those are inconclusive, by its media type."""
    if is_html(start) or (kind in HTML_TYPES and not is_other(start)):
        return True
    return kind in UNTYPED and is_fragment(start)


def capture_of(
    look: Look,
    *,
    run_id: str,
    asked_at: datetime,
    fetched: Exchange | None,
    error: ItemError | None,
    record: RecordAddress | None,
    is_known: bool,
    detail: str | None = None,
) -> Capture:
    """Return the row for one look at one URL; `is_known`: the payload is the one captured before.

    `detail` is a note on the page, by default what was mended in the response's head.
    """
    due = look.due
    outcome, reason, detail = _outcome(fetched, error, is_known=is_known, detail=detail)
    return Capture(
        capture_id=hashlib.sha256(f"{due.url}\n{asked_at.isoformat()}\n{run_id}".encode()).hexdigest()[:32],
        source_id=due.source_id,
        url=str(due.url),
        final_url=str(fetched.url if fetched else due.url),
        url_key=due.url_key,
        fetched_at=asked_at,
        status=fetched.status if fetched else None,
        mime=media_type(fetched.header("content-type")) if fetched else None,
        charset=None,
        payload_digest=(record.payload_digest if record else None)
        if outcome is not Outcome.NOT_MODIFIED
        else due.payload_digest,
        payload_size=len(fetched.body) if fetched else None,
        outcome=outcome,
        reason=reason,
        detail=detail,
        novelty=None,
        article_id=None,
        revision=None,
        warc_key=record.warc_key if record else None,
        warc_offset=record.warc_offset if record else None,
        warc_length=record.warc_length if record else None,
        etag=fetched.header("etag") if fetched else None,
        last_modified=fetched.header("last-modified") if fetched else None,
        elapsed_ms=sum(hop.elapsed_ms for hop in fetched.hops) if fetched else 0,
        attempt=due.attempt,
        run_id=run_id,
    )


def _outcome(
    fetched: Exchange | None, error: ItemError | None, *, is_known: bool, detail: str | None
) -> tuple[Outcome, str | None, str | None]:
    if error is not None:
        return outcome_of(error.disposition), error.counted_as, error.detail
    detail = detail or (described(fetched.mended) if fetched is not None else None)
    if fetched is not None and (fetched.status == 304 or is_known):
        return Outcome.NOT_MODIFIED, None, detail
    return Outcome.OK, None, detail
