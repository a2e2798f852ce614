"""The changes from one revision of an article to the next: a summary and a unified diff. Pure."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import unified_diff

from tasks.values.text.content import changed_parts, content_digest
from tasks.values.text.digest import tokenise

HEAD = ("title", "authors", "date")
"""The lines of a diff before the sentences."""

# the end of a sentence: its mark, closing quotes, then space; CJK marks need no space
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"'”’»)\]]*\s+|(?<=[。！？])[」』）]*\s*")
_ABBREVIATED = re.compile(r"(?:\b\w|\b(?:Mr|Mrs|Ms|Dr|Prof|St|Sen|Rep|Gen|Gov|Jr|Sr|No|vs|etc|approx|Nr|bzw|ca))\.$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """The visible content of one revision."""

    title: str | None
    text: str
    authors: tuple[str, ...] = ()
    published_at: datetime | None = None

    @property
    def content(self) -> str:
        """The revision's content digest."""
        return content_digest(title=self.title, text=self.text, authors=self.authors, published_at=self.published_at)

    @property
    def lines(self) -> list[str]:
        """The lines to compare: title, authors, date, sentences."""
        date = f"{self.published_at:%Y-%m-%d %H:%M:%S %Z}" if self.published_at else None
        head = (self.title, ", ".join(self.authors), date)
        named = (f"{name}: {' '.join(part.split())}" for name, part in zip(HEAD, head, strict=True) if part)
        return [*named, *split_sentences(self.text)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a revision changed. Words are counted as multisets, so moved words are neither added nor removed.

    `parts`: `title`, `words`, `figures`, `authors`, `date` (tasks/values/text/content.py).
    """

    parts: tuple[str, ...]
    title_before: str | None
    title_after: str | None
    words_added: int
    words_removed: int
    sentences_added: int
    sentences_removed: int

    @property
    def is_new_title(self) -> bool:
        """Whether the headline changed."""
        return self.title_before != self.title_after


def summarise_change(before: Version, after: Version, *, parts: Sequence[str] | None = None) -> Change:
    """Summarise the changes between two revisions. `parts` are the changed parts, if already known."""
    words_before, words_after = Counter(tokenise(before.text)), Counter(tokenise(after.text))
    sentences_before, sentences_after = Counter(split_sentences(before.text)), Counter(split_sentences(after.text))
    return Change(
        parts=changed_parts(before.content, after.content) if parts is None else tuple(parts),
        title_before=before.title,
        title_after=after.title,
        words_added=(words_after - words_before).total(),
        words_removed=(words_before - words_after).total(),
        sentences_added=(sentences_after - sentences_before).total(),
        sentences_removed=(sentences_before - sentences_after).total(),
    )


def diff_versions(
    before: Version, after: Version, *, before_name: str = "before", after_name: str = "after", context: int = 1
) -> str:
    """Return a unified diff of two revisions; title, authors, date and each sentence are one line.

    Empty if nothing differs.
    """
    lines = unified_diff(before.lines, after.lines, before_name, after_name, n=context, lineterm="")
    return "\n".join(lines)


def split_sentences(text: str) -> list[str]:
    """Split a text into sentences with normalised white space. A paragraph's end also ends a sentence."""
    return [sentence for paragraph in text.split("\n") for sentence in _sentences(paragraph)]


def _sentences(paragraph: str) -> Iterator[str]:
    start = 0
    for end in _SENTENCE_END.finditer(paragraph):
        if _ABBREVIATED.search(paragraph[start : end.start()]):
            continue
        yield from _cleaned(paragraph[start : end.end()])
        start = end.end()
    yield from _cleaned(paragraph[start:])


def _cleaned(sentence: str) -> Iterator[str]:
    if cleaned := " ".join(sentence.split()):
        yield cleaned
