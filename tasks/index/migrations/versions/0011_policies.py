"""Documents in which sites state what may be done with their pages, and the evidence behind daily answers."""

import sqlalchemy as sa
from alembic import op

from tasks.index.column_types import Instant

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table and the column. It is null for existing answers, which are requested again within a day."""
    op.add_column("robots", sa.Column("evidence", sa.LargeBinary(), nullable=True))
    op.create_table(
        "policies",
        sa.Column("policy_id", sa.String(32), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body_digest", sa.String(80), nullable=False),
        sa.Column("observed_at", Instant(), nullable=False),
        sa.Column("last_seen_at", Instant(), nullable=False),
        sa.Column("told_at", Instant(), nullable=False),
        sa.Column("warc_key", sa.Text(), nullable=False),
        sa.Column("warc_offset", sa.BigInteger(), nullable=False),
        sa.Column("warc_length", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("policy_id", name="pk_policies"),
    )
    op.create_index("ix_policies_origin", "policies", ["origin"])
