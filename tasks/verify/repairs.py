"""The repair of each kind of fault. Each repair checks the fault again first.

Nothing is deleted: objects are set aside, and the journal records the transactions that change rows of the index (ADR
0016).
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, TypeVar

from tasks.deduplicate.cluster_repair import repair_clusters
from tasks.index import articles as known_articles
from tasks.index import clusters, policies, repairing
from tasks.index.articles import find_url_keys
from tasks.index.database import Index, Transaction
from tasks.index.frontier import hold
from tasks.index.statements import in_chunks
from tasks.lake.delta_log import logged_paths
from tasks.lake.keys import ARTICLES, CAPTURES, LATER_TABLES, POLICIES, TABLES
from tasks.lake.objects.stores import MissingObject, ObjectStore
from tasks.lake.reading import list_files
from tasks.lake.tables import open_table
from tasks.values.rows import Article, Capture
from tasks.verify.documents import write_documents
from tasks.verify.fault import FaultKind
from tasks.verify.rebuild import Revision, remember_revisions, remember_urls
from tasks.verify.set_aside import Journal
from tasks.verify.stored import DamagedFile, as_article, as_capture, as_policy, read_file
from tasks.verify.unlisted import commit_again
from tasks.verify.unpublished import publish_waiting

GRACE = timedelta(hours=1)
"""Objects younger than this are left alone: a log or a row may be about to name them."""

CHUNK = 200
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairContext:
    """The stores that repairs change, and the journal that records the changes.

    `is_lake_whole` is False if files of a table are missing or damaged, or have lost their commit.

    `is_quiet` is False if a run began after the fault was found.
    """

    index: Index
    store: ObjectStore
    journal: Journal
    now: datetime
    revisit_after: Sequence[timedelta]
    is_lake_whole: bool
    is_quiet: bool


Repair = Callable[[RepairContext, Sequence[str]], Collection[str]]


def repair_all(context: RepairContext, keys: Mapping[FaultKind, Sequence[str]]) -> dict[FaultKind, frozenset[str]]:
    """Repair what can be repaired, kind by kind in the right order; returns the keys of the repaired faults."""
    return {kind: frozenset(mend(context, keys[kind])) for kind, mend in REPAIRERS.items() if keys.get(kind)}


def _publish(context: RepairContext, keys: Sequence[str]) -> Collection[str]:
    publish_waiting(context.index, context.store, map(int, keys))
    return keys


def _list_again(context: RepairContext, keys: Sequence[str]) -> Collection[str]:
    """Commit files that the log has lost, unless the lake is damaged: a restored file may have the same rows."""
    return [key for key in keys if context.is_lake_whole and commit_again(context.store, key, now=context.now)]


def _set_files_aside(context: RepairContext, keys: Sequence[str]) -> Collection[str]:
    """Set aside files that still nothing names; replaced files stay if a file is damaged, since they may have its rows."""
    if not context.is_lake_whole:
        return ()
    named = {key for name in (*TABLES, *LATER_TABLES) for key in logged_paths(context.store, name)}
    return _set_aside(context, [key for key in keys if key not in named])


def _set_documents_aside(context: RepairContext, keys: Sequence[str]) -> Collection[str]:
    """Set documents aside, unless their captures may be in a file that is missing or damaged."""
    return _set_aside(context, keys) if context.is_lake_whole else ()


def _set_segments_aside(context: RepairContext, keys: Sequence[str]) -> Collection[str]:
    """Set aside segments that no row names: a killed batch's segment may hold a page that may not be kept.

    Those of a backfill in progress stay.
    """
    if not (context.is_lake_whole and context.is_quiet):
        return ()
    is_filling = next(iter(context.store.list("scratch/")), None) is not None
    return _set_aside(context, [key for key in keys if not (is_filling and "/backfill-" in key)])


def _set_aside(context: RepairContext, keys: Sequence[str]) -> Collection[str]:
    return [
        key
        for key in keys
        for found in context.store.list(key)
        if found.key == key and context.now - found.modified_at >= GRACE and context.journal.set_aside(key)
    ]


def _write_documents(context: RepairContext, keys: Sequence[str]) -> Collection[str]:
    return list(write_documents(context.store, context.journal, _scan_numbered(context.store, frozenset(keys))))


def _restore_articles(context: RepairContext, keys: Sequence[str]) -> Collection[str]:
    return _restore_newest(context, keys, may_set_back=False)


def _restore_newest(context: RepairContext, keys: Sequence[str], *, may_set_back: bool) -> Collection[str]:
    """Restore these articles from the lake's newest rows; with `may_set_back` also those that are newer in the index."""
    newest: dict[str, Article] = {}
    for stored in _scan(context.store, ARTICLES, "article_id", frozenset(keys)):
        held = newest.get(stored["article_id"])
        if held is None or (stored["fetched_at"], stored["revision"]) >= (held.fetched_at, held.revision):
            newest[stored["article_id"]] = as_article(stored)
    for part in _parts(sorted(newest.values(), key=lambda row: (row.fetched_at, row.article_id))):
        with context.journal.write() as tx:
            hold(tx, (row.url_key for row in part))
            ahead = set() if may_set_back else _ahead(tx, part)  # read under the lock, since a sweep may add revisions
            rows = [row for row in part if row.article_id not in ahead]
            for row in rows:
                repairing.correct_article(
                    tx, row.article_id, url_key=row.url_key, first_seen_at=row.first_seen_at, revision=row.revision
                )
            remember_revisions(tx, [Revision(article=row, final_url=row.url) for row in rows], now=context.now)
    return newest.keys()


