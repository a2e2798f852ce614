"""Remove labels around a story: date, reading time, navigation. Pure."""

import re
from collections.abc import Sequence

from lxml.html import HtmlElement

from tasks.extract.blocks import Block
from tasks.extract.container import Line
from tasks.extract.lengths import size_of
from tasks.extract.tree import HEADINGS, cached_by_name

_MAX_LABEL, _MIN_PROSE, _MAX_DATE = 60, 80, 120  # characters
_MAX_LABELS, _MAX_SHARE = 7, 0.1  # lines; of the text
_STORY_TAGS = frozenset((*HEADINGS, "td", "th", "pre", "blockquote"))  # short text in these belongs to the story
_ENDS = (".", "!", "?", "…", "。", "！", "？", "।", "؟", "۔", ":", "：", '"', "'", "’", "”", "»", "」", "』", ")", "）")
_DATED = re.compile(
    r"(?:^|[-_\s])(?:date|dates|datetime|dateline|time|timestamp|published|posted|updated|modified)(?:$|[-_\s])",
    re.IGNORECASE,
)


def without_labels(
    lines: Sequence[Line], blocks: Sequence[Block], main: HtmlElement | None, *, whole: int
) -> list[Line]:
    """Return the lines without labels above the text's own element, and without lines marked as dates.

    `whole` is the text's length in characters. If the labels are many, or more than a small part of the text, they are
    a list and are kept.
    """
    first = next((at for at, line in enumerate(lines) if _begins(line, blocks, main)), 0)
    labels = [line for line in lines[:first] if _is_label(line, blocks)]
    if len(labels) > _MAX_LABELS or sum(len(line.text) for line in labels) > _MAX_SHARE * whole:
        labels = []
    gone = {line.at for line in labels} | {line.at for line in lines if _is_date(line, blocks)}
    return [line for line in lines if line.at is None or line.at not in gone]


def _begins(line: Line, blocks: Sequence[Block], main: HtmlElement | None) -> bool:
    """Whether a line is in the text's own element, or is a paragraph."""
    if line.at is None:
        return True
    element = blocks[line.at].element
    return size_of(line.text) >= _MIN_PROSE or element is main or main in element.iterancestors()


def _is_label(line: Line, blocks: Sequence[Block]) -> bool:
    is_story = line.at is None or blocks[line.at].element.tag in _STORY_TAGS
    return not is_story and size_of(line.text) <= _MAX_LABEL and not line.text.endswith(_ENDS)


def _is_date(line: Line, blocks: Sequence[Block]) -> bool:
    """Whether a short line has a figure, and it or its parent is marked as a date."""
    if line.at is None or len(line.text) > _MAX_DATE or not any(map(str.isdigit, line.text)):
        return False
    element = blocks[line.at].element
    above = element.getparent()
    names = (element.get("class"), above.get("class") if above is not None else None)
    return element.tag not in _STORY_TAGS and any(_names_a_date(one) for one in names if one)


@cached_by_name
def _names_a_date(names: str) -> bool:
    """Whether a class means a date."""
    return _DATED.search(names) is not None
