"""Replace the records of pages whose own signals refuse storing by tombstones."""

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
    """Rewrite segments without the batch's refused pages; raises LakeUnavailable.

    No record moves, so that offsets in rows stay valid. Idempotent.
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
    """Return a segment without those of its looks' pages that are refused."""
    for key, offsets in _places(looks).items():
        segment = _buried(segment, key, offsets) or segment
    return segment


def _places(looks: Iterable[Look]) -> dict[str, set[int]]:
    """Return the offsets of the refused pages' records, by segment."""
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
