"""A listing page into entries: its links to pages of the same site, without what is plainly furniture. Pure.

What is left may still be no article: that is for extraction to say. A link missed here is an article lost, a link too
many one GET; `include` and `exclude` of the catalogue narrow it down.
"""

import re
from collections.abc import Iterator
from itertools import islice

from lxml import etree

from tasks.errors import BadUrl, ForbiddenScheme, NotAFeed
from tasks.feeds.collector import Gathering, plain_title
from tasks.feeds.document import Document
from tasks.feeds.html_links import is_markup, page_base, page_tree
from tasks.feeds.refusals import FURNITURE, Refusals
from tasks.values.feed import FeedContent
from tasks.values.url import Url

MAX_LINKS = 1000
_MAX_LOOKED_AT = 10_000
_FURNITURE_ELEMENTS = frozenset({"nav", "footer", "form", "dialog", "template"})
_FURNITURE_ROLES = frozenset({"navigation", "contentinfo", "search", "menu", "menubar", "dialog"})

# `/tag/x` lists what others wrote of; `/about` itself is furniture, `/about/x` may be a story
_GROUPS = frozenset(
    "tag tags topic topics category categories author authors autor autoren auteur auteurs profile profiles user users "
    "search suche recherche page seite archive archives archiv feed feeds rss amp print share wp-admin wp-login "
    "wp-content wp-json cdn-cgi account accounts konto".split()
)
_PAGES = frozenset(
    "login signin sign-in logout signup sign-up register registration subscribe subscription subscriptions abo "
    "abonnement about about-us ueber-uns impressum imprint contact contact-us kontakt privacy privacy-policy "
    "datenschutz terms terms-of-service terms-of-use terms-and-conditions agb cookies cookie-policy legal disclaimer "
    "newsletter newsletters advertise advertising media-kit careers jobs help faq support sitemap site-map "
    "accessibility donate shop store app apps games podcasts weather crossword crosswords horoscope rss feed".split()
)
_FILES = re.compile(
    r"\.(?:pdf|jpe?g|png|gif|svg|webp|avif|ico|mp[34]|m4[av]|mov|avi|webm|ogg|wav|zip|gz|rar|exe|dmg|apk|css|js|json|xml|rss|atom"
    r"|docx?|xlsx?|pptx?|csv|ics|epub)$",
    re.IGNORECASE,
)
_PAGING = re.compile(r"(?:^|&)(?:page|paged|seite|offset|start)=\d+", re.IGNORECASE)
_SECTION = re.compile(r"[^\W\d_]+")
_MAX_TITLE = 300


is_page = is_markup


def parse(document: Document) -> FeedContent:
    """Return the page's links that may be articles; raises NotAFeed."""
    return read_links(page_of(document), document)


def page_of(document: Document) -> etree._Element:
    """Return the root of the page; raises NotAFeed."""
    root = page_tree(document.body, document.content_type)
    if root is None:
        raise NotAFeed(f"no HTML page at {document.url}")
    return root


def read_links(root: etree._Element, document: Document) -> FeedContent:
    """Return the page's links, each once and in its order, with the longest of their texts."""
    page_url = document.url
    base_url = page_base(root, page_url)
    page, found = Url.of(page_url), dict[str, tuple[Url, str]]()
    refusals = Refusals(ignored=FURNITURE)
    for href, words in islice(_links(root), _MAX_LOOKED_AT):
        with refusals.guarded(page_url):
            url = refusals.url(href, base_url=base_url)
            key = _key(url, page=page) if url else None
            if url is None or key is None or (key not in found and len(found) >= MAX_LINKS):
                continue
            first_url, title = found.get(key, (url, ""))
            found[key] = first_url, words if len(title) < len(words) <= _MAX_TITLE else title
    gathering = Gathering(base_url=page_url, now=document.now, limit=MAX_LINKS)
    for link, title in found.values():
        gathering.add(link, title=title)
    refusals.add(gathering.refusals.listed())
    return FeedContent(
        entries=gathering.entries,
        title=plain_title(root.findtext(".//title")),
        warnings=gathering.warnings,
        refused=refusals.listed(),
    )


def _links(root: etree._Element) -> Iterator[tuple[str, str]]:
    """Yield address and text of each link that stands in no navigation, footer or form."""
    inside = 0
    for event, element in etree.iterwalk(root, events=("start", "end")):
        if element.tag in _FURNITURE_ELEMENTS or element.get("role", "").lower() in _FURNITURE_ROLES:
            inside += 1 if event == "start" else -1
        elif element.tag == "a" and event == "end" and not inside and element.get("href"):
            words = " ".join("".join(element.itertext()).split()) or (element.get("title") or "").strip()
            yield element.get("href"), words


def _key(url: Url, *, page: Url) -> str | None:
    """Return the identity of a link that may be an article, or None."""
    try:
        key = url.key
        is_wanted = url.is_same_site(page) and key != page.key and not _is_furniture(url)
    except (BadUrl, ForbiddenScheme):
        return None
    return key if is_wanted else None


def _is_furniture(url: Url) -> bool:
    path, query = url.parts.path, url.parts.search.removeprefix("?")
    segments = [segment for segment in path.lower().split("/") if segment]
    if not segments:
        return not query
    last = segments[-1].removesuffix(".html").removesuffix(".php")
    if _FILES.search(segments[-1]) or _PAGING.search(query) or last in _PAGES or not _GROUPS.isdisjoint(segments):
        return True
    # one plain word is a section's front page: /sport
    return len(segments) == 1 and not query and bool(_SECTION.fullmatch(segments[0]))
