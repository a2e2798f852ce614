"""Read a page's metadata: JSON-LD first, then meta elements, then visible text.

Pure. It needs the tree as parsed, before scripts are removed. It takes about a millisecond per page, except for
htmldate, which is used only if nothing else has a date, after emptying the longest scripts.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from urllib.parse import urljoin, urlsplit

from htmldate import find_date
from lxml.etree import XPath
from lxml.html import HtmlElement

from tasks.errors import BadUrl, ForbiddenScheme
from tasks.extract.authors import META_NAMES, find_authors
from tasks.extract.dates import parse_instant
from tasks.extract.jsonld import ARTICLE_TYPES, Graph, Node, read_jsonld, string, strings, types_of
from tasks.extract.shown_dates import visible_dates
from tasks.extract.titles import choose_title
from tasks.extract.tree import clean, page_url, raw_text_of, text_of, words_of
from tasks.values.url import is_same_site, storable_url

Meta = dict[str, list[str]]

_PUBLISHED = tuple(
    """
    article:published_time og:article:published_time og:published_time datepublished article:published
    parsely-pub-date cxenseparse:recs:publishtime cxenseparse:publishtime sailthru.date publication_date publish-date
    publishdate pubdate date dc.date dc.date.issued dcterms.issued dcterms.created dcterms.date vr:published_time
    citation_publication_date iso-8601-publish-date article.published originalpublicationdate
    """.split()
)
_PAGES = frozenset(
    ("WebPage", "ItemPage", "AboutPage", "FAQPage", "CollectionPage", "MedicalWebPage", "HowTo", "Recipe")
)
_MODIFIED = (
    "article:modified_time",
    "og:updated_time",
    "datemodified",
    "article:modified",
    "dcterms.modified",
    "lastmod",
)
_TITLES = ("og:title", "twitter:title", "parsely-title", "sailthru.title", "dc.title", "title")
_LEDES = ("description", "og:description", "twitter:description", "dc.description", "sailthru.description")
_SECTIONS = ("article:section", "parsely-section", "cxenseparse:section", "section")
_ORIGINALS = ("syndication-source", "original-source")  # Google News's meta elements for the original
_TAGS = ("article:tag", "og:article:tag", "parsely-tags", "news_keywords", "keywords")
_SITES = ("og:site_name", "application-name", "apple-mobile-web-app-title", "publisher", "dc.publisher")
_MARKED_DATES = (XPath('descendant::*/@itemprop[. = "datePublished"]/..'), XPath("descendant::time[@pubdate]"))
_LANGUAGE = re.compile(r"([a-z]{2,3})(?:[-_].*)?")
_IN_FIGURES = re.compile(r"\d{4}|\w{3}, \d\d? \w{3} \d{4} \d\d:")  # ISO 8601 and similar, RFC 5322
_MAX_TAGS, _MAX_TAG_LENGTH, _MAX_HEADINGS, _MAX_TITLES = 50, 80, 5, 100
_MAX_SEARCHED_SCRIPT = 200_000  # characters; htmldate searches the whole source, half a second per megabyte
_MAX_VALUES, _MAX_VALUE_LENGTH = 100, 5000  # values of one meta name; characters of a value
_MAX_UPDATES = 1000  # updates of a live blog
_MAX_SHORT, _MAX_SHORT_LENGTH = 300, 300  # number and length in characters of meta elements kept for directives


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """A page's metadata. Instants are aware UTC, URLs absolute.

    `titles` and `ledes` are all that it declares, `robots` its raw directives to crawlers, `types` its schema.org
    types, `article_body` its raw JSON-LD articleBody followed by a live blog's updates, `metas` its short meta elements
    by lower-case name.
    """

    title: str | None
    titles: tuple[str, ...]
    lede: str | None
    ledes: tuple[str, ...]
    authors: tuple[str, ...]
    published_at: datetime | None
    modified_at: datetime | None
    language: str | None
    section: str | None
    tags: tuple[str, ...]
    image_url: str | None
    canonical_url: str | None
    syndicated_from: str | None
    paywalled: bool | None
    tdm_reserved: bool | None
    robots: tuple[str, ...]
    types: frozenset[str]
    og_type: str | None
    article_body: str | None
    metas: tuple[tuple[str, str], ...] = ()


def read_metadata(tree: HtmlElement, *, now: datetime) -> Metadata:
    """Return the page's metadata; missing or implausible values are None."""
    meta = _read_meta(tree)
    graph = read_jsonld(tree)
    headings, home = _headings(tree)
    article = _own_article(graph, (*headings, *_values(meta, *_TITLES)))
    node: Node = article or {}
    site_names = _site_names(tree, graph, node, meta)
    candidates = (
        *strings(node.get("headline")),
        *_values(meta, *_TITLES),
        clean((tree.findtext(".//title") or "")[:_MAX_VALUE_LENGTH]),
    )
    section = string(node.get("articleSection")) or next(iter(_values(meta, *_SECTIONS)), None)
    title = choose_title(
        headings,
        candidates,
        (*site_names, *home),
        others=map(text_of, islice(tree.iter("h2"), _MAX_HEADINGS)),
        sections=filter(None, (section, *page_url(tree).parts.path.strip("/").split("/")[:-1])),
    )
    heading = heading_of(tree, title)
    links = _canonical_links(tree)
    ledes = _distinct((*strings(node.get("description")), *_values(meta, *_LEDES)))
    return Metadata(
        title=title,
        titles=_distinct((title or "", *headings[:1], *candidates)),
        lede=next(iter(ledes), None),
        ledes=ledes,
        authors=find_authors(tree, graph, article, _values(meta, *META_NAMES), heading=heading, site_names=site_names),
        published_at=_published(tree, graph, node, meta, heading=heading, now=now),
        modified_at=_first_instant((*strings(node.get("dateModified")), *_values(meta, *_MODIFIED)), now=now),
        language=_language(tree, meta, node),
        section=section,
        tags=_tags(node, meta),
        image_url=_image(tree, graph, node, meta),
        canonical_url=_canonical(links, tree, meta),
        syndicated_from=_syndicated(links, tree, meta),
        paywalled=_paywalled(graph, meta),
        tdm_reserved={"1": True, "0": False}.get(next(iter(_values(meta, "tdm-reservation")), "")),
        robots=_values(meta, "robots"),
        types=frozenset(types_of(node) or (name for one in graph.nodes[:20] for name in types_of(one))),
        og_type=next((value.casefold() for value in _values(meta, "og:type")), None),
        metas=_short(meta),
        article_body=_body(graph, node),
    )


