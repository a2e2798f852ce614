"""Remove page furniture from a tree by its structure, before extraction.

Pure, except that it modifies the given tree. Rules are data: each has a reason and an example, and finds elements on
the page as parsed. The findings of uncertain rules are weighed first: if they would remove too much of the page's
prose, they are ignored.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from lxml.html import HtmlElement

from tasks.extract import phrases
from tasks.extract.captions import find_captions
from tasks.extract.furniture import MAX_BOX_LENGTH, Mass, furniture_of, mass_of, screen_reader_elements
from tasks.extract.notes import notes_of
from tasks.extract.outline import MAX_LINE_LENGTH, Outline, has_picture, is_on_site, link_of, outline_page
from tasks.extract.read_more import MIN_TEASER_LINKS, lead_of, read_more_lines
from tasks.extract.tree import HEADINGS, has_words, remove, text_of, words_in

_MAX_PRUNED_SHARE = 0.40  # of the prose that no certain rule removes
_MIN_PROSE_LEFT, _MIN_PARAGRAPH = 60, 120  # characters
_MAX_CREDIT_LENGTH = 120
_MIN_ANNOUNCEMENT = 8  # characters; labels are shorter, except in scripts without spaces
_MAX_PROSE_BESIDE = 1000  # characters per linked heading of teasers
_MAX_BOXED_SHARE = 0.3  # of the prose, in boxes with forms
_MAX_CARD_PROSE, _MAX_SMALL_CARD_PROSE, _MIN_CARDS = 400, 200, 3
_MIN_LIST_LINKS, _MIN_CARD_LINKS = 0.85, 0.8  # the share of text in links

_STOPS = phrases.Phrases(phrases.STOP_HEADINGS, phrases.READ_MORE)
_FILLERS = phrases.Phrases(phrases.FILLERS)
_CREDITS = phrases.Phrases(phrases.CREDITS)
_CELLS = ("td", "th")
_PROSE = frozenset(("p", "ul", "ol", "blockquote", "table"))
_COMMENTS = re.compile(
    r"(?:(?:article|post|reader|user)[-_]+)?comments?(?:[-_]+(?:list|section|container|area|thread|wrapper|block)s?)?"
    r"|disqus_thread|dsq-comments",
    re.IGNORECASE,
)
_COMMENT_WORDS = ("comment", "disqus_thread")  # every such class or id contains one of these


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What to remove, why, and an example.

    The findings of a certain rule cannot be the story, so they are not weighed.
    """

    name: str
    reason: str
    example: str
    find: Callable[[Outline], Iterator[HtmlElement]]
    is_certain: bool = False


def prune(
    tree: HtmlElement,
    *,
    title: str | None,
    ledes: Iterable[str],
    is_news: bool,
    rules: Sequence[Rule] | None = None,
    kept: AbstractSet[HtmlElement] = frozenset(),
    taken: dict[str, int] | None = None,
    mass: Mass | None = None,
) -> bool:
    """Remove what the rules find. Returns False if the uncertain rules were ignored, to keep the story.

    `title` and `ledes` are the page's title and descriptions; `rules` default to `RULES`. Elements of `kept` are never
    removed; `taken` is filled with the characters that each rule removed; `mass` is the body's, if known.
    """
    body = tree.find("body")
    if body is None:
        return True
    remove(one for one in furniture_of(body, mass or mass_of(body)) if one not in kept)
    page = outline_page(body, title=title, ledes=ledes, is_news=is_news)
    chosen = RULES if rules is None else rules
    found = {rule: set(rule.find(page)) - kept for rule in chosen}
    certain = {element for rule, elements in found.items() if rule.is_certain for element in elements}
    unsure = {element for rule, elements in found.items() if not rule.is_certain for element in elements}
    is_heeded = _leaves_the_story(page, certain, unsure)
    if taken is not None:
        taken |= {
            rule.name: sum(page.weights[one].text for one in elements)
            for rule, elements in found.items()
            if rule.is_certain or is_heeded
        }
    del found
    remove(certain | unsure if is_heeded else certain)
    elements = page.elements
    del page
    # in reverse: going forwards, lxml's search for live proxies in each removed subtree is quadratic
    elements.clear()
    return is_heeded


