"""The words of a text that are written as names: with a capital letter wherever they stand. Pure.

A German noun is one as well, and so is the rare word that begins its only sentence; in scripts without capitals there are none.
"""

import re
import unicodedata

_WORD = re.compile(r"[^\W\d_]\w*")


def names_in(text: str) -> frozenset[str]:
    """Return the names of a text, as its words are made (digest.tokenise)."""
    capital, small = set[str](), set[str]()
    for word in set(_WORD.findall(unicodedata.normalize("NFKC", text))):
        (capital if word[0].isupper() else small).add(word.casefold())
    return frozenset(capital - small)
