"""What a takedown removes: rows, records and documents, and a test for any other value. Pure."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tasks.errors import ItemError
from tasks.values.changes import ArticleKey, CaptureKey
from tasks.values.takedown import KeptOut, hosts_above
from tasks.values.url import url_key

_URL = re.compile(r"https?://[^\s\"'<>\\`|\])}]+", re.IGNORECASE)
_END = ".,;:!?"
_WORD = re.compile(r"[^\s\"'<>,|\\]*/[^\s\"'<>,|\\]*")

GONE = object()
"""Marks a part of a JSON value that is to be removed."""


@dataclass(slots=True, kw_only=True)
class TakedownTargets:
    """What was found for `kept_out`: keys of rows, locations of records, URL keys and article ids.

    `claims` maps segments to the offsets that affected rows name, each with the key of the requested URL. `named` are
    all segments that any row names, and `rows` is the number of rows of all articles.
    """

    kept_out: KeptOut
    articles: set[ArticleKey] = field(default_factory=set)
    captures: set[CaptureKey] = field(default_factory=set)
    article_ids: set[str] = field(default_factory=set)
    url_keys: set[str] = field(default_factory=set)
    claims: defaultdict[str, dict[int, str]] = field(default_factory=lambda: defaultdict(dict))
    named: set[str] = field(default_factory=set)
    rows: int = 0

    def has_key(self, key: str) -> bool:
        """Whether the URL with this `url_key` is taken down."""
        return key in self.url_keys or self.kept_out.has_key(key)

    def has_url(self, url: str) -> bool:
        """Whether a URL is taken down; False for text that is not a URL."""
        try:
            return self.has_key(url_key(url))
        except ItemError:
            return False

    def has_source(self, source_id: str) -> bool:
        """Whether a whole source is taken down."""
        return self.kept_out.has_source(source_id)

    def has_host(self, host: str) -> bool:
        """Whether a whole host is taken down; a host may have a port."""
        return self.kept_out.has_hosts and any(map(self.kept_out.has_bare_host, hosts_above(host)))

    def is_named_in(self, value: object) -> bool:
        """Whether a JSON value or a text names something that is taken down."""
        return any(map(self._is_named, _texts(value)))

    def without(self, value: Any) -> Any:  # noqa: ANN401 - a JSON value
        """Return a JSON value without the parts that name something taken down; GONE if nothing is left."""
        if isinstance(value, str):
            return GONE if self._is_named(value) else value
        if isinstance(value, Mapping):
            return self._without_items(value)
        if isinstance(value, list):
            return self._without_elements(value)
        return value

    def _without_items(self, value: Mapping[str, Any]) -> Any:  # noqa: ANN401
        """Return GONE for a record of such a URL; remove such hosts from a mapping by host."""
        if any(isinstance(one, str) and self._is_named(one) for one in value.values()):
            return GONE
        kept = {name: self.without(one) for name, one in value.items() if not self._is_named(name)}
        return {name: one for name, one in kept.items() if one is not GONE}

    def _without_elements(self, value: list[Any]) -> Any:  # noqa: ANN401
        is_pair = len(value) == 2 and isinstance(value[0], str) and not isinstance(value[1], str)  # a host and a count
        if is_pair and self._is_named(value[0]):
            return GONE
        return [kept for kept in map(self.without, value) if kept is not GONE]

    def _is_named(self, text: str) -> bool:
        if text in self.url_keys or (self.kept_out.has_hosts and _is_host(text) and self.has_host(text)):
            return True
        if any(word[0] in self.url_keys for word in _WORD.finditer(text)):
            return True
        return any(map(self.has_url, urls_in(text)))


def urls_in(text: str) -> Iterator[str]:
    """Yield the parts of a text that look like URLs."""
    for found in _URL.finditer(text):
        yield found[0]
        if found[0][-1] in _END:
            yield found[0].rstrip(_END)


def _is_host(text: str) -> bool:
    return "." in text and "/" not in text and " " not in text


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, one in value.items():
            yield from _texts(name)
            yield from _texts(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)
