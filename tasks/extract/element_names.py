"""The names of all elements as one text: a word is searched once, not in thousands of names. Pure, linear."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate

from lxml.html import HtmlElement

_END = "\0"  # ends an element's names; no attribute contains it


class ElementNames:
    """The values of an attribute (or of `instead`, if it is missing) of all elements, in lower case."""

    def __init__(self, elements: Sequence[HtmlElement], attribute: str, *, instead: str = "") -> None:
        named = [(one, names) for one in elements if (names := one.get(attribute) or (instead and one.get(instead)))]
        self._elements = [one for one, _ in named]
        self._text = _END.join([names for _, names in named]).lower()
        self._ends = list(accumulate([len(names) + len(_END) for names in self._text.split(_END)]))

    def holding(self, *words: str) -> list[HtmlElement]:
        """Return the elements, in order, whose names contain any of these lower-case words."""
        return [self._elements[place] for place in sorted({place for word in words for place in self._places(word)})]

    def _places(self, word: str) -> Iterable[int]:
        at = self._text.find(word)
        while at >= 0:
            place = bisect_right(self._ends, at)
            yield place
            at = self._text.find(word, self._ends[place])
