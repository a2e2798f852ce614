"""Find the element that contains an article, by the position of its text on the page. Pure."""

from bisect import bisect_right
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lxml.html import HtmlElement

from tasks.extract.blocks import Block, Kind
from tasks.extract.lengths import size_of
from tasks.extract.tree import HEADINGS, key_of

_LISTED = frozenset(("ul", "ol", "li", "dl", "dd", "dt", "table", "thead", "tbody", "tr", "td", "th", "p", *HEADINGS))
_HOLDERS = frozenset(("div", "section", "article", "main", "body"))
_MAX_JUMP, _LONG_KEY = 40, 20  # distance in blocks of a short line from the previous one; characters
MIN_LINE = 40  # characters; a shorter text is a label
MIN_SENTENCE = 60  # characters
_MIN_RUN = 200  # characters
MAIN_SHARE = 0.5  # of the text: a kind with this share is that of the main paragraphs
PART_HEADINGS = frozenset(("h1", "h2", "h3", "h4"))
_MIN_SHARE_OF_SCOPE, _MIN_SHARE_OF_PAGE = 0.25, 0.15
_MOST = 0.8  # of the text: an element with this share is its container


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of the text, and its block on the page, if found."""

    text: str
    at: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LocatedText:
    """A text located on its page: the blocks, its lines, which blocks belong to it, and what contains most of them.

    `is_kept` includes blocks that begin or end like a line of the text, `is_there` only if that line is no other block.
    """

    blocks: Sequence[Block]
    lines: tuple[Line, ...]
    is_kept: Sequence[bool]
    is_there: Sequence[bool]
    holders: Counter[HtmlElement]
    kinds: Counter[Kind]

    @property
    def mass(self) -> int:
        return self.holders.total()

    def counted(self, at: int) -> int:
        """Return the size with which a block counts towards the text: 0 if it does not belong to it."""
        return size_of(self.blocks[at].text) if self.is_kept[at] else 0


def locate(lines: Sequence[str], blocks: Sequence[Block]) -> LocatedText:
    """Locate the lines among the blocks of the page."""
    known = {block.text: block.key for block in blocks}
    keys = [known.get(line) or key_of(line) for line in lines]
    places: dict[str, list[int]] = {}
    for at, block in enumerate(blocks):
        places.setdefault(block.key, []).append(at)
    found: list[Line] = []
    last = -1
    for line, key in zip(lines, keys, strict=True):
        place = _next_place(places.get(key, []), last, is_short=len(key) < _LONG_KEY)
        last = last if place is None else place
        found.append(Line(text=line, at=place))
    whole, known_keys = "".join(keys), set(keys)
    is_kept = [
        key in known_keys or (len(key) >= _LONG_KEY and (key[:_LONG_KEY] in whole or key[-_LONG_KEY:] in whole))
        # compared by beginning and end, since extractors may omit parts in between
        for key in (block.key for block in blocks)
    ]
    # a line that equals a block contains no other, although blocks may begin or end alike
    loose = "".join(key for line, key in zip(found, keys, strict=True) if line.at is None)
    is_there = [
        kept and (block.key in known_keys or block.key[:_LONG_KEY] in loose or block.key[-_LONG_KEY:] in loose)
        for block, kept in zip(blocks, is_kept, strict=True)
    ]
    holders: Counter[HtmlElement] = Counter()
    kinds: Counter[Kind] = Counter()
    for block, kept in zip(blocks, is_kept, strict=True):
        if kept:
            size = size_of(block.text)
            holders[holder_of(block)] += size - size * block.linked // len(block.text)
            kinds[block.kind] += size
    return LocatedText(
        blocks=blocks, lines=tuple(found), is_kept=is_kept, is_there=is_there, holders=holders, kinds=kinds
    )


def _next_place(places: Sequence[int], last: int, *, is_short: bool) -> int | None:
    """Return the first position after `last`; a short line may occur anywhere, so it counts only if it is near."""
    after = bisect_right(places, last)
    if after == len(places) or (is_short and places[after] - last > _MAX_JUMP):
        return None
    return places[after]


def holder_of(block: Block) -> HtmlElement:
    """Return the parent of a block's list, table or paragraph; for a loose line its own element."""
    element = block.element
    while element.tag not in _HOLDERS:
        above = element.getparent()
        if above is None:
            break
        is_through = element.tag in _LISTED
        element = above
        if not is_through:
            break
    return element


def split_into_blocks(text: str, blocks: Sequence[Block]) -> str:
    """Split a text that an extractor returned as one run into the blocks of the page, one line each."""
    if "\n" in text or size_of(text) < _MIN_RUN:
        return text
    whole, pieces, place = key_of(text), list[Block](), 0
    heading = next((at for at, one in enumerate(blocks) if one.element.tag == "h1"), 0)
    for block in blocks[heading:]:  # blocks above the main heading are furniture
        if (at := whole.find(block.key, place)) >= 0:
            pieces.append(block)
            place = at + len(block.key)
    is_whole = len(pieces) > 1 and sum(len(one.key) for one in pieces) >= MAIN_SHARE * len(whole)
    return "\n".join(one.text for one in _from_prose_to_prose(pieces)) if is_whole else text


