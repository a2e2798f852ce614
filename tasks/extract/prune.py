"""Take page furniture out of a tree by its structure, before the extractor looks. Pure, but it changes the tree given.

Rules are data: each has a reason and an example, and finds elements on the page as parsed. What they find is weighed
before anything is removed: a prune that would take too much of the page's prose is not done.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from urllib.parse import urldefrag, urljoin

from lxml.html import HtmlElement

from tasks.extract import phrases
from tasks.extract.tree import HEADINGS, Weight, text_of, weigh, words_of

_MAX_PRUNED_SHARE = 0.40  # of the prose outside of cards, which are known for what they are
_MIN_PROSE_LEFT = 200  # characters
_MAX_LABEL_LENGTH, _MAX_LINE_LENGTH, _MAX_CAPTION_LENGTH = 80, 300, 1000
_MAX_CARD_PROSE, _MIN_CARDS = 400, 3

_INLINE = frozenset(("a", "span", "strong", "b", "em", "i", "small", "button", "label", "u", "font", "time"))
_BLOCKS = frozenset(
    ("div", "section", "article", "ul", "ol", "li", "p", "table", "main", "header", "blockquote", "dl", "dd", *HEADINGS)
)
_READ_MORE = phrases.phrases(phrases.READ_MORE)
_STOPS = phrases.phrases(phrases.STOP_HEADINGS) | _READ_MORE
_FILLERS = phrases.phrases(phrases.FILLERS)
_CREDITS = phrases.phrases(phrases.CREDITS)
_CAPTION = re.compile(
    r"caption|credit|(?:^|[ _-])(?:photo|image|img|picture)[ _-](?:alt|by|source|text)\b", re.IGNORECASE
)
_LEAD = re.compile(r"[^:：|>»]{1,40}?(?=\s*[:：|>»])")
_ROLES = frozenset(("navigation", "contentinfo", "dialog", "alertdialog", "search"))


@dataclass(frozen=True, slots=True)
class Outline:
    """A page as the rules see it: elements in document order, their weights, and how many stories lie under each.

    A story is a heading that links to another page.
    """

    body: HtmlElement
    elements: list[HtmlElement]
    weights: dict[HtmlElement, Weight]
    stories: dict[HtmlElement, int]
    title: HtmlElement | None
    is_news: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What to take out, why, and what it looks like; a certain rule is not weighed, since it cannot take a story."""

    reason: str
    example: str
    find: Callable[[Outline], Iterator[HtmlElement]]
    is_certain: bool = False


def prune(tree: HtmlElement, *, url: str, title: str | None, is_news: bool) -> bool:
    """Remove what the rules find; return False where the uncertain ones would have taken the story and were not heeded.

    The elements that never belong to a story go in either case.
    """
    page = _outline(tree, url=url, title=title, is_news=is_news)
    if page is None:
        return True
    certain = [element for rule in RULES if rule.is_certain for element in rule.find(page)]
    guessed = [element for rule in RULES if not rule.is_certain for element in rule.find(page)]
    is_heeded = _leaves_the_story(page, certain, guessed)
    for element in (*certain, *(guessed if is_heeded else ())):
        if element.getparent() is not None:
            element.drop_tree()
    return is_heeded


def _outline(tree: HtmlElement, *, url: str, title: str | None, is_news: bool) -> Outline | None:
    body = tree.find("body")
    if body is None:
        return None
    elements = list(body.iter())
    words = words_of(title or "")
    titles = [element for element in elements if element.tag == "h1"]
    return Outline(
        body=body,
        elements=elements,
        weights=weigh(elements),
        stories=_count_stories(elements, url),
        title=next((one for one in titles if words_of(text_of(one)) == words), titles[0] if titles else None),
        is_news=is_news,
    )


def _count_stories(elements: list[HtmlElement], url: str) -> dict[HtmlElement, int]:
    counts = dict.fromkeys(elements, 0)
    here = urldefrag(url).url
    for element in elements:
        if element.tag in HEADINGS and _links_elsewhere(element, here):
            counts[element] = 1
    for element in reversed(elements):
        parent = element.getparent()
        if parent in counts:
            counts[parent] += counts[element]
    return counts


