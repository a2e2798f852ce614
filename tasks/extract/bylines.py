"""Find the visible byline of a page, and the names in it. Pure."""

import re
from collections.abc import Iterable, Iterator
from itertools import islice, pairwise

from lxml.etree import XPath
from lxml.html import HtmlElement

from tasks.extract.names import PREFIX, is_full_name, is_nickname, is_team, split_names
from tasks.extract.tree import cached_by_name, clean, raw_text_of, text_of, until_prose

_PROFILE = re.compile(
    r"/(?:authors?|autor(?:en|es|i|a)?|auteurs?|autore|bylines?|journalists?|forfatter|contributors?|writers?|reporters?|"
    r"columnists?|kolumnisten)/[^/?#]",
    re.IGNORECASE,
)
_BY = frozenset(
    "author authors byline bylines byname writer reporter journalist autor autoren autorin auteur auteurs verfasser redakteur contributor "
    "contributors autore autores dateline-author bywriter".split()
)
_NOT_BY = frozenset(
    "bio biography box image img avatar photo picture social follow share date time role job position description desc count comment "
    "comments related form newsletter email twitter facebook linkedin more tags tag about respond required label count reading "
    "intro popover tooltip excerpt".split()
)
_NAMING = frozenset(("class", "data-testid", "id"))
_NAME_PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_NAMED = frozenset("name names nick fn".split())
_CHECKED = re.compile(
    r"review|check|edit|research|contribut|verif|geprüft|lektor|relu|revis|traduc|translat|übersetz|photo|foto|illustrat|updated",
    re.IGNORECASE,
)
_FOREIGN = frozenset(("form", "label", "nav", "aside", "button", "select", "script", "style"))
_FOREIGN_NAMES = re.compile(
    r"(?:[\w-]*[-_])?(?:comments?|respond|disqus|related|sidebar|recommended|teasers?|popular|trending)(?:[-_][\w-]*)?",
    re.IGNORECASE,
)
_MAX_SEARCHED, _MAX_BEFORE, _MAX_LENGTH, _MAX_CLASS = 400, 60, 200, 500
_NAMES = ("uthor", "yline", "yName", "autor", "auteur")
# elements that may be an author's by more than their class; found through the attribute axis, in half the time of
# predicates on each element
_MARKED = XPath(
    "descendant::*/@rel[. = 'author']/.. | descendant::*/@itemprop[. = 'author']/.. | descendant::*/@href[contains(., '/aut')]/.."
)
_BEFORE = XPath("preceding::*[position() <= $n]")
_MAX_MARKED = 300
_MAX_UNSPACED = 2  # adjacent names without a space; more are tags
_LINES = frozenset(("p", "div", "span", "a", "strong", "b", "h4", "h5", "h6", "li", "address"))
_MAX_PROSE = 4  # long paragraphs after which the search for a byline ends


def byline_names(tree: HtmlElement, heading: HtmlElement | None) -> list[str]:
    """Return the names of the byline nearest to the main heading.

    The byline comes after it, else shortly before it; else it is the only name that the page marks as an author's.
    """
    if heading is None:
        return _only_name(tree)
    after = until_prose(islice(_after(heading), _MAX_SEARCHED), most=_MAX_PROSE)
    return _first_names(after) or _first_names(_before(heading)) or _only_name(tree)


def _only_name(tree: HtmlElement) -> list[str]:
    names: dict[str, None] = {}
    for element in islice(_marked(tree), _MAX_MARKED):
        if _strength(element) > 1 and not _is_foreign(element):
            names.update(dict.fromkeys(_names_in(element, is_sure=True)))
        if len(names) > 1:
            return []
    return list(names)


def _marked(tree: HtmlElement) -> Iterator[HtmlElement]:
    """Yield the elements that may be an author's, in order."""
    marked = set(_MARKED(tree))
    for one in tree.iterdescendants():
        names = one.get("class")
        if (names and _may_be_author(names)) or one in marked:
            yield one


@cached_by_name
def _may_be_author(names: str) -> bool:
    return any(map(names.__contains__, _NAMES))  # takes a third of XPath's time


def _after(heading: HtmlElement) -> Iterator[HtmlElement]:
    """Yield the elements that start after the end of a heading."""
    for one in (heading, *heading.iterancestors()):
        for after in one.itersiblings():
            yield from after.iter()


def _before(heading: HtmlElement) -> Iterator[HtmlElement]:
    yield from _BEFORE(heading, n=_MAX_BEFORE)


def _first_names(elements: Iterable[HtmlElement]) -> list[str]:
    """Return the names of the first marked element that has any, and of the marked elements in the same block."""
    found: list[tuple[HtmlElement, list[str]]] = []
    known: set[HtmlElement] = set()
    block: HtmlElement | None = None
    for element in elements:
        strength = _strength(element)
        if not strength or (block is not None and _block_of(element) is not block):
            continue
        if not known.isdisjoint(element.iterancestors()) or (found and _CHECKED.search(_said_before(element))):
            continue
        names = _names_in(element, is_sure=strength > 1)
        if names and not _is_foreign(element):
            found.append((element, names))
            known.add(element)
            block = block if block is not None else _block_of(element)
    return [name for _, names in found for name in names]


