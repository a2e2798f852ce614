"""Remove furniture from a text's end: calls to action, tags, addresses, notices, sources.

Pure. It is recognised by its links, by the metadata, or by its shape; never by a list of words.
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from urllib.parse import urlsplit

from lxml.html import HtmlElement

from tasks.extract.accounts import account_names, gives_accounts
from tasks.extract.blocks import Block
from tasks.extract.calls import asks_for_action, promotes_a_page, without_calls
from tasks.extract.container import Line, holder_of
from tasks.extract.furniture import classes_name_a_box, id_names_a_box
from tasks.extract.labels import without_labels
from tasks.extract.lengths import size_of
from tasks.extract.metadata import Metadata
from tasks.extract.outline import is_on_site
from tasks.extract.strangers import without_strangers
from tasks.extract.tree import HEADINGS, first_class, outermost, raw_text_of, text_of, words_in, words_of

_MAX_TAIL = 0.25  # of the text: more is not furniture
_MAX_SOURCES = 0.5  # of the text: URLs are long, above all compared with a brief in a dense script
_MAX_LINES = 14
_MAX_LAST = 0.1  # of the text: a promoting box at its end
_MIN_LEFT = 2  # lines that a text keeps
_MAX_LABEL = 40  # characters of the label above a list
# of the text: in its own element; in later boxes; after all of it
_MIN_MAIN, _MAX_APPENDIX, _MAX_REST = 0.7, 0.2, 0.15
_LOOSE = ("p", "ul", "ol", "blockquote", "pre", *HEADINGS)
_MAX_BESIDE = 0.35  # of the text: next to its own element
_MIN_SCOPED, _MAX_UNSCOPED = 0.4, 0.4  # of the text: in the element with the heading; in one element outside of that
_MIN_STORY = 300  # characters
_WHOLE_LINK = 0.95  # of a line
_RIGHTS = re.compile(
    r"(?:[^\W\d_]{2,8}\s)?(?:(?:©|\(c\)|copyright\b|℗)\s*.{0,40}?(?:19|20)\d\d|[©ⓒ℗]\s*\S)", re.IGNORECASE
)
_LABELLED = re.compile(r"[^\W\d_]{1,12}\s*[:：](?!/)\s*")  # before the page's own URL
_ADDRESS = re.compile(r"(?:https?://|www\.)[^\s]+")
_BARE_ADDRESS = re.compile(r"(?:https?://|www\.)?[\w.-]+\.\w{2,}(?:/[^\s]*)?")
_PIECES = re.compile(r"\s*[,;|·•#、，]\s*")
_MAX_BEHIND = 2  # lines: one with accounts, and the one after it
_MIN_LEANING = 0.9  # of a line that is entirely in italics
_ADDRESSED = ("p", *HEADINGS)
_MAX_ANNOUNCEMENT = 200  # characters
_SENTENCE_ENDS = (".", "!", "?", "。", "！", "？")
_MIN_TAGS, _MIN_TAG_SHARE, _MIN_SOURCES, _MIN_SOURCE_SHARE = 2, 0.6, 2, 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """A text without furniture at its end, and the number of removed characters."""

    lines: tuple[Line, ...]
    removed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Holders:
    """The elements that contain most of a text, nearly all of it, and most of it with the page's heading."""

    main: HtmlElement | None
    container: HtmlElement | None
    scope: HtmlElement | None


