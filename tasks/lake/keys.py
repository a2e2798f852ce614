"""Build every key of the lake, from our own ids and a day, never from text from the web. Pure.

- `warc/dt=2026-03-01/<batch_id>.warc.gz`
- `captures/dt=2026-03-01/<batch_id>-<sequence>.parquet`, and the same in `articles/`: Delta tables
- `policies/dt=2026-03-01/<batch_id>-<sequence>.parquet`: a Delta table as well
- `captures/dt=2026-03-01/maintained-<version>-<digest>.parquet`, and the same in `articles/`: rows that were written
  again, for that version of the table (0.1 had no version in the name)
- `removals/<batch_id>-<sequence>.parquet`: the keys of rows that were removed from `articles`
- `takedowns/dt=2026-03-01/maintained-<digest>.parquet`: one row per takedown
- `articles/_delta_log/<version>.json`, and the same in `captures/`: the log of a table, which delta-rs writes
- `quarantine/dt=2026-03-01/<batch_id>-<n>.json`
- `set-aside/<verify_id>/plan.json`, `.../rows-<n>.json`, `.../objects/<key>`: what a repair changed and removed
- `scratch/<job_id>/<n>.pages.json`, `.../<n>.warc.gz`: units in progress of a backfill; deleted when it ends
- `presslake.json`: the marker that makes a location a lake
"""

import re
from datetime import date

LAKE_FORMAT = 2
"""The newest format that this version reads."""

NEW_FORMAT = 1
"""The format of a lake without takedowns, which 0.1 reads."""

TAKEDOWN_FORMAT = 2
"""The format of a lake that has had a takedown."""

MARKER_KEY = "presslake.json"

ARTICLES = "articles"
CAPTURES = "captures"
POLICIES = "policies"
TABLES = (ARTICLES, CAPTURES)
"""The tables that every lake has."""
LATER_TABLES = (POLICIES,)
"""Tables that a lake has only once there is a row for them; lakes of older versions have none."""
REMOVALS = "removals"
TAKEDOWNS = "takedowns"
PARTITION = "dt"
SET_ASIDE = "set-aside/"
SCRATCH = "scratch/"
LOG = "_delta_log"
FIRST_KEYS = (f"{ARTICLES}/{LOG}/{0:020d}.json", f"{ARTICLES}/{LOG}/_last_checkpoint")
"""A lake with articles has at least one of these: a Delta log begins with the first, and the second remains if that is lost."""

_PLANNED = re.compile(r"/maintained-(?P<version>[0-9]+)-[0-9a-f]+\.parquet$")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._=-]{0,127}")


def warc_key(batch_id: str, day: date) -> str:
    """Return the key of a batch's WARC segment; `day` is the UTC day of its fetches."""
    return f"warc/{_partition(day)}/{_checked(batch_id)}.warc.gz"


def data_path(day: date, batch_id: str, sequence: int) -> str:
    """Return a Parquet file's path inside its table, as a Delta log needs it."""
    return f"{_partition(day)}/{_checked(batch_id)}-{sequence:d}.parquet"


def parquet_key(table: str, day: date, batch_id: str, sequence: int) -> str:
    """Return a Parquet file's key in the lake; `sequence` is the outbox's."""
    if table not in {*TABLES, *LATER_TABLES}:
        raise ValueError(f"no table of the lake: {table!r}")
    return f"{table}/{data_path(day, batch_id, sequence)}"


def rewritten_path(day: date, digest: str, *, version: int | None = None) -> str:
    """Return the path inside its table of a file of rewritten rows.

    The name has a digest of its bytes, so that writing it is idempotent.
    `version`, if given, is the only version of the table that may add the file.
    """
    planned = "" if version is None else f"{version:d}-"
    return f"{_partition(day)}/maintained-{planned}{_checked(digest)}.parquet"


def planned_version(key: str) -> int | None:
    """Return the only version of its table that may add a file; None if any may."""
    found = _PLANNED.search(key)
    return int(found["version"]) if found else None


def removals_path(batch_id: str, sequence: int) -> str:
    """Return the path inside `removals` of the file of one change."""
    return f"{_checked(batch_id)}-{sequence:d}.parquet"


def quarantine_key(batch_id: str, n: int, day: date) -> str:
    """Return the key of the document about the n-th capture of a batch that cannot be processed."""
    return f"quarantine/{_partition(day)}/{_checked(batch_id)}-{n:d}.json"


def log_prefix(table: str, *, decade: int | None = None) -> str:
    """Return the prefix of the keys of a table's log; with a `decade`, only those of its ten versions."""
    return f"{table}/{LOG}/" if decade is None else f"{table}/{LOG}/{decade:019d}"


def commit_key(table: str, version: int) -> str:
    """Return the key of a commit, as the Delta protocol names it."""
    return f"{table}/{LOG}/{version:020d}.json"


def last_checkpoint_key(table: str) -> str:
    """Return the key of the file that names the newest checkpoint of a table's log."""
    return f"{table}/{LOG}/_last_checkpoint"


def data_prefix(table: str, day: date | None = None) -> str:
    """Return the prefix of the keys of a table's Parquet files, of all days or of one."""
    return f"{table}/{PARTITION}=" if day is None else f"{table}/{_partition(day)}/"


def day_of(key: str) -> date:
    """Return the day in the key of a table's Parquet file."""
    return date.fromisoformat(key.split("/")[1].removeprefix(f"{PARTITION}="))


def plan_key(verify_id: str) -> str:
    """Return the key of a repair's plan."""
    return f"{SET_ASIDE}{_checked(verify_id)}/plan.json"


def changed_rows_key(verify_id: str, n: int) -> str:
    """Return the key of the rows of the index that a repair's n-th transaction changed."""
    return f"{changed_rows_prefix(verify_id)}{n:06d}.json"


def changed_rows_prefix(verify_id: str) -> str:
    """Return the prefix of the keys of a repair's changed rows."""
    return f"{SET_ASIDE}{_checked(verify_id)}/rows-"


def set_aside_prefix(verify_id: str) -> str:
    """Return the prefix of an object's own key after a repair has set it aside."""
    return f"{SET_ASIDE}{_checked(verify_id)}/objects/"


def scratch_prefix(job_id: str) -> str:
    """Return the prefix of the keys of what a job keeps while it runs."""
    return f"{SCRATCH}{_checked(job_id)}/"


def scratch_key(job_id: str, number: int, ending: str) -> str:
    """Return the key of a part of a job's n-th unit; the `ending` says which."""
    return f"{scratch_prefix(job_id)}{number:08d}.{_checked(ending)}"


def _partition(day: date) -> str:
    return f"{PARTITION}={day.year:04d}-{day.month:02d}-{day.day:02d}"


def _checked(own_id: str) -> str:
    if not _ID.fullmatch(own_id):
        raise ValueError(f"not an id for a key: {own_id!r}")
    return own_id
