"""Snippets: the part of a text that shows why it matched. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tasks.search.querying import Highlight
from tasks.search.words import Word, placed_words

LENGTH = 240
READ = 60_000
"""The most characters per text that are searched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snippet:
    """A part of a text; `marks` are the character ranges in it that match the query."""

    text: str
    marks: tuple[tuple[int, int], ...] = ()


def snippet_of(text: str, shown: Sequence[Highlight]) -> Snippet:
    """Return the part of a text with the most matches, or its beginning."""
    words = list(placed_words(text[:READ]))
    marks = sorted(set(_marks(words, shown)))
    start, end = _window(text, _best(marks), words)
    before, after = "… " if start else "", " …" if end < len(text) else ""
    shift = start - len(before)
    inside = [(first - shift, last - shift) for first, last in marks if start <= first and last <= end]
    return Snippet(text=f"{before}{_one_line(text[start:end])}{after}", marks=tuple(inside))


def _one_line(text: str) -> str:
    return text.translate(_BREAKS)


_BREAKS = dict.fromkeys(map(ord, "\n\r\t\v\f\u2028\u2029"), " ")


def _marks(words: Sequence[Word], shown: Iterable[Highlight]) -> Iterable[tuple[int, int]]:
    texts = [word.text for word in words]
    for wanted, is_prefix in shown:
        length = len(wanted)
        for at, text in enumerate(texts):
            if _begins(text, wanted[0], is_prefix and length == 1) and _follow(texts, at, wanted, is_prefix):
                yield words[at].start, words[at + length - 1].end


def _follow(texts: Sequence[str], at: int, wanted: Sequence[str], is_prefix: bool) -> bool:
    there, last = texts[at : at + len(wanted)], len(wanted) - 1
    return len(there) == len(wanted) and all(
        _begins(there[place], wanted[place], is_prefix and place == last) for place in range(1, len(wanted))
    )


def _begins(text: str, wanted: str, is_prefix: bool) -> bool:
    return text.startswith(wanted) if is_prefix else text == wanted


def _best(marks: Sequence[tuple[int, int]]) -> int:
    """Return the start of the window with the most marks; 0 if there are none."""
    best, most = 0, 0
    for number, (start, _) in enumerate(marks):
        many = sum(1 for _, end in marks[number : number + 20] if end <= start + LENGTH * 3 // 4)
        if many > most:
            best, most = start, many
    return best


def _window(text: str, about: int, words: Sequence[Word]) -> tuple[int, int]:
    """Return the start and end of a window around a position, at word boundaries."""
    start = max(0, about - LENGTH // 4)
    if start:
        start = next((word.start for word in words if start <= word.start <= about), about)
    end = min(len(text), start + LENGTH)
    if end < len(text):
        end = max((word.end for word in words if start < word.end <= end), default=end)
    return start, end
