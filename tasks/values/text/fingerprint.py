"""The fingerprint of a text: everything that decisions need, computed in parallel where the text is extracted. Pure."""

import re
import unicodedata
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from tasks.values.text.digest import digest_of, tokenise_normal
from tasks.values.text.latin import latin_bytes, words_by_case
from tasks.values.text.shape import Shape
from tasks.values.text.sketch import make_shape

SAMPLE = 300
"""How many letters of a text decide its script."""

NONE = "none"
_JAPANESE = {"HIRAGANA", "KATAKANA"}
_WORD = re.compile(r"[^\W\d_]\w*")


def names_in(normal: str) -> frozenset[str]:
    """Return the names in a text in NFKC: the words that are capitalized wherever they occur.

    German nouns count too, as does a rare word that only begins a sentence; scripts without capitals have no names.
    """
    capital, small = _by_case(normal)
    return frozenset(_casefolded(capital) - _casefolded(small))


def _by_case(normal: str) -> tuple[list[str], list[str]]:
    """Return the words of a text, from their first letter on, separated into capitalized and other words."""
    if (latin := latin_bytes(normal)) is not None:
        return words_by_case(latin)
    words = set(_WORD.findall(normal))
    capital = {word for word in words if word[0].isupper()}
    return list(capital), list(words - capital)


def _casefolded(words: Collection[str]) -> set[str]:
    """Return the words casefolded, in a single call."""
    joined = " ".join(words)
    folded = joined.casefold()
    return set(words) if folded == joined else set(folded.split(" "))


def script_of(text: str) -> str:
    """Return the script of most of a text's letters, as Unicode names it (`latin`, `cjk`), or `none`.

    Texts in different scripts cannot resemble each other. The language that pages declare is unreliable.
    """
    if text.isascii():
        return "latin" if any(map(str.isalpha, text)) else NONE
    letters = "".join(islice(filter(str.isalpha, text[: 4 * SAMPLE]), SAMPLE))
    if letters.isascii():
        return "latin" if letters else NONE
    counts = Counter(map(_script, letters))
    return min(counts, key=lambda script: (-counts[script], script), default=NONE)


@lru_cache(maxsize=20_000)
def _script(character: str) -> str:
    if character.isascii():
        return "latin"
    first = unicodedata.name(character, NONE).partition(" ")[0].partition("-")[0]
    return "cjk" if first in _JAPANESE else first.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """A text's digest, shape (None for a short text) and script; a text without words is never a copy."""

    digest: str
    has_words: bool
    shape: Shape | None
    script: str


def fingerprint_of(text: str) -> Fingerprint:
    """Return the fingerprint of a text."""
    normal = unicodedata.normalize("NFKC", text)
    words = tokenise_normal(normal)
    return Fingerprint(
        digest=digest_of(words),
        has_words=bool(words),
        shape=make_shape(words, names_in(normal)),
        script=script_of(text),
    )
