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
    """One claimed URL of the frontier: what to fetch, what is known about it, and who announced it."""

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
    `deferred_until` | fetch | when the URL may be fetched, if its host requires a wait; then without `capture`
    `capture` | fetch | the row of the captures table; later stages label it
    `disposition` | fetch, extract, deduplicate | what happens to a failed URL; None without failure
    `hops` | fetch | the redirecting URLs between the requested and the final URL
    `partial` | fetch | for a truncated body: how many looks gave it, and its digest
    `rendition` | fetch | offset and length of the record with the rendered page, in the capture's segment
    `policy_ids` | fetch | the policy documents of its site that were in force
    `rights` | fetch | what those documents, and its feed, say about the page
    `obeyed` | fetch | how the page's own refusals are obeyed
    `page`, `extracted_at` | extract | the article, if the URL led to one
    `prepared` | deduplicate | the page prepared for its decision
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
        """The capture of a fetched URL; raises ValueError if it was not fetched."""
        if self.capture is None:
            raise ValueError(f"not requested: {self.due.url}")
        return self.capture

    @property
    def final_url(self) -> Url:
        """The final URL after redirects, else the requested one."""
        return self.due.url if self.due.url == self.captured.final_url else Url.of(self.captured.final_url)

    @property
    def extracted(self) -> Page:
        """The page of a URL that led to an article; raises ValueError if it did not."""
        if self.page is None:
            raise ValueError(f"not an article: {self.due.url}")
        return self.page

    @property
    def names(self) -> tuple[str, ...]:
        """The redirecting URLs, the final URL, and the page's canonical URL."""
        own = (self.page.canonical_url,) if self.page is not None and self.page.canonical_url else ()
        return (*self.hops, self.captured.final_url, *own)

    def is_kept_out(self, kept_out: KeptOut) -> bool:
        """Whether the requested URL, or its source, was taken down."""
        return kept_out.has_key(self.due.url_key) or kept_out.has_source(self.due.source_id)

    def emptied(self) -> Self:
        """Return the look without its result, which was taken down; only the fact of the look is kept."""
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
        """Return the look as failed: without a page, its capture with the reason."""
        return self.refused(error.disposition, reason=error.counted_as, detail=error.detail)

    def refused(self, disposition: Disposition, *, reason: str, detail: str | None) -> Self:
        """Return the look as one without an article, for a reason that need not be an error."""
        capture = replace(self.captured, outcome=outcome_of(disposition), reason=reason, detail=detail or None)
        return replace(self, capture=capture, disposition=disposition, page=None, prepared=None)