def _read_meta(tree: HtmlElement) -> Meta:
    """Return all meta elements by their lower-case name, property or itemprop."""
    meta: Meta = {}
    for element in tree.iter("meta"):
        content = clean((element.get("content") or "")[:_MAX_VALUE_LENGTH])
        name = element.get("property") or element.get("name") or element.get("itemprop") or element.get("http-equiv")
        if name and content and len(values := meta.setdefault(name.strip().casefold(), [])) < _MAX_VALUES:
            values.append(content)
    return meta


def _short(meta: Meta) -> tuple[tuple[str, str], ...]:
    pairs = ((name, value) for name, values in meta.items() for value in values if len(value) <= _MAX_SHORT_LENGTH)
    return tuple(islice(pairs, _MAX_SHORT))


def _values(meta: Meta, *names: str) -> tuple[str, ...]:
    return tuple(value for name in names for value in meta.get(name, ()))


def _headings(tree: HtmlElement) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the first main headings, and those among them that link to the front page, which are the site's name."""
    found = [(one, text) for one in islice(tree.iter("h1"), _MAX_HEADINGS) if (text := text_of(one))]
    homes = tuple(text for one, text in found if _leads_home(one))
    shown = [(one, text) for one, text in found if text not in homes]
    # last, since the heading with its kicker takes precedence
    return (*(text for _, text in shown), *(bare for one, _ in shown if (bare := _without_kicker(one)))), homes


def _without_kicker(heading: HtmlElement) -> str:
    """Return a heading without a leading kicker element: `<span>Lesetipp</span> Harbour reopens`."""
    first = next(iter(heading), None)
    if first is None or clean(heading.text):
        return ""
    return text_of(heading).removeprefix(text_of(first)).lstrip(" :：|·•–—-").rstrip()


