"""The size of a text in any script. Pure."""

import re

_WHITE = " \n\t\r\xa0"
_DENSE = re.compile("[\u2e80-\ud7ff\uf900-\ufaff\uff00-\uffef]")


def size_of(text: str) -> int:
    """Return a text's characters. Chinese, Japanese and Korean ones count twice: each equals two or three letters."""
    return len(text) if text.isascii() else len(text) + len(_DENSE.findall(text))


def solid_size(text: str) -> int:
    """Return a text's characters without spaces and line breaks, whose number in the source is arbitrary."""
    return len(text) - sum(map(text.count, _WHITE))
