"""All that decisions need of a text alone: made where the text is extracted, beside other pages', not one by one. Pure."""

import re
import unicodedata
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

from tasks.values.text.digest import digest_of, tokenise_normal
from tasks.values.text.latin import different_runs, latin_bytes
from tasks.values.text.shape import Shape
from tasks.values.text.sketch import make_shape

SAMPLE = 300
"""Letters of a text that are looked at for its script."""

NONE = "none"
_JAPANESE = {"HIRAGANA", "KATAKANA"}
_WORD = re.compile(r"[^\W\d_]\w*")
_NO_LETTERS = "0123456789_"  # with which no word begins


def names_in(normal: str) -> frozenset[str]:
    """Return the words of a text in NFKC that have a capital letter wherever they stand.

    A German noun is one as well, and so is the rare word that begins its only sentence; scripts without capitals have none.
    """
    capital, small = list[str](), list[str]()
    for word in _words_in(normal):
        (capital if word[0].isupper() else small).append(word)
    return frozenset(_casefolded(capital) - _casefolded(small))


def _words_in(normal: str) -> set[str]:
    """Return the different words of a text, from their first letter on."""
    if (latin := latin_bytes(normal)) is None:
        return set(_WORD.findall(normal))
    return {word for run in different_runs(latin) if (word := run.lstrip(_NO_LETTERS))}


def _casefolded(words: Collection[str]) -> set[str]:
    """Return the words casefolded, by one call for all."""
    return set(" ".join(words).casefold().split(" ")) if words else set()


def script_of(text: str) -> str:
    """Return the script of most of a text's letters, as Unicode names it (`latin`, `cjk`), or `none`.

    Texts in different scripts cannot resemble each other. Pages declare their language wrongly or not at all.
    """
    if text.isascii():
        return "latin" if any(map(str.isalpha, text)) else NONE
    letters = [character for character in text[: 4 * SAMPLE] if character.isalpha()][:SAMPLE]
    counts = Counter(_script(character) for character in letters)
    return min(counts, key=lambda script: (-counts[script], script), default=NONE)


@lru_cache(maxsize=20_000)
def _script(character: str) -> str:
    if character.isascii():
        return "latin"
    first = unicodedata.name(character, NONE).partition(" ")[0].partition("-")[0]
    return "cjk" if first in _JAPANESE else first.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """A text's digest, shape (None for a short one) and script; a text without words is nobody's copy."""

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
