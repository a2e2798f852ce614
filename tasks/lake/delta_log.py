"""Check that a table's Delta log is complete: list and read its commits and checkpoints through the object port.

A power loss may leave empty files. deltalake reads an empty commit as one without changes, and a log without its last
commits as an older table: rows are then missing, without an error. This module ignores what no reader needs: commits
before the newest checkpoint, and older checkpoints.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote

import orjson
import pyarrow as pa

from tasks.errors import DamagedTable
from tasks.lake.keys import commit_key, data_prefix, last_checkpoint_key, log_prefix
from tasks.lake.objects.stores import MissingObject, ObjectInfo, ObjectStore, one_line
from tasks.lake.schemas import open_parquet

TAIL = 20
"""How many of the latest versions are checked before each commit; a checkpoint is written as often."""

# Delta protocol, "Delta Log Entries" and "Checkpoints": classic, in parts, with a UUID
_COMMIT = re.compile(r"(?P<version>[0-9]{20})\.json")
_CHECKPOINT = re.compile(
    r"(?P<version>[0-9]{20})\.checkpoint(?:\.(?P<part>[0-9]{10})\.(?P<parts>[0-9]{10})|\.[0-9a-f-]{36})?\.(?:parquet|json)"
)
_ACTIONS = frozenset({
    "add", "remove", "metaData", "protocol", "txn", "commitInfo", "cdc", "domainMetadata", "checkpointMetadata", "sidecar",
})  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class LogDamage:
    """A file of a table's log that is damaged or missing, by its key, and what is wrong with it."""

    key: str
    detail: str


@dataclass(slots=True)
class _Log:
    """A log as listed: sizes of commits by version, keys of the parts of each whole checkpoint."""

    commits: dict[int, int] = field(default_factory=dict)
    checkpoints: dict[int, list[str]] = field(default_factory=dict)

    @property
    def newest_checkpoint(self) -> int | None:
        return max(self.checkpoints, default=None)

    def needed(self) -> range:
        """Return the versions whose commits a reader needs."""
        newest = self.newest_checkpoint
        return range(0 if newest is None else newest + 1, max(self.commits, default=-1) + 1)


def find_log_damage(store: ObjectStore, table: str) -> tuple[LogDamage, ...]:
    """Return what is wrong with a table's log; empty for a table that does not exist yet. Raises LakeUnavailable."""
    found = _damages(store, table)
    # Other processes commit meanwhile, and a listing may show a commit but not the one before. Real damage is still
    # there in a second listing.
    return tuple(one for one in found if one in _damages(store, table)) if found else ()


def check_log(store: ObjectStore, table: str) -> None:
    """Raise DamagedTable if the log is damaged, and LakeUnavailable."""
    for damage in find_log_damage(store, table):
        raise _damaged(damage)


