"""A page as decisions need it: all that can be made of it before the index is locked. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from tasks.deduplicate.identity import other_names, syndicated_key
from tasks.deduplicate.resemblance import told_at
from tasks.deduplicate.script import script_of
from tasks.deduplicate.sketch import make_shape
from tasks.deduplicate.text_identity import digest_of, tokenise
from tasks.index.postings import Shape
from tasks.models import Capture, DueUrl, ExtractedBatch, Page
from tasks.urls import host_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One page: its text's digest (None where there are no words, which are nobody's copy), shape and script.

    `told_at` is the article's time, `names` its other URLs on the site, `syndicated_key` whose copy it says it is.
    """

    capture: Capture
    page: Page
    due: DueUrl
    digest: str
    has_words: bool
    shape: Shape | None
    script: str
    told_at: datetime
    host: str
    names: Mapping[str, str]
    syndicated_key: str | None


def read_pages(extracted: ExtractedBatch) -> dict[str, Reading]:
    """Return the batch's pages, read, by capture_id."""
    due = {one.url_key: one for one in extracted.fetched.batch.urls}
    return {
        capture.capture_id: _read(capture, extracted.pages[capture.capture_id], due[capture.url_key])
        for capture in extracted.captures
        if capture.capture_id in extracted.pages
    }


def _read(capture: Capture, page: Page, due: DueUrl) -> Reading:
    words = tokenise(page.text)
    return Reading(
        capture=capture,
        page=page,
        due=due,
        digest=digest_of(words),
        has_words=bool(words),
        shape=make_shape(words),
        script=script_of(page.text),
        told_at=told_at(page.published_at or due.announced_at, capture.fetched_at),
        host=host_of(capture.final_url),
        names=other_names(capture, page),
        syndicated_key=syndicated_key(capture, page),
    )
