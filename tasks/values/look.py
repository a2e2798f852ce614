"""One look at one URL, from the claim to the decision. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from tasks.errors import ItemError, SkippedError
from tasks.reasons import Disposition
from tasks.values.page import Page, PreparedPage
from tasks.values.rights import NO_OBEDIENCE, Obedience
from tasks.values.rows import Capture, Signal, outcome_of
from tasks.values.takedown import KeptOut
from tasks.values.url import Url


@dataclass(frozen=True, slots=True, kw_only=True)
class DueUrl:
    """One URL of the frontier, claimed: where to look, what is known of it, and who announced it."""

    url: Url
    url_key: str
    host: str
    source_id: str
    attempt: int
    etag: str | None = None
    last_modified: str | None = None
    payload_digest: str | None = None
    captured_at: datetime | None = None
    announced_title: str | None = None
    announced_at: datetime | None = None
    partial: str | None = None
    announced_rights: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look at one URL; each stage returns it with one more part filled in.

    field | filled in by | value
    `due` | claim | what was claimed
    `deferred_until` | fetch | the instant from which the URL may be asked for, if its host wants a wait; no `capture` then
    `capture` | fetch | the row of the captures table; later stages label it
    `disposition` | fetch, extract, deduplicate | what becomes of a failure; None if there is none
    `hops` | fetch | the URLs between the one that was asked for and the one that answered
    `partial` | fetch | of a body that ended before its end: how many looks gave it, and its digest
    `rendition` | fetch | offset and length of the record with the page as its scripts made it, in the capture's segment
    `policy_ids` | fetch | the documents of its site that were in force
    `rights` | fetch | what those documents say of the page, and its feed
    `obeyed` | fetch | how the page's own refusals are to be taken
    `page`, `extracted_at` | extract | the article, if the URL led to one
    `prepared` | deduplicate | what the decision needs of the page
    """

    due: DueUrl
    deferred_until: datetime | None = None
    capture: Capture | None = None
    disposition: Disposition | None = None
    hops: tuple[Url, ...] = ()
    partial: str | None = None
    rendition: tuple[int, int] | None = None
    policy_ids: tuple[str, ...] = ()
    rights: tuple[Signal, ...] = ()
    obeyed: Obedience = NO_OBEDIENCE
    page: Page | None = None
    extracted_at: datetime | None = None
    prepared: PreparedPage | None = None

    @property
    def captured(self) -> Capture:
        """The capture of a URL that was asked for; raises ValueError for one that was not."""
        if self.capture is None:
            raise ValueError(f"not asked for: {self.due.url}")
        return self.capture

    @property
    def final_url(self) -> Url:
        """The URL that answered in the end, else the one that was asked for."""
        return self.due.url if self.due.url == self.captured.final_url else Url.of(self.captured.final_url)

    @property
    def extracted(self) -> Page:
        """The page of a URL that led to an article; raises ValueError for one that did not."""
        if self.page is None:
            raise ValueError(f"no article: {self.due.url}")
        return self.page

    @property
    def names(self) -> tuple[str, ...]:
        """The URLs that it passed, the one that answered, and the one that its page says is its own."""
        own = (self.page.canonical_url,) if self.page is not None and self.page.canonical_url else ()
        return (*self.hops, self.captured.final_url, *own)

    def is_kept_out(self, kept_out: KeptOut) -> bool:
        """Whether the URL that was asked for was taken down, or its source."""
        return kept_out.has_key(self.due.url_key) or kept_out.has_source(self.due.source_id)

    def emptied(self) -> Self:
        """Return the look as one that found nothing, since that was taken down: only the fact that it was made is kept."""
        refused = self.labelled(SkippedError("", reason="taken_down"))
        capture = replace(
            refused.captured,
            final_url=self.captured.url,
            mime=None,
            charset=None,
            payload_digest=None,
            payload_size=None,
            warc_key=None,
            warc_offset=None,
            warc_length=None,
            etag=None,
            last_modified=None,
        )
        return replace(refused, capture=capture, hops=(), rendition=None, partial=None)

    def labelled(self, error: ItemError) -> Self:
        """Return the look as one that failed: without a page, its capture with the reason."""
        return self.refused(error.disposition, reason=error.counted_as, detail=error.detail)

    def refused(self, disposition: Disposition, *, reason: str, detail: str | None) -> Self:
        """Return the look as one that led to no article, for a reason that need not be an error."""
        capture = replace(self.captured, outcome=outcome_of(disposition), reason=reason, detail=detail or None)
        return replace(self, capture=capture, disposition=disposition, page=None, prepared=None)
