"""The methods to extract the text of a pruned page, in the order in which they are tried.

Pure. The first, trafilatura's fast mode, is fast and right for most pages; each of the others costs more and guesses
more. To add a method, add a row to `METHODS`.
"""

import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from html import unescape

from lxml.etree import LxmlError, SubElement
from lxml.html import HtmlElement, fragment_fromstring
from trafilatura import bare_extraction
from trafilatura.readability_lxml import Document
from trafilatura.settings import Extractor

from tasks.extract.quality import length_of
from tasks.extract.quick import quick_text
from tasks.extract.tree import parse_html, text_of

_MAX_LINK_SHARE = 0.5
_MARKUP = re.compile(r"<(?:p|br|div|h\d|li|a)\b[^<>]{0,500}>", re.IGNORECASE)
FAST = "fast"
"""The name of the first method: trafilatura's fast mode."""

_FAST = Extractor(output_format="python", fast=True, comments=False)  # created once: reading its settings takes 0.2 ms
_RECALL = Extractor(output_format="python", fast=True, comments=False, recall=True)
_MIN_GAIN = 1.5  # trafilatura takes its recall mode's text if it is this many times as long


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One method: its name, and the function that returns the text of a page."""

    name: str
    find: Callable[[HtmlElement], str]


def first_sufficient(
    tree: HtmlElement, tidied: Callable[[str], str], measure: Callable[[str], tuple[HtmlElement | None, float]]
) -> tuple[str, str]:
    """Return the first sufficient text of the fast mode, else the longest text of all methods, with its method's name.

    `measure` returns, for a text of the fast mode, the element for the other methods, and the required length; its last
    result counts.
    """
    for found in _in_fast_mode(tree):
        text = tidied(found)
        scope, wanted = measure(text)
        longest = (text, FAST)
        if text and len(text) >= wanted:
            return longest
    page = _alone(scope, tree)
    for method in METHODS:
        text = tidied(method.find(page))
        if len(text) > len(longest[0]):
            longest = (text, method.name)
    return longest


def _alone(element: HtmlElement | None, tree: HtmlElement) -> HtmlElement:
    """Return a page with only a copy of an element; the whole tree if the element is None or the root."""
    if element is None or element.tag in ("body", "html"):
        return tree
    page: HtmlElement = tree.makeelement("html")
    SubElement(page, "body").append(deepcopy(element))
    return page


def block_text(tree: HtmlElement) -> str:
    """Return an element's text, one line per block. The tree is modified."""
    for block in tree.iter("p", "div", "li", "br", "tr", "h2", "h3", "h4", "blockquote"):
        block.tail = "\n" + (block.tail or "")
        block.text = "\n" + (block.text or "")
    return "".join(tree.itertext())


def plain_text(body: str) -> str:
    """Return an article's body from a page's data as text; it may be HTML, escaped HTML, or plain lines."""
    if "&" in body:
        body = unescape(body)
    if not _MARKUP.search(body):
        return body
    try:
        return block_text(fragment_fromstring(body, create_parent="div"))
    except (LxmlError, ValueError):
        return ""


def _in_fast_mode(tree: HtmlElement) -> Iterator[str]:
    """Yield the fast mode's text by our faster steps; if that is unsure, also that of its recall mode, or of trafilatura itself."""
    quick = quick_text(tree, _FAST)
    if quick is not None:
        yield quick.text
        again = quick_text(tree, _RECALL) if quick.is_framed and not quick.is_sure else None
        if again is not None and again.is_framed:
            if again.size > _MIN_GAIN * quick.size:
                yield again.text
            return
    if quick is None or not quick.is_sure:
        found = bare_extraction(tree, options=_FAST)
        text = "" if found is None or isinstance(found, dict) else found.text or ""
        if quick is None or text != quick.text:  # it is nearly always the same text
            yield text


def _by_readability(tree: HtmlElement) -> str:
    """Return the text that readability chooses, one line per block."""
    chosen = parse_html(Document(deepcopy(tree)).summary())
    return block_text(chosen) if chosen is not None else ""


def _by_paragraphs(tree: HtmlElement) -> str:
    """Return all paragraphs and headings that are not mostly links."""
    blocks = ((one, text_of(one)) for one in tree.iter("p", "h2", "h3", "h4"))
    return "\n".join(
        text for one, text in blocks if sum(map(length_of, one.iter("a"))) < max(1, _MAX_LINK_SHARE * len(text))
    )


METHODS = (
    Method(name="readability", find=_by_readability),
    Method(name="paragraphs", find=_by_paragraphs),
)
