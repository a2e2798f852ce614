"""Compare a stored capture with its page extracted by the current rules: same, changed, gained, lost, failed or expired. Pure."""

from dataclasses import dataclass, fields, replace
from enum import StrEnum

from tasks.deduplicate.changes import Version, diff_versions
from tasks.replay.reading import GONE, Reading
from tasks.values.look import Look
from tasks.values.page import Page
from tasks.values.rows import Article, Capture, Novelty, Outcome
from tasks.values.text.content import changed_parts, is_current

DIFF_LINES = 40


class Result(StrEnum):
    """The result of a comparison."""

    SAME = "same"
    CHANGED = "changed"
    GAINED = "gained"
    LOST = "lost"
    FAILED = "failed"
    EXPIRED = "expired"

    @property
    def is_read(self) -> bool:
        """Whether the page could be read."""
        return self not in {Result.FAILED, Result.EXPIRED}


Digests = tuple[str, str]
"""The content digest and the text digest of a revision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedCapture:
    """A reading with its result; `row` is the stored row with today's extraction.

    It is None without a stored row or an extracted page.
    """

    reading: Reading
    result: Result
    row: Article | None = None

    @property
    def capture(self) -> Capture:
        """The capture as it is stored."""
        return self.reading.stored.capture


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One page that came out differently, for people: what changed, and a unified diff of the texts."""

    url: str
    source_id: str
    result: Result
    parts: tuple[str, ...]
    size: int
    diff: str


_OF_PAGE = frozenset(one.name for one in fields(Page)) & frozenset(one.name for one in fields(Article))
_NOT_COMPARED = frozenset({"extracted_at", "extractor", "change_seq"})


def compare_reading(reading: Reading, *, shown: Digests | None = None) -> ComparedCapture:
    """Compare a capture with its reading; an `unchanged` capture is compared with the revision that it shows.

    `shown` are that revision's digests under the current rules, None if it was not read with them.
    """
    if reading.failure is not None:
        return ComparedCapture(reading=reading, result=Result.EXPIRED if reading.failure in GONE else Result.FAILED)
    page, stored = reading.look.page, reading.stored
    if stored.row is not None and stored.row.text_removed_at is not None:  # retention has removed the text
        return ComparedCapture(reading=reading, result=Result.SAME)
    if page is None:
        return _without_page(reading)
    if stored.row is None:
        return ComparedCapture(reading=reading, result=_of_page_without_row(reading, shown))
    row = updated_row(stored.row, reading.look)
    return ComparedCapture(reading=reading, result=Result.CHANGED if differs(row, stored.row) else Result.SAME, row=row)


def updated_row(row: Article, look: Look) -> Article:
    """Return a stored row with what its page gives now; its decisions stay as they were."""
    page = look.extracted
    values = {name: getattr(page, name) for name in _OF_PAGE}
    prepared = look.prepared
    return replace(
        row,
        **{
            **values,
            "title": page.title or look.due.announced_title,
            "published_at": page.published_at or look.due.announced_at,
            "rights": (*row.site_rights, *page.rights) or row.rights,
            "tdm_reserved": row.tdm_reserved if page.tdm_reserved is None else page.tdm_reserved,
            "extracted_at": look.extracted_at,
            "text_digest": prepared.text.digest if prepared else row.text_digest,
            "content_digest": prepared.content if prepared else row.content_digest,
        },
    )


def differs(row: Article, other: Article) -> bool:
    """Whether two rows differ in more than the time and the rules of extraction.

    A content digest that is missing or of an older algorithm is ignored.
    """
    names = (one.name for one in fields(Article) if one.name not in _NOT_COMPARED)
    return any(
        getattr(row, name) != getattr(other, name)
        for name in names
        if name != "content_digest" or is_current(other.content_digest)
    )


def differs_in_capture(one: Capture, other: Capture) -> bool:
    """Whether two rows of `captures` differ."""
    return replace(one, change_seq=None) != replace(other, change_seq=None)


def difference(compared: ComparedCapture) -> Difference:
    """Return a difference for people."""
    before, after = _version(compared.reading.stored.row), _version_of_page(compared.reading.look)
    lines = diff_versions(before, after, before_name="stored", after_name="now").splitlines()
    more = [f"... {len(lines) - DIFF_LINES} more lines"] if len(lines) > DIFF_LINES else []
    parts = changed_parts(before.content, after.content) if before.text and after.text else ()
    return Difference(
        url=compared.capture.url,
        source_id=compared.capture.source_id,
        result=compared.result,
        parts=parts or _other_parts(compared),
        size=abs(len(before.text) - len(after.text)) + sum(line[:1] in "+-" for line in lines),
        diff="\n".join([*lines[:DIFF_LINES], *more]),
    )


def _without_page(reading: Reading) -> ComparedCapture:
    stored = reading.stored
    if stored.row is not None:
        return ComparedCapture(reading=reading, result=Result.LOST)
    now, before = reading.look.captured, stored.capture
    is_same = (now.outcome, now.reason) == (before.outcome, before.reason)
    return ComparedCapture(reading=reading, result=Result.SAME if is_same else Result.CHANGED)


def _of_page_without_row(reading: Reading, shown: Digests | None) -> Result:
    """Return the result for a capture without a row of its own: it shows another revision, or was not an article so far."""
    capture, prepared = reading.stored.capture, reading.look.prepared
    if capture.outcome is not Outcome.OK or capture.novelty is not Novelty.UNCHANGED or prepared is None:
        return Result.GAINED
    if shown is None or shown[0] == prepared.content:
        return Result.SAME
    # at an alias only the words have to be equal
    is_same = shown[1] == prepared.text.digest and not reading.stored.is_moved
    return Result.SAME if is_same else Result.GAINED


def _version(row: Article | None) -> Version:
    if row is None:
        return Version(title=None, text="")
    return Version(title=row.title, text=row.text, authors=row.authors, published_at=row.published_at)


def _version_of_page(look: Look) -> Version:
    page = look.page
    if page is None:
        return Version(title=None, text="")
    return Version(
        title=page.title or look.due.announced_title,
        text=page.text,
        authors=page.authors,
        published_at=page.published_at or look.due.announced_at,
    )


def _other_parts(compared: ComparedCapture) -> tuple[str, ...]:
    """Return the names of other columns that differ."""
    row, stored = compared.row, compared.reading.stored.row
    if row is None or stored is None:
        reason = compared.reading.look.captured.reason
        return (reason,) if reason else ()
    return tuple(
        one.name
        for one in fields(Article)
        if one.name not in _NOT_COMPARED and getattr(row, one.name) != getattr(stored, one.name)
    )