def _from_prose_to_prose(pieces: Sequence[Block]) -> Sequence[Block]:
    """Return the blocks from the first to the last paragraph, if paragraphs are a quarter of them.

    Headings above the first and a list below the last are kept.
    """
    prose = [at for at, one in enumerate(pieces) if one.element.tag == "p" and _says(one, MIN_SENTENCE)]
    if 4 * sum(len(pieces[at].text) for at in prose) < sum(len(one.text) for one in pieces):
        return pieces
    first, last = prose[0], prose[-1]
    while first and pieces[first - 1].element.tag in PART_HEADINGS:
        first -= 1
    while last + 1 < len(pieces) and pieces[last + 1].element.tag == "li":
        last += 1
    return pieces[first : last + 1]


def main_element_of(found: LocatedText) -> HtmlElement | None:
    """Return the element that directly holds the largest part of a text; None if nothing of it was located."""
    return found.holders.most_common(1)[0][0] if found.holders else None


def merge(lines: Sequence[Line], other: LocatedText) -> list[str]:
    """Return the lines of `other`, completed by the longer ones of `lines` that it lacks, in the order of the page."""
    missing = deque(
        line for line in lines if line.at is not None and len(line.text) >= MIN_LINE and not other.is_kept[line.at]
    )
    merged: list[str] = []
    for line in other.lines:
        while missing and line.at is not None and (missing[0].at or 0) < line.at:
            merged.append(missing.popleft().text)
        merged.append(line.text)
    return [*merged, *(line.text for line in missing)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The place of an article: the element that contains it and its heading (None: the whole page), and its mass.

    `container` is the deepest element that contains nearly all of the found text. The mass is the number of characters
    in its paragraphs, found or not, outside of links.
    """

    scope: HtmlElement | None
    mass: int
    container: HtmlElement | None = None


def locate_article(found: LocatedText, heading: HtmlElement | None) -> Place:
    """Return the place of the article to which a text belongs.

    Its paragraphs are those in the text's container, and those of the same kind as the found ones. A text without
    paragraphs counts by its blocks. If the text is a tiny part of what surrounds the heading, it is not the article,
    and all paragraphs there count.
    """
    container = _container_of(
        {at: len(block.text) for at, block in enumerate(found.blocks) if found.is_kept[at]}, found
    )
    own = _own_blocks(found, container)
    masses = {at: prose_of(block) for at, block in enumerate(found.blocks) if own[at]}
    scope = common_ancestor(_container_of(masses, found) if masses else container, heading)
    inner = set(scope.iter()) if scope is not None else set()
    paragraphs = [block for block in found.blocks if block.element.tag == "p"]
    if found.mass < _MIN_SHARE_OF_PAGE * (whole := sum(map(prose_of, paragraphs))):
        return Place(scope=None, mass=whole, container=container)
    around = sum(prose_of(block) for block in paragraphs if block.element in inner)
    if found.mass < _MIN_SHARE_OF_SCOPE * around:
        return Place(scope=scope, mass=around, container=container)
    return Place(scope=scope, mass=sum(masses.values()), container=container)


def _own_blocks(found: LocatedText, container: HtmlElement | None) -> list[bool]:
    """Return which blocks may belong to the article: paragraphs if there are any, else long blocks."""
    kept = [block for block, is_kept in zip(found.blocks, found.is_kept, strict=True) if is_kept and prose_of(block)]
    kinds = {block.kind[2:] for block in kept if block.element.tag == "p"}
    inner = set(container.iter()) if container is not None else set()
    return [
        (block.element.tag == "p" or not kinds) and (block.element in inner or block.kind[2:] in kinds)
        for block in found.blocks
    ]


def _container_of(masses: Mapping[int, int], found: LocatedText) -> HtmlElement | None:
    """Return the deepest element that contains most of the blocks' mass."""
    sums: Counter[HtmlElement] = Counter()
    for at, mass in masses.items():
        holder = holder_of(found.blocks[at])
        sums[holder] += mass
    total = sums.total()
    nested: Counter[HtmlElement] = Counter()
    for holder, mass in sums.items():
        for above in (holder, *holder.iterancestors()):
            nested[above] += mass
    deep = {one for one, mass in nested.items() if mass >= _MOST * total}  # nested, since each has most of the mass
    above_others = {one.getparent() for one in deep}
    return next((one for one in deep if one not in above_others), None)


def common_ancestor(container: HtmlElement | None, heading: HtmlElement | None) -> HtmlElement | None:
    """Return the common ancestor of both; None if one of them is None."""
    if container is None or heading is None:
        return None
    around = {heading, *heading.iterancestors()}
    return next((one for one in (container, *container.iterancestors()) if one in around), None)


def prose_of(block: Block) -> int:
    """Return a block's characters outside of links; 0 if it is as short as a label."""
    return len(block.text) - block.linked if _says(block, MIN_LINE) else 0


def _says(block: Block, least: int) -> bool:
    """Whether a block has at least `least` characters outside of links, adjusted for its script."""
    length = len(block.text) - block.linked
    return length >= least or (2 * length >= least and size_of(block.text) - 2 * block.linked >= least)
