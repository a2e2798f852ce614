"""Find the next page of a listing, by its links or its URL. Pure."""

import re

from tasks.feeds.collector import FURNITURE, Refusals
from tasks.feeds.html_links import read_page
from tasks.values.url import Url

_IN_PATH = re.compile(r"/(page|seite|pagina|p)/(\d{1,5})(?=/|$)", re.IGNORECASE)
_IN_QUERY = re.compile(r"([?&](?:page|p|paged|pagina|seite)=)(\d{1,5})(?=&|$)", re.IGNORECASE)


def next_in_address(url: str) -> str | None:
    """Return the URL with its page number increased by one; None if it has none."""
    for pattern in (_IN_PATH, _IN_QUERY):
        if found := pattern.search(url):
            return f"{url[: found.start(2)]}{int(found[2]) + 1}{url[found.end(2) :]}"
    return None


def second_pages(url: str) -> tuple[str, str]:
    """Return candidate URLs of a listing's second page, if the page declares none."""
    plain = url.partition("#")[0]
    path, mark, query = plain.partition("?")
    return f"{plain}{'&' if mark else '?'}page=2", f"{path.rstrip('/')}/page/2/{mark}{query}"


def linked_next(body: bytes, content_type: str | None, url: str) -> Url | None:
    """Return the page that a listing links to as its next one (`rel=next`), on the same site; None if there is none."""
    page = read_page(body, content_type, url=url)
    if page is None:
        return None
    refusals = Refusals(ignored=FURNITURE)
    for element in page.root.iter("link", "a"):
        if "next" in (element.get("rel") or "").lower().split():
            with refusals.guarded(url):
                found = page.absolute(element.get("href"), refusals)
                if found is not None and found.is_same_site(Url.of(url)):
                    return found
    return None