def _leaves_the_story(page: Outline, certain: set[HtmlElement], unsure: set[HtmlElement]) -> bool:
    known = certain | {element for element in unsure if page.stories[element]}
    story = page.prose - _prose_of(known, known, page)
    loss = _prose_of(unsure - known, known | unsure, page)
    return story - loss >= _MIN_PROSE_LEFT and loss <= _MAX_PRUNED_SHARE * story


def _prose_of(elements: set[HtmlElement], within: set[HtmlElement], page: Outline) -> int:
    """Return the prose of elements, without elements inside others of `within`."""
    outer = (one for one in elements if within.isdisjoint(one.iterancestors()))
    return sum(page.weights[one].prose for one in outer)


def _comments(page: Outline) -> Iterator[HtmlElement]:
    for element in page.classes.holding(*_COMMENT_WORDS) + page.ids.holding(*_COMMENT_WORDS):
        names = f"{element.get('class')} {element.get('id')}".split()
        is_box = element.tag in ("div", "section", "ol", "ul") and any(map(_COMMENTS.fullmatch, names))
        if is_box and next(element.iter("h1"), None) is None:
            yield element


def _deks(page: Outline) -> Iterator[HtmlElement]:
    shortest = min((sum(map(len, lede)) for lede in page.ledes if lede), default=MAX_LINE_LENGTH)
    for element, text in page.lines:
        if len(text) < shortest:
            continue
        is_heading = element.tag in HEADINGS or next(element.iterancestors(*HEADINGS), None) is not None
        if is_heading and words_in(text) in page.ledes:
            yield element


def _credits(page: Outline) -> Iterator[HtmlElement]:
    for element, text in page.lines:
        lead = lead_of(text) if len(text) <= _MAX_CREDIT_LENGTH else ""
        if (lead and _CREDITS.have(lead)) or (text.startswith("©") and len(text) <= _MAX_CREDIT_LENGTH / 2):
            yield element


def _fillers(page: Outline) -> Iterator[HtmlElement]:
    unseen = screen_reader_elements(page.classes)
    for element, text in page.labels:
        if (_FILLERS.have(text) or (element in unseen and has_words(text))) and not _is_in_table(element):
            yield element


def _is_in_table(element: HtmlElement) -> bool:
    """Whether an element is in a table cell, where apparent controls are data."""
    return element.tag in _CELLS or next(element.iterancestors(*_CELLS), None) is not None


def _link_lists(page: Outline) -> Iterator[HtmlElement]:
    for element in page.body.iterdescendants("ul", "ol", "dl"):
        if page.weights[element].link_share >= _MIN_LIST_LINKS and not _is_announced(element, page):
            yield element


def _is_announced(element: HtmlElement, page: Outline) -> bool:
    """Whether the text before a list announces it: `The boats that use the quay are:`."""
    before = element.getprevious()
    if (
        before is None
        or (before.tail or "").strip()
        or before.tag != "p"
        or page.weights[before].link_share >= MIN_TEASER_LINKS
    ):
        return False
    text = text_of(before)
    return text.endswith((":", "：")) and len(text) >= _MIN_ANNOUNCEMENT and not _STOPS.have(text)


def _stop_sections(page: Outline) -> Iterator[HtmlElement]:
    for label, text in page.labels:
        if _STOPS.have(text):
            section = _section_of(label, page)
            after = (
                list(_foreign_after(section, page)) if page.weights[section].text <= page.weights[label].text else []
            )
            if after or not _heads_prose(section, label, page):
                yield section
            yield from after


def _heads_prose(section: HtmlElement, label: HtmlElement, page: Outline) -> bool:
    """Whether a heading is above the story: its section contains only itself, and a longer paragraph follows."""
    if page.weights[section].text > page.weights[label].text or label.tag not in HEADINGS:
        return False
    after = next((one for one in section.itersiblings() if page.weights[one].text), None)
    return after is not None and after.tag in _PROSE and page.weights[after].prose >= _MIN_PROSE_LEFT


