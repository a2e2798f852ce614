"""Choose the rows of `articles` for the search index: the newest of each article.

Pure, except for reading. Progress is tracked by files, not by `change_seq`: batches may be published in any order, so
that a lower number may come after a higher one. The set of files that the table's log names misses nothing.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

import pyarrow as pa
import xxhash

from tasks.lake.objects.stores import ObjectStore
from tasks.lake.reading import StoredFile, read_columns

IDENTITY = ("article_id", "revision", "fetched_at")
MADE_OF = (
    "extracted_at", "text_digest", "content_digest", "source_id", "language", "published_at", "source_tags", "change_seq", "text_removed_at",
)  # fmt: skip
"""The columns that make up the stamp; cluster updates and packing do not change them."""

_EPOCH = date(1970, 1, 1)


class Recency(NamedTuple):
    """The recency of an article's row: `fetched_at` in microseconds, then the revision."""

    seen: int
    revision: int


@dataclass(frozen=True, slots=True)
class RowRef:
    """A reference to a row: its article (`key`), recency, stamp, and position in its file."""

    key: int
    seen: Recency
    stamp: int
    file: StoredFile
    place: int


def key_of(article_id: str) -> int:
    """Return an article's number in the search index."""
    return _signed(xxhash.xxh3_64_intdigest(article_id.encode()))


def day_number(day: date) -> int:
    """Return a day as a number of days since 1970."""
    return (day - _EPOCH).days


def refs_of(store: ObjectStore, file: StoredFile) -> Iterator[RowRef]:
    """Yield the rows of a file without their texts; raises LakeUnavailable."""
    table = read_columns(store, file, (*IDENTITY, *MADE_OF))
    ids, revisions = table["article_id"].to_pylist(), table["revision"].to_pylist()
    seen = table["fetched_at"].cast(pa.int64()).to_pylist()
    made_of = zip(*(table[name].to_pylist() for name in MADE_OF), strict=True)
    for place, (article_id, revision, at, made) in enumerate(zip(ids, revisions, seen, made_of, strict=True)):
        stamp = _signed(xxhash.xxh3_64_intdigest(repr(made).encode()))
        yield RowRef(key_of(article_id), Recency(at, revision), stamp, file, place)


def latest(refs: Iterable[RowRef]) -> dict[int, RowRef]:
    """Return the latest row of each article."""
    found: dict[int, RowRef] = {}
    for ref in refs:
        held = found.get(ref.key)
        if held is None or ref.seen > held.seen:
            found[ref.key] = ref
    return found


def time_of(row: Mapping[str, Any]) -> datetime:
    """Return an article's time: its publication, unless that is after its fetch; else when it was first seen."""
    published: datetime | None = row["published_at"]
    first_seen: datetime = row["first_seen_at"]
    return published if published is not None and published <= row["fetched_at"] else first_seen


def as_seconds(at: datetime) -> int:
    """Return an instant as whole seconds since 1970."""
    return int((at - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds())


def _signed(number: int) -> int:
    return number - (1 << 64) if number >= 1 << 63 else number
