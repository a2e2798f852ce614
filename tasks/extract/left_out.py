"""Restore blocks that an extractor omitted between or next to an article's lines. Pure."""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from itertools import pairwise

from lxml.html import HtmlElement

from tasks.extract.blocks import Block, Kind
from tasks.extract.container import (
    MAIN_SHARE,
    MIN_LINE,
    MIN_SENTENCE,
    PART_HEADINGS,
    Line,
    LocatedText,
    holder_of,
    main_element_of,
    prose_of,
)
from tasks.extract.lengths import size_of
from tasks.extract.outline import is_on_site
from tasks.extract.tree import HEADINGS, text_of

_MIN_SHARE = 0.1  # of the text: a kind of block with less is not the body's
_MAX_LINK_SHARE = 0.5
_ENDS = (".", "!", "?", "…", "。", "！", "？", "।", "»", "”")  # endings of a paragraph that is one link
_MIN_ITEMS = 2
_LESSER_HEADINGS = frozenset(("h2", "h3", "h4"))


def restore_omitted(found: LocatedText) -> list[Line]:
    """Return the lines, completed by omitted blocks between them if those are of the body's kind."""
    lines: list[Line] = []
    last: int | None = None
    main = main_element_of(found)
    items = _items_of(main)
    headings = _headings_between(found)
    for line in found.lines:
        if line.at is not None:
            if last is None:
                before = _paragraphs_before(found, line.at, main)
                lines.extend(before or _lists_beside(found, line.at, -1, main))
            else:
                gap = range(last + 1, line.at)
                lines.extend(
                    Line(text=found.blocks[at].text, at=at)
                    for at in gap
                    if at in headings or _is_missing(found, at, items, main)
                )
            last = line.at
        lines.append(line)
    if last is not None:
        listed = _lists_beside(found, last, 1, main)
        lines.extend(listed)
        lines.extend(_continued(found, (listed[-1].at or last) if listed else last))
    return lines


def _headings_between(found: LocatedText) -> set[int]:
    """Return the positions of omitted headings directly above lines of the text."""
    places = [line.at for line in found.lines if line.at is not None]
    rows: dict[Kind, list[int]] = {}
    for before, below in pairwise(places):
        for at in range(below - 1, before, -1):
            block = found.blocks[at]
            if block.element.tag not in HEADINGS or found.is_there[at]:
                break
            rows.setdefault(block.kind, []).append(at)
    return {at for row in rows.values() for at in row if _heads_a_part(found, at, row)}


def _heads_a_part(found: LocatedText, at: int, row: Sequence[int]) -> bool:
    """Whether a heading belongs to the story: it is in the text's own element, or one of several with its class.

    A single heading elsewhere may belong to a box whose list was removed. It must not link to another page of the site,
    as teasers do.
    """
    block = found.blocks[at]
    if next(block.element.iterancestors("table"), None) is not None:
        return False
    is_held = _is_held(found, at)
    if block.link_share >= _MAX_LINK_SHARE:
        return is_held and not _leads_on(block)
    # with a colon it announces something that was removed
    return is_held or (
        len({found.blocks[one].key for one in row}) >= _MIN_ITEMS and not block.text.endswith((":", "："))
    )


def _paragraphs_before(found: LocatedText, first: int, main: HtmlElement | None) -> list[Line]:
    """Return the omitted sentences right before the first line, in paragraphs of the text's own element.

    Extractors drop them for their class.
    """
    before: list[Line] = []
    for at in range(first - 1, -1, -1):
        block = found.blocks[at]
        is_its = block.element.tag == "p" and holder_of(block) is main and _is_sentence(block)
        if found.is_there[at] or not is_its or (block.link_share >= _MAX_LINK_SHARE and _leads_on(block)):
            break
        before.insert(0, Line(text=block.text, at=at))
    return before


def _lists_beside(found: LocatedText, edge: int, step: int, main: HtmlElement | None) -> list[Line]:
    """Return the lists, with their headings, in the text's own element right before its beginning or after its end.

    An extractor that looks only for paragraphs omits them, and there no later line reveals the gap.
    """
    beside: list[int] = []
    at, size = edge + step, 0
    while 0 <= at < len(found.blocks):
        block = found.blocks[at]
        is_item = block.element.tag == "li" and block.link_share < _MAX_LINK_SHARE
        if found.is_there[at] or holder_of(block) is not main or not (is_item or block.element.tag in _LESSER_HEADINGS):
            break
        beside.append(at)
        if is_item and len(block.text) >= MIN_LINE:
            size = len(beside)
        elif step < 0 and 0 < size == len(beside) - 1:
            size += 1  # the heading above a list, or the rest of the list
        at += step
    return [Line(text=found.blocks[at].text, at=at) for at in sorted(beside[:size])]


