"""Tables of daily figures per source (pages, looks, arrivals) and counts of captures. They hold sums and no URLs."""

from sqlalchemy import BigInteger, Column, Float, Integer, String, Table, Text

from tasks.index.column_types import METADATA, Instant

source_days = Table(
    "source_days",
    METADATA,
    Column("source_id", String(255), primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("pages", Integer, nullable=False),
    Column("empty", Integer, nullable=False),
    Column("titled", Integer, nullable=False),
    Column("dated", Integer, nullable=False),
    Column("usual", Integer, nullable=False),
    Column("log_length", Float, nullable=False),
)
"""Sums over a source's pages on a UTC day. They reveal a new layout."""

source_tallies = Table(
    "source_tallies",
    METADATA,
    Column("source_id", String(255), primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("kind", String(8), primary_key=True),
    Column("what", String(64), primary_key=True),
    Column("number", Integer, nullable=False),
    Column("run_id", String(64), nullable=False),
    Column("run_number", Integer, nullable=False),
    Column("last_at", Instant, nullable=False),
    sqlite_with_rowid=False,
)
"""Results of a source's looks on a UTC day. `run_number` is the share of the latest run, `run_id`."""

source_intake = Table(
    "source_intake",
    METADATA,
    Column("source_id", String(255), primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("urls", Integer, nullable=False),
    Column("hosts", Integer, nullable=False),
    sqlite_with_rowid=False,
)
"""URLs and hosts that a source's feeds added to the frontier on a UTC day, charged to its budget."""

source_arrivals = Table(
    "source_arrivals",
    METADATA,
    Column("source_id", String(255), primary_key=True),
    Column("day", String(10), primary_key=True),
    *(Column(f"h{hour:02d}", Integer, nullable=False) for hour in range(24)),
    Column("newest_at", Instant, nullable=False),
    sqlite_with_rowid=False,
)
"""Articles that a source published in each hour of a UTC day. The source's cadence is learnt from them."""

source_alarms = Table(
    "source_alarms",
    METADATA,
    Column("source_id", String(255), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("reason", Text, nullable=False),
    Column("looks", Integer, nullable=False),
    Column("sweeps", Integer, nullable=False),
    Column("began_at", Instant, nullable=False),
    Column("told_at", Instant),
    sqlite_with_rowid=False,
)
"""A source's alarms, when they began and when they were reported. `told_at` is null while an alarm may be chance."""

capture_counts = Table(
    "capture_counts",
    METADATA,
    Column("source_id", String(255), primary_key=True),
    Column("outcome", String(16), primary_key=True),
    Column("reason", String(64), primary_key=True),
    Column("novelty", String(16), primary_key=True),
    Column("captures", BigInteger, nullable=False),
    Column("payload_size", BigInteger, nullable=False),
    Column("latest_at", Instant),
)
"""Captures by result since counting began, and the time of the latest. The sums only grow, for metrics.

`reason` and `novelty` are empty if a capture has none.
"""
