"""Runs and their processes, one row per run: leases of dead processes are released at once."""

import os
import platform
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import psutil
from sqlalchemy import Connection, delete, select, update

from tasks.index import frontier
from tasks.index.database import lock
from tasks.index.schema import runs

RUNNING, ENDED, DIED = "running", "ended", "died"
BIRTH_TOLERANCE_S = 2.0

SILENT = timedelta(minutes=15)
"""A run on another machine without a heartbeat for this long counts as dead."""

REPLAY, MEND, BACKFILL = "replay-", "mend-", "backfill-"
"""Id prefixes of runs that change stored data. Only one run of each kind may work at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardState:
    """The state of a shard's run: its last heartbeat, and its summary once it has ended."""

    state: str
    heard_at: datetime
    summary: str | None


def begin_run(tx: Connection, *, run_id: str, now: datetime, sweep_id: str | None = None) -> None:
    """Record that this process executes `run_id`. A Prefect retry of the run takes over its row."""
    mine = {
        "machine": this_machine(),
        "pid": os.getpid(),
        "process_born_at": psutil.Process().create_time(),
        "state": RUNNING,
        "heard_at": now,
        "sweep_id": sweep_id,
    }
    updated = tx.execute(update(runs).where(runs.c.run_id == run_id).values(ended_at=None, **mine))
    if not updated.rowcount:
        tx.execute(runs.insert().values(run_id=run_id, started_at=now, **mine))


def is_known(tx: Connection, run_id: str) -> bool:
    """Whether the index knows the run."""
    return tx.execute(select(runs.c.run_id).where(runs.c.run_id == run_id)).first() is not None


def find_working(tx: Connection, *, kind: str, now: datetime) -> str | None:
    """Return a run of this kind that is at work, or None. Checks the process here, the heartbeat on other machines.

    Takes a lock, so no other run of the kind can start before this transaction ends.
    """
    lock(tx, f"runs.{kind}")
    mine = (runs.c.state == RUNNING) & runs.c.run_id.startswith(kind)
    for row in tx.execute(select(runs).where(mine)).mappings():
        is_here = row["machine"] == this_machine()
        if is_alive(row["pid"], row["process_born_at"]) if is_here else now - row["heard_at"] < SILENT:
            return str(row["run_id"])
    return None


def record_heartbeat(tx: Connection, *, run_id: str, now: datetime) -> None:
    """Record a heartbeat of the run."""
    tx.execute(update(runs).where(runs.c.run_id == run_id).values(heard_at=now))


def read_shards(tx: Connection, sweep_id: str) -> dict[str, ShardState]:
    """Return the states of the runs of a sweep's shards, by run id."""
    query = select(runs.c.run_id, runs.c.state, runs.c.heard_at, runs.c.summary).where(runs.c.sweep_id == sweep_id)
    return {
        row.run_id: ShardState(state=row.state, heard_at=row.heard_at, summary=row.summary) for row in tx.execute(query)
    }


def end_run(tx: Connection, *, run_id: str, now: datetime, summary: str | None) -> None:
    """Record the end of the run with its summary (JSON), and release its leases."""
    tx.execute(update(runs).where(runs.c.run_id == run_id).values(state=ENDED, ended_at=now, summary=summary))
    frontier.release(tx, owner=run_id)


def release_dead_runs(tx: Connection, *, now: datetime) -> int:
    """Release the leases of runs whose process on this machine is dead; returns the number of URLs."""
    here = select(runs.c.run_id, runs.c.pid, runs.c.process_born_at).where(
        runs.c.state == RUNNING, runs.c.machine == this_machine()
    )
    released = 0
    for run_id, pid, born_at in tx.execute(here).all():
        if is_alive(pid, born_at):
            continue
        released += frontier.release(tx, owner=run_id)
        tx.execute(update(runs).where(runs.c.run_id == run_id).values(state=DIED, ended_at=now))
    return released


def prune(tx: Connection, *, before: datetime) -> int:
    """Delete the runs whose last heartbeat is before then; returns how many."""
    return tx.execute(delete(runs).where(runs.c.heard_at < before)).rowcount


def is_alive(pid: int, born_at: float) -> bool:
    """Whether the process on this machine that started at that time still runs."""
    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and abs(process.create_time() - born_at) < BIRTH_TOLERANCE_S
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True


def this_machine() -> str:
    """Return the scope of process ids: host, boot and, in containers, the PID namespace."""
    boot = Path("/proc/sys/kernel/random/boot_id")
    namespace = Path("/proc/self/ns/pid")
    parts = [platform.node()]
    if boot.exists():
        parts.append(boot.read_text().strip())
    if namespace.exists():
        parts.append(str(namespace.stat().st_ino))
    return "/".join(parts)[:255]
