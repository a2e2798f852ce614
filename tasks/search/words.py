"""The tokenizer of the search index. Pure.

A word is a run of letters, marks and figures. In scripts without spaces, or whose words have endings that nobody types
(Hangul), every character is a word: a query of several becomes a phrase, which does what bigrams do, without a second
field and without false matches.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import NamedTuple

from tantivy import Filter, TextAnalyzer, TextAnalyzerBuilder, Tokenizer

from tasks.values.text.storable import storable_text

LONGEST_WORD = 80
"""In bytes; nobody searches for longer words."""

_SINGLE = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_WORD = rf"[{_SINGLE}]|[\p{{L}}\p{{M}}\p{{N}}&&[^{_SINGLE}]]+"


class Word(NamedTuple):
    """A word with its position: the characters from `start` to `end` of its text."""

    text: str
    start: int
    end: int


@cache
def analyzer() -> TextAnalyzer:
    """Return the tokenizer of folded texts; indexes do not store it, so it is registered each time one is opened."""
    builder = TextAnalyzerBuilder(Tokenizer.regex(_WORD))
    for one in (Filter.remove_long(LONGEST_WORD), Filter.lowercase(), Filter.ascii_fold()):
        builder = builder.filter(one)
    return builder.build()


def words_of(text: str) -> list[str]:
    """Return the words of a text, folded, in order."""
    words: list[str] = analyzer().analyze(fold(text))
    return words


def placed_words(text: str) -> Iterator[Word]:
    """Yield the words of a text, folded, with their positions in the original text."""
    for token in analyzer().pre_tokenize(text).tokens:
        yield Word(_plain(token.text), token.char_offset_from, token.char_offset_to)


@lru_cache(maxsize=50_000)
def _plain(word: str) -> str:
    return word if word.isascii() else " ".join(words_of(word))


# accents, points and vowel signs of Latin, Greek, Cyrillic, Hebrew and Arabic, and invisible characters
_MARKS = (
    "\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u0640"
)
_UNSEEN = "\u00ad\u200b-\u200f\u2060-\u2064\ufeff\ufe00-\ufe0f"
_UNREAD = re.compile(f"[{_MARKS}{_UNSEEN}]+")
# the breve of й stays: it is a separate letter, and words with й and и differ
_UNREAD_BUT_SHORT_I = re.compile(f"(?:(?!(?<=\u0438)\u0306)[{_MARKS}{_UNSEEN}])+")
_ARABIC = re.compile("[\u0600-\u06ff]")
# Persian and Arabic keyboards have two forms of kaf and yeh; alef maqsura and teh marbuta are often typed as yeh and
# heh
_FORMS = str.maketrans("\u0649\u06cc\u0629\u06a9", "\u064a\u064a\u0647\u0643")


def fold(text: str) -> str:
    """Return a text without case, accents and invisible characters, with compatibility characters normalized."""
    if text.isascii():
        return text
    parted = unicodedata.normalize("NFKD", storable_text(text).casefold())
    unread = _UNREAD_BUT_SHORT_I if "\u0438\u0306" in parted else _UNREAD
    folded = unicodedata.normalize("NFC", unread.sub("", parted))
    return folded.translate(_FORMS) if _ARABIC.search(folded) else folded
