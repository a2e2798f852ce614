"""Migrate to another algorithm: recompute digests and shapes from the texts in the lake.

Every digest and shape carries its algorithm's number, and only those with equal numbers are compared. Articles in the
index are migrated first, a chunk per transaction, by the same code as new ones; then the lake's rows. After an
interruption, the migration continues with what still has an older number.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
from deltalake import DeltaTable

from tasks.index.database import Index, Transaction
from tasks.index.facts import note_fact, read_fact
from tasks.index.frontier import hold
from tasks.index.repairing import find_older, has_older
from tasks.index.statements import in_chunks
from tasks.lake.keys import ARTICLES
from tasks.lake.reading import list_files, read_columns
from tasks.lake.schemas import SCHEMAS
from tasks.lake.tables import open_table
from tasks.maintain.compaction import Compaction, rewrite
from tasks.values.rows import Article
from tasks.values.text import digest as identity
from tasks.values.text import sketch
from tasks.values.text.digest import text_digest
from tasks.verify.rebuild import Revision, remember_revisions
from tasks.verify.stored import as_article, read_file

CHUNK = 200
FACT = "algorithms"
"""The algorithm numbers of digest and sketch that everything has, or had before an unfinished migration."""

UNDER_WAY = "moving"
CURRENT = f"{identity.ALGORITHM}.{sketch.ALGORITHM}"
PREFIX = f"t{identity.ALGORITHM}:"


@dataclass(slots=True)
class MigratedCount:
    """How many articles of the index and rows of the lake were migrated to the current algorithm."""

    articles: int = 0
    rows: int = 0


def migrate_to_current(compaction: Compaction, index: Index) -> MigratedCount:
    """Migrate what has an older number; raises LakeUnavailable, IndexUnavailable."""
    moved, is_whole = MigratedCount(), True
    with index.read() as tx:
        held = read_fact(tx, FACT)
        is_needed = held not in {None, CURRENT} or has_older(tx, digests=PREFIX, sketches=sketch.ALGORITHM)
    if is_needed:
        if held in {None, CURRENT} and not compaction.is_dry_run:
            _note(
                index, f"{UNDER_WAY}.{sketch.ALGORITHM}"
            )  # otherwise nothing would show that lake rows are still to be migrated
        table = open_table(compaction.store, ARTICLES)
        has_new_sketch = held is not None and held.partition(".")[2] != str(sketch.ALGORITHM)
        moved.articles = _move_index(compaction, index, table, has_new_sketch=has_new_sketch)
        moved.rows, is_whole = _move_lake(compaction, table)
    if (is_needed or held is None) and is_whole and not compaction.is_dry_run:
        _note(index, CURRENT)
    return moved


def with_current_digests(rows: pa.Table) -> pa.Table:
    """Return rows of `articles` with digests of another algorithm recomputed."""
    digests = rows["text_digest"].to_pylist()
    for place in _older(rows):
        digests[place] = text_digest(rows["text"][place].as_py())
    kind = SCHEMAS[ARTICLES].field("text_digest")
    return rows.set_column(rows.schema.get_field_index("text_digest"), kind, pa.array(digests, type=kind.type))


def _note(index: Index, value: str) -> None:
    """Record the algorithm numbers of index and lake."""
    with index.write() as tx:
        note_fact(tx, FACT, value)


def _move_index(compaction: Compaction, index: Index, table: DeltaTable, *, has_new_sketch: bool) -> int:
    files, count = list_files(table, ARTICLES), 0
    for number, file in enumerate(files):
        compaction.on_step("moving articles to the current algorithm", number, len(files))
        rows = (as_article(row) for row in read_file(compaction.store, file) if row["text_removed_at"] is None)
        for part in in_chunks(rows, CHUNK):
            count += _move_articles(compaction, index, part, has_new_sketch=has_new_sketch)
    return count


def _move_articles(compaction: Compaction, index: Index, rows: Sequence[Article], *, has_new_sketch: bool) -> int:
    """Migrate the revisions that are their article's newest and have an older number."""
    if compaction.is_dry_run:
        with index.read() as tx:
            return len(_find_older(tx, rows, has_new_sketch=has_new_sketch))
    with index.write() as tx:
        hold(tx, (row.url_key for row in rows))
        older = _find_older(tx, rows, has_new_sketch=has_new_sketch)
        older.sort(key=lambda row: (row.fetched_at, row.url_key))
        revisions = [
            Revision(article=replace(row, text_digest=text_digest(row.text)), final_url=row.url) for row in older
        ]
        if revisions:
            remember_revisions(tx, revisions, now=compaction.now)
    return len(older)


def _find_older(tx: Transaction, rows: Sequence[Article], *, has_new_sketch: bool) -> list[Article]:
    """Return the revisions to migrate; a text without a shape may get one from a new sketch."""
    older = find_older(
        tx,
        [row.article_id for row in rows],
        digests=PREFIX,
        sketches=sketch.ALGORITHM,
        or_without_shape=has_new_sketch,
    )
    return [row for row in rows if (row.article_id, row.revision) in older]


def _move_lake(compaction: Compaction, table: DeltaTable) -> tuple[int, bool]:
    """Return how many rows had an older number, and whether none has now."""
    count, stale = 0, []
    for file in list_files(table, ARTICLES):
        if older := len(_older(read_columns(compaction.store, file, ("text_digest", "text_removed_at")))):
            count += older
            stale.append(file)
    done = rewrite(compaction, table, stale, what="moving rows to the current algorithm", change=with_current_digests)
    return count, done.is_whole


def _older(rows: pa.Table) -> list[int]:
    import pyarrow.compute as pc  # noqa: PLC0415 - 13 MB, which sweeps do not need

    is_current = pc.starts_with(rows["text_digest"], PREFIX)
    is_empty = pc.is_valid(rows["text_removed_at"])  # retention has removed the text, so the old digest stays
    places: list[int] = pc.indices_nonzero(pc.invert(pc.or_(is_current, is_empty))).to_pylist()
    return places
