"""The blocks of text of a page in their order: paragraphs, items, headings, and lines that stand loose between them. Pure."""

from dataclasses import dataclass

from lxml.etree import iterwalk
from lxml.html import HtmlElement

from tasks.extract.outline import BLOCKS
from tasks.extract.tree import clean, words_in

PARTING = BLOCKS | frozenset(
    (
        "body", "td", "th", "tr", "tbody", "thead", "figure", "figcaption", "pre", "form", "aside", "footer", "nav",
        "fieldset", "dt", "center", "details", "summary", "button", "dialog", "address", "hr", "br",
    )
)  # fmt: skip

Kind = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A piece of text that stands by itself: its element, its text, and how much of that is in links.

    `element` is the block element it stands in; a loose line shares it with others. `key` is its words in one piece.
    """

    element: HtmlElement
    text: str
    key: str
    linked: int

    @property
    def link_share(self) -> float:
        return self.linked / len(self.text)

    @property
    def kind(self) -> Kind:
        """What like blocks have in common: tag and class of the element and of the one above it."""
        above = self.element.getparent()
        return (
            str(self.element.tag),
            self.element.get("class") or "",
            str(above.tag) if above is not None else "",
            (above.get("class") or "") if above is not None else "",
        )

    @property
    def box(self) -> HtmlElement | None:
        """The element two levels up, that holds a paragraph's box and the heading beside it."""
        above = self.element.getparent()
        return above.getparent() if above is not None and self.element.tag == "p" else above


def blocks_of(tree: HtmlElement) -> list[Block]:
    """Return the blocks under an element. Linear."""
    reader = _Reader()
    for event, element in iterwalk(tree, events=("start", "end")):
        if event == "start":
            reader.begin(element)
        else:
            reader.end(element)
    return reader.blocks


class _Reader:
    """Gathers text until a block begins or ends."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self._owners: list[HtmlElement] = []
        self._pieces: list[str] = []
        self._linked = self._links = 0

    def begin(self, element: HtmlElement) -> None:
        if element.tag in PARTING:
            self._flush()
            if element.tag != "br":
                self._owners.append(element)
        self._links += element.tag == "a"
        self._add(element.text)

    def end(self, element: HtmlElement) -> None:
        if element.tag in PARTING:
            self._flush()
            if element.tag != "br":
                self._owners.pop()
        self._links -= element.tag == "a"
        self._add(element.tail)

    def _add(self, text: str | None) -> None:
        if text and self._owners:
            self._pieces.append(text)
            self._linked += len(text.strip()) if self._links else 0

    def _flush(self) -> None:
        if self._pieces:
            text = clean("".join(self._pieces))
            if text and (key := "".join(words_in(text))):
                linked = min(self._linked, len(text))
                self.blocks.append(Block(element=self._owners[-1], text=text, key=key, linked=linked))
            self._pieces.clear()
            self._linked = 0
