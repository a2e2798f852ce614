"""The shared pace of all hosts of a registrable domain at one address."""

import sqlalchemy as sa
from alembic import op

from tasks.index.column_types import Instant

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table. Until its first request, a place without a row has only its host's pace."""
    op.create_table(
        "places",
        sa.Column("place", sa.String(64), nullable=False),
        sa.Column("next_slot_at", Instant(), nullable=False),
        sa.Column("turns", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("place", name="pk_places"),
    )
