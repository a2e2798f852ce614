"""The words of a text that are written as names: with a capital letter wherever they stand. Pure.

A German noun is one as well, and so is the rare word that begins its only sentence; in scripts without capitals there are none.
"""

import re
from collections.abc import Collection

_WORD = re.compile(r"[^\W\d_]\w*")


def names_in(normal: str) -> frozenset[str]:
    """Return the names of a text that is in NFKC, as its words are made (digest.tokenise)."""
    capital, small = list[str](), list[str]()
    for word in set(_WORD.findall(normal)):
        (capital if word[0].isupper() else small).append(word)
    return frozenset(_casefolded(capital) - _casefolded(small))


def _casefolded(words: Collection[str]) -> set[str]:
    """Return the words casefolded, by one call for all."""
    return set(" ".join(words).casefold().split(" ")) if words else set()
