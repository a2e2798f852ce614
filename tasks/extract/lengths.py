"""How much a text says, in whatever script. Pure."""

import re

_WHITE = " \n\t\r\xa0"
_DENSE = re.compile("[\u2e80-\ud7ff\uf900-\ufaff\uff00-\uffef]")


def size_of(text: str) -> int:
    """Return a text's characters, those of Chinese, Japanese and Korean twice: each says what two or three letters do."""
    return len(text) if text.isascii() else len(text) + len(_DENSE.findall(text))


def solid_size(text: str) -> int:
    """Return a text's characters but for spaces and line breaks, whose number in a page's source says nothing."""
    return len(text) - sum(map(text.count, _WHITE))
