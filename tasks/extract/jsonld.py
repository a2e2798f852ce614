"""Parse the schema.org nodes of a page's JSON-LD blocks, tolerantly. Pure; linear in the size of the blocks."""

import json
from collections import deque
from collections.abc import Iterator
from html import unescape
from typing import Any

import orjson
from lxml.html import HtmlElement

from tasks.extract.tree import clean

Node = dict[str, Any]

ARTICLE_TYPES = frozenset(
    """
    Article NewsArticle ReportageNewsArticle OpinionNewsArticle AnalysisNewsArticle BackgroundNewsArticle
    ReviewNewsArticle AskPublicNewsArticle AdvertiserContentArticle SatiricalArticle TechArticle ScholarlyArticle
    Report BlogPosting SocialMediaPosting LiveBlogPosting Review CriticReview
    """.split()
)
_MAX_BLOCKS, _MAX_BLOCK_LENGTH, _MAX_NODES, _MAX_DEPTH = 50, 2_000_000, 5_000, 12
_WRAPPINGS = ("<!--", "//<![CDATA[", "/*<![CDATA[*/", "<![CDATA[")
_FIRST_OF_MANY = json.JSONDecoder(strict=False)  # tolerates control characters in strings, and trailing content


class Graph:
    """The nodes of one page, block by block. References by `@id` are resolved one level deep."""

    def __init__(self, nodes: list[Node]) -> None:
        self.nodes = nodes
        self._named: dict[str, Node] = {}
        for node in nodes:
            name = node.get("@id")
            if isinstance(name, str) and len(node) > len(self._named.get(name, ())):
                self._named[name] = node

    def resolve(self, value: object) -> object:
        """Return the node that a bare reference names; return any other value unchanged."""
        if isinstance(value, dict) and isinstance(value.get("@id"), str) and "name" not in value and "url" not in value:
            return self._named.get(value["@id"], value)
        return value

    def of_types(self, types: frozenset[str]) -> Iterator[Node]:
        """Yield the nodes that have any of the types, in order."""
        return (node for node in self.nodes if types.intersection(types_of(node)))


def read_jsonld(tree: HtmlElement) -> Graph:
    """Return the nodes of all readable blocks; others are ignored."""
    nodes: list[Node] = []
    blocks = tree.iterfind('.//script[@type="application/ld+json"]')
    for _, block in zip(range(_MAX_BLOCKS), blocks, strict=False):
        _gather(read_json(block.text or ""), nodes)
    return Graph(nodes)


def types_of(node: Node) -> tuple[str, ...]:
    """Return a node's schema.org types, without the vocabulary's URL."""
    return tuple(name.rpartition("/")[2] for name in strings(node.get("@type")))


def strings(value: object) -> tuple[str, ...]:
    """Return the strings of a value that may be a string or a list; entities are decoded, and the strings cleaned."""
    values = value if isinstance(value, list) else [value]
    return tuple(text for one in values[:500] if isinstance(one, str) and (text := clean(unescape(one))))


def string(value: object) -> str | None:
    """Return the first string of a value, or None."""
    return next(iter(strings(value)), None)


def read_json(text: str) -> object:
    """Return the first JSON value in a text that is mostly JSON, or None."""
    text = text.strip().removeprefix("\ufeff")
    for wrapping in _WRAPPINGS:
        text = text.removeprefix(wrapping).lstrip()
    if not text or len(text) > _MAX_BLOCK_LENGTH:
        return None
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        pass
    try:
        return _FIRST_OF_MANY.raw_decode(text)[0]
    except (ValueError, RecursionError):
        return None


def _gather(value: object, nodes: list[Node]) -> None:
    """Add the typed objects in `value`, breadth first: the page's own node before those that it mentions."""
    waiting: deque[tuple[object, int]] = deque([(value, 0)])
    while waiting and len(nodes) < _MAX_NODES:
        one, depth = waiting.popleft()
        if isinstance(one, dict) and "@type" in one:
            nodes.append(one)
        below = one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
        if depth < _MAX_DEPTH:
            waiting.extend((item, depth + 1) for item in below if isinstance(item, dict | list))
