"""Find footnotes: the targets of reference marks such as `[1]` or `*`. Pure."""

from collections.abc import Iterator

from lxml.etree import XPath
from lxml.html import HtmlElement

from tasks.extract.outline import Outline
from tasks.extract.tree import text_of

_LINKS = XPath("descendant::a[starts-with(@href, '#')]")
_NAMED = XPath("descendant::*[@id] | descendant::a[starts-with(@href, '#')]")
_MAX_MARK = 5  # characters
_MAX_LINKED = 0.5  # of the line with a mark; more linked text is a menu
_MIN_NOTES = 0.3  # of a list's items, since `[1-3]` links only to the first
_NOTES = ("li", "p", "dd", "td")


def notes_of(page: Outline) -> Iterator[HtmlElement]:
    """Yield the items and paragraphs that marks above link to: `<li id="fn1">` for `<a href="#fn1">1</a>`."""
    marks = {one for one in _LINKS(page.body) if _is_mark(one, page)}
    if not marks:
        return
    named: set[str] = set()
    notes: set[HtmlElement] = set()
    for one in _NAMED(page.body):
        if one in marks:
            named.add(one.get("href")[1:])
        if one.get("id") in named and (note := _note_of(one)) is not None:
            notes.add(note)
    yield from notes
    for row in {above for one in notes if (above := one.getparent()) is not None and above.tag in ("ol", "ul")}:
        items = [one for one in row if one.tag == "li"]
        if sum(one in notes for one in items) >= _MIN_NOTES * len(items):
            yield row


def _is_mark(link: HtmlElement, page: Outline) -> bool:
    """Whether a link is a reference mark: a figure or a sign within a line of text."""
    text = text_of(link)
    if not 0 < len(text) <= _MAX_MARK or (len(text) > 1 and any(map(str.isalpha, text))):
        return False
    line = next(
        (one for one in link.iterancestors() if one.tag not in ("sup", "span", "em", "b", "i", "strong", "small")), None
    )
    weight = page.weights.get(line) if line is not None else None
    return weight is not None and weight.link_share < _MAX_LINKED


def _note_of(element: HtmlElement) -> HtmlElement | None:
    """Return the item or paragraph that is the named element, or begins with it."""
    if element.tag in _NOTES:
        return element
    above = element.getparent()
    is_first = above is not None and above.tag in _NOTES and above[0] is element and not (above.text or "").strip()
    return above if is_first else None
