"""Measure the amount of text, independent of the script. Pure."""

import re

_WHITE = " \n\t\r\xa0"
_DENSE = re.compile("[\u2e80-\ud7ff\uf900-\ufaff\uff00-\uffef]")


def size_of(text: str) -> int:
    """Return the number of characters; Chinese, Japanese and Korean ones count twice, as two or three letters would."""
    return len(text) if text.isascii() else len(text) + len(_DENSE.findall(text))


def solid_size(text: str) -> int:
    """Return the number of characters except spaces and line breaks, whose number in a page's source means nothing."""
    return len(text) - sum(map(text.count, _WHITE))
