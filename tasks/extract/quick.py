"""Compute the text of trafilatura's fast mode faster, with its own steps, if the page allows it.

Pure. The fast mode scans the whole page several times with XPath expressions for each element: three quarters of its
time. Here the frame that it would choose is found first, by words that must be in an element's attributes before an
expression can match (`tasks.extract.quick_frames`); only the frame is copied, cleaned, and passed to the steps. If the
outcome might depend on the rest of the page, the result is None, or not sure. The steps are called only with the
library version that they were written for.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from importlib.metadata import version

from lxml.etree import Element, SubElement, strip_elements, strip_tags
from lxml.html import HtmlElement
from trafilatura import baseline, htmlprocessing, main_extractor, settings, xpaths
from trafilatura.settings import Extractor
from trafilatura.xml import delete_element, xmltotxt

from tasks.extract.lengths import solid_size
from tasks.extract.quick_frames import ASKED, KINDS, Page, Words, is_comment, matches
from tasks.extract.tree import raw_text_of

KNOWN_VERSION = "2.3.1"
_IS_KNOWN = version("trafilatura") == KNOWN_VERSION

_OPENING = ("div", "li", "p", "table")  # in one of these a link is kept as a link
# characters, from trafilatura's settings; if there is less, it searches elsewhere
_MIN_TEXT, _MIN_PARAGRAPHS = 250, 750
_MAX_SUSPECT, _SUSPECT_SHARE = 3000, 0.2  # characters, and share of the page's; if there is less, it tries again
_MAX_LOST = 7  # discarded elements are removed only if more than a seventh of a frame's text is left
# characters; longer elements are removed only if nine tenths of them are links
_MAX_SHORT, _MAX_SHORT_PARAGRAPH, _MIN_LINKED = 400, 160, 0.6
_LINKED = ("div", "list", "p")  # deleted if they are mostly links
_MIN_PARTS, _MAX_BOX = 3, 100  # elements and characters of a short box with links
_MIN_REPEATED = settings.MIN_DUPLICATE_LENGTH
_TABLE = ("table", "td", "th", "tr")
_WILD = frozenset(("code", "p", "quote", "table"))
_PICTURES, _TEASERS = (*xpaths.DISCARD_IMAGE_ELEMENTS,), (*xpaths.TEASER_DISCARD_XPATH,)
_REBUILT = frozenset(("list", "table", "code", "quote"))  # recreated, so that their tail text stays behind


# necessary words of the library's expressions, which then decide
_DISCARDED = Words(
    *xpaths._OVERALL_DISCARD_BOTH_TOKENS, *xpaths._OVERALL_DISCARD_ID_TOKENS, *xpaths._OVERALL_DISCARD_CLASS_TOKENS,
    *xpaths._CONSENT_ID_CLASS_TOKENS,
)  # fmt: skip
_HIDDEN = Words("omment", "reply-", "hid", "akismet", "message", "suggest", "print", "notloaded")
_STYLES = Words("hidden", "display")
_NAMED = ("div", "section", "aside", "article", "main", "ul", "ol", "details")
_BLOCKS = frozenset(("div", "item", "list", "p", "section", "span"))


@dataclass(frozen=True, slots=True, kw_only=True)
class QuickText:
    """The text that the library finds on a page at first.

    If it is not `is_sure`, the text is so small a part of the page that the library would search again, more leniently,
    and take the result if it is half as long again. `is_framed`: it would search in the same frames.
    """

    text: str
    size: int
    is_sure: bool
    is_framed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _TextElements:
    """The text's elements in a body, and the tags that count as text.

    `has_more`: the library's lenient mode would find others; `lone` are single elements of earlier frames.
    """

    body: HtmlElement
    tags: set[str]
    has_more: bool = True
    is_framed: bool = False
    lone: Sequence[HtmlElement] = ()


def quick_text(tree: HtmlElement, options: Extractor) -> QuickText | None:
    """Return trafilatura's text of a page with these options (fast, no comments); None if the library is needed.

    With its focus on recall, return what it finds in a frame on its second attempt.
    """
    if not _IS_KNOWN:
        return None
    page = Page(tree)
    if page.has_scroll:
        page = Page(htmlprocessing.prune_unwanted_nodes(copy(tree), xpaths.RAW_TREE_PRUNE_XPATH))
    found = _in_a_frame(page, options)
    if found is None:
        return None
    size = _size_of(found.body)
    if size < _MIN_TEXT:
        found = _with_the_rest(page, found, options)
        if found is None or _is_suspect(size := _size_of(found.body), page.tree):
            return None
    has_paragraph = _has_paragraph(page)
    is_sure = not ((found.has_more or not has_paragraph) and _is_suspect(size, page.tree))
    _tidy(found.body)
    text = str(xmltotxt(found.body, False))
    return QuickText(text=text, size=size, is_sure=is_sure, is_framed=found.is_framed and has_paragraph)


def _with_the_rest(page: Page, short: _TextElements, options: Extractor) -> _TextElements | None:
    """Complete a short text with text from elsewhere; if it stays short, take the page's whole text if that is more.

    The library does the same.
    """
    for one in reversed(short.lone):
        short.body.insert(0, one)
    found = _anywhere(page.tree, short.tags, options, beside=short.body) if short.is_framed else short
    if found is None or (size := _size_of(found.body)) >= _MIN_TEXT:
        return found
    bare = copy(page.tree)
    _delete(one for one in bare.iterdescendants(*_NAMED) if is_comment(one))
    whole, _, most = baseline(bare)
    return replace(found, body=whole) if most > size else found


def _size_of(body: HtmlElement) -> int:
    return len(" ".join(body.itertext()).strip())


def _in_a_frame(page: Page, options: Extractor) -> _TextElements | None:
    """Return the text's elements from the first kind of frame with several of them; else from anywhere."""
    tags = {*settings.TAG_CATALOG, *_TABLE}
    has_more, lone = False, list[HtmlElement]()
    for kind in KINDS:
        frame, is_known = page.frame_of(kind)
        if frame is None and is_known:
            continue
        alone = _cleaned(frame, options) if frame is not None else None
        if frame is None or alone is None:
            return None
        has_more |= _prune(alone, has_teasers=options.focus == "recall")
        if len(alone) == 0:
            continue
        if _is_one_run(alone):
            return None
        tags |= _tags_of(alone, frame, page)
        has_more |= any(next(table.iter("list"), None) is not None for table in alone.iter("table"))
        found = _taken(alone, tags, options)
        if len(found) > 1:
            return _TextElements(body=found, tags=tags, has_more=has_more, is_framed=True, lone=lone)
        lone.extend(found)
    return _anywhere(page.tree, tags, options)


