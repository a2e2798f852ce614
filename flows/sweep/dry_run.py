"""The dry run of a sweep: show what it would fetch, as an artifact and on the terminal."""

import time
from collections.abc import Iterator
from typing import Any

from prefect.artifacts import create_table_artifact
from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows.sweep.batches import whole
from flows.sweep.session import rehearsed
from tasks.config.parameters import IngestConfig
from tasks.config.settings import Settings
from tasks.discover.preview import Preview
from tasks.tasks import preview
from tasks.values.display import Rows, Table, plural
from tasks.values.text.escape import as_plain

ARTIFACT_KEY = "dry-run"


def preview_sweep(settings: Settings, config: IngestConfig, *, run_id: str) -> State[Any]:
    """Poll the feeds and show what would be fetched; raise ConfigError if the catalogue or the plan is wrong."""
    started = time.monotonic()
    with rehearsed(settings, config, run_id=run_id) as sweep:
        polled, number, urls = preview(whole(sweep.due_feeds()), whole(sweep.plan), config.limit, sweep.settings)
    found = Preview(
        run_id=run_id,
        polled=polled.polled,
        discovered=polled.discovered,
        would_fetch=number,
        skipped=polled.skipped,
        failed=polled.failed,
        urls=urls,
        seconds=time.monotonic() - started,
    )
    rows = [{"source": due.source_id, "known": _known(due.captured_at), "URL": as_plain(due.url)} for due in urls]
    if rows:
        create_table_artifact(rows, key=ARTIFACT_KEY, description=summary_line(found))
    return Completed(name="DryRun", message=summary_line(found), data=found)


def summary_line(found: Preview) -> str:
    """Return the result of a dry run in one line."""
    new = f", {found.discovered:,} of them new" if found.discovered and found.would_fetch else ""
    would = f"would fetch {plural(found.would_fetch, 'URL')}{new}" if found.would_fetch else "would fetch nothing"
    failed = f"; {plural(sum(found.failed.values()), 'feed')} failed" if found.failed else ""
    return f"{would}{failed}; nothing was fetched or stored"


def tables(found: Preview) -> Iterator[Table]:
    """Yield the result of a dry run as titled tables."""
    rows: Rows = [(due.source_id, _known(due.captured_at), due.url) for due in found.urls]
    left = f", the first {len(rows)}" if found.would_fetch > len(rows) else ""
    yield f"Dry run: {summary_line(found)}", (), []
    if rows:
        yield f"Would be fetched{left}", ("source", "known", "URL"), rows
    for title, counts in (("skipped", found.skipped), ("failed", found.failed)):
        if counts:
            yield f"Feeds {title}", ("reason", "feeds"), list(counts.items())


def _known(captured_at: object) -> str:
    return "new" if captured_at is None else "fetched before"
