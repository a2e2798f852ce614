"""What else a page is called: by the server that redirected to it, and by itself. Pure.

A claim is no identity: it counts only while the texts are equal, so that no page can take over another's article.
"""

from collections.abc import Mapping, Sequence

from tasks.errors import ItemError
from tasks.values.look import Look
from tasks.values.page import Page
from tasks.values.url import Url

REDIRECT, CANONICAL = "redirect", "canonical"


def other_names(look: Look, page: Page) -> Mapping[str, str]:
    """Return the keys of the page's other URLs on its site, with how they are known; where it was asked for is none."""
    redirects = (look.final_url, *look.hops)
    return names_on_site(look.due.url, look.due.url_key, redirects=redirects, canonical=page.canonical_url)


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
