"""How far a text that was found can be trusted: by what it left, what it took too much, and who found it. Pure.

A figure to sort by, not a measure of truth: on pages whose text is known, most are near 1, and what is far below is wrong.
"""

from lxml.html import HtmlElement

from tasks.extract.tree import text_of

GUESSES = frozenset(("readability", "paragraphs"))
"""Paths that are taken only when all else left too much of a page."""

_WORTH_OF_A_GUESS = 0.6
_MIN_PARAGRAPH_LENGTH = 40  # characters; what is shorter is as often a label


def quality_of(text: str, tree: HtmlElement, *, path: str, mass: int) -> float:
    """Return 0 to 1: the share of the page's paragraphs that the text has, without its lines that are mere links.

    `tree` is the page after pruning, `mass` its paragraphs'. A guess counts for less than what was found by the usual way.
    """
    if not text:
        return 0.0
    kept = min(1.0, len(text) / mass) if mass else 1.0
    return round(kept * (1.0 - _link_share(text, tree)) * (_WORTH_OF_A_GUESS if path in GUESSES else 1.0), 3)


def paragraph_mass(tree: HtmlElement) -> int:
    """Return the characters of the page's longer paragraphs, without those that stand in links."""
    masses = (length_of(element) - sum(map(length_of, element.iter("a"))) for element in tree.iter("p"))
    return sum(mass for mass in masses if mass >= _MIN_PARAGRAPH_LENGTH)


def length_of(element: HtmlElement) -> int:
    """Return the characters under an element, without the white space round its pieces."""
    return sum(len(text.strip()) for text in element.itertext())


def _link_share(text: str, tree: HtmlElement) -> float:
    links = {text_of(link) for link in tree.iter("a")}
    lines = text.split("\n")
    return sum(len(line) for line in lines if line in links) / sum(map(len, lines))