def _section_of(label: HtmlElement, page: Outline) -> HtmlElement:
    """Return the largest element that begins with the label and is not part of the story."""
    section = label
    while True:
        above = section.getparent()
        if above not in page.weights or above.tag in ("body", "main") or not _is_head_of(section, above, page):
            return section
        if page.weights[above].text != page.weights[section].text and not _is_foreign(above, page):
            return section
        section = above


def _is_head_of(element: HtmlElement, above: HtmlElement, page: Outline) -> bool:
    """Whether an element has the first text of its parent."""
    before = element.itersiblings(preceding=True)
    return not (above.text or "").strip() and not any(
        page.weights[one].text or (one.tail or "").strip() for one in before
    )


def _foreign_after(section: HtmlElement, page: Outline) -> Iterator[HtmlElement]:
    """Yield the siblings after a heading as long as they are about other pages."""
    tail = section.tail
    for after in section.itersiblings():
        is_foreign = not page.weights[after].text or _is_foreign(after, page) or _is_teaser(after, page)
        if (tail or "").strip() or not is_foreign:
            return
        yield after
        tail = after.tail


def _is_foreign(element: HtmlElement, page: Outline) -> bool:
    """Whether an element is about other pages: linked headings with little else, mostly links, or a form."""
    weight = page.weights[element]
    if page.title is not None and any(one is element for one in page.title.iterancestors()):
        return False
    if weight.prose > page.prose / 2:
        return False
    has_cards = 0 < weight.prose <= _MAX_PROSE_BESIDE * page.stories[element]
    is_linked = weight.link_share >= 0.5 and not any(_is_paragraph(one, page) for one in element.iter("p"))
    return has_cards or is_linked or next(element.iter("form"), None) is not None


def _is_paragraph(element: HtmlElement, page: Outline) -> bool:
    """Whether an element is a paragraph with text and no links: even among lists of links it is the story's."""
    weight = page.weights[element]
    return weight.prose >= _MIN_PARAGRAPH and not weight.linked


def _is_teaser(element: HtmlElement, page: Outline) -> bool:
    """Whether an element is a teaser: it starts with a link, has little more text, and is mostly link or pictured.

    A paragraph may begin with a link too: `<p><a>Islanders</a> who commute …</p>`.
    """
    weight = page.weights[element]
    if weight.prose > _MAX_CARD_PROSE or not weight.linked:
        return False
    if weight.link_share < MIN_TEASER_LINKS and not page.stories[element] and not has_picture(element):
        return False
    first = next((one for one in element.iter() if (one.text or "").strip()), element)
    return first.tag == "a" or next(first.iterancestors("a"), None) is not None


def _cards(page: Outline) -> Iterator[HtmlElement]:
    """Yield runs of similar siblings that each contain a linked heading and little more, after most of the prose.

    That is after half of all prose on the page; or, since teasers may have more text than a short story, of the prose
    outside of such runs, if each has a picture and is short.
    """
    prose, runs = 0, []
    if not page.is_news or max(page.stories.values(), default=0) < _MIN_CARDS:
        return
    for element in page.elements:
        if page.stories.get(element, 0) >= _MIN_CARDS:
            cards = [one for one in element if page.stories[one] and page.weights[one].prose <= _MAX_CARD_PROSE]
            cards = list(filter(_is_of_site, cards)) if len(cards) >= _MIN_CARDS else []
            if len(cards) >= _MIN_CARDS and len({one.tag for one in cards}) == 1:
                runs.append((prose, cards))
        prose += len((element.text or "").strip()) if element.tag != "a" else 0
    every = {card for _, cards in runs for card in cards}
    rest = page.prose - _prose_of(every, every, page)
    for before, cards in runs:
        if before >= page.prose / 2 or (before >= rest / 2 and all(_is_small_card(card, page) for card in cards)):
            yield from cards


def _is_small_card(card: HtmlElement, page: Outline) -> bool:
    return page.stories[card] == 1 and page.weights[card].prose <= _MAX_SMALL_CARD_PROSE and has_picture(card)