def _strength(element: HtmlElement) -> int:
    """Return 2 if an element is marked as the author, 1 if its name or text suggests it, 0 otherwise."""
    if (items := element.items()) and (said := max([_said_by(element, name, value) for name, value in items])):
        return said
    if element.tag in _LINES or element.tag in ("em", "small", "td", "h3"):
        text = element.text
        if not text or text.isspace() or len(text) > _MAX_LENGTH:
            return 0
        return 1 if PREFIX.match(clean(text) + " X x") and _is_line(element) else 0
    return 0


def _said_by(element: HtmlElement, name: str, value: str) -> int:
    """Return how strongly an attribute marks an element as the author's (0 to 2)."""
    if name in _NAMING:
        return _says_author(value)
    if name == "href":
        return 2 if element.tag == "a" and _PROFILE.search(value) else 0
    return 2 if value == "author" and name in ("rel", "itemprop") else 0


def _is_line(element: HtmlElement) -> bool:
    """Whether the whole element is a byline: `By Mara Quill`, not a sentence that begins like one."""
    text = text_of(element)
    return len(text) <= _MAX_LENGTH and PREFIX.match(text) is not None and len(text.split()) <= 18


@cached_by_name
def _says_author(names: str) -> int:
    """Return 2 if a class or an id means an author's name, 1 if it means author, 0 otherwise."""
    if len(names) > _MAX_CLASS:
        return 0
    best = 0
    for name in names.split():
        parts = [part.lower() for part in _NAME_PARTS.findall(name)]
        if _BY.isdisjoint(parts) and "byname" not in (joined := "".join(parts)) and "byline" not in joined:
            continue
        if any(_NAMED.intersection(pair) and _BY.intersection(pair) for pair in pairwise(parts)):
            return 2
        if parts[-1] in _NAMED:
            return 2
        if _NOT_BY.isdisjoint(parts) or parts[-1] in _BY:
            best = 1
    return best


def _said_before(element: HtmlElement) -> str:
    """Return the text before an element in its line: `Reviewed by`."""
    pieces: list[str] = []
    for one in (element, element.getparent()):
        if one is not None:
            before = one.getprevious()
            above = one.getparent()
            pieces.append(
                (raw_text_of(before)[-40:] + (before.tail or ""))
                if before is not None
                else (above.text or "")
                if above is not None
                else ""
            )
    return " ".join(pieces)[-100:]


def _is_foreign(element: HtmlElement) -> bool:
    """Whether an element is in a form, a menu or another story's teaser."""
    for above in (element, *element.iterancestors()):
        if above.tag in _FOREIGN or (
            above is not element and above.tag == "a" and next(above.iter("h2", "h3"), None) is not None
        ):
            return True
        if above.tag in ("body", "main", "article"):
            return False
        if above.tag == "footer" and next(above.iterancestors("article"), None) is None:
            return True
        names = f"{above.get('class') or ''} {above.get('id') or ''}"[:_MAX_CLASS].split()
        if any(map(_FOREIGN_NAMES.fullmatch, names)):
            return True
    return False


def _block_of(element: HtmlElement) -> HtmlElement | None:
    """Return the grandparent: the byline that contains several names."""
    parent = element.getparent()
    above = parent.getparent() if parent is not None else None
    return parent if above is None else above


def _names_in(element: HtmlElement, *, is_sure: bool) -> list[str]:
    """Return the names in a byline: from its links, else its pieces, else its whole text."""
    if len(raw_text_of(element)) > 2 * _MAX_LENGTH:
        return []
    named = next((one for one in element.iterdescendants() if one.get("itemprop") == "name"), None)
    if named is not None:
        return [clean(named.get("content")) or text_of(named)]
    links = [
        one for at, one in enumerate(element.iterdescendants("a")) if at == 0 or not _CHECKED.search(_said_before(one))
    ]
    linked = [text for link in links for text in _texts_of(link)]
    for texts in (linked, _pieces_of(element), [text_of(element)]):
        names = [name for text in texts for name in split_names(text) if is_full_name(name)]
        if names and (is_sure or " " in names[0] or len(names) <= _MAX_UNSPACED):
            return names
    whole = text_of(element)
    text = PREFIX.sub("", whole).strip(" ,.")
    is_said = is_sure or text != whole
    return [text] if is_said and (is_nickname(text) or is_team(text)) else []


def _texts_of(link: HtmlElement) -> list[str]:
    """Return a link's text, split into pieces if no space separates them: `Mara Quill<span>Coast Editor</span>`."""
    pieces = [piece for piece in link.itertext() if piece]
    is_glued = any(not (before[-1].isspace() or behind[0].isspace()) for before, behind in pairwise(pieces))
    texts = _pieces_of(link) if is_glued else []
    return texts if any(map(is_full_name, texts)) else [text for text in (text_of(link),) if text]


def _pieces_of(element: HtmlElement) -> list[str]:
    return [text for piece in element.itertext() if (text := clean(piece))]
