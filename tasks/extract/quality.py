"""How far a text that was found can be trusted: by what it left, what it took too much, how it lies. Pure.

A figure to sort by, not a measure of truth: on pages whose text is known, most are near 1, and what is far below is
wrong.
"""

import re
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from lxml.html import HtmlElement

from tasks.extract.tree import text_of

GUESSES = frozenset(("readability", "paragraphs", "unseen"))
"""Paths that are taken only when all else left too much of a page, or found nothing on it."""

_WORTH_OF_A_GUESS = 0.6
_SLACK = 1.25  # of the page's words a fifth may be its own: navigation, footers
_MIN_JUDGED, _SHORT_LINE, _SHORT_UNSPACED = 500, 80, 25  # characters
_UNSPACED = re.compile("[\u2e81-\U0010ffff]")
_MIN_PARAGRAPH_LENGTH = 40  # characters; what is shorter is as often a label


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """How a text lies on its page, each 0 to 1.

    What of it is in one element, which of its lines are blocks of the page as they stand there, and how much of what
    the page says outside of links it is.
    """

    together: float = 1.0
    found_again: float = 1.0
    of_page: float = 1.0


def quality_of(text: str, tree: HtmlElement, *, path: str, mass: int, signs: Signs | None = None) -> float:
    """Return 0 to 1: the share of the article's paragraphs that the text has, without its lines that are mere links.

    `tree` is the page after pruning, `mass` its paragraphs'. A guess counts for less than what was found by the usual
    way, and so does a text that is scattered over the page, is little of it, or is made of short lines.
    """
    if not text:
        return 0.0
    signs = signs or Signs()
    kept = min(1.0, len(text) / mass) if mass else 1.0
    links = {text_of(link) for link in tree.iter("a")}
    lies = _less(signs.together, 0.25) * _less(signs.found_again, 0.5) * _less(min(1.0, _SLACK * signs.of_page), 0.6)
    in_sentences = _less(1.0 - _short_share(text, links), 0.5)
    sure = kept * (1.0 - _link_share(text, links)) * lies * in_sentences
    return round(sure * (_WORTH_OF_A_GUESS if path in GUESSES else 1.0), 3)


def _less(share: float, most: float) -> float:
    """Return 1 for the whole, and less by so much at the most for nothing."""
    return 1.0 - most * (1.0 - share)


def _short_share(text: str, links: AbstractSet[str]) -> float:
    """Return the part of a text of some length that is in lines shorter than a sentence and are no links."""
    if len(text) < _MIN_JUDGED:
        return 0.0
    shortest = _SHORT_UNSPACED if len(_UNSPACED.findall(text, 0, _MIN_JUDGED)) > _MIN_JUDGED / 2 else _SHORT_LINE
    return sum(len(line) for line in text.split("\n") if len(line) < shortest and line not in links) / len(text)


def paragraph_mass(tree: HtmlElement) -> int:
    """Return the characters of the page's longer paragraphs, without those that are in links."""
    masses = (length_of(element) - sum(map(length_of, element.iter("a"))) for element in tree.iter("p"))
    return sum(mass for mass in masses if mass >= _MIN_PARAGRAPH_LENGTH)


def length_of(element: HtmlElement) -> int:
    """Return the characters under an element, without the white space round its pieces."""
    return sum(len(text.strip()) for text in element.itertext())


def _link_share(text: str, links: AbstractSet[str]) -> float:
    lines = text.split("\n")
    return sum(len(line) for line in lines if line in links) / sum(map(len, lines))
