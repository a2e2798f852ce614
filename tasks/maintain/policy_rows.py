"""Copy the day on which policy documents were last seen from the index to their rows in `policies`.

A row is rewritten once a day at most. After a kill at any instant the index still knows which rows are out of date.
"""

from collections.abc import Mapping
from datetime import datetime

import pyarrow as pa

from tasks.index import policies
from tasks.index.database import Index
from tasks.lake.keys import POLICIES
from tasks.lake.reading import StoredFile, list_files, read_columns
from tasks.lake.schemas import SCHEMAS
from tasks.lake.tables import find_table
from tasks.maintain.compaction import Compaction, rewrite

SEEN = "last_seen_at"


def update_sightings(compaction: Compaction, index: Index) -> int:
    """Update the rows whose document was seen on a later day; returns how many.

    Raises LakeUnavailable, IndexUnavailable.
    """
    with index.read() as tx:
        seen = policies.unreported(tx)
    table = find_table(compaction.store, POLICIES) if seen else None
    if table is None:
        return 0
    behind = [(file, number) for file in list_files(table, POLICIES) if (number := _count(compaction, file, seen))]
    files = [file for file, _ in behind]
    done = rewrite(
        compaction, table, files, what="updating rows of policies", change=lambda rows: with_sightings(rows, seen)
    )
    if done.is_whole and not compaction.is_dry_run:
        with index.write() as tx:
            policies.note_reported(tx, seen)
    return sum(number for _, number in behind)


def with_sightings(rows: pa.Table, seen: Mapping[str, datetime]) -> pa.Table:
    """Return the rows of `policies` with the instants at which these documents were last seen."""
    held = zip(rows["policy_id"].to_pylist(), rows[SEEN].to_pylist(), strict=True)
    kind = SCHEMAS[POLICIES].field(SEEN)
    values = pa.array([max(seen.get(policy_id, at), at) for policy_id, at in held], type=kind.type)
    return rows.set_column(rows.schema.get_field_index(SEEN), kind, values)


def _count(compaction: Compaction, file: StoredFile, seen: Mapping[str, datetime]) -> int:
    import pyarrow.compute as pc  # noqa: PLC0415 - 13 MB, which sweeps do not need

    rows = read_columns(compaction.store, file, ("policy_id",))
    wanted = pa.array(seen, type=pa.string())
    return int(pc.sum(pc.is_in(rows["policy_id"], value_set=wanted)).as_py() or 0)
