"""The pace of a registrable domain on one address, which all of its hosts share."""

import sqlalchemy as sa
from alembic import op

from tasks.index.column_types import Instant

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table: a place without a row has its host's pace alone until it is asked."""
    op.create_table(
        "places",
        sa.Column("place", sa.String(64), nullable=False),
        sa.Column("next_slot_at", Instant(), nullable=False),
        sa.Column("turns", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("place", name="pk_places"),
    )
