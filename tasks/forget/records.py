"""Remove the WARC records of what is taken down."""

from collections import defaultdict
from collections.abc import Iterable

from tasks.forget.segments import entomb_records, unnamed_segments
from tasks.forget.work import Work
from tasks.index.database import Index
from tasks.index.taken_down import read_kept_out
from tasks.lake.objects.stores import ObjectStore
from tasks.lake.tombstones import Cause
from tasks.values.reports import BatchReport
from tasks.values.rows import Capture
from tasks.values.takedown import TAKEN_DOWN


def erase_records(work: Work) -> None:
    """Put tombstones into the segments that affected rows name, and into those that no row names."""
    keys = sorted({*work.taken.claims, *unnamed_segments(work.store, work.taken.named)})
    for number, key in enumerate(keys):
        work.on_step("rewriting segments", number, len(keys))
        done = entomb_records(
            work.index,
            work.store,
            key,
            claims=work.taken.claims.get(key, {}),
            is_taken=work.taken.has_key,
            cause=Cause.TAKEN_DOWN,
        )
        work.counts["segments_rewritten"] += done.records > 0
        if done.unread_from is not None:
            work.notes.append(f"{key} is damaged: it could not be searched from byte {done.unread_from} on")


def entomb_taken_down(report: BatchReport, captures: Iterable[Capture], *, index: Index, store: ObjectStore) -> None:
    """Put tombstones into a batch's segments for what was taken down while the batch was being fetched."""
    if TAKEN_DOWN not in report.skipped:
        return
    with index.read() as tx:
        kept_out = read_kept_out(tx)
    claims: defaultdict[str, dict[int, str]] = defaultdict(dict)
    for one in captures:
        if one.warc_key is None or one.warc_offset is None:
            continue
        claims[one.warc_key].update({one.warc_offset: one.url_key} if kept_out.has_row(one) else {})
    for key, offsets in claims.items():
        entomb_records(index, store, key, claims=offsets, is_taken=kept_out.has_key, cause=Cause.TAKEN_DOWN)
