"""Every key of the lake is made here, out of our own ids and a day, never out of text from the web. Pure.

- `warc/dt=2026-03-01/<batch_id>.warc.gz`
- `captures/dt=2026-03-01/<batch_id>-<sequence>.parquet`, and `articles/` likewise: Delta tables
- `captures/dt=2026-03-01/maintained-<digest>.parquet`, and `articles/` likewise: rows that were written anew
- `quarantine/dt=2026-03-01/<batch_id>-<n>.json`
- `presslake.json`: what makes a place a lake
"""

import re
from datetime import date

LAKE_FORMAT = 1
MARKER_KEY = "presslake.json"

ARTICLES = "articles"
CAPTURES = "captures"
TABLES = (ARTICLES, CAPTURES)
PARTITION = "dt"
FIRST_KEYS = (f"{ARTICLES}/_delta_log/{0:020d}.json", f"{ARTICLES}/_delta_log/_last_checkpoint")
"""Of these, a lake with articles has one: a Delta log begins with the first, and keeps the second once that is gone."""

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._=-]{0,127}")


def warc_key(batch_id: str, day: date) -> str:
    """Return the key of a batch's WARC segment; `day` is the UTC day of its fetches."""
    return f"warc/{_partition(day)}/{_checked(batch_id)}.warc.gz"


def data_path(day: date, batch_id: str, sequence: int) -> str:
    """Return a Parquet file's path inside its table, as a Delta log wants it."""
    return f"{_partition(day)}/{_checked(batch_id)}-{sequence:d}.parquet"


def parquet_key(table: str, day: date, batch_id: str, sequence: int) -> str:
    """Return a Parquet file's key in the lake; `sequence` is the outbox's."""
    if table not in TABLES:
        raise ValueError(f"no table of the lake: {table!r}")
    return f"{table}/{data_path(day, batch_id, sequence)}"


def rewritten_path(day: date, digest: str) -> str:
    """Return the path inside its table of a file of rows written anew, named by its bytes: who repeats it changes nothing."""
    return f"{_partition(day)}/maintained-{_checked(digest)}.parquet"


def quarantine_key(batch_id: str, n: int, day: date) -> str:
    """Return the key of what is told about the n-th capture of a batch that could not be processed."""
    return f"quarantine/{_partition(day)}/{_checked(batch_id)}-{n:d}.json"


def _partition(day: date) -> str:
    return f"{PARTITION}={day.year:04d}-{day.month:02d}-{day.day:02d}"


def _checked(own_id: str) -> str:
    if not _ID.fullmatch(own_id):
        raise ValueError(f"an id that may not be in a key: {own_id!r}")
    return own_id
