"""Pages that a host gives for anything that is asked of it, with status 200: what does not exist, and looks as if it did.

A host is asked for a path that cannot exist once a day, and only when its pages look alike or say little, so that an
ordinary site is asked for its articles and nothing else.
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
"""What is added to an origin, to name what it answers for what does not exist."""

SEEN_SIZE = 64 * 1024
"""Bytes of a page that are looked at."""

LITTLE_TEXT = 250
"""Characters of text, menus included, below which a page says little."""

SAME_TITLES = 3
"""So many pages under one title are alike."""

LEAST_SHARED = 0.9
LONG_PAGE_SIZE = 20_000

_HIDDEN = re.compile(rb"<(script|style|svg|noscript|template)\b|<!--", re.IGNORECASE)
_TITLE = re.compile(rb"<title\b[^>]{0,200}>([^<]{0,1000})", re.IGNORECASE)
_TAG = re.compile(rb"<[^<>]*>")
_WORD = re.compile(r"\b[^\W\d_]+\b")


class Client(Protocol):
    """Who asks; tasks.politeness.client does so at the host's pace."""

    async def ask_daily(self, name: str, url: str, rules: SourceRules) -> RobotsAnswer: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Gist:
    """A page's title and the words that it shows; words with figures are left out, since they may be the URL's."""

    title: str
    words: frozenset[str]
    length: int

    def resembles(self, other: "Gist") -> bool:
        """Whether two pages are one template with nothing of their own in it."""
        shared = len(self.words & other.words)
        return self.title == other.title and shared >= LEAST_SHARED * max(len(self.words), len(other.words), 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One page that came, as far as it may be compared; `number` is its place in the batch.

    Few are compared, so `packed_start`, its first bytes, are under zlib: a fifth of the memory, for 0.04 ms.
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
    """Return what is kept of a page until the batch is over."""
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
    """Return the pages that look as if their host gave them for anything, by origin: alike, or with little to say."""
    by_origin: defaultdict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        by_origin[sample.origin].append(sample)
    found = {origin: _alike(group) for origin, group in by_origin.items()}
    return {origin: group for origin, group in found.items() if group}


async def find_missing(samples: Sequence[Sample], *, client: Client, rules: Mapping[str, SourceRules]) -> list[Sample]:
    """Return the pages that are what their host gives for what does not exist; a host that cannot say so has none."""
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
    """Return the markup without what is not on show; what is not closed hides all that follows, and costs one search."""
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
