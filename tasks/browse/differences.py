"""Diff two revisions by sentence, and changed sentences by word. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from tasks.deduplicate.changes import Version

MOST_LINES = 1_500
"""The most sentences of a text that are compared, since the time grows with their square."""

MOST_WORDS = 400
CONTEXT = 1
MIN_ALIKE = 0.4
"""The similarity from which one sentence is shown as a change of another."""

_WORD = re.compile(r"\S+\s*")


@dataclass(frozen=True, slots=True)
class Piece:
    """Some words: `same`, `added` or `removed`."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence in pieces: `same`, `added`, `removed` or `changed`; `skipped` is the number of equal sentences left out here."""

    kind: str
    pieces: tuple[Piece, ...] = ()
    skipped: int = 0


def compare(before: Version, after: Version) -> tuple[Line, ...] | None:
    """Return the diff as lines, title, authors and date first; None if the texts are too long."""
    one, other = before.lines, after.lines
    if max(len(one), len(other)) > MOST_LINES:
        return None
    lines: list[Line] = []
    steps = SequenceMatcher(None, one, other, autojunk=False).get_opcodes()
    for number, (kind, start, end, other_start, other_end) in enumerate(steps):
        if kind == "equal":
            lines += _context(one[start:end], is_first=number == 0, is_last=number == len(steps) - 1)
        else:
            lines += _replaced(one[start:end], other[other_start:other_end])
    return tuple(lines)


def _context(lines: Sequence[str], *, is_first: bool, is_last: bool) -> Iterator[Line]:
    begin = 0 if is_first else CONTEXT
    end = 0 if is_last else CONTEXT
    skipped = len(lines) - begin - end
    if skipped <= 1:
        yield from map(_same, lines)
        return
    yield from map(_same, lines[:begin])
    yield Line("skipped", skipped=skipped)
    yield from map(_same, lines[len(lines) - end :])


def _replaced(before: Sequence[str], after: Sequence[str]) -> Iterator[Line]:
    both = min(len(before), len(after))
    for old, new in zip(before[:both], after[:both], strict=True):
        yield from _changed(old, new)
    yield from (Line("removed", (Piece("removed", old),)) for old in before[both:])
    yield from (Line("added", (Piece("added", new),)) for new in after[both:])


def _changed(old: str, new: str) -> Iterator[Line]:
    one, other = _WORD.findall(old), _WORD.findall(new)
    if max(len(one), len(other)) <= MOST_WORDS:
        matcher = SequenceMatcher(None, one, other, autojunk=False)
        if matcher.ratio() >= MIN_ALIKE:
            yield Line("changed", tuple(_pieces(matcher, one, other)))
            return
    yield Line("removed", (Piece("removed", old),))
    yield Line("added", (Piece("added", new),))


def _pieces(matcher: "SequenceMatcher[str]", one: Sequence[str], other: Sequence[str]) -> Iterator[Piece]:
    for kind, start, end, other_start, other_end in matcher.get_opcodes():
        if kind == "equal":
            yield Piece("same", "".join(one[start:end]))
            continue
        if start < end:
            yield Piece("removed", "".join(one[start:end]))
        if other_start < other_end:
            yield Piece("added", "".join(other[other_start:other_end]))


def _same(line: str) -> Line:
    return Line("same", (Piece("same", line),))