def _ahead(tx: Transaction, rows: Sequence[Article]) -> set[str]:
    """Return the articles with a newer revision in the index: a sweep may have decided it just now."""
    known = repairing.find_articles(tx, [row.article_id for row in rows])
    return {
        row.article_id
        for row in rows
        if (one := known.get(row.article_id)) and (one.fetched_at, one.revision) > (row.fetched_at, row.revision)
    }


def _set_back(context: RepairContext, keys: Sequence[str]) -> Collection[str]:
    """Set the index back to what the lake has, and make the URLs due, so that their text is found new again."""
    # a damaged file may have the newer rows, and a run that has begun since may be about to publish them
    if not (context.is_lake_whole and context.is_quiet):
        return ()
    lost = sorted(set(keys) - set(_restore_newest(context, keys, may_set_back=True)))
    for part in _parts(keys):
        with context.journal.write() as tx:
            known = repairing.find_articles(tx, part)
            repairing.refetch_urls(tx, list(find_url_keys(tx, known).values()), now=context.now)
            gone = [article_id for article_id in known if article_id in lost]
            repairing.remove_articles(tx, gone)
            repair_clusters(tx, {known[article_id].cluster_id for article_id in gone})
    return keys


def _restore_urls(context: RepairContext, keys: Sequence[str]) -> Collection[str]:
    done: list[str] = []
    for part in _parts(keys):
        rows = map(as_capture, _scan(context.store, CAPTURES, "url_key", frozenset(part)))
        ordered = sorted(rows, key=lambda one: (one.url_key, one.fetched_at))
        looks = [tuple(several) for _, several in groupby(ordered, key=lambda one: one.url_key)]
        with context.journal.write() as tx:
            remember_urls(tx, looks, now=context.now, revisit_after=context.revisit_after)
        done += [captures[0].url_key for captures in looks]
    return done


def _look_again(context: RepairContext, keys: Sequence[str]) -> Collection[str]:
    for part in _parts(keys):
        with context.journal.write() as tx:
            repairing.refetch_urls(tx, part, now=context.now, forgets_article=True)
    return keys


def _look_again_at_lost(context: RepairContext, keys: Sequence[str]) -> Collection[str]:
    return _look_again(context, keys) if context.is_lake_whole else ()


def _look_again_at_unknown(context: RepairContext, keys: Sequence[str]) -> Collection[str]:
    """Make URLs due whose article is still missing: it may have been restored, or be in a damaged file."""
    if not context.is_lake_whole:
        return ()
    with context.index.read() as tx:
        lost = [url_key for part in _parts(keys) for url_key in repairing.find_lost_urls(tx, part)]
    _look_again(context, lost)
    return keys


def _give_back(context: RepairContext, keys: Sequence[str]) -> Collection[str]:
    for part in _parts(keys):
        with context.journal.write() as tx:
            repairing.end_leases(tx, part)
    return keys


def _make_due(context: RepairContext, keys: Sequence[str]) -> Collection[str]:
    for part in _parts(keys):
        with context.journal.write() as tx:
            repairing.make_due(tx, part, now=context.now)
    return keys


def _put_together(context: RepairContext, keys: Sequence[str]) -> Collection[str]:
    for part in _parts(keys):
        with context.journal.write() as tx:
            repair_clusters(tx, part)
    return keys


def _put_torn_together(context: RepairContext, keys: Sequence[str]) -> Collection[str]:
    for part in _parts(keys):
        with context.journal.write() as tx:
            repair_clusters(tx, known_articles.find_clusters(tx, part).values())
    return keys


def _mark(context: RepairContext, keys: Sequence[str]) -> Collection[str]:
    with context.journal.write() as tx:
        clusters.mark(tx, keys)
    return keys


