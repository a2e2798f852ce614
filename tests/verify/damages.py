"""Damages to the logs and files of the lake's tables, made through the object port, so that they work in a directory and on S3.

Each gets the table to damage, and returns the key that must be reported. `log` returns the keys of a log's commits.
"""

import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass

import pyarrow.parquet as pq
from deltalake import DeltaTable

from tasks.lake.keys import TABLES
from tasks.lake.objects.stores import ObjectStore
from tasks.lake.reading import list_files
from tasks.lake.tables import open_table

Harm = Callable[[ObjectStore, str], str]


@dataclass(frozen=True, kw_only=True)
class Damage:
    """`kind` is the fault that is reported; None if the table is still read correctly."""

    name: str
    kind: str | None
    harm: Harm


DAMAGES: list[Damage] = []


def damage(kind: str | None) -> Callable[[Harm], Harm]:
    def enter(harm: Harm) -> Harm:
        DAMAGES.append(Damage(name=harm.__name__, kind=kind, harm=harm))
        return harm

    return enter


def log(store: ObjectStore, table: str) -> list[str]:
    return [one.key for one in store.list(f"{table}/_delta_log/") if one.key.endswith(".json")]


def _checkpoint(store: ObjectStore, table: str) -> str:
    """Make a checkpoint necessary, one version before the last, by deleting the commits that it covers."""
    commits = log(store, table)
    DeltaTable(
        store.delta_uri(table), version=len(commits) - 2, storage_options=store.storage_options()
    ).create_checkpoint()
    for key in commits[:-1]:
        store.delete(key)
    (key,) = (one.key for one in store.list(f"{table}/_delta_log/") if ".checkpoint." in one.key)
    return key


def _overwrite(store: ObjectStore, key: str, body: bytes) -> str:
    store.put(key, body)
    return key


def _remove(store: ObjectStore, key: str) -> str:
    store.delete(key)
    return key


@damage("damaged_log")
def an_empty_last_commit(store, table):
    return _overwrite(store, log(store, table)[-1], b"")


@damage("damaged_log")
def an_empty_commit_in_the_middle(store, table):
    return _overwrite(store, log(store, table)[1], b"")


@damage("damaged_log")
def an_empty_first_commit(store, table):
    return _overwrite(store, log(store, table)[0], b"")


@damage("damaged_log")
def a_commit_cut_short(store, table):
    key = log(store, table)[-1]
    return _overwrite(store, key, store.get(key)[:-40])


@damage("damaged_log")
def a_commit_of_zero_bytes_as_a_power_loss_leaves_it(store, table):
    key = log(store, table)[-1]
    return _overwrite(store, key, bytes(len(store.get(key))))


@damage("damaged_log")
def a_commit_of_garbage(store, table):
    return _overwrite(store, log(store, table)[1], hashlib.sha256(b"garbage").digest() * 9)


@damage("damaged_log")
def a_commit_of_json_that_is_no_action(store, table):
    return _overwrite(store, log(store, table)[-1], b'{"hello": "world"}\n')


@damage("damaged_log")
def a_missing_commit_in_the_middle(store, table):
    return _remove(store, log(store, table)[1])


@damage("damaged_log")
def a_missing_first_commit(store, table):
    return _remove(store, log(store, table)[0])


@damage("unlisted_file")
def a_missing_last_commit(store, table):
    last = log(store, table)[-1]
    (key,) = (
        file.key
        for file in list_files(open_table(store, table), table)
        if file.key.encode().partition(b"/")[2] in store.get(last)
    )
    store.delete(last)
    return key


@damage("damaged_log")
def a_log_that_is_gone(store, table):
    commits = log(store, table)
    for key in commits:
        store.delete(key)
    return commits[0]


@damage("damaged_log")
def a_missing_checkpoint(store, table):
    store.delete(_checkpoint(store, table))
    return f"{table}/_delta_log/_last_checkpoint"


@damage("damaged_log")
def an_empty_checkpoint(store, table):
    store.put(_checkpoint(store, table), b"")
    return f"{table}/_delta_log/_last_checkpoint"


@damage("damaged_log")
def a_checkpoint_cut_short(store, table):
    key = _checkpoint(store, table)
    return _overwrite(store, key, store.get(key)[:-60])


@damage("damaged_log")
def a_pointer_to_a_checkpoint_that_never_was(store, table):
    return _overwrite(store, f"{table}/_delta_log/_last_checkpoint", b'{"version": 50, "size": 9}')


@damage(None)
def a_pointer_of_garbage(store, table):
    _checkpoint(store, table)
    return _overwrite(store, f"{table}/_delta_log/_last_checkpoint", b"garbage")


@damage("damaged_file")
def an_empty_file(store, table):
    return _overwrite(store, _file(store, table), b"")


@damage("damaged_file")
def a_file_cut_short(store, table):
    key = _file(store, table)
    return _overwrite(store, key, store.get(key)[:-100])


@damage("missing_file")
def a_missing_file(store, table):
    return _remove(store, _file(store, table))


@damage("damaged_log")
def an_empty_commit_in_each_table(store, table):
    for name in TABLES:
        store.put(log(store, name)[-1], b"")
    return log(store, table)[-1]


def _file(store: ObjectStore, table: str) -> str:
    return max(list_files(open_table(store, table), table), key=lambda file: file.size).key


def rows_anywhere(store: ObjectStore) -> set[tuple]:
    """The ids of all rows in undamaged Parquet files of the lake, including files that were moved."""
    found: set[tuple] = set()
    for one in store.list(""):
        if "/dt=" in one.key and one.key.endswith(".parquet") and one.size:
            try:
                file = pq.ParquetFile(io.BytesIO(store.get(one.key)))
                of_others = [name for name in ("capture_id", "policy_id") if name in file.schema_arrow.names]
                found |= _rows(file, of_others or ["article_id", "revision"])
            except (OSError, ValueError):
                continue
    return found


def _rows(file: pq.ParquetFile, names: list[str]) -> set[tuple]:
    """The rows' values in these columns; the others are long and not needed."""
    read = file.read(columns=names)
    return set(zip(*(read[name].to_pylist() for name in names), strict=True))


def bodies(store: ObjectStore) -> set[str]:
    """The digests of all objects except logs, including objects that were moved."""
    return {hashlib.sha256(store.get(one.key)).hexdigest() for one in store.list("") if "/_delta_log/" not in one.key}


def rows_read(store: ObjectStore) -> set[tuple]:
    """The ids of all rows that readers of the tables see."""
    found: set[tuple] = set()
    for name in TABLES:
        for file in list_files(open_table(store, name), name):
            ids = ["capture_id"] if name == "captures" else ["article_id", "revision"]
            found |= _rows(pq.ParquetFile(io.BytesIO(store.get(file.key))), ids)
    return found
