"""The current state: sources, pending URLs, unpublished batches, the last runs."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from tasks.config.settings import Settings
from tasks.health.judgement import SourceHealth
from tasks.health.judging import read_health
from tasks.health.table import HEAD, health_lines, health_summary
from tasks.index import runs
from tasks.index.frontier import State, count_archives, count_by_state
from tasks.index.history import count_unpublished, read_runs, read_sources
from tasks.runtime.resources import index_to_read
from tasks.values.display import Rows, Table, moment, plain, plural, span

RUNS_SHOWN = 10
BACKFILL = "backfill"
SHOWN_STATES = [*(state.value for state in State if state is not State.DONE), BACKFILL]
"""The states of URLs except DONE; `backfill`: waiting for a backfill of the source."""

HEALTH_HEAD = ("source", "state", "newest ago", "success ago", *HEAD[4:])


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The index in figures. `frontier` counts URLs by source and state."""

    sources: tuple[dict[str, Any], ...]
    frontier: dict[str, dict[str, int]]
    runs: tuple[dict[str, Any], ...]
    unpublished: int
    unpublished_since: datetime | None
    health: tuple[SourceHealth, ...]

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data; instants in ISO 8601."""
        return {
            "sources": [plain(row) for row in self.sources],
            "frontier": self.frontier,
            "runs": [plain(row) for row in self.runs],
            "unpublished": self.unpublished,
            "unpublished_since": self.unpublished_since.isoformat() if self.unpublished_since else None,
            "health": [plain(asdict(one)) for one in self.health],
        }

    def tables(self, *, now: datetime) -> Iterator[Table]:
        """Return it as titled tables for a terminal: how long ago something was, in words."""
        states = [one for one in SHOWN_STATES if any(counts.get(one) for counts in self.frontier.values())]
        rows: Rows = []
        by_source = {row["source_id"]: row for row in self.sources}
        for source_id in sorted({*by_source, *self.frontier}):
            row, counts = by_source.get(source_id, {}), self.frontier.get(source_id, {})
            polled_at, failing = row.get("polled_at"), row.get("failing", 0)
            feeds = f"{row.get('feeds', 0)}, {failing} failing" if failing else row.get("feeds", 0)
            polled = span(now - polled_at) if polled_at else "never"
            numbers = tuple(counts.get(state, 0) for state in states)
            rows.append((source_id, feeds, polled, row.get("articles", 0), *numbers))
        yield "Sources" if rows else "No sources yet", ("source", "feeds", "polled ago", "articles", *states), rows
        if self.health:
            yield "Health: " + health_summary(self.health), HEALTH_HEAD, health_lines(self.health, now=now)
        is_plain = all(row["state"] == runs.ENDED for row in self.runs)
        head = ("begun", "" if is_plain else "state", "fetched", "new", "failed", "run")
        yield (
            "Last runs" if self.runs else "No runs yet",
            head,
            [_run_row(row, now, is_plain=is_plain) for row in self.runs],
        )
        since = f", the oldest since {moment(self.unpublished_since, now)}" if self.unpublished_since else ""
        yield f"Decided but not yet published: {plural(self.unpublished, 'batch', 'batches')}{since}", (), []


def read_status(settings: Settings) -> Status:
    """Read the index; raises ConfigError."""
    with index_to_read(settings) as index, index.read() as tx:
        unpublished, since = count_unpublished(tx)
        sources = tuple(read_sources(tx))
        followed = [row["source_id"] for row in sources if row.get("feeds")]
        return Status(
            sources=sources,
            frontier=_with_archives(count_by_state(tx), count_archives(tx)),
            runs=tuple(read_runs(tx, limit=RUNS_SHOWN)),
            unpublished=unpublished,
            unpublished_since=since,
            health=read_health(tx, followed, now=datetime.now(UTC)).sources,
        )


def _run_row(row: dict[str, Any], now: datetime, *, is_plain: bool) -> tuple[object, ...]:
    summary = json.loads(row["summary"]) if row["summary"] else {}
    new = summary.get("articles", {}).get("new", "")
    failed = sum(summary["failed"].values()) if summary else ""
    return (
        moment(row["started_at"], now),
        "" if is_plain else row["state"],
        summary.get("fetched", ""),
        new,
        failed,
        row["run_id"],
    )


def _with_archives(states: dict[str, dict[str, int]], archives: dict[str, int]) -> dict[str, dict[str, int]]:
    """Return the counts with URLs that wait for a backfill separated from those that sweeps fetch."""
    found = {source_id: dict(counts) for source_id, counts in states.items()}
    for source_id, number in archives.items():
        counts = found[source_id]
        counts[BACKFILL] = number
        counts[State.DUE] = counts.get(State.DUE, 0) - number
        if not counts[State.DUE]:
            del counts[State.DUE]
    return found
