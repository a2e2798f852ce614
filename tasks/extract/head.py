"""Remove from a text's head what the metadata already have: title, byline, date, dateline, section. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from tasks.extract.metadata import Metadata
from tasks.extract.tree import words_in, words_of

_MAX_HEAD_LINES = 5
_MAX_KICKER, _MAX_BYLINE = 4, 10  # words
_MAX_GLUED = 4  # characters after a name: a role
_MAX_BESIDE_NAMES = 2  # words of a byline with a date: by, and a month
_MAX_PLACE_LENGTH, _MAX_UNCASED_LENGTH = 20, 4  # characters, since Japanese does not separate words
_ENDS = (".", "!", "?", "…", "。", "！", "？", "」", "』", "”", "»", '"', "।", "؟", "۔", ":", "：")
_ROW = "|"  # begins a table row, in which a year is a figure
_DATE = re.compile(r"\b(?:19|20)\d\d\b|\b\d{1,2}[./]\d{1,2}[./]\d{2}\b|\b(?:19|20)\d\d[年년]")

_THAI_DATE = re.compile(r"\b\d{1,2}\s+[\u0e01-\u0e4e.]{3,12}\s+25\d\d\b")  # with Buddhist years
_ANY_YEAR = "2000"


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataWords:
    """The words of a page's metadata: its titles, its section, and all words of its authors' names."""

    titles: tuple[tuple[str, ...], ...]
    section: tuple[str, ...]
    names: frozenset[str]

    @classmethod
    def by(cls, metadata: Metadata) -> Self:
        return cls(
            titles=tuple(words for title in metadata.titles if (words := words_of(title))),
            section=words_of(metadata.section or ""),
            names=frozenset(word for author in metadata.authors for word in words_of(author)),
        )


def drop_head(lines: Sequence[str], said: MetadataWords) -> Sequence[str]:
    """Return the lines without first ones that repeat the metadata; a text of one line is returned unchanged."""
    if len(lines) < 2:
        return lines
    return [*(line for line in lines[:_MAX_HEAD_LINES] if not _is_said(line, said)), *lines[_MAX_HEAD_LINES:]]


def _is_said(line: str, said: MetadataWords) -> bool:
    words = words_in(line)
    if words == said.section or _is_title(words, said):
        return True
    if _THAI_DATE.search(line):
        line = _THAI_DATE.sub(_ANY_YEAR, line)
        words = words_in(line)
    if _is_date(line, words):
        return True
    # a line that ends like a sentence is one, however short: `Silence.`, `雨が降り始めた。`
    return not line.endswith(_ENDS) and (
        _is_place(line, words) or _is_byline(words, said) or _is_address(line, words, said)
    )


def _is_place(line: str, words: tuple[str, ...]) -> bool:
    """Whether a line may be a dateline: one capitalized word, or a short one in scripts without case."""
    longest = (
        _MAX_PLACE_LENGTH if line[0].isupper() else _MAX_UNCASED_LENGTH if line[0].lower() == line[0].upper() else 0
    )
    return len(words) == 1 and len(line) <= longest


def _is_title(words: tuple[str, ...], said: MetadataWords) -> bool:
    """Whether words are a title, possibly with a few more before or after it."""
    return any(
        0 <= len(words) - len(title) <= _MAX_KICKER and title in (words[-len(title) :], words[: len(title)])
        for title in said.titles
    )


def _is_byline(words: tuple[str, ...], said: MetadataWords) -> bool:
    """Whether words are authors' names and at most one more (`by`), or with a date: figures, `by` and a month."""
    if len(words) > _MAX_BYLINE:
        return False
    names = sum(word in said.names or _is_glued(word, said) for word in words)
    figures = sum(any(map(str.isdigit, word)) for word in words)
    return names >= max(1, len(words) - 1) or (
        figures > 0 and names > 0 and len(words) - names - figures <= _MAX_BESIDE_NAMES
    )


def _is_glued(word: str, said: MetadataWords) -> bool:
    """Whether a word is a name with a suffix, in a script without spaces: `山田花子記者`."""
    return word > "\u2e80" and any(word.startswith(name) and len(word) - len(name) <= _MAX_GLUED for name in said.names)


def _is_address(line: str, words: tuple[str, ...], said: MetadataWords) -> bool:
    """Whether a line is an author's name with a mail address: `김민수 기자 mskim@port.example`."""
    return "@" in line and len(words) <= _MAX_BYLINE and not said.names.isdisjoint(words)


def _is_date(line: str, words: tuple[str, ...]) -> bool:
    if len(words) > _MAX_BYLINE or line.startswith(_ROW) or not _DATE.search(line):
        return False
    return 2 * sum(any(map(str.isdigit, word)) for word in words) >= len(words)