def _leads_home(heading: HtmlElement) -> bool:
    link = next(heading.iter("a"), None)
    href = (link.get("href") or "").strip() if link is not None else ""
    if not href or page_url(heading).parts.path == "/":
        return False
    try:
        target = urlsplit(urljoin(heading.base_url, href))
    except ValueError:
        return False
    return target.path in ("", "/") and not target.query and not href.startswith("#")


def heading_of(tree: HtmlElement, title: str | None) -> HtmlElement | None:
    """Return the heading with the title's text, else the first main heading."""
    words = words_of(title or "")
    headings = list(islice(tree.iter("h1", "h2", "h3"), _MAX_TITLES))
    exact = [one for one in headings if words and words_of(raw_text_of(one)[:_MAX_VALUE_LENGTH]) == words]
    main = [one for one in headings if one.tag == "h1"]
    return next((one for one in (*exact, *main)), None)


def _own_article(graph: Graph, shown: tuple[str, ...]) -> Node | None:
    """Return the node of this page's article: the one with the page's title, else the first article."""
    articles = list(graph.of_types(ARTICLE_TYPES))
    titles = {words_of(title) for title in shown}
    for node in articles:
        if any(words_of(headline) in titles for headline in strings(node.get("headline"))):
            return node
    return next((node for node in articles if "headline" in node or "datePublished" in node), None)


def _site_names(tree: HtmlElement, graph: Graph, node: Node, meta: Meta) -> tuple[str, ...]:
    publishers = [
        graph.resolve(node.get("publisher")),
        *graph.of_types(frozenset(("WebSite", "NewsMediaOrganization"))),
    ]
    named = [name for one in publishers if isinstance(one, dict) for name in strings(one.get("name"))]
    return (*named, *_values(meta, *_SITES), page_url(tree).parts.hostname.removeprefix("www."))


def _published(
    tree: HtmlElement, graph: Graph, node: Node, meta: Meta, *, heading: HtmlElement | None, now: datetime
) -> datetime | None:
    """Return when the page was published.

    The order: numeric date fields and marked dates, which programs write; the visible date; the date of the page around
    the article; the visible date of change; date fields in words, which often tell when a page was generated; htmldate.
    """
    fields = (*strings(node.get("datePublished")), *_values(meta, *_PUBLISHED), *strings(node.get("dateCreated")))
    of_page = (stated for one in graph.of_types(_PAGES) for stated in strings(one.get("datePublished")))
    figures = (field for field in fields if _IN_FIGURES.match(field))
    if found := _first_instant(figures, now=now) or _marked_instant(tree, now=now):
        return found
    said, changed = visible_dates(heading, now=now)
    stated = said or _first_instant(of_page, now=now) or changed or _first_instant(fields, now=now)
    return stated or _guessed_instant(tree, now=now)


def _first_instant(fields: Iterable[str], *, now: datetime) -> datetime | None:
    return next((found for field in fields if (found := parse_instant(field, now=now))), None)


def _marked_instant(tree: HtmlElement, *, now: datetime) -> datetime | None:
    """Return the date marked as the page's by an itemprop or pubdate."""
    for marked in _MARKED_DATES:
        for element in marked(tree)[:1]:
            found = parse_instant(element.get("datetime") or element.get("content") or text_of(element), now=now)
            if found:
                return found
    return None


def _guessed_instant(tree: HtmlElement, *, now: datetime) -> datetime | None:
    for script in tree.iter("script"):
        if len(script.text or "") > _MAX_SEARCHED_SCRIPT:
            script.text = None
    latest = (now + timedelta(days=1)).strftime("%Y-%m-%d")
    found = None
    with suppress(ValueError, OverflowError):  # raised for an offset of a day or more
        # not the extensive search, which takes up to a second and accepts any year in the text: the feed's date is better
        found = find_date(tree, original_date=True, extensive_search=False, url=tree.base_url, max_date=latest)
    return parse_instant(found, now=now) if found else None


def _language(tree: HtmlElement, meta: Meta, node: Node) -> str | None:
    declared = (
        tree.get("lang") or tree.get("xml:lang") or "",
        *_values(meta, "og:locale", "content-language", "language", "dc.language"),
        *strings(node.get("inLanguage")),
    )
    matches = (_LANGUAGE.fullmatch(tag.strip().casefold()) for tag in declared)
    return next((match[1] for match in matches if match), None)


