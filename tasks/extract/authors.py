"""The names of those who wrote a page. Pure."""

import re
from collections.abc import Iterable, Iterator

from lxml.html import HtmlElement

from tasks.extract.jsonld import Graph, Node, strings
from tasks.extract.tree import clean, text_of, words_of

META_NAMES = (
    "author", "article:author", "og:article:author", "parsely-author", "sailthru.author", "byl", "citation_author",
    "dc.creator", "dcterms.creator", "cxenseparse:author", "creator", "article.author",
)  # fmt: skip
_PROFILE = re.compile(r"/(?:authors?|autor(?:en|es|i)?|auteurs?|autore|byline|journalists?|forfatter)/", re.IGNORECASE)
_BYLINE = re.compile(
    r"(?:^|[ _-])(?:byline|author|autor|auteur|verfasser)s?(?:[_-]*(?:name|link|text|list))?(?: |$)", re.IGNORECASE
)
_MAX_SEARCHED = 400  # elements after the main heading: a byline stands near it
_PREFIX = re.compile(
    r"^(?i:(?:(?:written|posted|reported|story|text|words|article|interview|edited)\s+by|by|par|por|door|przez|"
    r"autore?|auteure?|author|text|texte|testo|tekst|автор|текст)\s*:?\s+(?=\S)"
    # these begin surnames as well (von der Leyen, Di Canio): a name in full must follow
    r"|(?:von|di|av|af|de)\s+(?=(?-i:[A-ZÀ-Þ])\S+\s+\S))"
)
_APART = re.compile(r"\s*[;|]\s*")
_TOGETHER = re.compile(r",?\s+(?:&|and|und|et|y|e|og|och|en|i|и)\s+|,\s+", re.IGNORECASE)
_NO_NAME = re.compile(
    r"https?:|www\.|@\S+\.|^@|^\W*$|^\d+$|(?:^|\s)(?:admin|administrator|unknown|null|none|undefined|n/a)$",
    re.IGNORECASE,
)
_MAX_NAMES, _MAX_LENGTH, _MAX_WORDS = 20, 80, 8


def find_authors(
    tree: HtmlElement, graph: Graph, article: Node | None, metas: Iterable[str], *, site_names: Iterable[str]
) -> tuple[str, ...]:
    """Return the authors' names in their order, without prefixes, addresses and doubles.

    Those of JSON-LD, then of the meta elements, then of the byline on show; the site itself only where nobody else is
    named.
    """
    sites = {words_of(name) for name in site_names}
    named = _tidy(_from_jsonld(graph, article))
    if _is_anybody(named, sites):
        return named
    in_meta = _tidy(metas)
    if _is_anybody(in_meta, sites):
        return in_meta
    return _tidy(_from_show(tree)) or named


def _is_anybody(names: tuple[str, ...], sites: set[tuple[str, ...]]) -> bool:
    return any(words_of(name) not in sites for name in names)


def _from_jsonld(graph: Graph, article: Node | None) -> Iterator[str]:
    authors = (article or {}).get("author") or (article or {}).get("creator")
    for one in authors if isinstance(authors, list) else [authors]:
        author = graph.resolve(one)
        yield from strings(author.get("name") if isinstance(author, dict) else author)


def _from_show(tree: HtmlElement) -> list[str]:
    """Return the names of the first byline after the main heading: what is marked as one, or links to a person."""
    heading = next(tree.iter("h1"), None)
    after = heading.xpath("following::*[position() <= $n]", n=_MAX_SEARCHED) if heading is not None else []
    marked = [element for element in after if _is_byline(element)]
    near = [element for element in marked if _block_of(element) is _block_of(marked[0])]
    return [text for element in near if _is_full_name(text := _PREFIX.sub("", text_of(element)))]


def _is_byline(element: HtmlElement) -> bool:
    if element.get("rel") == "author" or element.get("itemprop") == "author":
        return True
    if element.tag == "a" and _PROFILE.search(element.get("href") or ""):
        return True
    return bool(_BYLINE.search(element.get("class") or "")) and next(element.iter("a", "li"), None) is None


def _block_of(element: HtmlElement) -> HtmlElement:
    """Return the element two levels up: the byline that several names share."""
    parent = element.getparent()
    above = parent.getparent()
    return parent if above is None else above


def _is_full_name(text: str) -> bool:
    """Whether a text that nothing but its place calls a name can be one: two to six words, none of them lower-case."""
    words = text.split()
    return 2 <= len(words) <= 6 and len(text) <= _MAX_LENGTH and not any(word[0].islower() for word in words[1::4])


def _tidy(names: Iterable[str]) -> tuple[str, ...]:
    tidy: dict[tuple[str, ...], str] = {}
    for name in names:
        for part in _split(_PREFIX.sub("", clean(name))):
            key = words_of(part)
            if key and not _NO_NAME.search(part) and len(key) <= _MAX_WORDS:
                tidy.setdefault(key, part)
    return tuple(tidy.values())[:_MAX_NAMES]


def _split(names: str) -> list[str]:
    """Part `A B, C D and E F`; only full names, since `Parker, Tracy` and `Ortega y Gasset` are one."""
    parts: list[str] = []
    for part in _APART.split(names[:1000]):
        pieces = _TOGETHER.split(part)
        parts.extend(pieces if all(len(piece.split()) > 1 for piece in pieces) else [part])
    stripped = (_PREFIX.sub("", part).strip(" ,.:·•-\u2013\u2014") for part in parts)
    return [part for part in stripped if len(part) <= _MAX_LENGTH]
