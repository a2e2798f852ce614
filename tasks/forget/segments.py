"""Put tombstones into segments for the records of what is taken down, with their requests, hops and renditions.

A segment is replaced under a lock and only if unchanged since it was read: otherwise two writers would undo each
other's tombstones.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from tasks.errors import CorruptRecord, ItemError
from tasks.index.database import Index, lock
from tasks.lake.objects.stores import MissingObject, ObjectStore
from tasks.lake.records import Record, iter_records
from tasks.lake.tombstones import Cause, entomb, entomb_at
from tasks.values.url import Url, url_key

WARC = "application/warc"
MOST_HOPS = 30
"""More than the redirects that one look follows."""

_ANSWERS = frozenset({"response", "revisit"})
IsGone = Callable[[str], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class EntombResult:
    """The result for a segment: how many records became tombstones, and the offset from which it is unreadable, if any."""

    records: int
    unread_from: int | None = None


@dataclass(frozen=True, slots=True)
class _RecordSummary:
    """The parts of a record that decide whether it is removed."""

    offset: int
    length: int
    kind: str
    key: str | None
    leads_to: str | None


def entomb_records(
    index: Index, store: ObjectStore, key: str, *, claims: Mapping[int, str], is_taken: IsGone, cause: Cause
) -> EntombResult:
    """Put tombstones into a segment for the claimed records, and for those whose URL key `is_taken`.

    `claims` maps offsets to the key of the requested URL. Requests, renditions and redirect hops of a response are
    removed with it. A missing segment is skipped. Raises LakeUnavailable, IndexUnavailable.
    """
    while True:
        try:
            segment = store.get(key)
        except MissingObject:
            return EntombResult(records=0)
        after, records, unread_from = _buried(segment, key, claims, is_taken, cause)
        if after is None or _put_instead(index, store, key, segment, after):
            return EntombResult(records=records, unread_from=unread_from)


def _put_instead(index: Index, store: ObjectStore, key: str, before: bytes, after: bytes) -> bool:
    """Replace the segment that was read; returns False if another writer has changed it since."""
    with index.write() as tx:
        lock(tx, "segments")
        try:
            if store.get(key) != before:
                return False
        except MissingObject:
            return False
        store.put(key, after, content_type=WARC)
    return True


def _buried(
    segment: bytes, key: str, claims: Mapping[int, str], is_taken: IsGone, cause: Cause
) -> tuple[bytes | None, int, int | None]:
    """Return the segment with tombstones (None if nothing changes), their number, and the offset from which it is unreadable."""
    records, unread_from = _read(segment)
    gone = _gone(records, claims, is_taken)
    number = sum(1 for one in records if one.offset in gone and one.kind)
    if unread_from is None:
        return entomb(segment, key, is_gone=lambda record: record.offset in gone, cause=cause), number, None
    places = [(one.offset, one.length) for one in records if one.offset in gone and one.kind]
    return entomb_at(segment, key, places, cause=cause), number, unread_from


def _read(segment: bytes) -> tuple[list[_RecordSummary], int | None]:
    """Return the records up to the first damage, and the offset of the damage."""
    records: list[_RecordSummary] = []
    try:
        records += map(_light, iter_records(segment))
    except CorruptRecord:
        return records, records[-1].offset + records[-1].length if records else 0
    return records, None


def _light(record: Record) -> _RecordSummary:
    is_there = record.tombstone is None and record.kind != "warcinfo"
    return _RecordSummary(
        record.offset,
        record.length,
        record.kind if is_there else "",
        _key(record.url) if is_there and record.url else None,
        _target(record),
    )


def _gone(records: list[_RecordSummary], claims: Mapping[int, str], is_taken: IsGone) -> set[int]:
    """Return the offsets of the records to remove."""
    gone = {one.offset for one in records if one.offset in claims or (one.key is not None and is_taken(one.key))}
    gone |= set(_hops_before(records, claims)) | set(_redirects(records, is_taken))
    gone |= set(_requests(records, gone))
    return gone | set(_renditions(records, gone))


def _hops_before(records: list[_RecordSummary], claims: Mapping[int, str]) -> Iterator[int]:
    """Yield the redirect hops that led to a claimed record: they are before it, from the requested URL on."""
    answers = [one for one in records if one.kind in _ANSWERS]
    for number, one in enumerate(answers):
        asked = claims.get(one.offset)
        if asked is None or asked == one.key:
            continue
        before = answers[max(number - MOST_HOPS, 0) : number]
        first = next((place for place in reversed(range(len(before))) if before[place].key == asked), len(before))
        yield from (hop.offset for hop in before[first:])


def _redirects(records: list[_RecordSummary], is_taken: IsGone) -> Iterator[int]:
    """Yield the redirects to a URL that is taken down, whichever page they were followed for."""
    return (one.offset for one in records if one.leads_to is not None and is_taken(one.leads_to))


def _requests(records: list[_RecordSummary], gone: set[int]) -> Iterator[int]:
    """Yield the requests of the removed responses; each follows its response."""
    for before, one in pairwise(records):
        if one.kind == "request" and before.kind in _ANSWERS and before.offset in gone:
            yield one.offset


def _renditions(records: list[_RecordSummary], gone: set[int]) -> Iterator[int]:
    """Yield the renditions whose response is removed, unless another response of the same URL stays."""
    going = {one.key for one in records if one.offset in gone and one.kind in _ANSWERS}
    staying = {one.key for one in records if one.offset not in gone and one.kind in _ANSWERS}
    return (one.offset for one in records if one.kind == "conversion" and one.key in going - staying)


def _target(record: Record) -> str | None:
    """Return the key of the URL that a response redirects to."""
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
    """Yield the segments that no row names; a killed batch may leave one."""
    return (found.key for found in store.list("warc/") if found.key not in named)