def _tags(node: Node, meta: Meta) -> tuple[str, ...]:
    """Return the first non-empty list of tags: JSON-LD's keywords, article:tag, keywords."""
    for listed in (strings(node.get("keywords")), *(_values(meta, name) for name in _TAGS)):
        tags = _distinct(part.strip() for value in listed for part in re.split(r"[,;]", value))
        short = tuple(tag for tag in tags if len(tag) <= _MAX_TAG_LENGTH)[:_MAX_TAGS]
        if short:
            return short
    return ()


def _image(tree: HtmlElement, graph: Graph, node: Node, meta: Meta) -> str | None:
    image = node.get("image")
    first = graph.resolve(image[0] if isinstance(image, list) and image else image)
    named = first.get("url") or first.get("contentUrl") if isinstance(first, dict) else first
    return _first_url((*strings(named), *_values(meta, "og:image", "og:image:url", "twitter:image")), tree)


def _canonical(links: Sequence[str], tree: HtmlElement, meta: Meta) -> str | None:
    """Return the canonical URL (RFC 6596): on this site, and not its root, which careless templates name everywhere."""
    candidates = _pages((*links, *_values(meta, "og:url")), tree)
    return next((page for page in candidates if _is_same_site(page, tree.base_url)), None)


def _syndicated(links: Sequence[str], tree: HtmlElement, meta: Meta) -> str | None:
    """Return the original article on another site, if the page declares one."""
    candidates = _pages((*links, *_values(meta, *_ORIGINALS)), tree)
    return next((page for page in candidates if not _is_same_site(page, tree.base_url)), None)


def _canonical_links(tree: HtmlElement) -> list[str]:
    return [link.get("href", "") for link in tree.iter("link") if (link.get("rel") or "").casefold() == "canonical"]


def _pages(candidates: Iterable[str], tree: HtmlElement) -> Iterator[str]:
    """Yield the URLs that are not a site's root."""
    for candidate in candidates:
        found = _first_url((candidate,), tree)
        if found and urlsplit(found).path.strip("/"):
            yield found


def _is_same_site(a: str, b: str) -> bool:
    try:
        return urlsplit(a).hostname == urlsplit(b).hostname or is_same_site(a, b)
    except (BadUrl, ValueError):
        return False


def _first_url(candidates: Iterable[str], tree: HtmlElement) -> str | None:
    """Return the first valid URL, absolute."""
    for candidate in filter(str.strip, candidates):
        try:
            return storable_url(candidate, base=tree.base_url)
        except (BadUrl, ForbiddenScheme):
            continue
    return None


def _paywalled(graph: Graph, meta: Meta) -> bool | None:
    """Whether the page is paywalled, by schema.org's isAccessibleForFree, else the content tier."""
    for node in graph.of_types(ARTICLE_TYPES):
        free = str(node.get("isAccessibleForFree", "")).casefold().rpartition("/")[2]
        if free in ("true", "false"):
            return free == "false"
    tier = next((value.casefold() for value in _values(meta, "article:content_tier")), None)
    return {"free": False, "metered": True, "locked": True}.get(tier or "")


def _body(graph: Graph, node: Node) -> str | None:
    """Return an article's body, followed by its updates (schema.org's liveBlogUpdate) with their headlines."""
    listed = node.get("liveBlogUpdate")
    updates = (graph.resolve(one) for one in (listed if isinstance(listed, list) else [listed])[:_MAX_UPDATES])
    parts = [_longest(node), *(part for one in updates if isinstance(one, dict) for part in _parts_of(one))]
    return "\n".join(filter(None, parts)) or None


def _parts_of(update: Node) -> tuple[str | None, str | None]:
    """Return an update's headline (unless its body starts with it) and its body."""
    headline, body = string(update.get("headline")), _longest(update)
    return (None if body and headline and body.lstrip().startswith(headline) else headline), body


def _longest(node: Node) -> str | None:
    return max(_raw_strings(node.get("articleBody")), key=len, default=None)


def _raw_strings(value: object) -> list[str]:
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)]


def _distinct(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in values if value))