def check_tail(store: ObjectStore, table: str, *, version: int) -> None:
    """Raise DamagedTable if one of the latest commits is empty, by listing only. Call it before a commit.

    deltalake has read them, and itself reports a commit that is unreadable or missing.
    """
    decades = range(max(version - TAIL, 0) // 10, version // 10 + 1)
    log = _listed(one for decade in decades for one in store.list(log_prefix(table, decade=decade)))
    for one in log.needed():
        if log.commits.get(one) == 0:
            raise _damaged(LogDamage(key=commit_key(table, one), detail="it is empty"))


def is_new(store: ObjectStore, table: str) -> bool:
    """Whether the table has neither files nor a log: a table that has lost its log must not be made again, empty."""
    if any(True for _ in store.list(data_prefix(table))) or store.exists(last_checkpoint_key(table)):
        return False
    log = _listed(store.list(log_prefix(table)))
    return not log.commits and not log.checkpoints


def _damaged(damage: LogDamage) -> DamagedTable:
    return DamagedTable(f"{damage.key}: {damage.detail}: see `presslake verify`")


def _damages(store: ObjectStore, table: str) -> list[LogDamage]:
    log = _listed(store.list(log_prefix(table)))
    if not log.commits and not log.checkpoints:
        gone = LogDamage(key=commit_key(table, 0), detail="the table has files, but its log has no commit")
        return [] if is_new(store, table) else [gone]
    return [*_pointer_damage(store, table, log), *_checkpoint_damage(store, log), *_commit_damage(store, table, log)]


def _listed(objects: Iterable[ObjectInfo]) -> _Log:
    log, parts = _Log(), dict[tuple[int, int], list[str]]()
    for one in objects:
        name = one.key.rpartition("/")[2]
        if commit := _COMMIT.fullmatch(name):
            log.commits[int(commit["version"])] = one.size
        elif (checkpoint := _CHECKPOINT.fullmatch(name)) and one.size:  # deltalake ignores empty ones
            parts.setdefault((int(checkpoint["version"]), int(checkpoint["parts"] or 1)), []).append(one.key)
    log.checkpoints = {version: keys for (version, number), keys in sorted(parts.items()) if len(keys) == number}
    return log


def _pointer_damage(store: ObjectStore, table: str, log: _Log) -> Iterator[LogDamage]:
    """Yield the damage of a pointer to a missing checkpoint: deltalake then reads nothing.

    It ignores a pointer that is not JSON.
    """
    key = last_checkpoint_key(table)
    try:
        named = int(orjson.loads(store.get(key))["version"])
    except (MissingObject, ValueError, LookupError, TypeError):
        return
    if named > (-1 if log.newest_checkpoint is None else log.newest_checkpoint):
        yield LogDamage(key=key, detail=f"it names the checkpoint of version {named}, which is empty or missing")


def _checkpoint_damage(store: ObjectStore, log: _Log) -> Iterator[LogDamage]:
    """Yield the unreadable parts of the newest checkpoint: deltalake uses no older one instead."""
    newest = log.newest_checkpoint
    for key in log.checkpoints[newest] if newest is not None else ():
        try:
            body = store.get(key)
            if key.endswith(".parquet"):
                open_parquet(body).read(use_threads=False)
        except MissingObject:  # replaced by a newer one since
            continue
        except (pa.ArrowException, OSError) as error:
            yield LogDamage(key=key, detail=f"the checkpoint cannot be read: {one_line(error)}")


def _commit_damage(store: ObjectStore, table: str, log: _Log) -> Iterator[LogDamage]:
    needed = log.needed()
    for version in needed:
        key = commit_key(table, version)
        detail = _trouble(store, key) if version in log.commits else f"it is missing, but version {needed[-1]} exists"
        if detail:
            yield LogDamage(key=key, detail=detail)


def _trouble(store: ObjectStore, key: str) -> str | None:
    """Return what is wrong with a commit."""
    try:
        lines = store.get(key).split(b"\n")
        read = [orjson.loads(line) for line in lines if line.strip()]
    except MissingObject:
        return "it is missing"
    except ValueError as error:
        return f"it cannot be read: {one_line(error)}"
    if not read:
        return "it is empty"
    if not all(isinstance(action, dict) and _ACTIONS & action.keys() for action in read):
        return "it has lines that are not actions"
    return None


def logged_paths(store: ObjectStore, name: str) -> set[str]:
    """Return the keys of all files that the table's log names, replaced files included.

    Unreadable parts of the log are ignored: no reader needs them, or the damage is reported already.
    """
    named: set[str] = set()
    for found in store.list(f"{name}/_delta_log/"):
        try:
            if found.key.endswith(".json"):
                named.update(paths_in_commit(store.get(found.key)))
            elif ".checkpoint" in found.key and found.key.endswith(".parquet"):
                named.update(_paths_in_checkpoint(store.get(found.key)))
        except (MissingObject, ValueError, pa.ArrowException):  # the first: deleted since it was listed
            continue
    return {f"{name}/{path}" for path in named}


def paths_in_commit(body: bytes) -> Iterator[str]:
    """Yield the paths inside the table of the files that a commit adds or removes; raises ValueError."""
    for line in body.splitlines():
        action = orjson.loads(line)
        for kind in ("add", "remove"):
            if kind in action:
                yield unquote(action[kind]["path"])


def _paths_in_checkpoint(body: bytes) -> Iterator[str]:
    read = open_parquet(body).read(columns=["add", "remove"], use_threads=False)
    for row in read.to_pylist():
        for action in row.values():
            if action and action["path"]:
                yield unquote(action["path"])