def _continued(found: LocatedText, last: int) -> Iterator[Line]:
    """Yield the blocks that follow the last line in another element with the same class, with their headings.

    Some pages split a story into several boxes, of which extractors take only the first.
    """
    heading: int | None = None
    rows = {row for block, kept in zip(found.blocks, found.is_kept, strict=True) if kept for row in _rows_of(block)}
    for at in range(last + 1, len(found.blocks)):
        block = found.blocks[at]
        if found.is_there[at]:
            continue
        if block.element.tag in PART_HEADINGS and not block.linked:
            heading = at
        elif _continues(found, block) and not rows.isdisjoint(_rows_of(block)):
            if heading is not None and found.blocks[heading].box == block.box:
                yield Line(text=found.blocks[heading].text, at=heading)
            heading = None
            yield Line(text=block.text, at=at)


def _continues(found: LocatedText, block: Block) -> bool:
    is_boxed = block.element.tag == "p" and block.kind[3] != ""
    return is_boxed and found.kinds[block.kind] >= MAIN_SHARE * found.mass and prose_of(block) > 0


def _rows_of(block: Block) -> list[HtmlElement]:
    """Return the elements that contain a block's box and its neighbours."""
    boxes = (block.box, block.box.getparent() if block.box is not None else None)
    return [one for one in boxes if one is not None and one.tag not in ("body", "html")]


def _is_missing(found: LocatedText, at: int, items: AbstractSet[HtmlElement], main: HtmlElement | None) -> bool:
    block = found.blocks[at]
    if found.is_there[at]:
        return False
    if items and not items.isdisjoint((block.element, *block.element.iterancestors())):
        return True
    if block.element.tag == "div" and block.element.getparent() is main:
        return not block.linked and _is_sentence(block)
    is_held = _is_held(found, at)
    if block.link_share >= _MAX_LINK_SHARE:
        return is_held and block.element.tag == "p" and _is_sentence(block) and not _leads_on(block)
    if size_of(block.text) < MIN_LINE:
        return is_held and block.element.tag in ("li", "h2", "h3", "h4")
    return is_held or found.kinds[block.kind] - found.counted(at) >= _MIN_SHARE * found.mass


def _is_held(found: LocatedText, at: int) -> bool:
    """Whether a block is in an element that contains another part of the text."""
    return found.holders[holder_of(found.blocks[at])] - found.counted(at) >= _MIN_SHARE * found.mass


def _is_sentence(block: Block) -> bool:
    return size_of(block.text) >= MIN_SENTENCE and block.text.endswith(_ENDS)


def _leads_on(block: Block) -> bool:
    """Whether a block links to another page of the site, as teasers do and sources seldom do."""
    return any(is_on_site(link.get("href"), link) for link in block.element.iter("a"))


def _items_of(main: HtmlElement | None) -> set[HtmlElement]:
    """Return boxes between a story's paragraphs about external items, such as a test's lamps with their shops.

    At least two with the same class are next to paragraphs, each with a heading and without a link to the site itself.
    """
    boxes: dict[str, list[HtmlElement]] = {}
    for box in main if main is not None else ():
        if box.tag in ("div", "section", "article", "li") and (
            name := next(iter((box.get("class") or "").split()), "")
        ):
            boxes.setdefault(name, []).append(box)
    alike = [row for row in boxes.values() if len(row) >= _MIN_ITEMS]
    items = {box for row in alike if all(_is_item(box) for box in row) for box in row}
    return items | {one for one in (main if main is not None else ()) if one.tag in ("ul", "ol") and _is_announced(one)}


def _is_announced(element: HtmlElement) -> bool:
    """Whether a paragraph announces the following list: `The boats that use the quay are:`."""
    before = element.getprevious()
    return before is not None and before.tag == "p" and text_of(before).endswith((":", "："))


def _is_item(box: HtmlElement) -> bool:
    links = [link.get("href") for link in box.iter("a")]
    is_foreign = bool(links) and not any(is_on_site(href, box) for href in links)
    has_heading = next(box.iter("h2", "h3", "h4"), None) is not None
    beside = (box.getprevious(), box.getnext())
    return is_foreign and has_heading and any(one is not None and one.tag == "p" for one in beside)
