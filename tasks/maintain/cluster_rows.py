"""Update the cluster columns of the articles table from the index, for the rows of marked clusters.

A mark is removed once all rows decided before it was read are right; the outbox is published in between.
After a kill at any instant the mark is still there, and the next maintenance repeats the work.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import pyarrow as pa
from deltalake import DeltaTable

from tasks.index import clusters, outbox
from tasks.index.clusters import CLUSTER_COLUMNS, Membership
from tasks.index.database import Index
from tasks.lake.keys import ARTICLES
from tasks.lake.reading import list_files, read_columns
from tasks.lake.schemas import SCHEMAS
from tasks.lake.tables import open_table
from tasks.maintain.compaction import Compaction, rewrite
from tasks.verify.unpublished import publish_waiting

CLUSTERS_AT_ONCE = 50_000
CLOCK_STEP = timedelta(days=1)
"""How far a machine's clock may have been set back between revisions."""


@dataclass(slots=True)
class ClusterUpdate:
    """How many marked clusters were updated, and how many of their rows changed."""

    clusters: int = 0
    rows: int = 0


def update_clusters(compaction: Compaction, index: Index) -> ClusterUpdate:
    """Update the rows of all marked clusters; raises LakeUnavailable, IndexUnavailable."""
    done, after = ClusterUpdate(), ""
    while True:
        with index.read() as tx:
            marked = clusters.find_stale(tx, limit=CLUSTERS_AT_ONCE, after=after)
            members = clusters.find_members(tx, marked)
            waiting = [one.sequence for one in outbox.waiting(tx)]
        if not marked:
            return done
        # Rows in the outbox have the clusters of their decision; published later, they would stay wrong without a mark.
        if not compaction.is_dry_run:
            publish_waiting(index, compaction.store, waiting)
        after = max(marked)
        done.clusters += len(marked)
        rows, is_whole = _update(compaction, open_table(compaction.store, ARTICLES), members)
        done.rows += rows
        if is_whole and not compaction.is_dry_run:
            with index.write() as tx:
                clusters.clear(tx, marked)


def with_clusters(rows: pa.Table, members: Mapping[str, Membership]) -> pa.Table:
    """Return the rows of `articles` with corrected cluster columns for these articles."""
    wrong = _wrong(rows, members)
    for name in CLUSTER_COLUMNS if wrong else ():
        values = rows[name].to_pylist()
        for place, member in wrong.items():
            values[place] = getattr(member, name)
        kind = SCHEMAS[ARTICLES].field(name)
        rows = rows.set_column(rows.schema.get_field_index(name), kind, pa.array(values, type=kind.type))
    return rows


def _update(compaction: Compaction, table: DeltaTable, members: Mapping[str, Membership]) -> tuple[int, bool]:
    """Return how many rows were wrong, and whether all of them are right now."""
    count, stale, days = 0, [], _days(members)
    files = [file for file in list_files(table, ARTICLES) if file.day in days]
    for number, file in enumerate(files):
        compaction.on_step("looking for rows of changed clusters", number, len(files))
        if wrong := len(_wrong(read_columns(compaction.store, file, ("article_id", *CLUSTER_COLUMNS)), members)):
            count += wrong
            stale.append(file)
    done = rewrite(
        compaction, table, stale, what="updating rows of clusters", change=lambda rows: with_clusters(rows, members)
    )
    return count, done.is_whole


def _wrong(rows: pa.Table, members: Mapping[str, Membership]) -> dict[int, Membership]:
    """Return the rows whose cluster columns are wrong, by position."""
    import pyarrow.compute as pc  # noqa: PLC0415 - 13 MB, which sweeps do not need

    wanted = pa.array(members, type=pa.string())
    found = {}
    for place in pc.indices_nonzero(pc.is_in(rows["article_id"], value_set=wanted)).to_pylist():
        member = members[rows["article_id"][place].as_py()]
        if any(rows[name][place].as_py() != getattr(member, name) for name in CLUSTER_COLUMNS):
            found[place] = member
    return found


def _days(members: Mapping[str, Membership]) -> set[date]:
    return {day for member in members.values() for day in _days_of(member)}


def _days_of(member: Membership) -> Iterator[date]:
    """Yield the days that may have revisions of the article."""
    ends = {member.first_seen_at.date(), member.fetched_at.date()}
    if member.revision <= 2:
        yield from ends
        return
    first, last = min(ends) - CLOCK_STEP, max(ends) + CLOCK_STEP
    yield from (first + timedelta(days=n) for n in range((last - first).days + 1))
