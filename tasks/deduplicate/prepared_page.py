"""A text as decisions need it: all that can be made of it before the index is locked. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from tasks.deduplicate.identity import names_elsewhere, other_names, syndicated_key
from tasks.deduplicate.resemblance import told_at
from tasks.values.batch import ExtractedBatch
from tasks.values.rows import Capture
from tasks.values.text.fingerprint import Fingerprint, fingerprint_of
from tasks.values.url import host_of


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedPage:
    """The text at one URL, and what is known of the URL.

    `told_at` is the article's time, `names` its other URLs on the site, `elsewhere` URLs of other sites that led to it or
    that it was at, `syndicated_key` whose copy it says it is.
    """

    url_key: str
    host: str
    told_at: datetime
    text: Fingerprint
    names: Mapping[str, str]
    elsewhere: tuple[str, ...]
    syndicated_key: str | None


def read_page(extracted: ExtractedBatch, capture: Capture, *, announced_at: datetime | None) -> PreparedPage:
    """Return one page of the batch, read."""
    page = extracted.pages[capture.capture_id]
    hops = extracted.fetched.hops.get(capture.capture_id, ())
    return PreparedPage(
        url_key=capture.url_key,
        host=host_of(capture.final_url),
        told_at=told_at(page.published_at or announced_at, capture.fetched_at),
        text=page.fingerprint or fingerprint_of(page.text),
        names=other_names(capture, page, hops),
        elsewhere=names_elsewhere(capture.url, (*hops, capture.final_url)),
        syndicated_key=syndicated_key(page.syndicated_from, capture.final_url),
    )
