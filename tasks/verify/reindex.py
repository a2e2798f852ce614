"""Build a new index from the lake alone: every revision in order of time, then every URL with its captures.

It is one transaction, so the index is either complete or empty. Memory holds one Parquet file and one chunk of rows.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby

from deltalake import DeltaTable

from tasks.config.settings import Settings
from tasks.errors import ConfigError
from tasks.index import articles, capture_counts, outbox, policies, replayed, taken_down
from tasks.index.database import Index, Transaction, bind_lake
from tasks.index.repairing import find_used_table
from tasks.index.statements import in_chunks
from tasks.lake.delta_log import check_log
from tasks.lake.keys import ARTICLES, CAPTURES, LATER_TABLES, POLICIES, TABLES
from tasks.lake.objects.stores import ObjectStore
from tasks.lake.reading import StoredFile, list_files
from tasks.lake.removals import read_removals
from tasks.lake.tables import find_table, open_table
from tasks.lake.takedowns import kept_out_by, read_takedowns
from tasks.runtime.lakes import open_lake_without_index
from tasks.runtime.progress import OnStep
from tasks.runtime.resources import opened_index
from tasks.values.rows import Capture
from tasks.values.takedown import KeptOut
from tasks.verify.rebuild import Revision, remember_revisions, remember_urls
from tasks.verify.snapshot import micros
from tasks.verify.spill import Lookup, Spill
from tasks.verify.stored import as_article, as_capture, as_policy, read_file

CHUNK = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ReindexReport:
    """The counts of the new index; `expired` are revisions whose text retention has removed."""

    revisions: int
    articles: int
    captures: int
    urls: int
    expired: int = 0
    policies: int = 0


@dataclass(slots=True)
class _Newest:
    """The greatest change sequence that any row names."""

    change_seq: int = 0

    def note(self, change_seq: int | None) -> None:
        self.change_seq = max(self.change_seq, change_seq or 0)


def check_is_empty(index: Index) -> None:
    """Raise ConfigError for an index that is not empty."""
    with index.read() as tx:
        used = find_used_table(tx)
    if used is not None:
        raise ConfigError(f"the index {index.uri} is not empty ({used}): choose a new one with --index")


def reindex_lake(settings: Settings, *, on_step: OnStep) -> ReindexReport:
    """Fill the empty index that the settings name from the lake; raises ConfigError for one that is not empty."""
    store, lake_id = open_lake_without_index(settings)
    index = opened_index(settings)
    check_is_empty(index)
    bind_lake(index, lake_id=lake_id, lake_uri=store.uri)
    return reindex(
        index=index,
        store=store,
        now=datetime.now(UTC),
        revisit_after=[timedelta(hours=hours) for hours in settings.revisit_after_h],
        on_step=on_step,
    )


def reindex(
    *, index: Index, store: ObjectStore, now: datetime, revisit_after: Sequence[timedelta], on_step: OnStep
) -> ReindexReport:
    """Fill an empty index from the lake; on ConfigError, LakeUnavailable and IndexUnavailable it stays empty.

    Raises DamagedTable as well, since an index without some stored articles would store them again.
    """
    check_is_empty(index)
    for name in (*TABLES, *LATER_TABLES):
        check_log(store, name)
    tables = {name: open_table(store, name) for name in (CAPTURES, ARTICLES)}
    takedowns = read_takedowns(store)
    taken_down.agree(index, takedowns)
    newest, removed = _Newest(), list[tuple[str, int]]()
    for one in read_removals(store):
        newest.note(one.change_seq)
        removed.append((one.article_id, one.revision))
    kept_out = kept_out_by(takedowns)  # a lake restored from a backup may have rows that were taken down
    with Spill[Capture]() as captures, Lookup() as moved, index.write() as tx:
        looks = _spill_captures(
            store, list_files(tables[CAPTURES], CAPTURES), captures, moved, kept_out, newest=newest, on_step=on_step
        )
        revisions, expired = _remember_articles(
            tx, store, list_files(tables[ARTICLES], ARTICLES), moved, kept_out, newest=newest, now=now, on_step=on_step
        )
        replayed.raise_last_revisions(tx, removed)  # their revision numbers are not reused
        urls = 0
        for several in in_chunks(_by_url(captures.read()), CHUNK):
            urls += remember_urls(tx, several, now=now, revisit_after=revisit_after)
            capture_counts.count_captures(
                tx, (one.counted for captures in several for one in captures if not one.is_archived)
            )
            on_step("urls", urls, 0)
        kept = _remember_policies(tx, store)
        _set_counter(tx, index, tables.values(), newest=newest)
        known = articles.count(tx)
    return ReindexReport(revisions=revisions, articles=known, captures=looks, urls=urls, expired=expired, policies=kept)


def _spill_captures(
    store: ObjectStore,
    files: Sequence[StoredFile],
    spilled: Spill[Capture],
    moved: Lookup,
    kept_out: KeptOut,
    *,
    newest: _Newest,
    on_step: OnStep,
) -> int:
    """Spill all captures, and the final URLs of pages that were requested under another URL; returns how many."""
    count = 0
    for number, file in enumerate(files):
        on_step(CAPTURES, number, len(files))
        rows = [as_capture(row) for row in read_file(store, file)]
        rows = [row for row in rows if not kept_out.has_row(row)]
        spilled.add((row.url_key, micros(row.fetched_at), row) for row in rows)
        moved.add(
            (row.warc_key, row.warc_offset or 0, row.final_url)
            for row in rows
            if row.warc_key and row.final_url != row.url
        )
        for row in rows:
            newest.note(row.change_seq)
        count += len(rows)
    return count


def _remember_articles(
    tx: Transaction,
    store: ObjectStore,
    files: Sequence[StoredFile],
    moved: Lookup,
    kept_out: KeptOut,
    *,
    newest: _Newest,
    now: datetime,
    on_step: OnStep,
) -> tuple[int, int]:
    """Add all revisions, a day at a time; returns how many, and of how many retention has removed the text."""
    count = expired = done = 0
    with Spill[Revision]() as spilled:
        for _, day_files in groupby(files, key=lambda file: file.day):
            for file in day_files:
                on_step(ARTICLES, done, len(files))
                spilled.add(_revisions(store, file, moved, kept_out, newest))
                done += 1
            for several in in_chunks(spilled.read(), CHUNK):
                remember_revisions(tx, several, now=now)
                count += len(several)
                expired += sum(one.article.text_removed_at is not None for one in several)
            spilled.clear()
    return count, expired


def _revisions(
    store: ObjectStore, file: StoredFile, moved: Lookup, kept_out: KeptOut, newest: _Newest
) -> Iterator[tuple[int | None, str, Revision]]:
    """Yield a file's revisions with their sort key: by fetch time, then by URL."""
    for row in read_file(store, file):
        article = as_article(row)
        if kept_out.has_row(article):
            continue
        newest.note(article.change_seq)
        final_url = moved.find(article.warc_key, article.warc_offset) or article.url
        order = f"{article.url_key} {article.revision:09}"
        yield micros(article.fetched_at), order, Revision(article=article, final_url=final_url)


def _remember_policies(tx: Transaction, store: ObjectStore) -> int:
    """Add the policy documents, if the lake has any; returns how many."""
    table = find_table(store, POLICIES)
    rows = (as_policy(row) for file in list_files(table, POLICIES) for row in read_file(store, file)) if table else ()
    return len(policies.remember(tx, rows))


def _by_url(captures: Iterator[Capture]) -> Iterator[tuple[Capture, ...]]:
    for _, several in groupby(captures, key=lambda one: one.url_key):
        yield tuple(several)


def _set_counter(tx: Transaction, index: Index, tables: Iterable[DeltaTable], *, newest: _Newest) -> None:
    """Continue the outbox's sequence after the greatest that rows and commits of the lake name, so that changes stay in order."""
    held = max(newest.change_seq, *(table.transaction_version(index.index_id) or 0 for table in tables))
    if held:
        outbox.start_sequence_after(tx, held)
