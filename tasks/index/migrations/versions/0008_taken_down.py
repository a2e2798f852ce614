"""What takedowns exclude, as digests."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table, empty until a run reads the lake's takedowns."""
    op.create_table(
        "taken_down",
        sa.Column("takedown_id", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(80), nullable=False),
        sa.PrimaryKeyConstraint("takedown_id", "digest", name="pk_taken_down"),
    )
