"""Takedowns: what was removed from the lake, as digests of its names, so that it stays out.

Pure. Neither URLs nor texts are stored. A digest only shows whether a given URL, host or source was taken down.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated

from tasks.errors import ItemError
from tasks.values.columns import Column
from tasks.values.rows import Article, Capture
from tasks.values.url import url_key

TAKEN_DOWN = "taken_down"
"""The reason of URLs that are neither fetched nor stored."""


class Scope(StrEnum):
    """The scopes of a takedown."""

    ARTICLE = "article"
    URL = "url"
    HOST = "host"
    SOURCE = "source"


@dataclass(frozen=True, slots=True, kw_only=True)
class Takedown:
    """One takedown: a row of the table `takedowns`."""

    takedown_id: Annotated[str, Column("the takedown; `presslake forget --undo` takes it")]
    scope: Annotated[Scope, Column("what was named: `article`, `url`, `host` or `source`")]
    key_digests: Annotated[
        tuple[str, ...],
        Column(
            "what is kept out: `url:`, `host:` or `source:` and the SHA-256 of that word, a newline and the `url_key`, the host without `www.`, or the `source_id`"
        ),
    ]
    reason: Annotated[str | None, Column("why, in the words of the person who asked for it")]
    taken_at: Annotated[datetime, Column("when it was asked for")]
    articles: Annotated[int, Column("how many articles were to go", type="integer")]
    revisions: Annotated[int, Column("how many rows of `articles` those were", type="integer")]
    segments: Annotated[int, Column("how many segments had records of them", type="integer")]
    undone_at: Annotated[datetime | None, Column("when its URLs were let in again; null while they are kept out")] = (
        None
    )

    @property
    def dt(self) -> date:
        """The lake's partition: the UTC day."""
        return self.taken_at.astimezone(UTC).date()


@dataclass(frozen=True, slots=True)
class KeptOut:
    """Everything that is kept out: a set of digests with predicates."""

    digests: frozenset[str] = frozenset()
    has_hosts: bool = False

    @classmethod
    def of(cls, digests: Iterable[str]) -> "KeptOut":
        """Return what these digests keep out."""
        held = frozenset(digests)
        return cls(held, any(one.startswith(f"{Scope.HOST}:") for one in held))

    def __bool__(self) -> bool:
        return bool(self.digests)

    def has_key(self, key: str) -> bool:
        """Whether the URL with this `url_key` is kept out, by itself or by its host."""
        if not self.digests:
            return False
        return url_digest(key) in self.digests or (self.has_hosts and any(map(self.has_bare_host, hosts_above(key))))

    def has_url(self, url: str) -> bool:
        """Whether a URL is kept out; False for text that is not a URL."""
        try:
            return bool(self.digests) and self.has_key(url_key(url))
        except ItemError:
            return False

    def has_row(self, row: Capture | Article) -> bool:
        """Whether a row is kept out by its URL, its final URL, or its source."""
        if not self.digests:
            return False
        final_url = getattr(row, "final_url", row.url)
        is_elsewhere = final_url != row.url and self.has_url(final_url)
        return self.has_key(row.url_key) or self.has_source(row.source_id) or is_elsewhere

    def has_source(self, source_id: str) -> bool:
        """Whether a source is kept out."""
        return bool(self.digests) and source_digest(source_id) in self.digests

    def has_bare_host(self, host: str) -> bool:
        """Whether this host itself is kept out, as `bare_host` returns it."""
        return _digest(Scope.HOST, host) in self.digests


NOTHING = KeptOut()


def url_digest(key: str) -> str:
    """Return the digest that keeps out the URL with this `url_key`."""
    return _digest(Scope.URL, key)


def host_digest(host: str) -> str:
    """Return the digest that keeps out a host and the hosts below it; raises BadUrl for an invalid host."""
    return _digest(Scope.HOST, bare_host(host))


def source_digest(source_id: str) -> str:
    """Return the digest that keeps out a source."""
    return _digest(Scope.SOURCE, source_id)


def bare_host(host: str) -> str:
    """Return a host as in URL keys: lower case, in Punycode, without `www.` and port; raises BadUrl."""
    return next(hosts_above(url_key(f"http://{host}/")))


def hosts_above(key: str) -> Iterator[str]:
    """Yield the host of a `url_key` and its parent domains, up to the top-level domain."""
    authority = key.partition("/")[0]
    host = authority if authority.endswith("]") else authority.rpartition(":")[0] or authority
    yield host
    while not host.startswith("[") and "." in host:
        host = host.partition(".")[2]
        yield host


def _digest(kind: Scope, value: str) -> str:
    named = f"{kind}\n{value}".encode()
    return f"{kind}:{hashlib.sha256(named).hexdigest()}"
