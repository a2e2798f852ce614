"""The blocks of text of a page, in order: paragraphs, items, headings, and loose lines between them. Pure."""

from dataclasses import dataclass

from lxml.etree import iterwalk
from lxml.html import HtmlElement

from tasks.extract.outline import BLOCKS
from tasks.extract.tree import clean, key_of

PARTING = BLOCKS | frozenset(
    (
        "body", "td", "th", "tr", "tbody", "thead", "figure", "figcaption", "pre", "form", "aside", "footer", "nav",
        "fieldset", "dt", "center", "details", "summary", "button", "dialog", "address", "hr", "br",
    )
)  # fmt: skip

Kind = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A block of text: its element, its text, and how much of it is in links.

    `element` is the enclosing block element; loose lines share it with others. `key` are its words, concatenated.
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
        """Tag and class of the element and of its parent, which similar blocks share."""
        above = self.element.getparent()
        return (
            str(self.element.tag),
            self.element.get("class") or "",
            str(above.tag) if above is not None else "",
            (above.get("class") or "") if above is not None else "",
        )

    @property
    def box(self) -> HtmlElement | None:
        """The element around its box, which also holds the heading next to it: of a paragraph the grandparent, else the parent."""
        above = self.element.getparent()
        return above.getparent() if above is not None and self.element.tag == "p" else above


def blocks_of(tree: HtmlElement) -> list[Block]:
    """Return the blocks under an element.

    Linear; makes no call for empty elements, since pages have thousands.
    """
    blocks: list[Block] = []
    owners: list[HtmlElement] = []
    pieces: list[str] = []
    linked = links = 0
    for event, element in iterwalk(tree, events=("start", "end")):
        tag, is_start = element.tag, event == "start"
        if tag in PARTING:
            if pieces:
                _add_block(blocks, owners[-1], pieces, linked)
                pieces, linked = [], 0
            if tag != "br":
                if is_start:
                    owners.append(element)
                else:
                    owners.pop()
        elif tag == "a":
            links += 1 if is_start else -1
        text = element.text if is_start else element.tail
        if text and owners and not text.isspace():
            pieces.append(text)
            linked += len(text.strip()) if links else 0
        elif text and pieces:
            pieces.append(text)
    return blocks


def _add_block(blocks: list[Block], owner: HtmlElement, pieces: list[str], linked: int) -> None:
    text = clean("".join(pieces))
    if text and (key := key_of(text)):
        blocks.append(Block(element=owner, text=text, key=key, linked=min(linked, len(text)) if linked else 0))