def _cleaned(frame: HtmlElement, options: Extractor) -> HtmlElement | None:
    """Return a copy of the frame as a separate page, with the library's tags; None if a form is most of it."""
    page = frame.makeelement("html")
    around = SubElement(page, "body")
    if next(frame.iterancestors(*_OPENING), None) is not None:
        around = SubElement(around, "div")
    around.append(alone := copy(frame))
    alone.tail = None
    size = len(raw_text_of(alone))
    if any(2 * len(raw_text_of(form)) > size for form in alone.iter("form")):
        return None
    _delete(one for one in alone.iterdescendants(*_NAMED) if is_comment(one))
    htmlprocessing.tree_cleaning(page, options)
    htmlprocessing.convert_tags(page, options)
    return alone


# What goes


def _prune(frame: HtmlElement, *, has_teasers: bool = False) -> bool:
    """Delete what the library discards by name, and what is mostly links; return whether teasers were deleted."""
    # read all attributes of an element at once: reading one takes as long
    named = ((one, items) for one in frame.iterdescendants() if (items := one.items()))
    asked = [(one, names) for one, items in named if not ASKED.isdisjoint(names := dict(items))]
    found = [one for one, names in asked if _is_discarded(one, names)]
    captions = [one for one, names in asked if one.tag in _BLOCKS and _names_caption(names)]
    if found:
        known = set(found)
        outer = [one for one in found if known.isdisjoint(one.iterancestors())]
        size = len(raw_text_of(frame))
        if size - sum(len(raw_text_of(one)) for one in outer) > size / _MAX_LOST:
            _delete(outer)
    pictures = [one for one in captions if matches(_PICTURES, one)]
    teasers = [one for one in captions if not has_teasers and matches(_TEASERS, one)]
    _delete(dict.fromkeys((*pictures, *teasers)))
    _prune_links(frame)
    for table in [one for one in frame.iter("table") if htmlprocessing.link_density_test_tables(one)]:
        delete_element(table, keep_tail=False)
    strip_tags(frame, "span", "ref")
    return bool(teasers)


