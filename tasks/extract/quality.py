"""Estimate the quality of an extracted text, by missing text, superfluous text, and its distribution on the page.

Pure. The figure is for sorting, not a measure of truth: on labelled pages most are near 1, and those far below are
wrong.
"""

import re
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from lxml.html import HtmlElement

from tasks.extract.tree import text_of

GUESSES = frozenset(("readability", "paragraphs", "unseen"))
"""Paths that are used only if the others missed too much of a page, or found nothing."""

_WORTH_OF_A_GUESS = 0.6
_SLACK = 1.25  # a fifth of the page's words may be navigation and footers
_MIN_JUDGED, _SHORT_LINE, _SHORT_UNSPACED = 500, 80, 25  # characters
_UNSPACED = re.compile("[\u2e81-\U0010ffff]")
_MIN_PARAGRAPH_LENGTH = 40  # characters; shorter ones are as often labels


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """How a text is placed on its page.

    Each is 0 to 1: the share of it in one element, the share of its lines that equal blocks of the page, and its share
    of the page's text outside of links.
    """

    together: float = 1.0
    found_again: float = 1.0
    of_page: float = 1.0


def quality_of(text: str, tree: HtmlElement, *, path: str, mass: int, signs: Placement | None = None) -> float:
    """Return the quality, 0 to 1: the share of the article's paragraphs in the text, less its lines of mere links.

    `tree` is the pruned page, `mass` that of its paragraphs. A guess counts less than a text found by the usual path,
    and so does a text that is scattered over the page, a small part of it, or made of short lines.
    """
    if not text:
        return 0.0
    signs = signs or Placement()
    kept = min(1.0, len(text) / mass) if mass else 1.0
    links = {text_of(link) for link in tree.iter("a")}
    lies = _less(signs.together, 0.25) * _less(signs.found_again, 0.5) * _less(min(1.0, _SLACK * signs.of_page), 0.6)
    in_sentences = _less(1.0 - _short_share(text, links), 0.5)
    sure = kept * (1.0 - _link_share(text, links)) * lies * in_sentences
    return round(sure * (_WORTH_OF_A_GUESS if path in GUESSES else 1.0), 3)


def _less(share: float, most: float) -> float:
    """Return 1 for a full share, and 1 - `most` for none."""
    return 1.0 - most * (1.0 - share)


def _short_share(text: str, links: AbstractSet[str]) -> float:
    """Return the share of a longer text that is in lines shorter than a sentence, except links."""
    if len(text) < _MIN_JUDGED:
        return 0.0
    shortest = _SHORT_UNSPACED if len(_UNSPACED.findall(text, 0, _MIN_JUDGED)) > _MIN_JUDGED / 2 else _SHORT_LINE
    return sum(len(line) for line in text.split("\n") if len(line) < shortest and line not in links) / len(text)


def paragraph_mass(tree: HtmlElement) -> int:
    """Return the number of characters in the page's longer paragraphs, outside of links."""
    masses = (length_of(element) - sum(map(length_of, element.iter("a"))) for element in tree.iter("p"))
    return sum(mass for mass in masses if mass >= _MIN_PARAGRAPH_LENGTH)


def length_of(element: HtmlElement) -> int:
    """Return the number of characters under an element, without white space around its pieces."""
    return sum(len(text.strip()) for text in element.itertext())


def _link_share(text: str, links: AbstractSet[str]) -> float:
    lines = text.split("\n")
    return sum(len(line) for line in lines if line in links) / sum(map(len, lines))
