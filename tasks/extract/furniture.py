"""Find furniture (boilerplate) that a page marks by name or hides, unless it contains the story. Pure."""

import re
from dataclasses import dataclass

from lxml.etree import XPath
from lxml.html import HtmlElement

from tasks.extract.element_names import ElementNames
from tasks.extract.lengths import solid_size
from tasks.extract.tree import HEADINGS, cached_by_name, raw_text_of

FURNITURE = ("nav", "footer", "aside", "dialog", "menu", "figcaption")
MAX_BOX_LENGTH = 500  # characters of a call-to-action box
_ROLES = frozenset(("navigation", "contentinfo", "dialog", "alertdialog", "search"))
_MARKED = XPath("descendant::*/@role/.. | descendant::*/@hidden/.. | descendant::*/@x-cloak/..")
_NEARLY_ALL = 0.9  # of a page's text outside of links
_MIN_CAPTIONS = 3  # a picture story has at least this many captions
_UNSEEN = re.compile(
    r"(?:u-)?visually-?hidden|sr-?only|screen-?reader(?:-?(?:text|only))?|element-invisible|a11y-(?:hidden|only)|hidden-visually",
    re.IGNORECASE,
)
# every class of that kind contains one of these
_UNSEEN_WORDS = ("visually", "sr-only", "sronly", "screen", "invisible", "a11y-")

_NAMED = re.compile(
    r"(?:^|[-_])(?:pop-?up|tooltips?|modal|newsletters?|disclaimer|disclosure|sidebar|bio"
    r"|author[-_]+(?:box|card|profile|info|about)|sabox\w*|abh|molongui)(?:$|[-_])"
    r"|^(?:legal|copyright)(?:[-_]+(?:txt|text|notice|info|box))?$"
)
"""Classes and ids of furniture."""
_CLASSED = re.compile(
    r"(?:^|[-_])(?:footnotes?|references|citations?[-_](?:list|container)|cookies?[-_](?:banner|notice|bar|consent|message)"
    r"|fact-?box|post[-_]excerpt|contributors?|authors?[-_]+(?:container|description|details)|sign-?ups?|whats-?app|trending"
    r"|most-?(?:read|popular)|after[-_]content|video[-_](?:heading|title|info)"
    r"|related[-_]?(?:content|articles?|posts?|pages?|stor(?:y|ies)|links?|news|topics?|reads?))(?:$|[-_])"
)
"""Classes of furniture; not for ids, which may be derived from headings, as in `most-popular-breeds`."""
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")  # of camel case


@dataclass(frozen=True, slots=True, kw_only=True)
class Mass:
    """Characters of a page's text: all, those in links, and those outside of links without white space."""

    whole: int = 0
    linked: int = 0
    prose: int = 0


def mass_of(body: HtmlElement) -> Mass:
    """Return the mass of a body element."""
    text, linked = raw_text_of(body), "".join([raw_text_of(one) for one in body.iter("a")])
    return Mass(whole=len(text), linked=len(linked), prose=max(0, solid_size(text) - solid_size(linked)))


def furniture_of(body: HtmlElement, mass: Mass) -> list[HtmlElement]:
    """Return the elements that are named or hidden as furniture, unless broken markup has put the story into them.

    Example: `<footer><p>Most read today: something else entirely.</p></footer>`. It runs before the outline is made,
    since it often removes the most.
    """
    unlinked = mass.whole - mass.linked
    _open_captions(body, unlinked)
    half, most = mass.whole / 2, unlinked / 2
    found = []
    for one in dict.fromkeys((*body.iterdescendants(*FURNITURE), *_MARKED(body))):
        is_named = one.tag in FURNITURE or (one.get("role") or "").casefold() in _ROLES
        # hidden="until-found" is revealed by a search on the page (HTML, 6.1)
        is_hidden = (one.get("hidden") or "").casefold() != "until-found" and not {"hidden", "x-cloak"}.isdisjoint(
            one.attrib
        )
        if not is_named and not is_hidden:
            continue
        if one.tag == "footer" and next(one.iterancestors("blockquote"), None) is not None:
            one.tag = "p"  # a footer in a quote names the person quoted
            continue
        # a whole story may be hidden behind a paywall; a notice is short
        size = len(raw_text_of(one))
        said = _unlinked(one) if size > most else 0
        if size <= max(half if is_named else 0, MAX_BOX_LENGTH if is_hidden else 0) and said <= most:
            found.append(one)
        elif one.tag in FURNITURE and _is_storys(one, said, unlinked):
            one.tag = "div"  # extractors omit elements with this tag
    return found


def _is_storys(element: HtmlElement, said: int, unlinked: int) -> bool:
    """Whether an element contains the story: most of the prose and the heading, or nearly all of the prose."""
    heading = next(element.iter("h1"), None)
    return 2 * said > unlinked if heading is not None else said >= _NEARLY_ALL * unlinked > 0


def _unlinked(element: HtmlElement) -> int:
    """Return the number of characters in an element outside of links."""
    return len(raw_text_of(element)) - _linked(element)


def _linked(element: HtmlElement) -> int:
    return sum(len(raw_text_of(one)) for one in element.iter("a"))


def _open_captions(body: HtmlElement, unlinked: int) -> None:
    """Turn the captions of a picture story into paragraphs: several captions with most of the page's text."""
    captions = list(body.iter("figcaption"))
    if len(captions) >= _MIN_CAPTIONS and 2 * sum(map(_unlinked, captions)) > unlinked:
        for one in captions:
            one.tag = "p"
            for figure in one.iterancestors("figure"):
                figure.tag = "div"  # extractors omit figures


def screen_reader_elements(classes: ElementNames) -> set[HtmlElement]:
    """Return elements for screen readers only, by class: `Article content`, between a story's parts.

    A heading must have all of the words.
    """
    likely = classes.holding(*_UNSEEN_WORDS)
    unseen = (one for one in likely if any(map(_UNSEEN.fullmatch, (one.get("class") or "").split())))
    return {one for one in unseen if next(one.iterancestors(*HEADINGS), None) is None}


@cached_by_name
def classes_name_a_box(classes: str) -> bool:
    """Whether a class always means furniture."""
    names = _HUMP.sub("-", classes).casefold().split()
    return any(_NAMED.search(name) or _CLASSED.search(name) for name in names)


@cached_by_name
def id_names_a_box(name: str) -> bool:
    """Whether an id always means furniture."""
    return any(_NAMED.search(one) for one in name.casefold().split())
