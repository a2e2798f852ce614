"""The tables of the index, one definition for SQLite and PostgreSQL. Migrations (alembic) are what makes them.

Nothing here that PostgreSQL cannot do, and nothing that SQLite cannot.
"""

from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)


class Instant(TypeDecorator[datetime]):
    """An aware UTC instant to the microsecond. SQLite has no time zones: there it is naive text, always UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive instant, since it would be read as something else on another machine."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive datetime {value!r}")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give back what was put in."""
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)

facts = Table(
    "facts",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)
"""What the index knows of itself: index_id, lake_id, lake_uri."""

counters = Table(
    "counters",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", BigInteger, nullable=False),
)
"""Numbers handed out in the order of commits: a sequence would hand them out before, and a reader could skip one."""

runs = Table(
    "runs",
    metadata,
    Column("run_id", String(64), primary_key=True),
    Column("machine", String(255), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("process_born_at", Float, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("state", String(16), nullable=False),
    Column("summary", Text),
)
"""One row a run: who holds leases, whether that process lives, and what it came to."""

feeds = Table(
    "feeds",
    metadata,
    Column("feed_url", Text, primary_key=True),
    Column("source_id", String(255), nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("etag", Text),
    Column("last_modified", Text),
    Column("body_digest", String(80)),
    Column("due_at", Instant),
    Column("polled_at", Instant),
    Column("interval_s", Float),
    Column("failures", Integer, nullable=False),
    Column("reason", String(64)),
    Column("entries", Integer),
)
"""Poll state; `due_at` is null for a feed that has ended (410)."""

frontier = Table(
    "frontier",
    metadata,
    Column("url_key", Text, primary_key=True),
    Column("url", Text, nullable=False),
    Column("host", String(255), nullable=False, index=True),
    Column("source_id", String(255), nullable=False),
    Column("state", String(16), nullable=False),
    Column("priority", Integer, nullable=False),
    Column("due_at", Instant),
    Column("lease_owner", String(64), index=True),
    Column("lease_until", Instant),
    Column("attempts", Integer, nullable=False),
    Column("etag", Text),
    Column("last_modified", Text),
    Column("payload_digest", String(80)),
    Column("captured_at", Instant),
    Column("article_id", String(32)),
    Column("outcome", String(16)),
    Column("reason", String(64)),
    Column("announced_by", Text),
    Column("announced_title", Text),
    Column("announced_at", Instant),
    Column("discovered_at", Instant, nullable=False),
    Index(None, "state", "priority", "due_at"),
    Index(None, "source_id", "state"),
)
"""Every URL that was ever announced, once, with what became of it."""

hosts = Table(
    "hosts",
    metadata,
    Column("host", String(255), primary_key=True),
    Column("next_slot_at", Instant, nullable=False),
    Column("crawl_delay_s", Float),
)
"""Politeness: no request to the host begins before `next_slot_at`; whoever reserves slots moves it."""

robots = Table(
    "robots",
    metadata,
    Column("origin", Text, primary_key=True),
    Column("status", Integer),
    Column("body", LargeBinary),
    Column("fetched_at", Instant, nullable=False),
)
"""robots.txt as it was answered; status is null where nothing answered."""

articles = Table(
    "articles",
    metadata,
    Column("article_id", String(32), primary_key=True),
    Column("url_key", Text, nullable=False, unique=True),
    Column("url", Text, nullable=False),
    Column("source_id", String(255), nullable=False, index=True),
    Column("language", String(16)),
    Column("title", Text),
    Column("revision", Integer, nullable=False),
    Column("text_digest", String(80), nullable=False, index=True),
    Column("published_at", Instant),
    Column("first_seen_at", Instant, nullable=False),
    Column("fetched_at", Instant, nullable=False),
    Column("cluster_id", String(32), nullable=False, index=True),
    Column("duplicate_of", String(32)),
    Column("is_representative", Boolean, nullable=False),
)
"""One row an article: its newest revision, as far as later decisions need it."""

batches = Table(
    "batches",
    metadata,
    Column("batch_id", String(64), primary_key=True),
    Column("run_id", String(64), nullable=False, index=True),
    Column("decided_at", Instant, nullable=False),
    Column("counts", Text, nullable=False),
)
"""Batches that were decided: a decision that is asked for twice is taken once."""

outbox = Table(
    "outbox",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("batch_id", String(64), nullable=False, unique=True),
    Column("created_at", Instant, nullable=False),
    Column("payload", LargeBinary, nullable=False),
)
"""Decisions that are committed and not yet in the lake's tables; the payload is zlib over JSON."""
