"""Remove boxes at a text's end whose words do not occur in the text: a notice, an address, teasers. Pure."""

import re
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from itertools import groupby, islice

from lxml.html import HtmlElement

from tasks.extract.blocks import Block
from tasks.extract.container import Line
from tasks.extract.lengths import size_of
from tasks.extract.tree import HEADINGS, first_class, outermost, words_in

_MAX_SHARE = 0.1  # of the text, from its end on
_MIN_TEXT = 1000  # characters: a shorter text has too few words
_MAX_ALIKE = 3  # siblings with one class; the story's paragraphs are more
_MIN_OWN = 0.5  # of a box's words: those that do not occur in the rest of the text
_MIN_WORD = 4  # letters of a significant word
_MAX_LINES, _MAX_WORDS, _MAX_SEARCHED, _MAX_ROW = 14, 60, 100_000, 1000  # at the end; of a box; characters; elements
_LISTS, _LOOSE = ("ul", "ol", "dl", "table"), ("p", "blockquote", "pre", *HEADINGS)
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uf900-\ufaff]")


def without_strangers(lines: Sequence[Line], blocks: Sequence[Block], main: HtmlElement | None) -> Sequence[Line]:
    """Drop boxes at the end with a rare class and their own vocabulary, up to a tenth of the text.

    `main` is the text's own element. Lists, whose items are short, and text in scripts without spaces are kept.
    """
    whole = sum(size_of(line.text) for line in lines)
    if main is None or whole < _MIN_TEXT:
        return lines
    around = {main, *main.iterancestors()}
    text, size, end = "", 0, len(lines)
    for box, group in groupby(reversed(lines), lambda line: _box_of(line, blocks, around)):
        last = [line.text for line in group]
        size += sum(map(size_of, last))
        if len(lines) - end + len(last) > _MAX_LINES or size >= _MAX_SHARE * whole:
            break
        before = _box_of(lines[end - len(last) - 1], blocks, around)
        if box is None or box.tag in _LISTS or _is_common(box) or _goes_on(box, before):
            break
        text = text or "\n".join(line.text for line in lines).casefold()[:_MAX_SEARCHED]
        if not _use_own_words(last, text):
            break
        end -= len(last)
    return lines[:end]


def _box_of(line: Line, blocks: Sequence[Block], around: AbstractSet[HtmlElement]) -> HtmlElement | None:
    """Return the outermost ancestor of a line that does not contain most of the text."""
    return outermost(blocks[line.at].element, around) if line.at is not None else None


def _is_common(box: HtmlElement) -> bool:
    """Whether several siblings have the same class as a box, like the paragraphs of a story."""
    above = box.getparent()
    row = above.iterchildren(box.tag) if above is not None else iter(())
    return sum(first_class(one) == first_class(box) for one in islice(row, _MAX_ROW)) > _MAX_ALIKE


def _goes_on(box: HtmlElement, before: HtmlElement | None) -> bool:
    """Whether a box may continue the one before it: it has the same class, or is a loose paragraph."""
    if before is None or before.tag in _LOOSE:
        return False
    return box.tag in _LOOSE or (box.tag == before.tag and first_class(box) == first_class(before))


def _use_own_words(lines: Sequence[str], text: str) -> bool:
    """Whether at least half of the words in the last lines do not occur in the rest of the text.

    The text must be in lower case.
    """
    own = "\n".join(lines).casefold()
    if _UNSPACED.search(own):
        return False
    words = [one for one in dict.fromkeys(words_in(own)) if len(one) >= _MIN_WORD][:_MAX_WORDS]
    unused = sum(text.count(word) == own.count(word) for word in words)
    return bool(words) and unused >= _MIN_OWN * len(words)
