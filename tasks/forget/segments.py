"""Put tombstones into segments for the records of what is to go, with their requests, hops and renditions.

A segment is read, changed and written under a lock: two writers would each undo the tombstones of the other.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

from tasks.errors import CorruptRecord, ItemError
from tasks.index.database import Index, lock
from tasks.lake.objects.stores import MissingObject, ObjectStore
from tasks.lake.tombstones import Cause, entomb, entomb_at
from tasks.lake.warc import Record, iter_records
from tasks.values.url import Url, url_key

WARC = "application/warc"

_ANSWERS = frozenset({"response", "revisit"})
IsGone = Callable[[str], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entombed:
    """What became of a segment: whether it was changed, and from which byte on it could not be read, if there is one."""

    is_changed: bool
    unread_from: int | None = None


@dataclass(frozen=True, slots=True)
class _Light:
    """A record, as far as it has to be known to say whether it goes."""

    offset: int
    length: int
    kind: str
    key: str | None
    leads_to: str | None


def bury(
    index: Index, store: ObjectStore, key: str, *, offsets: Collection[int], is_taken: IsGone, cause: Cause
) -> Entombed:
    """Put tombstones into a segment for what lies at these offsets, and for what has a URL that `is_taken` (by its key).

    With them go the requests, the renditions, and the redirects that lead there. A segment that is missing is left. Raises
    LakeUnavailable, IndexUnavailable.
    """
    with index.write() as tx:
        lock(tx, "segments")
        try:
            segment = store.get(key)
        except MissingObject:
            return Entombed(is_changed=False)
        records, unread_from = _read(segment)
        gone = _gone(records, set(offsets), is_taken)
        if unread_from is None:
            after = entomb(segment, key, is_gone=lambda record: record.offset in gone, cause=cause)
        else:
            places = [(one.offset, one.length) for one in records if one.offset in gone]
            after = entomb_at(segment, key, places, cause=cause)
        if after is not None:
            store.put(key, after, content_type=WARC)
    return Entombed(is_changed=after is not None, unread_from=unread_from)


def _read(segment: bytes) -> tuple[list[_Light], int | None]:
    """Return the records up to the first damage, and where that is."""
    records: list[_Light] = []
    try:
        records += map(_light, iter_records(segment))
    except CorruptRecord:
        return records, records[-1].offset + records[-1].length if records else 0
    return records, None


def _light(record: Record) -> _Light:
    is_there = record.tombstone is None and record.kind != "warcinfo"
    return _Light(
        record.offset,
        record.length,
        record.kind if is_there else "",
        _key(record.url) if is_there and record.url else None,
        _target(record),
    )


def _gone(records: list[_Light], offsets: set[int], is_taken: IsGone) -> set[int]:
    """Return the offsets of the records that go."""
    gone = {one.offset for one in records if one.offset in offsets or (one.key is not None and is_taken(one.key))}
    gone |= set(_hops_before(records, gone)) | set(_redirects(records, is_taken))
    gone |= set(_requests(records, gone))
    return gone | set(_renditions(records, gone))


def _hops_before(records: list[_Light], gone: set[int]) -> Iterator[int]:
    """Yield the redirects that were followed to what goes: they lie before it, one after the other."""
    answers = [one for one in records if one.kind in _ANSWERS]
    for number, one in enumerate(answers):
        if one.offset not in gone:
            continue
        wanted = one.key
        for before in reversed(answers[:number]):
            if before.leads_to is None or before.leads_to != wanted:
                break
            yield before.offset
            wanted = before.key


def _redirects(records: list[_Light], is_taken: IsGone) -> Iterator[int]:
    """Yield the redirects that name what is taken, whoever followed them."""
    return (one.offset for one in records if one.leads_to is not None and is_taken(one.leads_to))


def _requests(records: list[_Light], gone: set[int]) -> Iterator[int]:
    """Yield the requests of the answers that go: each follows its answer."""
    for before, one in zip(records, records[1:], strict=False):
        if one.kind == "request" and before.kind in _ANSWERS and before.offset in gone:
            yield one.offset


def _renditions(records: list[_Light], gone: set[int]) -> Iterator[int]:
    """Yield the pages as their scripts made them whose answer goes, unless another answer of their URL stays."""
    going = {one.key for one in records if one.offset in gone and one.kind in _ANSWERS}
    staying = {one.key for one in records if one.offset not in gone and one.kind in _ANSWERS}
    return (one.offset for one in records if one.kind == "conversion" and one.key in going - staying)


def _target(record: Record) -> str | None:
    """Return the key of the URL that an answer redirects to."""
    for name, value in record.response.headers if record.response else ():
        if name == "location":
            try:
                return Url.parse(value, base=record.url).key
            except ItemError:
                return None
    return None


def _key(url: str) -> str | None:
    try:
        return url_key(url)
    except ItemError:
        return None


def unnamed_segments(store: ObjectStore, named: Collection[str]) -> Iterable[str]:
    """Yield the segments that no row names: a batch that was killed leaves one."""
    return (found.key for found in store.list("warc/") if found.key not in named)
