"""Detect soft 404s: pages that a host returns with status 200 for URLs that do not exist.

A host is asked for a path that cannot exist at most once a day, and only if its pages look alike or have little text,
so that ordinary sites only get requests for articles.
"""

import asyncio
import re
import secrets
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from isal import isal_zlib

from tasks.config.catalogue import SourceRules
from tasks.errors import ItemError
from tasks.politeness.limiter import HostWaits
from tasks.runtime.guarding import guarded_item
from tasks.values.permit import RobotsAnswer

MISSING = "#missing"
"""The suffix of an origin that names its page for a missing URL."""

SEEN_SIZE = 64 * 1024
"""The most bytes of a page that are compared."""

LITTLE_TEXT = 250
"""Characters of text, menus included, below which a page has little text."""

SAME_TITLES = 3
"""This many pages with one title look alike."""

LEAST_SHARED = 0.9
LONG_PAGE_SIZE = 20_000

_HIDDEN = re.compile(rb"<(script|style|svg|noscript|template)\b|<!--", re.IGNORECASE)
_TITLE = re.compile(rb"<title\b[^>]{0,200}>([^<]{0,1000})", re.IGNORECASE)
_TAG = re.compile(rb"<[^<>]*>")
_WORD = re.compile(r"\b[^\W\d_]+\b")


class Client(Protocol):
    """Makes the request; tasks.politeness.client implements it."""

    async def ask_daily(self, name: str, url: str, rules: SourceRules) -> RobotsAnswer: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Gist:
    """A page's title and visible words; words with digits are left out, since they may come from the URL."""

    title: str
    words: frozenset[str]
    length: int

    def resembles(self, other: "Gist") -> bool:
        """Whether two pages are the same template without content of their own."""
        shared = len(self.words & other.words)
        return self.title == other.title and shared >= LEAST_SHARED * max(len(self.words), len(other.words), 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The sample of a fetched page; `number` is its position in the batch.

    Few are compared, so `packed_start`, its first bytes, is compressed by zlib: a fifth of the memory, for 0.04 ms.
    """

    number: int
    source_id: str
    origin: str
    payload_digest: str | None
    title: str
    says_little: bool
    packed_start: bytes

    @property
    def start(self) -> bytes:
        """The page's first bytes."""
        return isal_zlib.decompress(self.packed_start)


def sample_of(content: bytes, *, number: int, source_id: str, origin: str, payload_digest: str | None) -> Sample:
    """Return the sample that is kept until the batch is complete."""
    start = content[:SEEN_SIZE]
    return Sample(
        number=number,
        source_id=source_id,
        origin=origin,
        payload_digest=payload_digest,
        title=_title_of(start),
        says_little=len(content) < LONG_PAGE_SIZE and gist_of(start).length < LITTLE_TEXT,
        packed_start=isal_zlib.compress(start, 0),
    )


def gist_of(start: bytes) -> Gist:
    """Return the gist of a page's first bytes."""
    text = _TAG.sub(b" ", _shown(start)).decode("utf-8", "replace").casefold()
    return Gist(title=_title_of(start), words=frozenset(_WORD.findall(text)), length=len(" ".join(text.split())))


def suspects(samples: Iterable[Sample]) -> dict[str, list[Sample]]:
    """Return the pages that may be soft 404s, by origin: alike, or with little text."""
    by_origin: defaultdict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        by_origin[sample.origin].append(sample)
    found = {origin: _alike(group) for origin, group in by_origin.items()}
    return {origin: group for origin, group in found.items() if group}


async def find_missing(samples: Sequence[Sample], *, client: Client, rules: Mapping[str, SourceRules]) -> list[Sample]:
    """Return the pages that equal their host's page for a missing URL; none for hosts without such a page."""
    groups = suspects(samples)
    missing = await asyncio.gather(
        *(_missing_page(origin, client, rules[group[0].source_id]) for origin, group in groups.items())
    )
    return [
        sample
        for gist, group in zip(missing, groups.values(), strict=True)
        for sample in group
        if gist is not None and gist_of(sample.start).resembles(gist)
    ]


async def _missing_page(origin: str, client: Client, rules: SourceRules) -> Gist | None:
    try:
        with guarded_item(origin):
            answer = await client.ask_daily(f"{origin}{MISSING}", f"{origin}/{secrets.token_hex(12)}", rules)
            return gist_of(answer.body[:SEEN_SIZE]) if answer.status == 200 and answer.body else None
    except (ItemError, HostWaits):
        return None


def _alike(group: Sequence[Sample]) -> list[Sample]:
    digests = Counter(sample.payload_digest for sample in group)
    titles = Counter(sample.title for sample in group if sample.title)
    return [
        sample
        for sample in group
        if sample.says_little or digests[sample.payload_digest] > 1 or titles[sample.title] >= SAME_TITLES
    ]


def _shown(start: bytes) -> bytes:
    """Return the markup without invisible elements; an unclosed one hides the rest, found with a single search."""
    parts, at, lower = [], 0, start.lower()
    while found := _HIDDEN.search(start, at):
        parts.append(start[at : found.start()])
        end = b"</" + found[1].lower() if found[1] else b"-->"
        closed = lower.find(end, found.end())
        if closed < 0:
            return b" ".join(parts)
        at = closed + len(end)
    return b" ".join([*parts, start[at:]])


def _title_of(start: bytes) -> str:
    found = _TITLE.search(start)
    return " ".join(found[1].decode("utf-8", "replace").casefold().split()) if found else ""