def _prune_links(frame: HtmlElement) -> None:
    """Delete what is mostly links, and check its parent and the element before it again."""
    linked, changed = _linked_in(frame), set[HtmlElement]()
    for among in (None, changed):
        for tag in _LINKED:
            gone = [
                one
                for one, size in linked.items()
                if one.tag == tag and (among is None or one in among) and _may_be_links(one, size) and _is_links(one)
            ]
            if gone:
                changed.update(above for one in gone for above in one.iterancestors())
                changed.update(before for one in gone if (before := one.getprevious()) is not None)
                _delete(gone)
                linked = _linked_in(frame)
        if not changed:
            return


def _linked_in(frame: HtmlElement) -> Counter[HtmlElement]:
    """Return the number of linked characters under each element that may be deleted for them."""
    linked: Counter[HtmlElement] = Counter()
    for link in frame.iter("ref"):
        size = len(raw_text_of(link))
        for above in link.iterancestors(*_LINKED):
            linked[above] += size
    return linked


def _may_be_links(one: HtmlElement, linked: int) -> bool:
    """Whether an element is short, or has enough linked text to be deleted."""
    text, short = raw_text_of(one), _MAX_SHORT_PARAGRAPH if one.tag == "p" else _MAX_SHORT
    needed = max(short, linked / _MIN_LINKED)
    # most long elements have enough text at their beginning
    return len(text) < short or (solid_size(text[: int(2 * needed)]) < needed and solid_size(text) < needed)


def _is_links(one: HtmlElement) -> bool:
    is_linked, is_short = htmlprocessing.link_density_test(one)
    if not is_linked:
        is_box = one.tag == "div" and len(one) >= _MIN_PARTS
        return is_box and is_short and len(_said_by(one)) < _MAX_BOX
    above = one.getparent()
    return one.tag != "p" or above is None or above.tag not in ("item", "td", "th")


def _is_discarded(one: HtmlElement, attributes: Mapping[str, str]) -> bool:
    names, name, style = attributes.get("class"), attributes.get("id"), attributes.get("style")
    if one.tag in _BLOCKS and (
        (names and _DISCARDED.occur_in(names))
        or (name and _DISCARDED.occur_in(name))
        or attributes.get("role")
        or attributes.get("data-component")
        or "data-lp-replacement-content" in attributes
    ):
        if matches(xpaths.OVERALL_DISCARD_XPATH, one):
            return True
    elif (
        attributes.get("aria-hidden")
        or (names and _HIDDEN.occur_in(names))
        or (name and _HIDDEN.occur_in(name))
        or (style and _STYLES.occur_in(style))
    ):
        return matches(xpaths.OVERALL_DISCARD_XPATH[1:], one)
    return False


def _names_caption(attributes: Mapping[str, str]) -> bool:
    names, name = attributes.get("class", ""), attributes.get("id", "")
    return "caption" in names or "easer" in names or "caption" in name or "easer" in name


def _delete(elements: Iterable[HtmlElement]) -> None:
    for one in list(elements):
        delete_element(one)


# What stays


def _tags_of(alone: HtmlElement, frame: HtmlElement, page: Page) -> set[str]:
    """Return the tags that count as text, including boxes if the page's paragraphs have little text."""
    tags = {*settings.TAG_CATALOG, *_TABLE}
    size = sum(len(raw_text_of(one)) for one in alone.iter("p"))
    if size < _MIN_PARAGRAPHS:
        inner = set(frame.iter("p"))
        size += sum(len(raw_text_of(one)) for one in page.tree.iter("p") if one not in inner and page.is_left(one))
    return tags if size >= _MIN_PARAGRAPHS else {*tags, "div"}


