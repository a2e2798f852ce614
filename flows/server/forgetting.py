"""Delete from Prefect the runs, logs, artifacts and events that name a taken-down article.

If the server's database is a file on this machine, rows are deleted from the file: the API deletes neither logs nor events.
On any other server, runs and artifacts are deleted through the API, and what remains is reported.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from flows.server.running import find_running
from flows.server.template import SCHEME
from tasks.values.display import without_userinfo
from tasks.values.text.escape import as_plain

PAGE = 200
TABLES = (
    "log",
    "artifact",
    "artifact_collection",
    "event_resources",
    "events",
    "flow_run_input",
    "flow_run_state",
    "task_run_state",
    "task_run",
    "flow_run",
)
"""Prefect's tables of runs. What users create (deployments, automations, blocks) is theirs to change."""

LOOPBACK = {"127.0.0.1", "localhost", "::1"}

IsNamed = Callable[[object], bool]


def forget_in_prefect(is_named: IsNamed) -> Iterator[str]:
    """Delete Prefect's records for which `is_named` is true; yield a line for each place that keeps some."""
    api_url, is_ours = _server()
    if api_url is not None:
        try:
            yield from _through_api(api_url, is_named)
        except httpx.HTTPError as error:
            yield f"Prefect's server at {without_userinfo(api_url)} was not cleaned: {as_plain(str(error)) or type(error).__name__}"
    database = _database(api_url) if is_ours else None
    if database is not None and database.is_file():
        yield from _in_file(database, is_named)
    elif api_url is not None:
        yield f"Prefect's server at {without_userinfo(api_url)}: events, until its retention ends; its database's log and backups"


def _server() -> tuple[str | None, bool]:
    """Return the URL of the server's API, if there is a server, and whether it runs on this machine."""
    import prefect.settings as prefect_settings  # noqa: PLC0415 - Prefect costs 2 s

    configured = prefect_settings.get_current_settings().api.url
    if configured:
        return configured, urlsplit(configured).hostname in LOOPBACK
    return find_running(), True


def _database(api_url: str | None) -> Path | None:
    """Return the path of the server's database if it is an SQLite file, else None."""
    import prefect.settings as prefect_settings  # noqa: PLC0415

    if api_url is not None:
        with suppress(httpx.HTTPError, ValueError, LookupError):
            settings = httpx.get(f"{api_url}/admin/settings", timeout=10, trust_env=False).json()
            return Path(settings["home"]) / "prefect.db"
    secret = prefect_settings.get_current_settings().server.database.connection_url
    url = secret.get_secret_value() if secret is not None else ""
    return Path(url.removeprefix(SCHEME).partition("?")[0]) if url.startswith(SCHEME) else None


def _through_api(api_url: str, is_named: IsNamed) -> Iterator[str]:
    """Delete runs and artifacts; a run is also deleted if its log names an article, since its log goes with it."""
    import prefect.settings as prefect_settings  # noqa: PLC0415
    from prefect.client.orchestration import get_client  # noqa: PLC0415

    at = prefect_settings.temporary_settings({prefect_settings.PREFECT_API_URL: api_url})
    with at, get_client(sync_client=True) as client:
        api = client._client  # with the settings' headers and certificates; the typed methods know no filters of logs
        gone: set[str] = {
            log["flow_run_id"] for log in _pages(api, "logs") if log["flow_run_id"] and is_named(log["message"])
        }
        for run in _pages(api, "flow_runs"):
            if run["id"] in gone or is_named(run):
                gone.add(run["id"])
        for kind, ids in (
            ("artifacts", [artifact["id"] for artifact in _pages(api, "artifacts") if is_named(artifact)]),
            ("flow_runs", sorted(gone)),
        ):
            for record_id in ids:
                with suppress(httpx.HTTPStatusError):  # deleted meanwhile
                    api.delete(f"/{kind}/{record_id}")
        for deployment in _pages(api, "deployments"):
            if is_named(deployment.get("parameters")):
                yield f"Prefect's deployment {deployment['name']}: its parameters mention it; change them"


def _pages(api: httpx.Client, kind: str) -> Iterator[dict[str, Any]]:
    """Yield all records of a kind; the caller reads all before it deletes any, so that paging skips none."""
    offset = 0
    while page := api.post(f"/{kind}/filter", json={"limit": PAGE, "offset": offset}).raise_for_status().json():
        yield from page
        offset += len(page)


def _in_file(path: Path, is_named: IsNamed) -> Iterator[str]:
    """Delete rows for which `is_named` is true, and overwrite their bytes in the file."""
    with closing(sqlite3.connect(path, timeout=30, isolation_level=None)) as database:
        database.execute("PRAGMA foreign_keys=ON")
        database.execute("PRAGMA secure_delete=ON")
        known = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        gone = sum(_delete_rows(database, table, is_named) for table in TABLES if table in known)
        if gone:
            database.execute("VACUUM")
        (busy, *_) = database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        yield f"{path}: its write-ahead log was in use and may contain some of it until the server stops"


def _delete_rows(database: sqlite3.Connection, table: str, is_named: IsNamed) -> int:
    cursor = database.execute(f"SELECT rowid, * FROM {table}")  # noqa: S608 - one of the names above
    gone = [(row[0],) for row in cursor if is_named([value for value in row if isinstance(value, str)])]
    database.executemany(f"DELETE FROM {table} WHERE rowid = ?", gone)  # noqa: S608
    return len(gone)