def _links_elsewhere(heading: HtmlElement, here: str) -> bool:
    link = next(heading.iter("a"), None)
    if link is None:
        link = next(heading.iterancestors("a"), None)
    href = link.get("href", "").strip() if link is not None else ""
    if not href or href.startswith(("#", "javascript:", "mailto:")):
        return False
    try:
        return urldefrag(urljoin(here, href)).url != here
    except ValueError:
        return False


def _leaves_the_story(page: Outline, certain: list[HtmlElement], guessed: list[HtmlElement]) -> bool:
    gone = set(certain)
    in_cards = in_prose = 0
    taken: set[HtmlElement] = set(guessed)
    for element in guessed:
        if not any(above in taken or above in gone for above in element.iterancestors()):
            weight = page.weights[element].prose
            in_cards += weight if page.stories[element] else 0
            in_prose += 0 if page.stories[element] else weight
    furniture = sum(page.weights[one].prose for one in gone if not any(above in gone for above in one.iterancestors()))
    story = page.weights[page.body].prose - furniture - in_cards
    return story - in_prose >= _MIN_PROSE_LEFT and in_prose <= _MAX_PRUNED_SHARE * story


def _furniture(page: Outline) -> Iterator[HtmlElement]:
    """Elements whose name or role says that they are not the story, unless broken mark-up put the story into one."""
    half = page.weights[page.body].prose / 2
    for element in page.elements:
        is_named = element.tag in ("nav", "footer", "aside", "dialog", "menu", "iframe", "svg", "figcaption", "select")
        if (is_named or element.get("role") in _ROLES) and page.weights[element].prose <= half:
            yield element


def _captions(page: Outline) -> Iterator[HtmlElement]:
    for element in page.elements:
        if page.weights[element].text > _MAX_CAPTION_LENGTH or element.tag in HEADINGS:
            continue
        if _CAPTION.search(element.get("class") or element.get("itemprop") or "") and _is_beside_picture(element):
            yield element


def _is_beside_picture(element: HtmlElement) -> bool:
    above = takewhile(lambda one: one.tag not in ("body", "article", "main"), element.iterancestors())
    for _, one in zip(range(3), (element, *above), strict=False):
        if next(one.iter("img", "picture", "video", "figure", "amp-img"), None) is not None:
            return True
    return False


def _credits(page: Outline) -> Iterator[HtmlElement]:
    for element in _lines(page):
        text = text_of(element)
        lead = _LEAD.match(text)
        if (lead and len(text) <= 120 and words_of(lead[0]) in _CREDITS) or (text[:1] == "©" and len(text) <= 60):
            yield element


def _fillers(page: Outline) -> Iterator[HtmlElement]:
    for element, words in _labels(page):
        if words in _FILLERS:
            yield element


def _read_more_lines(page: Outline) -> Iterator[HtmlElement]:
    for element in _lines(page):
        weight = page.weights[element]
        if weight.link_share < 0.3:
            continue
        text = text_of(element)
        lead = _LEAD.match(text)
        words = words_of(text)
        if lead and words_of(lead[0]) in _READ_MORE:
            yield element
        elif weight.link_share >= 0.5 and any(words[:size] in _READ_MORE for size in range(2, 6)):
            yield element


def _link_lists(page: Outline) -> Iterator[HtmlElement]:
    for element in page.elements:
        if element.tag in ("ul", "ol", "dl") and page.weights[element].link_share >= 0.85:
            yield element


def _stop_sections(page: Outline) -> Iterator[HtmlElement]:
    for label, words in _labels(page):
        if words not in _STOPS:
            continue
        section = _section_of(label, page)
        yield section
        if page.weights[section].text <= page.weights[label].text:
            yield from _foreign_after(section, page)


def _section_of(label: HtmlElement, page: Outline) -> HtmlElement:
    """The largest element that the label is the head of and that is not the story's."""
    section = label
    while True:
        above = section.getparent()
        if above not in page.weights or above.tag in ("body", "main") or not _is_head_of(section, above, page):
            return section
        is_alone = page.weights[above].text == page.weights[section].text
        if not is_alone and not _is_foreign(above, page):
            return section
        section = above


def _is_head_of(element: HtmlElement, above: HtmlElement, page: Outline) -> bool:
    if (above.text or "").strip():
        return False
    for before in element.itersiblings(preceding=True):
        if page.weights[before].text or (before.tail or "").strip():
            return False
    return True