def _picture_cards(page: Outline) -> Iterator[HtmlElement]:
    for element, stories in page.stories.items() if page.is_news else ():
        is_card = stories == 1 and page.weights[element].link_share >= _MIN_CARD_LINKS
        if is_card and element.tag in ("div", "article", "section", "li", "a") and has_picture(element):
            yield from (element,) if _is_of_site(element) else ()


def _is_of_site(card: HtmlElement) -> bool:
    """Whether a card links to the site's own pages; a product sold elsewhere is a topic of the story."""
    return any(is_on_site(link_of(one), one) for one in card.iter(*HEADINGS))


def _sign_ups(page: Outline) -> Iterator[HtmlElement]:
    """Yield the box around each form, if it has little other text; only the forms if the boxes contain the story."""
    forms = [one for one in page.body.iter("form") if _is_box(one, page)]
    boxes = {_box_of(one, page) for one in forms}
    yield from boxes if _prose_of(boxes, boxes, page) <= _MAX_BOXED_SHARE * page.prose else forms


def _box_of(element: HtmlElement, page: Outline) -> HtmlElement:
    box = element
    while (above := box.getparent()) in page.weights and above.tag not in ("body", "main") and _is_box(above, page):
        box = above
    return box


def _is_box(element: HtmlElement, page: Outline) -> bool:
    weight = page.weights[element]
    if weight.text > MAX_BOX_LENGTH or weight.prose > page.prose / 2 or next(element.iter("h1"), None) is not None:
        return False
    return all(page.weights[one].prose <= MAX_LINE_LENGTH for one in element.iter("p"))


_CARD = '<article><h3><a href="/other">Another story</a></h3><p>Its first lines</p></article>'

RULES = (
    Rule(
        name="comments",
        reason="Comments are written by readers.",
        example='<ul class="comments-list"><li><p>I do not agree</p></li></ul>',
        find=_comments,
        is_certain=True,
    ),
    Rule(
        name="sign_ups",
        reason="Forms are not part of the story.",
        example='<div><h2>Get the news daily</h2><form><input type="email"></form></div>',
        find=_sign_ups,
        is_certain=True,
    ),
    Rule(
        name="cards",
        reason="Cards of other stories after the body, with or without a heading; on news pages only.",
        example=f"<div>{3 * _CARD}</div>",
        find=_cards,
        is_certain=True,
    ),
    Rule(
        name="picture_cards",
        reason="A linked picture with a headline leads to another story.",
        example='<article><a href="/other"><img src="a.jpg"><h3>Another story</h3></a></article>',
        find=_picture_cards,
        is_certain=True,
    ),
    Rule(
        name="stop_sections",
        reason="Content under such a heading is about other pages.",
        example='<h2>More For You</h2><div><article><h3><a href="/other">Another story</a></h3></article></div>',
        find=_stop_sections,
    ),
    Rule(
        name="deks",
        reason="The dek introduces the story and is kept as the lede; as a first paragraph it belongs to the story.",
        example='<h2 class="subtitle">What the page says of itself in its description</h2>',
        find=_deks,
    ),
    Rule(
        name="captions",
        reason="A caption describes a picture and often repeats the title.",
        example='<p><img src="a.jpg"><small class="media-caption">The port in June</small></p>',
        find=find_captions,
    ),
    Rule(
        name="credits",
        reason="A line under a picture credits the photographer.",
        example="<p>Photo: Jane Doe</p>",
        find=_credits,
    ),
    Rule(
        name="read_more_lines",
        reason="A line between paragraphs links to another story.",
        example='<p>Read more: <a href="/other">Another story</a></p>',
        find=read_more_lines,
    ),
    Rule(
        name="link_lists",
        reason="A list of only links is a menu, whatever its name.",
        example='<ul><li><a href="/a">One story</a></li><li><a href="/b">Another</a></li></ul>',
        find=_link_lists,
    ),
    Rule(
        name="notes",
        reason="Footnotes are not part of the story.",
        example='<p>As agreed.<sup><a href="#fn1">1</a></sup></p><ol><li id="fn1">Minutes of the council, page 4.</li></ol>',
        find=notes_of,
    ),
    Rule(
        name="fillers",
        reason="Controls and labels are not text.",
        example='<span role="button">Keep Reading</span>',
        find=_fillers,
    ),
)
