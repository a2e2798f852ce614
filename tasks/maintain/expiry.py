"""Remove what has expired: payloads from segments, texts from rows. Idempotent.

A row stays, with its digests; its text is empty, and its title, lede and markdown are null. A record becomes a
tombstone.
"""

import re
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from deltalake import DeltaTable

from tasks.config.retention import RetentionRules
from tasks.deduplicate.restating import contents_of
from tasks.errors import CorruptRecord, IndexUnavailable, RecordGone
from tasks.forget.segments import entomb_records
from tasks.index import outbox
from tasks.index.database import Index, Transaction
from tasks.index.erasing import erase_securely, erase_titles
from tasks.index.facts import note_fact, read_fact
from tasks.index.statements import in_chunks
from tasks.lake.keys import ARTICLES, CAPTURES, POLICIES, day_of
from tasks.lake.objects.stores import MissingObject, ObjectStore
from tasks.lake.reading import StoredFile, list_files, read_articles, read_columns, unneeded_files
from tasks.lake.records import read_record
from tasks.lake.tables import find_table, open_table
from tasks.lake.tombstones import Cause
from tasks.runtime.progress import OnStep
from tasks.store.publishing import publish_all
from tasks.values.changes import ArticleKey, RowChanges, key_of_article
from tasks.values.columns import revive
from tasks.values.rows import Article
from tasks.values.url import url_key

ROWS_AT_ONCE = 200
ATTEMPTS = 40
FACT = "payload_retention"
"""The key of the digest of the retention rules applied so far."""

