"""What else a page is called: by the server that redirected to it, and by itself. Pure.

A claim is no identity: it counts only while the texts are equal, so that no page can take over another's article.
"""

from collections.abc import Mapping, Sequence

from tasks.errors import ItemError
from tasks.values.page import Page
from tasks.values.rows import Capture
from tasks.values.url import is_same_site, url_key

REDIRECT, CANONICAL = "redirect", "canonical"


def other_names(capture: Capture, page: Page, hops: Sequence[str] = ()) -> Mapping[str, str]:
    """Return the keys of the page's other URLs on its site, with how they are known; where it was asked for is none.

    `hops` are the URLs that were passed on the way from the one that was asked for to the one that answered.
    """
    return names_on_site(
        capture.url, capture.url_key, redirects=(capture.final_url, *hops), canonical=page.canonical_url
    )


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
        key = url_key(url)
        # a site's root is what careless templates name on every page
        return key if is_same_site(url, asked) and key.partition("/")[2] else None
    except ItemError:
        return None


def _key_elsewhere(url: str, page_url: str) -> str | None:
    try:
        return None if is_same_site(url, page_url) else url_key(url)
    except ItemError:
        return None
