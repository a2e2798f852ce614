"""Apply a source's own selectors (XPath 1.0, from the catalogue) to its pages. Pure."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from functools import lru_cache

from lxml.etree import XPath
from lxml.html import HtmlElement

from tasks.config.options import ExtractOptions
from tasks.extract.dates import parse_instant
from tasks.extract.metadata import Metadata
from tasks.extract.tree import clean, text_of


def with_selected(metadata: Metadata, tree: HtmlElement, options: ExtractOptions, *, now: datetime) -> Metadata:
    """Return the metadata with the title and date that the options' selectors find, if any."""
    title = next(filter(None, map(_said_by, _found(tree, options.title))), None)
    if title:
        metadata = replace(metadata, title=title, titles=tuple(dict.fromkeys((title, *metadata.titles))))
    instants = (parse_instant(_instant_of(one), now=now) for one in _found(tree, options.date))
    return replace(metadata, published_at=next(filter(None, instants), metadata.published_at))


def select_elements(tree: HtmlElement, selectors: Iterable[str]) -> list[HtmlElement]:
    """Return the elements that the selectors find, each once; of nested ones only the outer."""
    chosen = {one: None for path in selectors for one in _found(tree, path) if isinstance(one, HtmlElement)}
    return [one for one in chosen if chosen.keys().isdisjoint(one.iterancestors())]


def _found(tree: HtmlElement, path: str | None) -> list[HtmlElement | str]:
    found = _compiled(path)(tree) if path else []
    return found if isinstance(found, list) else [found] if isinstance(found, str) else []


@lru_cache(maxsize=1024)
def _compiled(path: str) -> XPath:
    return XPath(path, smart_strings=False)


def _said_by(one: HtmlElement | str) -> str:
    return clean(one) if isinstance(one, str) else clean(one.get("content")) or text_of(one)


def _instant_of(one: HtmlElement | str) -> str:
    return one if isinstance(one, str) else one.get("datetime") or _said_by(one)