_DAY = re.compile(r"warc/dt=(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Expiry:
    """The context of the removal; a dry run changes nothing."""

    index: Index
    store: ObjectStore
    rules: RetentionRules
    now: datetime
    is_dry_run: bool
    on_step: OnStep


@dataclass(slots=True)
class _Segment:
    """The records of one segment that rows name: which have expired, and whether all have.

    `documents` are the keys of policy documents, which are evidence and do not expire.
    """

    expired: dict[int, str] = field(default_factory=dict)
    latest: dict[int | None, tuple[datetime, int, int]] = field(default_factory=dict)
    is_whole: bool = True
    documents: set[str] = field(default_factory=set)


def expire_texts(expiry: Expiry) -> int:
    """Remove expired texts from rows; returns the number of rows. Raises LakeUnavailable, IndexUnavailable."""
    if not expiry.rules.has_texts:
        return 0
    publish_all(expiry.index, expiry.store) if not expiry.is_dry_run else None
    table, count = open_table(expiry.store, ARTICLES), 0
    files = list_files(table, ARTICLES)
    for number, file in enumerate(files):
        expiry.on_step("looking for texts that have expired", number, len(files))
        places = list(_expired_rows(expiry, file))
        count += len(places)
        if places and not expiry.is_dry_run:
            for keys in in_chunks(_keys_at(expiry.store, file, places), ROWS_AT_ONCE):
                _remove_texts(expiry, frozenset(keys))
    if not expiry.is_dry_run:
        publish_all(expiry.index, expiry.store)
        _delete_replaced(expiry)
    return count


def expire_payloads(expiry: Expiry) -> int:
    """Replace expired records of segments by tombstones; returns how many. Raises LakeUnavailable, IndexUnavailable."""
    if not expiry.rules.has_payloads:
        return 0
    segments = _claimed(expiry)
    with expiry.index.read() as tx:
        is_same = read_fact(tx, FACT) == expiry.rules.digest
    expired = {key: one for key, one in segments.items() if one.expired} | dict(_unnamed(expiry, segments))
    count = 0
    for number, (key, one) in enumerate(sorted(expired.items())):
        expiry.on_step("looking for records that have expired", number, len(expired))
        if is_same and _is_done(expiry.store, key, one):
            continue
        count += len(one.expired) if expiry.is_dry_run else _bury(expiry, key, one)
    if not is_same and not expiry.is_dry_run:
        with expiry.index.write() as tx:
            note_fact(tx, FACT, expiry.rules.digest)
    return count


def _expired_rows(expiry: Expiry, file: StoredFile) -> Iterator[int]:
    columns = ("source_id", "fetched_at", "text_removed_at")
    for place, row in enumerate(read_columns(expiry.store, file, columns).to_pylist()):
        is_over = expiry.rules.text_expired(row["source_id"], row["fetched_at"], now=expiry.now)
        if is_over and row["text_removed_at"] is None:
            yield place


def _keys_at(store: ObjectStore, file: StoredFile, places: Sequence[int]) -> list[ArticleKey]:
    rows = read_columns(store, file, ("article_id", "revision")).take(places).to_pylist()
    return [ArticleKey(row["article_id"], row["revision"], file.day) for row in rows]


def _delete_replaced(expiry: Expiry) -> None:
    """Delete files of older table versions that hold an expired text, although readers of those versions lose them."""
    # a file that the log does not name is about to be committed, or is left to `verify`
    replaced, _ = unneeded_files(expiry.store, open_table(expiry.store, ARTICLES), ARTICLES)
    for found in replaced:
        file = StoredFile(table=ARTICLES, key=found.key, day=day_of(found.key), size=found.size, rows=None)
        if any(True for _ in _expired_rows(expiry, file)):
            expiry.store.delete(found.key)


def _remove_texts(expiry: Expiry, keys: Collection[ArticleKey]) -> None:
    """Remove the texts of rows in the lake and, in the same transaction, their titles in the index.

    If a replay replaces the rows meanwhile, they are read again.
    """
    for _ in range(ATTEMPTS):
        with expiry.index.read() as tx:
            sequence, published = outbox.last_sequence(tx), outbox.published_upto(tx)
        if published < sequence:
            publish_all(expiry.index, expiry.store)
        rows = [row for row in _rows_of(expiry.store, keys) if row.text_removed_at is None]
        emptied = tuple(_emptied(row, expiry.now) for row in rows)
        with expiry.index.write() as tx:
            erase_securely(tx)
            if _write(tx, emptied, now=expiry.now) == sequence + 1:
                return
            tx.rollback()
    raise IndexUnavailable(f"{expiry.index.uri}: sweeps interfered; gave up after {ATTEMPTS} attempts")


def _rows_of(store: ObjectStore, keys: Collection[ArticleKey]) -> list[Article]:
    spans = {article_id: (min(days), max(days)) for article_id, days in _days_of(keys).items()}
    rows = (revive(Article, row) for row in read_articles(store, spans))
    return [row for row in rows if key_of_article(row) in keys]


def _days_of(keys: Iterable[ArticleKey]) -> dict[str, list[date]]:
    days: defaultdict[str, list[date]] = defaultdict(list)
    for key in keys:
        days[key.article_id].append(key.dt)
    return days


def _write(tx: Transaction, emptied: Sequence[Article], *, now: datetime) -> int:
    """Write the emptied rows; returns the outbox sequence of this change."""
    erase_titles(tx, {row.article_id: row.revision for row in emptied})
    return outbox.append_changes(
        tx,
        RowChanges(articles=tuple(emptied)),
        batch_id=f"expire-{uuid.uuid4().hex}",
        run_id="maintain",
        counts={},
        now=now,
    )


def _emptied(row: Article, now: datetime) -> Article:
    """Return a row without its text; it stays comparable by its digests."""
    return replace(
        row,
        title=None,
        text="",
        lede=None,
        markdown=None,
        content_digest=contents_of(row)[0],
        text_removed_at=now,
    )


def _claimed(expiry: Expiry) -> dict[str, _Segment]:
    """Return the records that rows of captures name, by segment."""
    segments: defaultdict[str, _Segment] = defaultdict(_Segment)
    table: DeltaTable = open_table(expiry.store, CAPTURES)
    columns = ("source_id", "fetched_at", "url_key", "warc_key", "warc_offset", "warc_length")
    for file in list_files(table, CAPTURES):
        for row in read_columns(expiry.store, file, columns).to_pylist():
            if row["warc_key"] is not None:
                _claim(segments[row["warc_key"]], row, expiry)
    policies = find_table(expiry.store, POLICIES)
    for file in list_files(policies, POLICIES) if policies else ():
        for row in read_columns(expiry.store, file, ("url", "warc_key")).to_pylist():
            segments[row["warc_key"]].documents.add(url_key(row["url"]))
    return segments


def _claim(segment: _Segment, row: Mapping[str, Any], expiry: Expiry) -> None:
    if not expiry.rules.payload_expired(row["source_id"], row["fetched_at"], now=expiry.now):
        segment.is_whole = False
        return
    segment.expired[row["warc_offset"]] = row["url_key"]
    days = expiry.rules.payload_days(row["source_id"])
    place = (row["fetched_at"], row["warc_offset"], row["warc_length"])
    segment.latest[days] = max(segment.latest.get(days, place), place)


def _unnamed(expiry: Expiry, named: Mapping[str, _Segment]) -> Iterator[tuple[str, _Segment]]:
    """Yield the segments that no row names and whose day has expired by every rule."""
    days = expiry.rules.shortest_payload_days
    before = expiry.now.date() - timedelta(days=days or 0)
    for found in expiry.store.list("warc/"):
        day = _DAY.match(found.key)
        if found.key not in named and day and date.fromisoformat(day["day"]) < before:
            yield found.key, _Segment()


def _is_done(store: ObjectStore, key: str, segment: _Segment) -> bool:
    """Whether the records that expired last are tombstones; a segment is rewritten at once, so the earlier ones then are too."""
    return bool(segment.latest) and all(
        _is_gone(store, key, offset, length) for _, offset, length in segment.latest.values()
    )


def _is_gone(store: ObjectStore, key: str, offset: int, length: int) -> bool:
    try:
        read_record(store.get_range(key, offset, length), 0, length)
    except (RecordGone, MissingObject):
        return True
    except CorruptRecord:
        return False
    return False


def _bury(expiry: Expiry, key: str, segment: _Segment) -> int:
    done = entomb_records(
        expiry.index,
        expiry.store,
        key,
        claims=segment.expired,
        is_taken=lambda key: segment.is_whole and key not in segment.documents,
        cause=Cause.EXPIRED,
    )
    return done.records
