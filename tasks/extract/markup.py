"""Render an article's text as markdown: headings, lists, quotes, tables, links and emphasis as on the page. Pure.

The text is converted line by line: if the page's block of a line is known and has the same text, its markup is added,
else the line stays plain. So rendering it gives the text again, apart from white space. It contains no HTML.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from lxml.html import HtmlElement

from tasks.errors import ItemError
from tasks.extract.blocks import PARTING, Block
from tasks.extract.tree import HEADINGS, clean
from tasks.values.url import Url

_ITEM, _CELL = "- ", " | "
_SPECIAL = re.compile(r"([\\`*_\[\]~])")
_SPECIALS = "\\`*_[]~"
_ENTITIES = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"))
# begins a list, a heading or a thematic break at the start of a line
_BEGINNING = re.compile(r"^(\d{0,9})([-+=#.):])")
_BEGINNINGS = "-+=#.):"
_CLOSING = re.compile(r"(?<!\\)(#+)$")  # a closing sequence at the end of a heading
_IN_ADDRESS = str.maketrans({"(": "%28", ")": "%29", "<": "%3C", ">": "%3E", "\\": "%5C", " ": "%20"})
_MARKED = ("a", "b", "strong", "i", "em")  # other tags have no equivalent in markdown
_BOLD, _ITALIC = frozenset(("b", "strong")), frozenset(("i", "em"))


class _Style(NamedTuple):
    """The style of a piece of text: bold, italic, and the link's target."""

    is_bold: bool = False
    is_italic: bool = False
    href: str | None = None

    @property
    def marker(self) -> str:
        return "*" * (2 * self.is_bold + self.is_italic)


Run = list[tuple[str, _Style]]
_PLAIN = _Style()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """A block of markdown. `kind`: `item`, `row` or `block`. `inside`: its list or table. `quote`: its quote."""

    text: str
    kind: str = "block"
    inside: HtmlElement | None = None
    quote: HtmlElement | None = None


def markdown_of(text: str, blocks: Sequence[Block]) -> str:
    """Return a text as CommonMark with tables. `blocks` are those of its page."""
    runs: dict[HtmlElement, dict[str, Run]] = {}
    # checked once per page, instead of searching the ancestors of each line
    has_quotes = any(True for block in blocks[:1] for _ in block.element.getroottree().iter("blockquote"))
    placed = _placed(text.split("\n") if text else (), blocks)
    parts = [_part(line, block, runs, has_quotes=has_quotes) for line, block in placed]
    return "".join(_joined(list(_with_tables(parts))))


def _placed(lines: Sequence[str], blocks: Sequence[Block]) -> Iterator[tuple[str, Block | None]]:
    """Yield each line with the block of the same text: the next one after the previous line's block, else the first."""
    places: dict[str, list[int]] = {}
    for at, block in enumerate(blocks):
        places.setdefault(block.text, []).append(at)
    last = -1
    for line in lines:
        found = places.get(line.removeprefix(_ITEM)) or places.get(line)
        if found is None:
            yield line, None
            continue
        place = bisect_right(found, last)
        last = found[place] if place < len(found) else found[0]
        yield line, blocks[last]


def _part(line: str, block: Block | None, runs: dict[HtmlElement, dict[str, Run]], *, has_quotes: bool) -> _Part:
    if line.startswith("| ") and line.endswith(" |"):
        return _Part(text=line, kind="row")
    element = block.element if block is not None else None
    quote = _above(element, "blockquote") if has_quotes else None
    is_item = line.startswith(_ITEM)
    plain = line.removeprefix(_ITEM) if is_item else line
    shown = _inline(plain, block, runs)
    if is_item:
        return _Part(text=shown, kind="item", inside=_above(element, "ul", "ol"), quote=quote)
    if element is not None and element.tag in HEADINGS:
        closed = _CLOSING.sub(r"\\\1", shown) if shown.endswith("#") else shown
        return _Part(text=f"{'#' * int(element.tag[1])} {closed}", quote=quote)
    return _Part(text=shown, quote=quote)


def _above(element: HtmlElement | None, *tags: str) -> HtmlElement | None:
    """Return the element itself or its nearest ancestor with one of these tags."""
    if element is None or element.tag in tags:
        return element
    return next(element.iterancestors(*tags), None)


# Blocks


def _with_tables(parts: Sequence[_Part]) -> Iterator[_Part]:
    """Yield the parts, with each run of rows joined into a table whose first row is the header."""
    for kind, several in groupby(parts, key=lambda part: part.kind):
        if kind == "row":
            yield _Part(text=_table([part.text for part in several]))
        else:
            yield from several


def _table(lines: Sequence[str]) -> str:
    rows = [[_escaped(cell).replace("|", "\\|") for cell in line[2:-2].split(_CELL)] for line in lines]
    width = max(map(len, rows))
    head, *body = [[*row, *[""] * (width - len(row))] for row in rows]
    return "\n".join(f"| {_CELL.join(row)} |" for row in (head, ["---"] * width, *body))


