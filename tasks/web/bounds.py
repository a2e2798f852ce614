"""Markup within bounds, before any tree is made of it: elements, attributes of one, depth. Pure.

A tree takes many times its text, and looking for attributes of one name takes a time that grows with their square.
Depth is bounded by libxml2 itself: at 256 in XML, at 2,048 in HTML.
"""

import re
from collections.abc import Iterator
from itertools import islice

MAX_TAGS = 1_000_000
"""Tags of one document; what follows is cut off. A sitemap's 50,000 URLs, each with its date and title, have a third."""

MAX_ATTRIBUTES = 200
"""Attributes of one element; those of one that has more are left out, all of them."""

_LONG_TAG = 1000
_MIN_ATTRIBUTE = 2  # characters, with what parts it from the next
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
    kept, at = list[str](), 0
    for start, stop in _long_pieces(text):
        if (gone := _attributes(text, start, stop)) is not None:
            kept.append(text[at : gone[0]])
            at = gone[1]
    return "".join((*kept, text[at:])) if kept else text


def _long_pieces(text: str) -> Iterator[tuple[int, int]]:
    """Yield where tags with what follows them begin, behind their `<`, and end, if they are long.

    The last `<` of each window begins the next one: so nearly all of a page is stepped over, and never read.
    """
    at = text.find("<")
    while 0 <= at < len(text) - _LONG_TAG:
        last = text.rfind("<", at + 1, at + 1 + _LONG_TAG)
        if last < 0:
            last = text.find("<", at + 1 + _LONG_TAG)
            yield at + 1, len(text) if last < 0 else last
        at = last


def _place_of(text: str, number: int) -> int:
    return next(islice(re.finditer("<", text), number, None)).start()


def _attributes(text: str, start: int, stop: int) -> tuple[int, int] | None:
    """Return where a tag's attributes begin and end, or None where those are not too many."""
    tag, name = _TAG.match(text, start, stop), _NAME.match(text, start, stop)
    if tag is None or name is None or tag.end() - name.end() < _MIN_ATTRIBUTE * MAX_ATTRIBUTES:
        return None
    found = _ATTRIBUTE.finditer(text, name.end(), tag.end())
    if next(islice(found, MAX_ATTRIBUTES, None), None) is None:
        return None
    return name.end(), tag.end() - text.endswith("/", start, tag.end())
