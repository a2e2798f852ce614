"""Markup within bounds, before any tree is made of it: elements, attributes of one, depth. Pure.

A tree takes many times its text, and looking for attributes of one name takes a time that grows with their square.
Depth is bounded by libxml2 itself: at 256 in XML, at 2,048 in HTML.
"""

import re
from itertools import islice

MAX_TAGS = 1_000_000
"""Tags of one document; what follows is cut off. A sitemap's 50,000 URLs, each with its date and title, have a third."""

MAX_ATTRIBUTES = 200
"""Attributes of one element; those of one that has more are left out, all of them."""

_LONG_TAG = 1000
# XML allows no `<` in a value, and where HTML does, the rest is another piece
_TAG = re.compile(r"""[A-Za-z_][^\s/>"']*+(?:[^>"']|"[^"]*+"|'[^']*+')*+""")
_ATTRIBUTE = re.compile(r"""[^\s"'=>/]++\s*+(?:=\s*+(?:"[^"]*+"|'[^']*+'|[^\s"'>]++))?+""")
_NAME = re.compile(r"[^\s/>]*")


def bounded_markup(text: str) -> tuple[str, tuple[str, ...]]:
    """Return the text within its bounds, and what was left out, in words."""
    doubts = []
    if text.count("<") > MAX_TAGS:
        text = text[: _place_of(text, MAX_TAGS)]
        doubts.append(f"more than {MAX_TAGS:,} tags")
    bounded = with_few_attributes(text)
    if bounded is not text:
        doubts.append(f"an element with more than {MAX_ATTRIBUTES} attributes")
    return bounded, tuple(doubts)


def with_few_attributes(text: str) -> str:
    """Return the text without the attributes of elements that have too many; the same string where none has."""
    pieces = text.split("<")
    if max(map(len, pieces)) <= _LONG_TAG:  # as of most texts
        return text
    long = [number for number, piece in enumerate(pieces) if len(piece) > _LONG_TAG and number]
    shortened = {number: piece for number in long if (piece := _without_attributes(pieces[number])) is not None}
    if not shortened:
        return text
    return "<".join(shortened.get(number, piece) for number, piece in enumerate(pieces))


def _place_of(text: str, number: int) -> int:
    return next(islice(re.finditer("<", text), number, None)).start()


def _without_attributes(piece: str) -> str | None:
    """Return a tag and what follows it without its attributes, or None where those are not too many."""
    tag = _TAG.match(piece)
    if tag is None:
        return None
    name = _NAME.match(piece)
    end = name.end() if name else 0
    found = _ATTRIBUTE.finditer(piece, end, tag.end())
    if next(islice(found, MAX_ATTRIBUTES, None), None) is None:
        return None
    slash = "/" if piece[tag.end() - 1 : tag.end()] == "/" else ""
    return piece[:end] + slash + piece[tag.end() :]
