"""Files that a table's log does not name: some have rows that index or lake know, others are superfluous.

A log that lost its last commits, or a checkpoint that skipped a commit, leaves files of the first kind; they are
committed again.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from deltalake import DeltaTable

from tasks.lake.delta_log import logged_paths
from tasks.lake.keys import ARTICLES, CAPTURES, POLICIES
from tasks.lake.objects.stores import MissingObject, ObjectStore
from tasks.lake.reading import StoredFile, list_files, read_columns
from tasks.lake.rewriting import NewFile, add_file
from tasks.lake.tables import open_table
from tasks.verify.snapshot import Snapshot, micros
from tasks.verify.stored import DamagedFile, read_file

_KEY = re.compile(
    r"(?P<table>articles|captures|policies)/(?P<path>dt=(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})/[^/]+\.parquet)"
)

IDS = {ARTICLES: ("article_id", "revision"), CAPTURES: ("capture_id",), POLICIES: ("policy_id",)}
"""The columns that identify a row of each table."""

_HELD = {
    ARTICLES: "SELECT count(*) FROM revision WHERE article_id = ? AND revision = ?",
    CAPTURES: "SELECT count(*) FROM capture WHERE capture_id = ?",
    POLICIES: "SELECT count(*) FROM policy WHERE policy_id = ?",
}
_KNOWN_REVISION = """
SELECT (SELECT count(*) FROM article WHERE article_id = ?1 AND revision >= ?2)
    + (SELECT count(*) FROM capture WHERE article_id = ?1 AND revision = ?2)
"""
_KNOWN_POLICY = "SELECT count(*) FROM known_policy WHERE policy_id = ?"
_KNOWN_CAPTURE = """
SELECT (SELECT count(*) FROM url WHERE url_key = ?1 AND captured_at >= ?2)
    + (SELECT count(*) FROM revision WHERE warc_key = ?3 AND warc_offset = ?4)
"""


def missed_rows(store: ObjectStore, snapshot: Snapshot, key: str) -> tuple[int, int]:
    """Return how many of the file's rows are known elsewhere but missing in the table, and how many rows there are."""
    file = _stored(key)
    if file is None:
        return 0, 0
    missed = count = 0
    try:
        for row in read_file(store, file):
            count += 1
            missed += _is_missed(snapshot, file.table, row)
    except (MissingObject, DamagedFile):
        return 0, 0
    return missed, count


def commit_again(store: ObjectStore, key: str, *, now: datetime) -> bool:
    """Commit a file to its table, unless the log names it or the table has one of its rows; raises LakeUnavailable."""
    file = _stored(key)
    if file is None or key in logged_paths(store, file.table):
        return False
    table = open_table(store, file.table)
    mine = _ids(store, file)
    if any(file.day == one.day and mine & _ids(store, one) for one in list_files(table, file.table)):
        return False
    new = NewFile(path=key.partition("/")[2], day=file.day, size=len(store.get(key)), rows=len(mine))
    return add_file(table, file.table, new, now=now)


def has_all_rows(store: ObjectStore, table: DeltaTable, key: str) -> bool:
    """Whether the table has every row of a file that its log does not name; raises LakeUnavailable.

    An empty file has no rows, and an unreadable one may have any.
    """
    file = _stored(key)
    try:
        if file is None or not store.get(key):
            return file is not None
        missing = {tuple(row[name] for name in IDS[file.table]) for row in read_file(store, file)}
    except (MissingObject, DamagedFile):
        return False
    for one in list_files(table, file.table):
        if missing and one.day == file.day:
            missing -= _ids(store, one)
    return not missing


def _ids(store: ObjectStore, file: StoredFile) -> set[tuple[Any, ...]]:
    read = read_columns(store, file, IDS[file.table])
    return set(zip(*(read[name].to_pylist() for name in IDS[file.table]), strict=True))


def _is_missed(snapshot: Snapshot, table: str, row: Mapping[str, Any]) -> bool:
    """Whether the table lacks the row, and the index or another table knows it."""
    if snapshot.count(_HELD[table], *(row[name] for name in IDS[table])):
        return False
    if table == ARTICLES:
        return snapshot.count(_KNOWN_REVISION, row["article_id"], row["revision"]) > 0
    if table == POLICIES:
        return snapshot.count(_KNOWN_POLICY, row["policy_id"]) > 0
    named = (row["url_key"], micros(row["fetched_at"]), row["warc_key"], row["warc_offset"])
    return snapshot.count(_KNOWN_CAPTURE, *named) > 0


def _stored(key: str) -> StoredFile | None:
    named = _KEY.fullmatch(key)
    if named is None:
        return None
    return StoredFile(table=named["table"], key=key, day=date.fromisoformat(named["day"]), size=0, rows=None)
