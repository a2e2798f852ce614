"""Find a story that a page does not show: in noscript, in a template, or in its scripts' data.

Pure. Used only if a page shows only its title, or so little that it may be teasers of other stories.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from lxml.html import HtmlElement

from tasks.extract.fallbacks import plain_text
from tasks.extract.jsonld import read_json
from tasks.extract.tree import text_of, words_of

_MIN_STORY, _MIN_PARAGRAPH = 200, 40  # characters
# values and depth of a script's data; parts with the page's title
_MAX_VALUES, _MAX_DEPTH, _MAX_TITLED = 20_000, 20, 10
_MAX_TITLE, _MAX_AHEAD = 500, 200  # characters; of the code before the data: `window.__STATE__ = {`
_VALUE = re.compile(r"=\s*(?=[{\[])")
_PROSE = re.compile(r"[.!?…。！？।؟۔»”\"')]\s*$|<p\b|\n")
_ADDRESS = re.compile(r"\s*(?:[a-z]+:|/)\S*\s*\Z")

Words = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _DataString:
    """A string in a script's data: its path of keys without list indexes, and the first of those indexes."""

    names: tuple[str, ...]
    place: int | None
    text: str


def alternative_text(hidden: Iterable[HtmlElement]) -> str:
    """Return the story in noscript elements or templates, one line per paragraph; empty if there is none."""
    texts = (_paragraphs_of(one) for one in hidden if one.tag in ("noscript", "template"))
    return next((text for text in texts if len(text) >= _MIN_STORY), "")


def data_text(hidden: Iterable[HtmlElement], titles: Collection[Words]) -> str:
    """Return the story in a page's scripts, one line per paragraph, or "" if none is beside one of the titles."""
    stories = (_in_data(one.text or "", titles) for one in hidden if one.tag == "script")
    return next((text for text in stories if len(text) >= _MIN_STORY), "")


def _paragraphs_of(element: HtmlElement) -> str:
    return "\n".join(text for one in element.iter("p") if len(text := text_of(one)) >= _MIN_PARAGRAPH)


def _in_data(script: str, titles: Collection[Words]) -> str:
    start = _VALUE.search(script, 0, _MAX_AHEAD)
    data = read_json(script[start.end() :] if start and not script.lstrip().startswith(("{", "[")) else script)
    stories = [
        _largest(said) for node in _nodes_of(data) if _is_titled(node, titles) for said in [list(_said_in(node))]
    ]
    return max(stories, key=len, default="")


def _nodes_of(data: object) -> Iterator[dict[str, object]]:
    waiting, left = [data], _MAX_VALUES
    while waiting and left:
        one = waiting.pop()
        left -= 1
        if isinstance(one, dict):
            yield one
        below = one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
        waiting.extend(value for value in below if isinstance(value, dict | list))


def _is_titled(node: dict[str, object], titles: Collection[Words]) -> bool:
    strings = (value for value in node.values() if isinstance(value, str) and len(value) <= _MAX_TITLE)
    return any(words_of(value) in titles for value in strings)


def _said_in(node: dict[str, object]) -> Iterator[_DataString]:
    """Yield the strings under a node that are not URLs, in order."""
    waiting: list[tuple[object, tuple[str, ...], int | None]] = [(node, (), None)]
    left = _MAX_VALUES
    while waiting and left:
        value, names, place = waiting.pop()
        left -= 1
        if isinstance(value, str) and not _ADDRESS.match(value):
            yield _DataString(names=names, place=place, text=value)
        elif isinstance(value, dict) and len(names) < _MAX_DEPTH:
            waiting.extend((one, (*names, name), place) for name, one in reversed(value.items()))
        elif isinstance(value, list) and len(names) < _MAX_DEPTH:
            placed = reversed([*enumerate(value)])
            waiting.extend((one, (*names, "*"), at if place is None else place) for at, one in placed)


def _largest(said: Sequence[_DataString]) -> str:
    """Return the strings of the path with the most prose: a body, or its paragraphs."""
    kinds: dict[tuple[str, ...], dict[int | None, str]] = {}
    for one in said:
        parts = kinds.setdefault(one.names, {})
        parts[one.place] = parts.get(one.place, "") + one.text
    chosen = max(kinds.values(), key=_prose_of, default={})
    return "\n".join(map(plain_text, chosen.values())) if _prose_of(chosen) else ""


def _prose_of(parts: Mapping[int | None, str]) -> int:
    return sum(len(one) for one in parts.values() if len(one) >= _MIN_PARAGRAPH and _PROSE.search(one))