def _foreign_after(section: HtmlElement, page: Outline) -> Iterator[HtmlElement]:
    tail = section.tail
    for after in section.itersiblings():
        if (tail or "").strip() or (page.weights[after].text and not _is_foreign(after, page)):
            return
        yield after
        tail = after.tail


def _is_foreign(element: HtmlElement, page: Outline) -> bool:
    """Whether an element's text is about other pages: linked headings, or links for the most part, or a form."""
    weight = page.weights[element]
    if page.title is not None and any(one is element for one in page.title.iterancestors()):
        return False
    if weight.prose > page.weights[page.body].prose / 2:
        return False
    return page.stories[element] > 0 or weight.link_share >= 0.5 or _has_form(element)


def _has_form(element: HtmlElement) -> bool:
    return any((one.get("type") or "") in ("email", "submit") for one in element.iter("input", "button"))


def _cards(page: Outline) -> Iterator[HtmlElement]:
    """Runs of alike siblings that each hold one linked heading and little more, after the better part of the prose."""
    if not page.is_news:
        return
    prose = 0
    total = page.weights[page.body].prose
    for element in page.elements:
        cards = [one for one in element if _is_card(one, page)]
        if len(cards) >= _MIN_CARDS and len({one.tag for one in cards}) == 1 and prose >= total / 2:
            yield from cards
        prose += 0 if page.weights[element].linked else len((element.text or "").strip())


def _is_card(element: HtmlElement, page: Outline) -> bool:
    return 1 <= page.stories[element] <= 2 and page.weights[element].prose <= _MAX_CARD_PROSE


def _labels(page: Outline) -> Iterator[tuple[HtmlElement, tuple[str, ...]]]:
    """The short texts that stand alone, each with the outermost element that holds nothing else."""
    for element in page.elements:
        size = page.weights[element].text
        if not 0 < size <= _MAX_LABEL_LENGTH or element is page.title:
            continue
        above = element.getparent()
        if above in page.weights and page.weights[above].text == size and above is not page.body:
            continue
        if element.tag in _INLINE and not _stands_alone(element):
            continue
        yield element, words_of(text_of(element))


def _stands_alone(inline: HtmlElement) -> bool:
    """Whether an inline element is no part of a sentence: no text of its parent's beside it."""
    above = inline.getparent()
    return not (above.text or "").strip() and not any((one.tail or "").strip() for one in above)


def _lines(page: Outline) -> Iterator[HtmlElement]:
    """The blocks of one short line: no other block in them."""
    for element in page.elements:
        if element.tag in _BLOCKS and 0 < page.weights[element].text <= _MAX_LINE_LENGTH and element is not page.title:
            if not any(one.tag in _BLOCKS for one in element.iterdescendants()):
                yield element


RULES = (
    Rule(
        reason="Navigation, footers, asides and dialogs are about the site, not the story.",
        example="<footer><p>Most read today: something else entirely.</p></footer>",
        find=_furniture,
        is_certain=True,
    ),
    Rule(
        reason="A caption speaks of a picture, and often repeats the title.",
        example='<p><img src="a.jpg"><small class="image-media media-caption">The port in June</small></p>',
        find=_captions,
    ),
    Rule(
        reason="A line under a picture names who took it.",
        example="<p>Photo: Jane Doe</p>",
        find=_credits,
    ),
    Rule(
        reason="What stands under such a heading is about other pages.",
        example='<h2>More For You</h2><div><article><h3><a href="/other">Another story</a></h3>…</article></div>',
        find=_stop_sections,
    ),
    Rule(
        reason="Cards of other stories after the body, with or without a heading over them.",
        example='<div><article><h3><a href="/other">Another story</a></h3><p>Its first lines</p></article>…</div>',
        find=_cards,
    ),
    Rule(
        reason="A line between paragraphs that leads to another story.",
        example='<p>Read more: <a href="/other">Another story</a></p>',
        find=_read_more_lines,
    ),
    Rule(
        reason="A list of nothing but links is a menu, whatever it is called.",
        example='<ul><li><a href="/a">One story</a></li><li><a href="/b">Another</a></li></ul>',
        find=_link_lists,
    ),
    Rule(
        reason="Controls and labels are not text.",
        example='<span role="button">Keep Reading</span>',
        find=_fillers,
    ),
)
