"""Plan a takedown from what a person names: the articles, their other URLs and, only if requested, their copies elsewhere."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from tasks.errors import BadUrl, ConfigError, ItemError
from tasks.forget.finding import find_targets, read_table
from tasks.forget.targets import TakedownTargets
from tasks.index.articles import find_url_keys
from tasks.index.database import Index
from tasks.index.relations import find_tied
from tasks.lake.keys import ARTICLES, CAPTURES
from tasks.lake.objects.stores import ObjectStore
from tasks.runtime.progress import OnStep
from tasks.values.takedown import KeptOut, Scope, host_digest, source_digest, url_digest
from tasks.values.text.storable import storable_text
from tasks.values.url import url_key

LARGE = 0.5
"""The share of the lake's revisions from which on a takedown must be confirmed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What a person names: URLs, article ids, hosts or sources; with `copies`, also the same text elsewhere."""

    scope: Scope
    names: tuple[str, ...]
    copies: bool = False
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """An article at another URL with the same, nearly the same or part of the text; `how` is its novelty."""

    article_id: str
    url: str
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a takedown would remove. `digests` keep it out afterwards; `copies` are removed only if requested."""

    selection: Selection
    digests: tuple[str, ...]
    taken: TakedownTargets
    copies: tuple[Copy, ...]

    @property
    def articles(self) -> int:
        return len(self.taken.article_ids)

    @property
    def revisions(self) -> int:
        return len(self.taken.articles)

    @property
    def captures(self) -> int:
        return len(self.taken.captures)

    @property
    def segments(self) -> int:
        return len(self.taken.claims)

    @property
    def is_empty(self) -> bool:
        """Whether nothing that was named is known."""
        return not (self.taken.url_keys or self.taken.articles or self.taken.captures)

    @property
    def is_large(self) -> bool:
        """Whether half of the lake or more would be removed."""
        return self.revisions > 0 and self.revisions >= LARGE * self.taken.rows


def make_plan(index: Index, store: ObjectStore, selection: Selection, *, on_step: OnStep) -> Plan:
    """Return what a takedown of this selection removes; raises ConfigError for an unknown name, LakeUnavailable."""
    if any(storable_text(name) != name for name in selection.names):
        raise ConfigError(f"--{selection.scope}: NUL, or bytes that are not UTF-8")
    seed = _Coverage(*_seeds(selection))
    with index.read() as tx:  # an article may be in the index and not yet published
        seed.url_keys |= set(find_url_keys(tx, seed.article_ids).values())
    _grow(store, seed, on_step=on_step)
    copies = _find_copies(index, store, seed, on_step=on_step)
    if selection.copies and copies:
        seed.article_ids |= {one.article_id for one in copies}
        _grow(store, seed, on_step=on_step)
    digests = tuple(sorted({*seed.kept_out.digests, *map(url_digest, seed.url_keys)}))
    taken = find_targets(index, store, KeptOut.of(digests), on_step=on_step)
    return Plan(selection=selection, digests=digests, taken=taken, copies=copies)


@dataclass(slots=True)
class _Coverage:
    """What the takedown covers so far: digests of hosts and sources, article ids, URL keys."""

    kept_out: KeptOut
    article_ids: set[str] = field(default_factory=set)
    url_keys: set[str] = field(default_factory=set)
    texts: set[str] = field(default_factory=set)
    originals: set[str] = field(default_factory=set)

    def has(self, row: dict[str, Any]) -> bool:
        """Whether a row is covered by its URL, its source or its article."""
        is_named = self.kept_out.has_key(row["url_key"]) or self.kept_out.has_source(row["source_id"])
        return is_named or row["url_key"] in self.url_keys or row["article_id"] in self.article_ids


def _seeds(selection: Selection) -> tuple[KeptOut, set[str], set[str]]:
    """Return the digests, article ids and URL keys that the selection names directly."""
    if selection.scope is Scope.ARTICLE:
        return KeptOut(), set(selection.names), set()
    if selection.scope is Scope.URL:
        return KeptOut(), set(), set(map(_key_of, selection.names))
    digest_of = source_digest if selection.scope is Scope.SOURCE else _host_digest
    return KeptOut.of(map(digest_of, selection.names)), set(), set()


def _grow(store: ObjectStore, seed: _Coverage, *, on_step: OnStep) -> None:
    """Add the articles that were found at the URLs, and the other URLs of those articles, until a fixed point."""
    size = -1
    while size != (size := len(seed.article_ids) + len(seed.url_keys)):
        for row in _captures(store, on_step):
            if seed.has(row) and row["article_id"] is not None:
                seed.article_ids.add(row["article_id"])
        for _, row in read_table(store, ARTICLES, on_step=on_step):
            if seed.has(row):
                _add_article(seed, row)
        for row in _captures(store, on_step):
            if row["article_id"] in seed.article_ids and row["revision"] is not None:
                _add_key(seed, row["url_key"])
                _add_key(seed, _key_or_none(row["final_url"]))


def _add_article(seed: _Coverage, row: dict[str, Any]) -> None:
    seed.article_ids.add(row["article_id"])
    if row["word_count"]:  # all texts without words share one digest
        seed.texts.add(row["text_digest"])
    seed.originals |= {row["duplicate_of"]} - {None}
    _add_key(seed, row["url_key"])


def _add_key(seed: _Coverage, key: str | None) -> None:
    if key is not None and not seed.kept_out.has_key(key):
        seed.url_keys.add(key)


def _captures(store: ObjectStore, on_step: OnStep) -> Iterator[dict[str, Any]]:
    return (row for _, row in read_table(store, CAPTURES, on_step=on_step))


def _find_copies(index: Index, store: ObjectStore, seed: _Coverage, *, on_step: OnStep) -> tuple[Copy, ...]:
    """Return the articles elsewhere with the same, nearly the same or part of the text."""
    with index.read() as tx:
        tied = find_tied(tx, seed.article_ids)
    related = tied | seed.originals
    found: dict[str, Copy] = {}
    for _, row in read_table(store, ARTICLES, on_step=on_step):
        is_copy = (
            row["text_digest"] in seed.texts or row["duplicate_of"] in seed.article_ids or row["article_id"] in related
        )
        if is_copy and row["article_id"] not in seed.article_ids:
            found[row["article_id"]] = Copy(article_id=row["article_id"], url=row["url"], how=row["novelty"])
    return tuple(found[name] for name in sorted(found))


def _key_of(url: str) -> str:
    try:
        return url_key(url)
    except ItemError as error:
        raise ConfigError(f"--url {url}: not a URL") from error


def _key_or_none(url: str) -> str | None:
    try:
        return url_key(url)
    except ItemError:
        return None


def _host_digest(host: str) -> str:
    try:
        return host_digest(host)
    except BadUrl as error:
        raise ConfigError(f"--host {host}: not a host") from error


def read_list(lines: Iterable[str]) -> Sequence[str]:
    """Return the URLs of a list, one per line; empty lines and comments (#) are skipped."""
    stripped = (line.strip() for line in lines)
    return [line for line in stripped if line and not line.startswith("#")]
