"""Key feeds by a digest of their URL: PostgreSQL limits index entries to 2,704 bytes, and a URL may be longer."""

import hashlib

import sqlalchemy as sa
from alembic import op

from tasks.index.column_types import Instant

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_ROWS_AT_ONCE = 1000
_NAMES = (
    "feed_url",
    "source_id",
    "kind",
    "etag",
    "last_modified",
    "body_digest",
    "due_at",
    "polled_at",
    "interval_s",
    "failures",
    "reason",
    "entries",
    "moved_to",
    "sightings",
    "parent_url",
)


def upgrade() -> None:
    """Recreate the table with its rows."""
    op.execute("CREATE TABLE feeds_before AS SELECT * FROM feeds")
    op.drop_index(op.f("ix_feeds_source_id"), table_name="feeds")
    op.drop_table("feeds")
    _create_feeds()
    _copy_rows()
    op.drop_table("feeds_before")


def _create_feeds() -> None:
    op.create_table(
        "feeds",
        sa.Column("feed_key", sa.String(length=64), nullable=False),
        sa.Column("feed_url", sa.Text(), nullable=False),
        sa.Column("source_id", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("etag", sa.Text(), nullable=True),
        sa.Column("last_modified", sa.Text(), nullable=True),
        sa.Column("body_digest", sa.String(length=80), nullable=True),
        sa.Column("due_at", Instant(), nullable=True),
        sa.Column("polled_at", Instant(), nullable=True),
        sa.Column("interval_s", sa.Float(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=True),
        sa.Column("entries", sa.Integer(), nullable=True),
        sa.Column("moved_to", sa.Text(), nullable=True),
        sa.Column("sightings", sa.Integer(), nullable=True),
        sa.Column("parent_url", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("feed_key", name=op.f("pk_feeds")),
    )
    op.create_index(op.f("ix_feeds_source_id"), "feeds", ["source_id"], unique=False)


def _copy_rows() -> None:
    """Copy the rows through the driver, because SQLite has no digest function."""
    tx = op.get_bind()
    before = sa.table("feeds_before", *(sa.column(name) for name in _NAMES))
    after = sa.table("feeds", sa.column("feed_key"), *(sa.column(name) for name in _NAMES))
    found = tx.execute(sa.select(before)).mappings()
    while rows := found.fetchmany(_ROWS_AT_ONCE):
        tx.execute(after.insert(), [{"feed_key": _key(row["feed_url"]), **row} for row in rows])


def _key(feed_url: str) -> str:
    return hashlib.sha256(feed_url.encode()).hexdigest()
