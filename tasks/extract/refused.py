"""Pages that their own words refuse: a tombstone takes the place of what was fetched of them."""

from collections import defaultdict
from collections.abc import Callable
from functools import partial

from tasks.errors import LakeUnavailable, RightsRefused
from tasks.lake.objects.stores import MissingObject
from tasks.lake.tombstones import Cause, entomb
from tasks.lake.warc import Record
from tasks.values.batch import Batch


def entomb_refused(batch: Batch, *, get: Callable[[str], bytes], put: Callable[[str, bytes], None]) -> None:
    """Put segments again without the pages of the batch that were read and are refused; raises LakeUnavailable.

    No record moves, so that every row that names an offset stays right. Done twice, it changes nothing.
    """
    places: defaultdict[str, set[int]] = defaultdict(set)
    for look in batch.captured:
        capture = look.captured
        if capture.reason == RightsRefused.reason and capture.warc_key and capture.payload_size:
            places[capture.warc_key].add(capture.warc_offset or 0)
            if look.rendition:
                places[capture.warc_key].add(look.rendition[0])
    for key, offsets in places.items():
        try:
            segment = get(key)
        except MissingObject as error:
            raise LakeUnavailable(f"the segment {key} is not in the lake") from error
        buried = entomb(segment, key, is_gone=partial(_is_one_of, offsets), cause=Cause.REFUSED)
        if buried is not None:
            put(key, buried)


def _is_one_of(offsets: set[int], record: Record) -> bool:
    return record.offset in offsets
