"""The text of a page's article, without its title and without what belongs to the page around it. Pure.

The recipe: prune by structure, extract fast, look whether that took enough of the paragraphs, and fall back.
"""

import re
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from html import unescape

from lxml.etree import LxmlError, strip_elements
from lxml.html import HtmlElement, fragment_fromstring
from trafilatura import bare_extraction
from trafilatura.readability_lxml import Document

from tasks.extract.jsonld import ARTICLE_TYPES
from tasks.extract.metadata import Metadata
from tasks.extract.prune import prune
from tasks.extract.tree import INVISIBLE, clean, parse_html, text_of, weigh, words_of

_MIN_PARAGRAPH_LENGTH = 40  # characters; what is shorter is as often a label
_MIN_SHARE_OF_PARAGRAPHS = 0.5
_MAX_SHARE_OF_JSONLD = 0.7
_MIN_AGREEMENT = 0.5
_MAX_LINK_SHARE = 0.5
_PROBE_LENGTH = 20  # characters of a line's beginning that are looked for in the JSON-LD body
_MAX_HEAD_LINES, _MAX_KICKER, _MAX_BYLINE = 5, 4, 10  # lines, words, words
_MARKUP = re.compile(r"<(?:p|br|div|h\d|li|a)\b[^<>]{0,500}>", re.IGNORECASE)
_MAX_PLACE_LENGTH = 20  # characters; not words, which Japanese does not part
_DATE = re.compile(r"\b(?:19|20)\d\d\b|\b\d{1,2}[./]\d{1,2}[./]\d{2}\b|\b(?:19|20)\d\d[年년]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Extraction:
    """An article's text, paragraphs parted by one newline, and the path that found it."""

    text: str
    path: str


def extract_text(tree: HtmlElement, metadata: Metadata, *, url: str) -> Extraction:
    """Return the text of the page's article; empty where there is none. The tree is used up.

    `path` is `fast`, `default`, `raw` or `readability`, by what had to be asked, or `jsonld`.
    """
    strip_elements(tree, *INVISIBLE, with_tail=False)
    raw = deepcopy(tree)
    prune(tree, url=url, title=metadata.title, ledes=metadata.ledes, is_news=_is_news(metadata))
    found = _first_sufficient(tree, raw, metadata)
    body = _jsonld_text(metadata)
    if len(found.text) < _MAX_SHARE_OF_JSONLD * len(body) and _agrees(found.text, body):
        return Extraction(text=body, path="jsonld")
    return found


def _is_news(metadata: Metadata) -> bool:
    return metadata.og_type == "article" or bool(metadata.types & ARTICLE_TYPES)


def _first_sufficient(tree: HtmlElement, raw: HtmlElement, metadata: Metadata) -> Extraction:
    """Return the first attempt with half of the paragraphs' text; of the last two, guesses both, the longer."""
    attempts: tuple[tuple[str, Callable[[], str]], ...] = (
        ("fast", lambda: _by_trafilatura(tree, is_fast=True)),
        ("default", lambda: _by_trafilatura(tree, is_fast=False)),
        ("raw", lambda: _by_trafilatura(raw, is_fast=False)),
        ("readability", lambda: _by_readability(raw)),
        ("paragraphs", lambda: _by_paragraphs(tree)),
    )
    wanted = _MIN_SHARE_OF_PARAGRAPHS * _paragraph_mass(tree)
    longest = Extraction(text="", path="fast")
    for path, attempt in attempts:
        text = tidy(attempt(), metadata)
        if len(text) > len(longest.text):
            longest = Extraction(text=text, path=path)
        if text and len(text) >= wanted and path != "readability":
            break
    return longest


def _paragraph_mass(tree: HtmlElement) -> int:
    weights = weigh(list(tree.iter()))
    masses = (weights[element].prose for element in tree.iter("p"))
    return sum(mass for mass in masses if mass >= _MIN_PARAGRAPH_LENGTH)


def _by_trafilatura(tree: HtmlElement, *, is_fast: bool) -> str:
    found = bare_extraction(tree, fast=is_fast, include_comments=False, with_metadata=False)
    return found.text or "" if found is not None else ""


def _by_readability(tree: HtmlElement) -> str:
    """Readability's choice, a line a block; it changes the tree that it is given."""
    chosen = parse_html(Document(deepcopy(tree)).summary())
    if chosen is None:
        return ""
    return "\n".join(_block_lines(chosen))


def _by_paragraphs(tree: HtmlElement) -> str:
    weights = weigh(list(tree.iter()))
    return "\n".join(text_of(one) for one in tree.iter("p", "h2", "h3") if weights[one].link_share < _MAX_LINK_SHARE)


def _block_lines(tree: HtmlElement) -> list[str]:
    for block in tree.iter("p", "div", "li", "br", "tr", "h2", "h3", "h4", "blockquote"):
        block.tail = "\n" + (block.tail or "")
        block.text = "\n" + (block.text or "")
    return "".join(tree.itertext()).split("\n")


def tidy(text: str, metadata: Metadata) -> str:
    """Return the lines of a text, cleaned, without those of its head that repeat what the metadata say."""
    lines = [line for one in text.split("\n") if words_of(line := clean(one))]
    head = [line for line in lines[:_MAX_HEAD_LINES] if not _is_said(line, metadata)]
    return "\n".join((*head, *lines[_MAX_HEAD_LINES:]) if len(lines) > 1 else lines)


def _is_said(line: str, metadata: Metadata) -> bool:
    """Whether a line is the title, with or without a word before it, or a byline, a date, a place or a section."""
    words = words_of(line)
    if (len(words) == 1 and len(line) <= _MAX_PLACE_LENGTH) or words == words_of(metadata.section or ""):
        return True
    titles = (title for one in metadata.titles if (title := words_of(one)))
    if any(
        title in (words[-len(title) :], words[: len(title)]) and len(words) - len(title) <= _MAX_KICKER
        for title in titles
    ):
        return True
    names = {word for author in metadata.authors for word in words_of(author)}
    if len(words) <= _MAX_BYLINE and sum(word in names for word in words) >= max(1, len(words) - 1):
        return True
    numbers = sum(any(character.isdigit() for character in word) for word in words)
    return len(words) <= _MAX_BYLINE and 2 * numbers >= len(words) and _DATE.search(line) is not None


def _jsonld_text(metadata: Metadata) -> str:
    """The articleBody as text: it may be HTML, escaped or not, and its paragraphs are newlines where they are at all."""
    body = metadata.article_body or ""
    if "&" in body:
        body = unescape(body)
    if _MARKUP.search(body):
        try:
            body = "\n".join(_block_lines(fragment_fromstring(body, create_parent="div")))
        except (LxmlError, ValueError):
            return ""
    return tidy(body, metadata)


def _agrees(text: str, body: str) -> bool:
    """Whether most lines of a text are in the JSON-LD body, by how they begin; nothing contradicts nothing."""
    whole = "".join(words_of(body))
    if _repeats_itself(whole):
        return False
    probes = ["".join(words_of(line))[:_PROBE_LENGTH] for line in text.split("\n")]
    probes = [probe for probe in probes if len(probe) == _PROBE_LENGTH]
    return sum(probe in whole for probe in probes) >= _MIN_AGREEMENT * len(probes)


def _repeats_itself(text: str) -> bool:
    """Whether a text says a quarter of itself twice: some publishers join every version of a body into one."""
    pieces = [text[at : at + _PROBE_LENGTH] for at in range(len(text) - _PROBE_LENGTH)]
    return len(set(pieces)) < 0.75 * len(pieces)