def cut_tail(lines: Sequence[Line], blocks: Sequence[Block], metadata: Metadata, holders: Holders) -> Ending:
    """Drop furniture at the end of a text, labels and calls to action in it, and boxes next to it."""
    main, container = holders.main, holders.container
    tags = frozenset(map(words_of, metadata.tags))
    around = frozenset((main, *main.iterancestors())) if main is not None else frozenset()
    named = dict.fromkeys(around, False)
    title = metadata.title or ""
    is_dense = size_of(title) > len(title)
    tail = _Tail(blocks=blocks, metadata=metadata, main=main, around=around, tags=tags, named=named, is_dense=is_dense)
    whole = sum(len(line.text) for line in lines)
    total = sum(size_of(line.text) for line in lines)
    kept = tail.within(lines, holders.scope)
    cut = min(tail.start_of_appendix(kept, main, _MAX_APPENDIX), tail.start_of_appendix(kept, container, _MAX_REST))
    cut -= tail.announces(kept, cut)
    size = 0
    for at in range(len(kept) - 1, max(_MIN_LEFT, len(kept) - _MAX_LINES) - 1, -1):
        size += size_of(kept[at].text)
        if at >= cut:
            continue
        if size > _MAX_SOURCES * total:
            break
        is_furniture = tail.is_furniture if size <= _MAX_TAIL * total else tail.are_sources
        if is_furniture(kept[at:cut]) or (
            size <= _MAX_LAST * total and tail.are_a_promotion(kept[at:cut], behind=kept[at - 1])
        ):
            cut = at
    while cut > _MIN_LEFT and cut < len(kept) and tail.is_label(kept[cut - 1], over=kept[cut]):
        cut -= 1
    cut -= tail.announces(kept, cut)
    rest = [line for line in kept[:cut] if not tail.is_own_address(line.text)]
    rest = without_labels(without_calls(rest, blocks, main, whole=whole), blocks, main, whole=whole)
    is_beside = [tail.is_beside(line) for line in rest]
    beside = [line for line, is_so in zip(rest, is_beside, strict=True) if is_so]
    story = [line for line, is_so in zip(rest, is_beside, strict=True) if not is_so]
    if sum(len(line.text) for line in beside) <= _MAX_BESIDE * whole or tail.are_headlines(beside, story):
        rest = story
    left = without_strangers(rest, blocks, main)
    return Ending(lines=tuple(left), removed=whole - sum(len(line.text) for line in left))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tail:
    blocks: Sequence[Block]
    metadata: Metadata
    main: HtmlElement | None
    around: AbstractSet[HtmlElement]
    tags: AbstractSet[tuple[str, ...]]
    is_dense: bool
    named: dict[HtmlElement, bool]
    """A cache: which elements are in a box with a furniture name; ancestors of the text are not."""

    @property
    def url(self) -> str:
        """The page's URL."""
        return next((one.element.base_url for one in self.blocks), "")

    def within(self, lines: Sequence[Line], scope: HtmlElement | None) -> list[Line]:
        """Drop lines outside the element with the text and its heading, in boxes of another class.

        Return all lines if there is no such element, or if those outside are too many, above all in one element, which
        may be the story's second part.
        """
        if scope is None or scope.tag in ("body", "html"):
            return list(lines)
        around = {scope: True}
        beside = dict(zip(scope.iterancestors(), (scope, *scope.iterancestors()), strict=False))
        inner = [
            line
            for line in lines
            if self._block(line) is None or self._is_inner(line, around) or self._goes_on(line, beside)
        ]
        if len(inner) == len(lines):
            return inner
        left, whole = (sum(map(self._prose, some)) for some in (inner, lines))
        is_part = left >= _MIN_SCOPED * whole and self._most_held(lines, inner) <= _MAX_UNSCOPED * whole
        return inner if is_part else list(lines)

    def _most_held(self, lines: Sequence[Line], inner: Sequence[Line]) -> float:
        """Return the greatest number of characters that one element has of the lines outside of `inner`."""
        held: defaultdict[HtmlElement, float] = defaultdict(float)
        inside = {line.at for line in inner}
        for line in lines:
            if line.at not in inside and (block := self._block(line)) is not None:
                held[holder_of(block)] += self._prose(line)
        return max(held.values(), default=0)

    def _prose(self, line: Line) -> float:
        """Return a line's amount of text outside of links; 0 if the title is in a dense script and the line is not."""
        block, size = self._block(line), size_of(line.text)
        if self.is_dense and size == len(line.text):
            return 0
        return size * (1 - block.link_share if block is not None else 1)

    def _goes_on(self, line: Line, beside: Mapping[HtmlElement, HtmlElement]) -> bool:
        """Whether an outside line is loose, or in a box of the same class as the text's: the story's next part.

        `beside` maps the ancestors of that element to the child through which they contain it.
        """
        block = self._block(line)
        box = outermost(block.element, beside.keys()) if block is not None else None
        if block is None or box is None or (box is block.element and box.tag in _LOOSE):
            return True
        own = beside[box.getparent()]
        return own.tag == box.tag and first_class(own) == first_class(box)

    def start_of_appendix(self, lines: Sequence[Line], holder: HtmlElement | None, most: float) -> int:
        """Return the index of the first line in boxes of another class after the element with nearly all of the text.

        Return the number of lines if there are none, or if they are too much of the text, contain a table, or are
        loose.
        """
        if holder is None:
            return len(lines)
        known = {holder: True}
        start = len(lines)
        while start and not self._is_inner(lines[start - 1], known):
            start -= 1
        if start == len(lines):
            return start
        sizes = [len(line.text) for line in lines]
        if sum(len(line.text) for line in lines if self._is_inner(line, known)) < _MIN_MAIN * sum(sizes):
            return len(lines)
        is_apart = sum(sizes[start:]) <= most * sum(sizes) and all(self._is_apart(one, holder) for one in lines[start:])
        return start if is_apart else len(lines)

    def _is_inner(self, line: Line, known: dict[HtmlElement, bool]) -> bool:
        block = self._block(line)
        return block is not None and _is_under(block.element, known)

    def _is_apart(self, line: Line, holder: HtmlElement) -> bool:
        """Whether a line is in a box of another class than the text's element, and not in a table."""
        block = self._block(line)
        box = outermost(block.element, {holder, *holder.iterancestors()}) if block is not None else None
        if block is None or box is None or (box is block.element and box.tag in _LOOSE):
            return False
        is_alike = any(
            one.tag == holder.tag and first_class(one) == first_class(holder) != "" for one in (box, holder_of(block))
        )
        return not is_alike and next(block.element.iterancestors("table"), None) is None

    def is_furniture(self, lines: Sequence[Line]) -> bool:
        """Whether lines up to the cut are furniture, by the first of them or by all together."""
        first = lines[0]
        if _RIGHTS.match(first.text) or self.are_sources(lines):
            return True
        if len(lines) == 1 and (self.is_own_address(first.text) or self._is_tags(first.text)):
            return True
        if len(lines) <= _MAX_BEHIND and (self._gives_accounts(first) or self._speaks_of_author(first)):
            return True
        box = self._box_of(first)
        if box is None or any(self._box_of(line) is not box for line in lines[1:]):
            return False
        return self._is_biography(first, box) or asks_for_action(box, self.url)

    def are_a_promotion(self, lines: Sequence[Line], *, behind: Line) -> bool:
        """Whether lines are one box with its own class, a link to another page of the site, and no section headings."""
        box = self._box_of(lines[0]) if lines else None
        if box is None or self._box_of(behind) is box or any(self._box_of(line) is not box for line in lines[1:]):
            return False
        return promotes_a_page(box)

    def is_beside(self, line: Line) -> bool:
        """Whether a line outside the text's own element is in a box named as furniture, or links to the site."""
        block = self._block(line)
        if block is None or not self.named:
            return False
        if _stands_in_named(block.element, self.named):
            return True
        if (
            block.link_share < _WHOLE_LINK
            or block.element.tag in ("li", "td", "th")
            or self.main in block.element.iterancestors()
        ):
            return False
        return all(is_on_site(link.get("href"), link) for link in block.element.iter("a"))

    def are_headlines(self, lines: Sequence[Line], story: Sequence[Line]) -> bool:
        """Whether lines next to a story are only links, while the story has paragraphs without links."""
        blocks = [block for line in lines if (block := self._block(line)) is not None]
        prose = sum(size for line in story if (size := size_of(line.text)) > _MAX_LABEL)
        return prose >= _MIN_STORY and all(block.link_share >= _WHOLE_LINK for block in blocks)

    def is_label(self, line: Line, *, over: Line) -> bool:
        """Whether a line is the short label above the cut: a sibling, or its heading."""
        block, below = self._block(line), self._block(over)
        if block is None or below is None or len(line.text) > _MAX_LABEL or line.text.endswith((".", "!", "?", "。")):
            return False
        return block.element.tag in HEADINGS or (
            self._is_tags(over.text) and block.element.getparent() is below.element.getparent()
        )

    def announces(self, lines: Sequence[Line], end: int) -> bool:
        """Whether the last line before `end` announces what follows: a heading, or a paragraph with a colon."""
        if end <= _MIN_LEFT:
            return False
        line, before = lines[end - 1], self._block(lines[end - 2])
        block = self._block(line)
        if block is None or before is None or size_of(line.text) > _MAX_ANNOUNCEMENT:
            return False
        if block.element.tag in HEADINGS:
            return before.element.tag not in HEADINGS and not line.text.endswith(_SENTENCE_ENDS)
        return block.element.tag == "p" and line.text.endswith((":", "："))

    def _gives_accounts(self, line: Line) -> bool:
        block = self._block(line)
        if block is None or not block.linked or block.element.tag not in _ADDRESSED:
            return False
        host = urlsplit(self.url).hostname or ""
        return gives_accounts(block.element, host=host, makers=account_names(host, self.metadata.authors))

    def _speaks_of_author(self, line: Line) -> bool:
        """Whether a line is entirely in italics and names an author of the page."""
        block = self._block(line)
        if block is None or block.element.tag != "p" or not self.metadata.authors:
            return False
        leaning = sum(len(text_of(one)) for one in block.element.iter("em", "i"))
        if leaning < _MIN_LEANING * len(line.text):
            return False
        words = words_in(line.text)
        return any(_is_named(name, words) for name in map(words_of, self.metadata.authors))

    def is_own_address(self, text: str) -> bool:
        """Whether a text is only the page's own URL, with or without a label."""
        if label := _LABELLED.match(text):
            text = text[label.end() :]
        if " " in text or not _BARE_ADDRESS.fullmatch(text):
            return False
        own = {_bare(one) for one in (self.url, self.metadata.canonical_url) if one}
        return _bare(text) in own

    def _block(self, line: Line) -> Block | None:
        return self.blocks[line.at] if line.at is not None else None

    def _box_of(self, line: Line) -> HtmlElement | None:
        """Return the outermost element that contains a line but not most of the text."""
        block = self._block(line)
        if block is None or self.main is None:
            return None
        return outermost(block.element, self.around)

    def _is_tags(self, text: str) -> bool:
        """Whether most pieces of a line are tags of the page."""
        pieces = [words for piece in _PIECES.split(text) if (words := words_in(piece))]
        if len(pieces) == 1:  # adjacent, without a separator
            tagged = {word for tag in self.tags for word in tag}
            return len(pieces[0]) >= _MIN_TAGS and tagged.issuperset(pieces[0])
        known = sum(piece in self.tags for piece in pieces)
        return len(pieces) >= _MIN_TAGS and known >= _MIN_TAG_SHARE * len(pieces)

    def _is_biography(self, line: Line, box: HtmlElement) -> bool:
        """Whether a line starts with an author's name that is marked as such, or is in its own box."""
        words = words_in(line.text)
        names = (words_of(author) for author in self.metadata.authors)
        if not any((len(name) > 1 or _is_unspaced(name)) and words[: len(name)] == name for name in names):
            return False
        marked = next(box.iter("strong", "b", "em", "i", "a"), None)
        is_marked = marked is not None and words[: len(its := words_of(raw_text_of(marked)))] == its != ()
        return box.tag != "p" or is_marked

    def are_sources(self, lines: Sequence[Line]) -> bool:
        """Whether most items of a list contain URLs."""
        blocks = [block for line in lines if (block := self._block(line)) is not None]
        if (
            len(blocks) < len(lines)
            or len({one.element.getparent() for one in blocks}) != 1
            or len(blocks) < _MIN_SOURCES
        ):
            return False
        if blocks[0].element.tag != "li" or any(
            one.tag == "li" for one in blocks[0].element.itersiblings(preceding=True)
        ):
            return False
        return sum(bool(_ADDRESS.search(line.text)) for line in lines) >= _MIN_SOURCE_SHARE * len(lines)


