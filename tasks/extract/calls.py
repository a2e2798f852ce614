"""Find call-to-action boxes: a few words and a button, a telling class, or links to services. Pure."""

import re
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from urllib.parse import urljoin, urlsplit

from lxml.html import HtmlElement

from tasks.extract.blocks import Block
from tasks.extract.container import Line
from tasks.extract.outline import is_on_site
from tasks.extract.tree import HEADINGS, cached_by_name, first_class, raw_text_of, text_of

_MAX_CALL = 300  # characters of a box with its button
_MAX_SHARE, _MAX_SHARE_OF_ALL = 0.1, 0.25  # of the text: one box; all of them
_MAX_BOX, _MAX_LINK = 700, 40  # characters of a call-to-action box, of one of its links
_MIN_ITEMS = 2  # items of a list with a call
_MAX_HEADINGS = 2  # headings of a promoting box; an FAQ has more
_STORY = re.compile(r"\d{3}|(?:[^/-]+-){3}")  # in a path: a number or a slug
_BUTTON = re.compile(r"(?:^|[-_\s])(?:btn|cta)s?(?:$|[-_\s])|button", re.IGNORECASE)
_CALL = re.compile(r"(?:^|\s)cta(?![^-_\s])|[-_]cta(?!\S)", re.IGNORECASE)
_HELD = frozenset(("p", "ul", "ol", "li", "blockquote", "pre", "table", "tbody", "tr", "td", "th", *HEADINGS))


def without_calls(
    lines: Sequence[Line], blocks: Sequence[Block], main: HtmlElement | None, *, whole: int
) -> Sequence[Line]:
    """Return the lines without those in call-to-action boxes, if these are a small part of the text.

    `main` is the text's own element, `whole` the text's length in characters.
    """
    if main is None:
        return lines
    around = {main: False, **dict.fromkeys(main.iterancestors(), False)}
    most = min(_MAX_CALL, _MAX_SHARE * whole)
    known = around | dict.fromkeys(boxes_of_calls([*around][-1], around.keys(), most=most), True)
    is_call = [line.at is not None and _stands_in_call(blocks[line.at].element, known, most=most) for line in lines]
    called = sum(len(line.text) for line, is_so in zip(lines, is_call, strict=True) if is_so)
    if called > _MAX_SHARE_OF_ALL * whole:
        return lines
    return [line for line, is_so in zip(lines, is_call, strict=True) if not is_so]


def boxes_of_calls(body: HtmlElement, around: AbstractSet[HtmlElement], *, most: float) -> Iterator[HtmlElement]:
    """Yield the largest box around each button that has at most `most` characters and no other links.

    Ancestors of the text (`around`) are excluded.
    """
    may_call = dict.fromkeys(around, False)  # each element is visited once, however many buttons it contains
    for link in body.iter("a"):
        if _is_button(link) and (box := _box_round(link, may_call, most)) is not None:
            yield box


def _box_round(link: HtmlElement, may_call: dict[HtmlElement, bool], most: float) -> HtmlElement | None:
    box = None
    for above in link.iterancestors():
        if above not in may_call:
            may_call[above] = _is_short(above, most) and all(map(_is_button, above.iter("a")))
        if not may_call[above]:
            break
        if above.tag not in _HELD:
            box = above
    return box


def _stands_in_call(element: HtmlElement, known: dict[HtmlElement, bool], *, most: float) -> bool:
    """Whether an element is in a known box, or in a short one named as a call. Caches the answers in `known`."""
    if (answer := known.get(element)) is None:
        above, names = element.getparent(), element.get("class")
        is_call = bool(names and _names_a_call(names)) and _is_short(element, most)
        answer = known[element] = is_call or (above is not None and _stands_in_call(above, known, most=most))
    return answer


def _is_short(element: HtmlElement, most: float) -> bool:
    return len(raw_text_of(element).strip()) <= most


def _is_button(link: HtmlElement) -> bool:
    names = link.get("class")
    return bool(names and _names_a_button(names)) or link.get("role") == "button"


@cached_by_name
def _names_a_button(names: str) -> bool:
    """Whether a class means a button."""
    return _BUTTON.search(names) is not None


@cached_by_name
def _names_a_call(names: str) -> bool:
    """Whether a class means a call to action."""
    return _CALL.search(names) is not None


def asks_for_action(box: HtmlElement, url: str) -> bool:
    """Whether all links of a box lead to plans, accounts, apps or channels, and none to a story or source."""
    links = [(link.get("href") or "", text_of(link)) for link in box.iter("a")]
    if not links or len(raw_text_of(box)) > _MAX_BOX or not all(_is_service(href, url) for href, _ in links):
        return False
    if box.tag in ("ul", "ol"):
        items = [one for one in box if one.tag == "li"]
        return len(items) >= _MIN_ITEMS and all(next(one.iter("a"), None) is not None for one in items)
    is_own = any(is_on_site(href, box) for href, _ in links)
    return box.tag not in ("p", *HEADINGS) and is_own and all(len(text) <= _MAX_LINK for _, text in links)


def _is_service(href: str, url: str) -> bool:
    if href.startswith(("mailto:", "tel:", "#", "javascript:")):
        return True
    try:
        target = urlsplit(urljoin(url, href))
    except ValueError:
        return False
    steps = [step for step in target.path.split("/") if step]
    return len(steps) <= 1 and not _STORY.search(target.path) and not target.path.endswith((".pdf", ".html"))


def promotes_a_page(box: HtmlElement) -> bool:
    """Whether a box differs from its siblings, has few headings, and links to another page of the site."""
    above = box.getparent()
    if box.tag not in ("div", "section", "aside") or above is None:
        return False
    if sum(one.tag == box.tag and first_class(one) == first_class(box) for one in above) > 1:
        return False
    if sum(1 for _ in box.iter(*HEADINGS)) > _MAX_HEADINGS:
        return False
    return any(is_on_site(link.get("href"), link) for link in box.iter("a"))
