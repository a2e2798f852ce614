"""Remove the policy documents of sites that are taken down."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable

from tasks.errors import LakeUnavailable
from tasks.forget.segments import entomb_records
from tasks.forget.tables import delete_replaced_of
from tasks.forget.targets import TakedownTargets
from tasks.forget.work import Work
from tasks.index import policies
from tasks.index.erasing import erase_securely
from tasks.lake.keys import POLICIES
from tasks.lake.reading import StoredFile, list_files, read_in_schema
from tasks.lake.rewriting import pack_rows, replace_files
from tasks.lake.schemas import file_schema
from tasks.lake.tables import find_table
from tasks.lake.tombstones import Cause


def erase_policies(work: Work) -> None:
    """Remove the policy documents of these hosts, with their records; raises LakeUnavailable, IndexUnavailable."""
    if (table := find_table(work.store, POLICIES)) is not None:
        for file in list_files(table, POLICIES):
            _erase_in(work, table, file)
        delete_replaced_of(work.store, table, POLICIES)
    with work.index.write() as tx:
        erase_securely(tx)
        known = (one for one in policies.scan(tx) if _is_taken({"origin": one.origin, "url": one.url}, work.taken))
        policies.forget(tx, [one.policy_id for one in known])


def _erase_in(work: Work, table: DeltaTable, file: StoredFile) -> None:
    rows = read_in_schema(work.store, file, file_schema(POLICIES, table.schema()))
    is_gone = [_is_taken(row, work.taken) for row in _named(rows)]
    if not any(is_gone):
        return
    _bury(work, [row for row, goes in zip(_named(rows), is_gone, strict=True) if goes])
    kept = rows.filter(pa.array([not goes for goes in is_gone], pa.bool_()))
    new = [pack_rows(file.day, kept)] if kept.num_rows else []
    if not replace_files(work.store, table, [file], new, is_changed=True, now=work.now):
        raise LakeUnavailable(f"{file.key}: another process replaced it in the meantime: run `presslake forget` again")


def _named(rows: pa.Table) -> list[dict[str, Any]]:
    named: list[dict[str, Any]] = rows.select(["origin", "url", "warc_key", "warc_offset"]).to_pylist()
    return named


def _is_taken(row: Mapping[str, Any], taken: TakedownTargets) -> bool:
    return taken.has_url(row["origin"]) or taken.has_url(row["url"])


def _bury(work: Work, rows: list[dict[str, Any]]) -> None:
    claims: defaultdict[str, dict[int, str]] = defaultdict(dict)
    for row in rows:
        claims[row["warc_key"]][row["warc_offset"]] = ""
    for key, offsets in claims.items():
        done = entomb_records(
            work.index, work.store, key, claims=offsets, is_taken=work.taken.has_key, cause=Cause.TAKEN_DOWN
        )
        work.counts["segments_rewritten"] += done.records > 0
