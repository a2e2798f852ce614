"""What else a page is called: by the server that redirected to it, and by itself. Pure.

A claim is no identity: it counts only while the texts are equal, so that no page can take over another's article.
"""

from collections.abc import Mapping

from tasks.errors import ItemError
from tasks.models import Capture, Page
from tasks.urls import is_same_site, url_key

REDIRECT, CANONICAL = "redirect", "canonical"


def other_names(capture: Capture, page: Page) -> Mapping[str, str]:
    """Return the keys of the page's other URLs on its site, with how they are known; where it was asked for is none."""
    return names_on_site(capture.url, capture.url_key, redirect=capture.final_url, canonical=page.canonical_url)


def names_on_site(
    url: str, own_key: str, *, redirect: str | None = None, canonical: str | None = None
) -> Mapping[str, str]:
    """Return the keys of these URLs with how they are known, those that lie on the site of `url` and are another."""
    names: dict[str, str] = {}
    for how, name in ((REDIRECT, redirect), (CANONICAL, canonical)):
        key = _key_on_site(name, url) if name else None
        if key is not None and key != own_key:
            names.setdefault(key, how)
    return names


def syndicated_key(capture: Capture, page: Page) -> str | None:
    """Return the key of the article on another site that the page says it is a copy of, or None."""
    if page.syndicated_from is None:
        return None
    try:
        return None if is_same_site(page.syndicated_from, capture.final_url) else url_key(page.syndicated_from)
    except ItemError:
        return None


def _key_on_site(url: str, asked: str) -> str | None:
    try:
        key = url_key(url)
        # a site's root is what careless templates name on every page
        return key if is_same_site(url, asked) and key.partition("/")[2] else None
    except ItemError:
        return None
