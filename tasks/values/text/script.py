"""The script that a text is written in: what keeps apart the texts that cannot resemble each other. Pure.

Pages declare their language wrongly or not at all, and copies of one text then would not meet; the text itself tells.
"""

import unicodedata
from collections import Counter
from functools import lru_cache

SAMPLE = 300
NONE = "none"
_JAPANESE = {"HIRAGANA", "KATAKANA"}


def script_of(text: str) -> str:
    """Return the script of most of a text's letters, as Unicode names it (`latin`, `cjk`), or `none`."""
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
