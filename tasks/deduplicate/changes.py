"""The changes from one revision of an article to the next: a summary, and a unified diff by sentence. Pure."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import unified_diff

from tasks.values.text.digest import tokenise

# the end of a sentence: its mark, closing quotes, then space; CJK marks need no space
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"'”’»)\]]*\s+|(?<=[。！？])[」』）]*\s*")
_ABBREVIATED = re.compile(r"(?:\b\w|\b(?:Mr|Mrs|Ms|Dr|Prof|St|Sen|Rep|Gen|Gov|Jr|Sr|No|vs|etc|approx|Nr|bzw|ca))\.$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The changes of a revision. Words are counted with their repetitions; moving them adds and removes none."""

    title_before: str | None
    title_after: str | None
    words_added: int
    words_removed: int
    sentences_added: int
    sentences_removed: int

    @property
    def is_new_title(self) -> bool:
        """Whether the headline has changed."""
        return self.title_before != self.title_after


def summarise_change(*, title_before: str | None, text_before: str, title_after: str | None, text_after: str) -> Change:
    """Return the changes between two revisions."""
    words_before, words_after = Counter(tokenise(text_before)), Counter(tokenise(text_after))
    before, after = Counter(split_sentences(text_before)), Counter(split_sentences(text_after))
    return Change(
        title_before=title_before,
        title_after=title_after,
        words_added=(words_after - words_before).total(),
        words_removed=(words_before - words_after).total(),
        sentences_added=(after - before).total(),
        sentences_removed=(before - after).total(),
    )


def diff_revisions(
    before: str, after: str, *, before_name: str = "before", after_name: str = "after", context: int = 1
) -> str:
    """Return a unified diff of two texts, a sentence a line; empty if no sentence differs."""
    lines = unified_diff(
        split_sentences(before), split_sentences(after), before_name, after_name, n=context, lineterm=""
    )
    return "\n".join(lines)


def split_sentences(text: str) -> list[str]:
    """Return the sentences of a text, with plain white space; the end of a paragraph also ends a sentence."""
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