def _is_one_run(frame: HtmlElement) -> bool:
    """Whether a frame is a single run of text, which the library takes as a whole."""
    kinds = {str(one.tag) for one in frame.iterdescendants()}
    return kinds <= settings.INLINE_FORMATTABLE | {"lb"}


def _taken(frame: HtmlElement, tags: set[str], options: Extractor) -> HtmlElement:
    """Return the text's elements of a frame in a body."""
    body: HtmlElement = Element("body")
    moved: set[HtmlElement] = set()  # with their ancestors
    for one in list(frame.iterdescendants()):
        tag, tail = one.tag, one.tail
        if tag == "done" or one in moved:
            continue
        processed = main_extractor.handle_textelem(one, tags, options)
        if processed is not None:
            body.append(processed)
            if len(one) and one.getroottree().getroot() is body:
                moved.update(one.iterdescendants())
            if processed is not one:
                one.tag = "done"
        is_left = tag in _REBUILT and tail and (processed is None or processed.tail is None)
        if is_left and (rest := _paragraph(tail, options)) is not None:
            body.append(rest)
    while len(body) and body[-1].tag in ("head", "ref"):
        body.remove(body[-1])
    if len(body) > 1 and frame.text and (lead := _paragraph(frame.text, options)) is not None:
        body.insert(0, lead)
    return body


def _anywhere(
    tree: HtmlElement, tags: set[str], options: Extractor, *, beside: HtmlElement | None = None
) -> _TextElements | None:
    """Return all paragraphs, quotes and tables of a page, each text once, after the elements of `beside`."""
    page = tree.find("body")
    alone = _cleaned(page, options) if page is not None else None
    if alone is None:
        return None
    _prune(alone, has_teasers=True)
    body: HtmlElement = Element("body") if beside is None else beside
    known = {_said_by(one) for one in body}
    framed = "\n".join(known)
    handled: set[HtmlElement] = set()
    for one in [one for one in alone.iterdescendants() if one.tag in _WILD or "w3-code" in (one.get("class") or "")]:
        if not handled.isdisjoint(one.iterancestors()):
            continue
        processed = main_extractor.handle_textelem(one, tags, options)
        if processed is None:
            continue
        if processed is one:
            handled.add(one)
        text = _said_by(processed)
        if text not in known and not (len(text) > _MIN_REPEATED and text in framed):
            known.add(text)
            body.append(processed)
    return _TextElements(body=body, tags=tags)


def _said_by(one: HtmlElement) -> str:
    """Return an element's text with white space folded."""
    return " ".join(raw_text_of(one).split())


def _paragraph(text: str, options: Extractor) -> HtmlElement | None:
    """Return a loose text as a paragraph, if it is one."""
    if text.isspace():
        return None
    loose = Element("p")
    loose.text = text
    return htmlprocessing.process_node(loose, options)


def _is_suspect(size: int, tree: HtmlElement) -> bool:
    """Whether a text may be so small a part of its page that the library would try again."""
    if size >= _MAX_SUSPECT:
        return False
    most = len(" ".join(raw_text_of(tree).split())) + 2 * int(tree.xpath("count(//*)"))
    return size < _SUSPECT_SHARE * most


def _has_paragraph(page: Page) -> bool:
    """Whether a paragraph remains after cleaning the page; otherwise the lenient mode does not clean it."""
    return any(page.is_left(one) for one in page.tree.iter("p"))


def _says_again(text: str, before: str) -> bool:
    """Whether two long texts are equal apart from white space. Most differ in their first word already."""
    if min(len(text), len(before)) <= _MIN_REPEATED or text.split(None, 1)[:1] != before.split(None, 1)[:1]:
        return False
    words = text.split()
    return words == before.split() and len(" ".join(words)) > _MIN_REPEATED


def _tidy(body: HtmlElement) -> None:
    """Delete elements that repeat the one before, and the remains of used elements."""
    before = ""
    for one in list(body):
        text = raw_text_of(one)
        if _says_again(text, before):
            delete_element(one, keep_tail=False)
        else:
            before = text
    strip_elements(body, "done")
    strip_tags(body, "div")
    for one in body.iter("lb"):
        if one.tail and one.tail.isspace() and next(one.iterancestors("code", "pre"), None) is None:
            one.tail = None