def _joined(parts: Sequence[_Part]) -> Iterator[str]:
    before: _Part | None = None
    number = 0
    for part in parts:
        is_next = before is not None and before.kind == part.kind == "item" and before.inside is part.inside
        is_next = is_next and before is not None and before.quote is part.quote
        if before is not None:
            is_one_quote = part.quote is not None and part.quote is before.quote
            yield "\n" if is_next else "\n>\n" if is_one_quote else "\n\n"
        number = number + 1 if is_next else 1
        yield f"{'> ' if part.quote is not None else ''}{_mark(part, number)}{part.text}"
        before = part


def _mark(part: _Part, number: int) -> str:
    if part.kind != "item":
        return ""
    return f"{number}. " if part.inside is not None and part.inside.tag == "ol" else _ITEM


# Lines


def _inline(line: str, block: Block | None, runs: dict[HtmlElement, dict[str, Run]]) -> str:
    """Return a line with its block's links and emphasis, if the text stays the same."""
    if block is not None:
        if block.element not in runs:
            runs[block.element] = _runs_by_key(block.element)
        run = runs[block.element].get(_key(line), []) if runs[block.element] else []
        if any(style != _PLAIN for _, style in run):
            return _at_beginning(_marked(run, block.element))
    return _at_beginning(_escaped(line))


def _runs_by_key(element: HtmlElement) -> dict[str, Run]:
    if next(element.iterdescendants(*_MARKED), None) is None:
        return {}
    return {_key("".join([text for text, _ in run])): run for run in _runs(element)}


def _key(text: str) -> str:
    return "".join(text.split())


def _runs(element: HtmlElement) -> list[Run]:
    """Return the lines of an element as styled pieces; nested blocks separate them."""
    runs: list[Run] = [[]]
    _add(runs, element.text, _PLAIN)
    open_ones = [(iter(element), _PLAIN, element)]
    while open_ones:
        children, style, owner = open_ones[-1]
        child = next(children, None)
        if child is None:
            open_ones.pop()
            if open_ones:
                _add(runs, owner.tail, open_ones[-1][1])
        elif child.tag in PARTING:
            runs.append([])
            _add(runs, child.tail, style)
        else:
            inner = _styled(child, style)
            _add(runs, child.text, inner)
            open_ones.append((iter(child), inner, child))
    return runs


def _add(runs: Sequence[Run], text: str | None, style: _Style) -> None:
    if text:
        runs[-1].append((_folded(text), style))


def _styled(element: HtmlElement, style: _Style) -> _Style:
    if style.href is not None:
        return style
    if element.tag in _BOLD:
        return style._replace(is_bold=True)
    if element.tag in _ITALIC:
        return style._replace(is_italic=True)
    # no emphasis inside links: the text may be in several pieces, but is one link
    return _Style(href=element.get("href")) if element.tag == "a" else style


def _folded(text: str) -> str:
    """Return a piece cleaned like a line, but with leading and trailing white space as one space."""
    before, after = " " * text[0].isspace(), " " * text[-1].isspace()
    cleaned = clean(text)
    return f"{before}{cleaned}{after}" if cleaned else before


def _marked(run: Run, near: HtmlElement) -> str:
    """Return the pieces of a line with their markup, without emphasis that markdown would not recognise."""
    merged = [("".join(text for text, _ in several), style) for style, several in groupby(run, key=lambda one: one[1])]
    out = ""
    for place, (text, style) in enumerate(merged):
        core = text.strip()
        out += " " * (text[:1] == " " and out != "" and not out.endswith(" "))
        if not core:
            continue
        shown = _escaped(core)
        address = _address(style.href, near) if style.href else None
        follows = text[-1:] if text[-1:] == " " else next((one for one, _ in merged[place + 1 :] if one), "")[:1]
        if address is not None:
            out = f"{out[:-1]}\\!" if out.endswith("!") else out  # otherwise it would be an image
            shown = f"[{shown}]({address})"
        elif style.marker and _may_be_marked(core, before=out[-1:], after=follows):
            shown = f"{style.marker}{shown}{style.marker}"
        out += shown + " " * (text[-1:] == " ")
    return out.strip()


def _may_be_marked(core: str, *, before: str, after: str) -> bool:
    """Whether emphasis markers around a text are recognised as opening and closing (CommonMark 0.31, 6.2)."""
    opens = core[0].isalnum() or not before.strip()
    closes = core[-1].isalnum() or not after.strip()
    return opens and closes and before != "*"


def _address(href: str, near: HtmlElement) -> str | None:
    """Return a link's target escaped for markdown; None if it is not http or https."""
    try:
        return str(Url.parse(href, base=near.base_url)).translate(_IN_ADDRESS)
    except ItemError:
        return None


def _escaped(text: str) -> str:
    if any(map(text.__contains__, _SPECIALS)):
        text = _SPECIAL.sub(r"\\\1", text)
    for sign, entity in _ENTITIES:
        if sign in text:
            text = text.replace(sign, entity)
    return text


def _at_beginning(line: str) -> str:
    """Return a line escaped so that markdown reads it as a paragraph."""
    first = line[:1]
    return _BEGINNING.sub(r"\1\\\2", line) if first.isdigit() or first in _BEGINNINGS else line
