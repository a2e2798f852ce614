"""The documents by which sites permit and refuse: those of a host that goes whole go with it, row and index."""

import pyarrow as pa

from tasks.errors import LakeUnavailable
from tasks.forget.taken import Taken
from tasks.forget.work import Work
from tasks.index import erasing, policies
from tasks.lake.keys import POLICIES, data_prefix
from tasks.lake.reading import StoredFile, list_files, read_columns, read_fitted
from tasks.lake.rewriting import put_rows, replace_files
from tasks.lake.schemas import file_schema
from tasks.lake.tables import find_table


def erase_policies(work: Work) -> None:
    """Take out the documents of what goes whole, and the files of older versions that have them.

    The records are segments' matter. Raises LakeUnavailable, IndexUnavailable.
    """
    table = find_table(work.store, POLICIES)
    if table is None:
        return
    for file in list_files(table, POLICIES):
        rows = read_fitted(work.store, file, file_schema(POLICIES, table.schema()))
        theirs = [_is_taken(row, work.taken) for row in rows.select(("policy_id", "origin", "url")).to_pylist()]
        if not any(theirs):
            continue
        kept = rows.filter(pa.array([not one for one in theirs]))
        new = [put_rows(work.store, POLICIES, file.day, kept)] if kept.num_rows else []
        if not replace_files(table, [file], new, is_changed=True, now=work.now):
            raise LakeUnavailable(f"{table.table_uri}: others committed first")
    with work.index.write() as tx:
        erasing.erase_securely(tx)
        known = (one for one in policies.scan(tx) if _is_taken({"origin": one.origin, "url": one.url}, work.taken))
        policies.forget(tx, [one.policy_id for one in known])
    _delete_replaced(work)


def _is_taken(row: dict[str, str], taken: Taken) -> bool:
    return taken.has_url(row["origin"]) or taken.has_url(row["url"])


def _delete_replaced(work: Work) -> None:
    table = find_table(work.store, POLICIES)
    if table is None:
        return
    needed = {file.key for file in list_files(table, POLICIES)}
    for found in list(work.store.list(data_prefix(POLICIES))):
        if found.key not in needed and _has_taken(work, found.key):
            work.store.delete(found.key)


def _has_taken(work: Work, key: str) -> bool:
    file = StoredFile(table=POLICIES, key=key, day=work.now.date(), size=0, rows=None)
    rows = read_columns(work.store, file, ("origin", "url")).to_pylist()
    return any(_is_taken(row, work.taken) for row in rows)
