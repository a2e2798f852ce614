"""A page as its decision needs it: all that can be made of it before the index is locked. Pure.

What else it is called, by the server that redirected to it and by itself, is a claim and no identity: it counts only while
the texts are equal, so that no page can take over another's article.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from tasks.deduplicate.resemblance import article_time
from tasks.errors import ItemError, UnexpectedError
from tasks.runtime.guarding import check_share, guarded_item
from tasks.values.batch import Batch
from tasks.values.look import Look
from tasks.values.page import Page, PreparedPage
from tasks.values.text.content import content_digest
from tasks.values.text.fingerprint import fingerprint_of
from tasks.values.url import Url

REDIRECT, CANONICAL = "redirect", "canonical"


def prepare_pages(batch: Batch) -> Batch:
    """Return the batch with its pages prepared; those that cannot be are in quarantine."""
    unexpected: list[UnexpectedError] = []

    def prepare(look: Look) -> Look:
        if look.page is None:
            return look
        try:
            with guarded_item(look.due.url):
                return prepared(look)
        except UnexpectedError as error:
            unexpected.append(error)
            return look.labelled(error)

    looks = tuple(prepare(look) for look in batch.looks)
    check_share(unexpected, of=len(batch.captured), what="captures")
    return replace(batch, looks=looks)


def prepared(look: Look) -> Look:
    """Return a look at a page with what its decision needs."""
    page, asked, final = look.extracted, look.due.url, look.final_url
    made = PreparedPage(
        host=final.host,
        told_at=article_time(page.published_at or look.due.announced_at, look.captured.fetched_at),
        text=page.fingerprint or fingerprint_of(page.text),
        content=content_of(page),
        names=names_on_site(asked, look.due.url_key, redirects=(final, *look.hops), canonical=page.canonical_url),
        elsewhere=names_elsewhere(asked, (*look.hops, final)),
        syndicated_key=syndicated_key(page.syndicated_from, final),
    )
    return replace(look, prepared=made)


def content_of(page: Page) -> str:
    """Return the digest of what a page says, by itself: a feed's title or date is not of the page."""
    return content_digest(title=page.title, text=page.text, authors=page.authors, published_at=page.published_at)


def names_on_site(
    url: str, own_key: str, *, redirects: Sequence[str] = (), canonical: str | None = None
) -> Mapping[str, str]:
    """Return the keys of these URLs with how they are known, those that lie on the site of `url` and are another."""
    names: dict[str, str] = {}
    for how, name in (*((REDIRECT, hop) for hop in redirects), (CANONICAL, canonical)):
        key = _key_on_site(name, url) if name else None
        if key is not None and key != own_key:
            names.setdefault(key, how)
    return names


def names_elsewhere(url: str, passed: Sequence[str]) -> tuple[str, ...]:
    """Return the keys of the URLs that lie on other sites than `url`."""
    return tuple(dict.fromkeys(key for one in passed if (key := _key_elsewhere(one, url)) is not None))


def syndicated_key(syndicated_from: str | None, final_url: str) -> str | None:
    """Return the key of the article on another site that a page says it is a copy of, or None."""
    return _key_elsewhere(syndicated_from, final_url) if syndicated_from else None


def _key_on_site(url: str, asked: str) -> str | None:
    try:
        one = Url.of(url)
        # a site's root is what careless templates name on every page
        return one.key if one.is_same_site(Url.of(asked)) and one.key.partition("/")[2] else None
    except ItemError:
        return None


def _key_elsewhere(url: str, page_url: str) -> str | None:
    try:
        one = Url.of(url)
        return None if one.is_same_site(Url.of(page_url)) else one.key
    except ItemError:
        return None
