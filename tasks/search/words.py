"""The words of a text as the search index has them. Pure.

A word is a run of letters, marks and figures. Scripts that write without spaces, or whose words carry endings that
nobody types (Hangul), give one character a word: a query of several becomes a phrase, which is what bigrams stand for,
without a second field and without false finds.
"""

from collections.abc import Iterator
from functools import cache, lru_cache
from typing import NamedTuple

from tantivy import Filter, TextAnalyzer, TextAnalyzerBuilder, Tokenizer

from tasks.search.folding import fold

LONGEST_WORD = 80
"""Bytes; what is longer is no word that anybody looks for."""

_SINGLE = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_WORD = rf"[{_SINGLE}]|[\p{{L}}\p{{M}}\p{{N}}&&[^{_SINGLE}]]+"


class Word(NamedTuple):
    """A word where it stands: the characters from `start` to `end` of its text."""

    text: str
    start: int
    end: int


@cache
def analyzer() -> TextAnalyzer:
    """Return what parts folded texts into words; an index does not keep it, so each opening registers it again."""
    builder = TextAnalyzerBuilder(Tokenizer.regex(_WORD))
    for one in (Filter.remove_long(LONGEST_WORD), Filter.lowercase(), Filter.ascii_fold()):
        builder = builder.filter(one)
    return builder.build()


def words_of(text: str) -> list[str]:
    """Return the words of a text, folded, in their order."""
    words: list[str] = analyzer().analyze(fold(text))
    return words


def placed_words(text: str) -> Iterator[Word]:
    """Yield the words of a text, folded, with their places in the text as it is."""
    for token in analyzer().pre_tokenize(text).tokens:
        yield Word(_plain(token.text), token.char_offset_from, token.char_offset_to)


@lru_cache(maxsize=50_000)
def _plain(word: str) -> str:
    return word if word.isascii() else " ".join(words_of(word))