def _take_edges_out(context: RepairContext, keys: Sequence[str]) -> Collection[str]:
    """Delete edges without an article at an end, unless it may be in a missing or damaged file."""
    if not context.is_lake_whole:
        return ()
    for part in _parts(keys):
        with context.journal.write() as tx:
            for key in part:
                _take_edge_out(tx, *key.split(" "))
    return keys


def _take_edge_out(tx: Transaction, a: str, b: str, kind: str) -> None:
    repairing.drop_edge_of_unknown(tx, a, b, kind, ends={a} if kind == "syndicated" else {a, b})


def _take_shapes_out(context: RepairContext, keys: Sequence[str]) -> Collection[str]:
    if not context.is_lake_whole:
        return ()
    for part in _parts(keys):
        with context.journal.write() as tx:
            repairing.drop_shapes_of_unknown(tx, part)
    return keys


def _forget_policies(context: RepairContext, keys: Sequence[str]) -> Collection[str]:
    """Delete policy documents without a row from the index, unless the row may be in a missing or damaged file."""
    if not (context.is_lake_whole and context.is_quiet):
        return ()
    with context.journal.write() as tx:
        policies.forget(tx, keys)
    return keys


def _restore_policies(context: RepairContext, keys: Sequence[str]) -> Collection[str]:
    rows = [as_policy(row) for row in _scan(context.store, POLICIES, "policy_id", frozenset(keys))]
    with context.journal.write() as tx:
        policies.remember(tx, rows)
    return {row.policy_id for row in rows}


REPAIRERS: dict[FaultKind, Repair] = {
    FaultKind.UNLISTED_FILE: _list_again,
    FaultKind.UNPUBLISHED_BATCH: _publish,
    FaultKind.HALF_PUBLISHED_BATCH: _publish,
    FaultKind.ROW_WITHOUT_ARTICLE: _restore_articles,
    FaultKind.ARTICLE_BEHIND: _restore_articles,
    FaultKind.ARTICLE_DIFFERS: _restore_articles,
    FaultKind.CAPTURE_WITHOUT_URL: _restore_urls,
    FaultKind.ARTICLE_WITHOUT_ROW: _set_back,
    FaultKind.STALE_LEASE: _give_back,
    FaultKind.BROKEN_LEASE: _give_back,
    FaultKind.UNKNOWN_STATE: _look_again,
    FaultKind.URL_WITHOUT_CAPTURE: _look_again_at_lost,
    FaultKind.URL_WITHOUT_ARTICLE: _look_again_at_unknown,
    FaultKind.NEVER_DUE: _make_due,
    FaultKind.TORN_CLUSTER: _put_torn_together,
    FaultKind.UNKNOWN_CLUSTER: _put_together,
    FaultKind.WRONG_REPRESENTATIVES: _put_together,
    FaultKind.LATE_REPRESENTATIVE: _put_together,
    FaultKind.CLUSTER_TOLD_WRONG: _mark,
    FaultKind.EDGE_WITHOUT_ARTICLE: _take_edges_out,
    FaultKind.SHAPE_WITHOUT_ARTICLE: _take_shapes_out,
    FaultKind.POLICY_WITHOUT_ROW: _forget_policies,
    FaultKind.ROW_WITHOUT_POLICY: _restore_policies,
    FaultKind.MISSING_DOCUMENT: _write_documents,
    FaultKind.ORPHAN_DOCUMENT: _set_documents_aside,
    FaultKind.ORPHAN_FILE: _set_files_aside,
    FaultKind.ORPHAN_SEGMENT: _set_segments_aside,
}
"""The repairs in the order in which they run: publishing and restoring may already repair later faults."""

SET_ASIDE_KINDS = frozenset({FaultKind.ORPHAN_DOCUMENT, FaultKind.ORPHAN_FILE, FaultKind.ORPHAN_SEGMENT})
"""For these faults the object itself is set aside."""


def _scan(store: ObjectStore, name: str, column: str, wanted: frozenset[str]) -> Iterator[dict[str, Any]]:
    """Yield the rows whose column has one of these values; unreadable files are reported already."""
    for file in list_files(open_table(store, name), name):
        with suppress(MissingObject, DamagedFile):
            yield from (row for row in read_file(store, file) if row[column] in wanted)


def _scan_numbered(store: ObjectStore, capture_ids: frozenset[str]) -> Iterator[tuple[int, Capture]]:
    """Yield these captures, each with its position in its file, which is its position in the batch unless files were packed."""
    for file in list_files(open_table(store, CAPTURES), CAPTURES):
        with suppress(MissingObject, DamagedFile):
            for number, row in enumerate(read_file(store, file)):
                if row["capture_id"] in capture_ids:
                    yield number, as_capture(row)


def _parts(keys: Iterable[T]) -> Iterator[list[T]]:
    return in_chunks(keys, CHUNK)
