"""The text of a page's article, without its title and without what belongs to the page around it. Pure.

The recipe is in docs/extraction.md: prune by structure, extract fast, look whether that took enough, and fall back.
"""

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass

from lxml.html import HtmlElement, fromstring
from trafilatura import bare_extraction
from trafilatura.baseline import baseline
from trafilatura.readability_lxml import Document

from tasks.extract.metadata import Metadata
from tasks.extract.prune import prune
from tasks.extract.tree import INVISIBLE, clean, weigh, words_of

_MIN_PARAGRAPH_LENGTH = 40
_MIN_SHARE_OF_PARAGRAPHS = 0.5
_MIN_SHARE_OF_JSONLD = 0.7


@dataclass(frozen=True, slots=True, kw_only=True)
class Extraction:
    """An article's text, paragraphs parted by one newline, and the path that found it."""

    text: str
    path: str
