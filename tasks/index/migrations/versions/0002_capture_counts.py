"""Counts of captures, for metrics. An existing index gets the time of each source's newest article at once."""

import sqlalchemy as sa
from alembic import op

from tasks.index.column_types import Instant

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_NEWEST = """
INSERT INTO capture_counts (source_id, outcome, reason, novelty, captures, payload_size, latest_at)
SELECT source_id, 'ok', '', 'new', 0, 0, max(first_seen_at) FROM articles GROUP BY source_id
"""


def upgrade() -> None:
    """Create the table with one empty count for each source that has articles."""
    op.create_table(
        "capture_counts",
        sa.Column("source_id", sa.String(length=255), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("novelty", sa.String(length=16), nullable=False),
        sa.Column("captures", sa.BigInteger(), nullable=False),
        sa.Column("payload_size", sa.BigInteger(), nullable=False),
        sa.Column("latest_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("source_id", "outcome", "reason", "novelty", name=op.f("pk_capture_counts")),
    )
    op.execute(_NEWEST)
