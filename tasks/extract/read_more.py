"""Find lines between paragraphs that link to other stories of the site. Pure."""

import re
from collections.abc import Iterator
from itertools import islice

from lxml.html import HtmlElement

from tasks.extract import phrases
from tasks.extract.outline import Outline, is_on_site
from tasks.extract.tree import HEADINGS, clean, words_in

_READ_MORE = phrases.Phrases(phrases.READ_MORE)
_LEAD = re.compile(r"[^:：|>»]{1,40}?(?=\s*[:：|>»])")
_LEADING_MARKS = ":：|>»"
MIN_TEASER_LINKS = 0.5  # of its text, in links
_MIN_LEAD_LINKS = 0.3
# of its text; its characters; characters of a paragraph next to it
_MIN_WHOLE_LINK, _MIN_HEADLINE, _MIN_PROSE = 0.98, 20, 40
_ENDS = (".", "!", "?", "…", "。", "！", "？", "।", "؟", "۔", ":", "：", ")", "”", "»")
_BOXES, _MAX_BOX_PROSE = frozenset(("div", "figure", "section", "aside", "article")), 300  # characters
_MIN_ALIKE = 2  # lines with the same label before a link
_WORDS = re.compile(r"[^\W_]+")
_PARTING_MARKS = frozenset((":", "：", "|", ">", "»", "–", "—", "-", "→", "›", "•", ""))


def read_more_lines(page: Outline) -> Iterator[HtmlElement]:
    """Yield the lines that link to another story of the site.

    They are a phrase and a link, or a label that several lines share; also paragraphs that are only such a link,
    between two paragraphs of the story.
    """
    leads: dict[tuple[str, ...], list[HtmlElement]] = {}
    for element, text in page.lines:
        share = page.weights[element].link_share
        if share < _MIN_LEAD_LINKS:
            continue
        lead = lead_of(text)
        is_named = bool(lead) and _READ_MORE.have(lead)
        is_led = share >= MIN_TEASER_LINKS and _begins_with_phrase(element, text)
        if is_named or is_led or (share >= _MIN_WHOLE_LINK and _interrupts(element, text, page)):
            yield element
        elif lead and _leads_on(element, lead):
            leads.setdefault(words_in(lead), []).append(element)
    for alike in leads.values():
        if len(alike) >= _MIN_ALIKE:
            yield from alike


def lead_of(text: str) -> str:
    """Return the words before a line's first colon, bar or arrow, or "" if there is none or it comes late."""
    lead = _LEAD.match(text) if any(map(text.__contains__, _LEADING_MARKS)) else None
    return lead[0] if lead else ""


def _interrupts(element: HtmlElement, text: str, page: Outline) -> bool:
    """Whether a paragraph in a story is the linked headline of another page of the site.

    It comes after a paragraph or a list, and before a paragraph or the next section's heading; an advert's box, or one
    more such link, may be next to it.
    """
    if element.tag != "p" or len(text) < _MIN_HEADLINE or text.endswith(_ENDS):
        return False
    rows = [element.itersiblings(preceding=True), element.itersiblings()]
    firsts = [_with_text(row, page) for row in rows]
    alike = [one is not None and _is_alike(one, page) for one in firsts]
    if all(alike):  # a list of links
        return False
    before, after = (
        _kind_of(_with_text(row, page) if is_alike else first, page)
        for row, first, is_alike in zip(rows, firsts, alike, strict=True)
    )
    if (
        "prose" not in (before, after)
        or before not in ("prose", "list", "box")
        or after not in ("prose", "heading", "box")
    ):
        return False
    return all(is_on_site(link.get("href"), link) for link in element.iter("a"))


def _with_text(row: Iterator[HtmlElement], page: Outline) -> HtmlElement | None:
    """Return the next sibling with text."""
    return next((one for one in row if page.weights[one].text), None)


def _is_alike(element: HtmlElement, page: Outline) -> bool:
    """Whether an element is another paragraph that is only a link."""
    return element.tag == "p" and page.weights[element].link_share >= _MIN_WHOLE_LINK


def _kind_of(one: HtmlElement | None, page: Outline) -> str | None:
    """Return the role of an element next to a line."""
    if one is None:
        return None
    if one.tag in HEADINGS:
        return "heading"
    if one.tag in ("ul", "ol"):
        return "list"
    if one.tag == "p":
        return "prose" if page.weights[one].prose >= _MIN_PROSE else None
    return "box" if one.tag in _BOXES and page.weights[one].prose <= _MAX_BOX_PROSE else None


def _begins_with_phrase(element: HtmlElement, text: str) -> bool:
    """Whether a line begins with a phrase and links to another page of the site.

    If it links elsewhere, the phrase must end at the link or at a punctuation mark: a source may be titled `More on
    this point …`.
    """
    words = words_in(text)
    size = next((size for size in range(2, 6) if words[:size] in _READ_MORE.words), 0)
    if not size:
        return False
    ahead = words_in(clean(element.text)) if element.text else ()
    is_on = any(is_on_site(link.get("href"), link) for link in element.iter("a"))
    return is_on or len(words) == size or ahead == words[:size] or _is_parted(text, size)


def _is_parted(text: str, size: int) -> bool:
    """Whether a punctuation mark or the end of a link follows the first `size` words of a text."""
    ends = [match.end() for match in islice(_WORDS.finditer(text), size)]
    return bool(ends) and text[ends[-1] :].lstrip()[:1] in _PARTING_MARKS


def _leads_on(element: HtmlElement, lead: str) -> bool:
    """Whether a line is a label followed only by a link to another page of the site."""
    links = list(element.iter("a"))
    if len(links) != 1 or not is_on_site(links[0].get("href"), element):
        return False
    ahead = words_in(clean(element.text)) if element.text else ()
    return ahead == words_in(lead) and not words_in(clean(links[0].tail))
