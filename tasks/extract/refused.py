"""Pages that their own words refuse: a tombstone takes the place of what was fetched of them."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import partial

from tasks.errors import LakeUnavailable, RightsRefused
from tasks.lake.objects.stores import MissingObject
from tasks.lake.records import Record
from tasks.lake.tombstones import Cause, entomb
from tasks.values.batch import Batch
from tasks.values.look import Look


def entomb_refused(batch: Batch, *, get: Callable[[str], bytes], put: Callable[[str, bytes], None]) -> None:
    """Put segments again without the pages of the batch that were read and are refused; raises LakeUnavailable.

    No record moves, so that every row that names an offset stays right. Done twice, it changes nothing.
    """
    for key, offsets in _places(batch.captured).items():
        try:
            segment = get(key)
        except MissingObject as error:
            raise LakeUnavailable(f"the segment {key} is not in the lake") from error
        buried = _buried(segment, key, offsets)
        if buried is not None:
            put(key, buried)


def without_refused(segment: bytes, looks: Iterable[Look]) -> bytes:
    """Return a segment without the pages among these, all of them its own, that are refused."""
    for key, offsets in _places(looks).items():
        segment = _buried(segment, key, offsets) or segment
    return segment


def _places(looks: Iterable[Look]) -> dict[str, set[int]]:
    """Return where the records of refused pages are, by segment."""
    places: defaultdict[str, set[int]] = defaultdict(set)
    for look in looks:
        capture = look.captured
        if capture.reason == RightsRefused.reason and capture.warc_key and capture.payload_size:
            places[capture.warc_key].add(capture.warc_offset or 0)
            if look.rendition:
                places[capture.warc_key].add(look.rendition[0])
    return places


def _buried(segment: bytes, key: str, offsets: set[int]) -> bytes | None:
    return entomb(segment, key, is_gone=partial(_is_one_of, offsets), cause=Cause.REFUSED)


def _is_one_of(offsets: set[int], record: Record) -> bool:
    return record.offset in offsets
