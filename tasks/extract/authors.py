"""Find the authors of a page. Pure."""

from collections.abc import Iterable, Iterator

from lxml.html import HtmlElement

from tasks.extract.bylines import byline_names
from tasks.extract.jsonld import Graph, Node, string, strings, types_of
from tasks.extract.names import is_full_name, tidy_names
from tasks.extract.tree import words_of

META_NAMES = (
    "author", "article:author", "og:article:author", "parsely-author", "sailthru.author", "byl", "citation_author",
    "dc.creator", "dcterms.creator", "cxenseparse:author", "creator", "article.author",
)  # fmt: skip
_ORGANISATIONS = frozenset(("Organization", "NewsMediaOrganization", "Corporation", "NGO", "WebSite", "Brand"))


def find_authors(
    tree: HtmlElement,
    graph: Graph,
    article: Node | None,
    metas: Iterable[str],
    *,
    heading: HtmlElement | None,
    site_names: Iterable[str],
) -> tuple[str, ...]:
    """Return the authors' names in order, without prefixes, roles, addresses and duplicates.

    `heading` is the page's main heading, near which the byline is. Sources are JSON-LD, then meta elements, then the
    visible byline; an organisation or the site itself counts only if there is no other author.
    """
    sites = [words for name in site_names if (words := words_of(name))]
    everybody, people = _from_jsonld(graph, article)
    listed, in_meta = tidy_names(everybody), tidy_names(metas)
    if any(not _is_site(name, sites) for name in tidy_names(people)):
        return tuple(name for name in listed if not _is_site(name, sites))
    if persons := tuple(name for name in in_meta if not _is_site(name, sites)):
        return persons
    shown = tidy_names(byline_names(tree, heading))
    if any(map(is_full_name, shown)):
        return shown
    return listed or in_meta or shown


def _is_site(name: str, sites: list[tuple[str, ...]]) -> bool:
    """Whether a name is the site's, or begins with it: `Port Courier Online`."""
    words = words_of(name)
    joined = "".join(words)
    return any(words[: len(site)] == site or joined == "".join(site) for site in sites)


def _from_jsonld(graph: Graph, article: Node | None) -> tuple[list[str], list[str]]:
    """Return the names of all authors, and of those that are not marked as an organisation."""
    listed: list[str] = []
    people: list[str] = []
    for author in _authors(graph, article):
        if isinstance(author, dict):
            names = strings(author.get("name")) or _name_in_parts(author)
            is_person = _ORGANISATIONS.isdisjoint(types_of(author))
        else:
            names, is_person = strings(author), True
        listed.extend(names)
        people.extend(names if is_person else ())
    return listed, people


def _authors(graph: Graph, article: Node | None) -> Iterator[object]:
    authors = (article or {}).get("author") or (article or {}).get("creator")
    for one in authors if isinstance(authors, list) else [authors]:
        yield graph.resolve(one)


def _name_in_parts(author: Node) -> tuple[str, ...]:
    parts = (string(author.get(name)) for name in ("givenName", "additionalName", "familyName"))
    name = " ".join(filter(None, parts))
    return (name,) if name else ()