def _is_under(element: HtmlElement, known: dict[HtmlElement, bool]) -> bool:
    """Whether an element is or is in a known element; the result is cached in `known`."""
    if (answer := known.get(element)) is None:
        above = element.getparent()
        answer = known[element] = above is not None and _is_under(above, known)
    return answer


def _stands_in_named(element: HtmlElement, known: dict[HtmlElement, bool]) -> bool:
    """Whether an element or an ancestor has a furniture name, up to the known ones; the result is cached in `known`."""
    if (answer := known.get(element)) is None:
        above = element.getparent()
        classes = element.get("class")
        name = element.get("id") if element.tag not in HEADINGS else None  # a heading's id is derived from its text
        is_named = (classes and classes_name_a_box(classes)) or (name and id_names_a_box(name))
        answer = known[element] = bool(is_named) or (above is not None and _stands_in_named(above, known))
    return answer


def _is_named(name: tuple[str, ...], words: tuple[str, ...]) -> bool:
    """Whether words contain a name of at least two words, or one in a script without spaces."""
    if _is_unspaced(name):
        return any(name[0] in word for word in words)
    return len(name) > 1 and any(words[at : at + len(name)] == name for at in range(len(words)))


def _is_unspaced(name: tuple[str, ...]) -> bool:
    """Whether a single word is a full name, in a script without spaces."""
    return len(name) == 1 and len(name[0]) > 1 and name[0][0] > "\u2e80"


def _bare(address: str) -> str:
    return re.sub(r"^(?:https?://)?(?:www\.)?|[/?#]*$", "", address.casefold())
