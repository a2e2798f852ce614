"""A page as its decision needs it: all that can be made of it before the index is locked. Pure."""

from dataclasses import replace

from tasks.deduplicate.identity import names_elsewhere, other_names, syndicated_key
from tasks.deduplicate.resemblance import told_at
from tasks.values.look import Look
from tasks.values.page import Page, PreparedPage
from tasks.values.text.content import content_digest
from tasks.values.text.fingerprint import fingerprint_of


def prepared(look: Look) -> Look:
    """Return a look at a page with what its decision needs."""
    capture, page = look.captured, look.extracted
    made = PreparedPage(
        host=look.final_url.host,
        told_at=told_at(page.published_at or look.due.announced_at, capture.fetched_at),
        text=page.fingerprint or fingerprint_of(page.text),
        content=content_of(page),
        names=other_names(look, page),
        elsewhere=names_elsewhere(look.due.url, (*look.hops, look.final_url)),
        syndicated_key=syndicated_key(page.syndicated_from, look.final_url),
    )
    return replace(look, prepared=made)


def content_of(page: Page) -> str:
    """Return the digest of what a page says, by itself: a feed's title or date is not of the page."""
    return content_digest(title=page.title, text=page.text, authors=page.authors, published_at=page.published_at)
