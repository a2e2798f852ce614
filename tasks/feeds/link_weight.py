"""Score how much a link looks like an article's, by its URL and text.

Pure. No path segment rejects a link by itself: `/tag/x` is a list, but `/tag/x/2026/a-long-headline` may be an article.
Evidence for an article adds to the score, evidence against it subtracts; below zero the link counts as furniture.
"""

import re
from urllib.parse import unquote

from tasks.values.url import Url

# `/tag/x` is a list of articles; at the end of a path each of these words is a list itself
_LISTS = frozenset(
    "tag tags topic topics category categories author authors autor autoren auteur auteurs profile profiles user users "
    "search suche recherche account accounts konto wp-admin wp-login wp-content wp-json cdn-cgi feeds rss".split()
)
# these may precede an article: `/archive/12345`, `/print/a-headline`
_WEAK_LISTS = frozenset("page seite archive archives archiv feed amp print share".split())
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
_ENDING = re.compile(r"\.(?:[sx]?html?|php|aspx?|jsp|cfm|do)$", re.IGNORECASE)
_PAGING = re.compile(r"(?:^|&)(?:page|paged|seite|offset|start)=\d+", re.IGNORECASE)
_QUERY_ID = re.compile(r"(?:^|&)(?:p|[a-z_]*(?:id|nr|no|article|artikel|story|news))=\d{3,}", re.IGNORECASE)
_NUMBER = re.compile(r"\d{4,}")
_YEAR = re.compile(r"(?:19|20)\d\d")
_DATE = re.compile(r"/(?:19|20)\d\d(?:[/-]?(?:0?[1-9]|1[0-2]))(?:[/-]?\d\d?)?[/-](?=[^/])")
_WORD = re.compile(r"[^\W\d_]{2,}")
_SECTION = re.compile(r"[^\W\d_]+")
# scripts without spaces: a character counts as about a word
_DENSE = re.compile("[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")

_LONG_SLUG, _HEADLINE = 4, 5  # words
_MOST_LOOKED_AT = 500  # characters


def weight_of(url: Url, words: str) -> int | None:
    """Return the score of a link as an article's; None if it cannot be one.

    `words` is the link's text. Zero means no evidence.
    """
    path, query, route = url.parts.path, url.parts.search.removeprefix("?"), url.parts.hash.removeprefix("#")
    segments = [segment for segment in path.lower().split("/") if segment]
    if route.startswith(("/", "!")):
        return _for_it(route, query, words)
    if not segments:
        return 0 if query else None
    if _FILES.search(segments[-1]):
        return None
    return _for_it(path, query, words) - _against_it(segments, query)


def _for_it(path: str, query: str, words: str) -> int:
    last = _ENDING.sub("", unquote(path.rstrip("/").rpartition("/")[2])[:_MOST_LOOKED_AT])
    slug = _count_words(last)
    has_number = any(not _YEAR.fullmatch(found) for found in _NUMBER.findall(last))
    return (
        (2 if _DATE.search(path) else 0)
        + (2 if slug >= _LONG_SLUG else 1 if slug == _LONG_SLUG - 1 else 0)
        + (2 if has_number else 0)
        + (3 if _QUERY_ID.search(query) else 0)
        + (2 if _count_words(words) >= _HEADLINE else 0)
    )


def _against_it(segments: list[str], query: str) -> int:
    last = _ENDING.sub("", segments[-1])
    parent = segments[-2] if len(segments) > 1 else ""
    above = set(segments[:-2])
    is_list = last in _LISTS or last in _WEAK_LISTS
    # a single plain word is a section's front page: /sport
    is_section = len(segments) == 1 and not query and bool(_SECTION.fullmatch(segments[0]))
    return (
        (5 if last in _PAGES or is_list else 0)
        + (3 if parent in _LISTS else 1 if parent in _WEAK_LISTS else 0)
        + (1 if not above.isdisjoint(_LISTS | _WEAK_LISTS) else 0)
        + (3 if _PAGING.search(query) else 0)
        + (3 if is_section else 0)
    )


def _count_words(text: str) -> int:
    text = text[:_MOST_LOOKED_AT]
    return len(_WORD.findall(_DENSE.sub(" ", text))) + len(_DENSE.findall(text)) // 2
