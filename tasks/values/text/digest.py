"""The text digest: equal for equal words in equal order, regardless of case, width or white space. Pure."""

import hashlib
import re
import unicodedata
from collections.abc import Sequence

from tasks.values.text.latin import latin_bytes, latin_tokens

ALGORITHM = 1
"""The algorithm number stored with every digest; a change of a rule below increments it."""

TOKEN = re.compile(r"[^\W_]+(?>[.,:/][^\W_]+)*+")


def tokenise(text: str) -> list[str]:
    """Return the words of a text: NFKC, format characters removed, casefolded; `3.5`, `10:30` and `2/3` stay whole."""
    return tokenise_normal(unicodedata.normalize("NFKC", text))


def tokenise_normal(normal: str) -> list[str]:
    """Return the words of a text that is already in NFKC."""
    latin = latin_bytes(normal)
    if latin is not None and (tokens := latin_tokens(latin)) is not None:
        return tokens
    if not normal.isascii() and not normal.replace("\n", " ").isprintable():  # printable text has no format characters
        unseen = [ord(character) for character in set(normal) if unicodedata.category(character) == "Cf"]
        normal = normal.translate(dict.fromkeys(unseen)) if unseen else normal
    return TOKEN.findall(normal.casefold())


def text_digest(text: str) -> str:
    """Return the digest of a text."""
    return digest_of(tokenise(text))


def digest_of(words: Sequence[str]) -> str:
    """Return `t<algorithm>:<SHA-256, hex>` of a text's words, joined by spaces."""
    return f"t{ALGORITHM}:{hashlib.sha256(' '.join(words).encode('utf-8', 'surrogatepass')).hexdigest()}"
