"""Archive records that a backfill has imported."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "archived",
        sa.Column("capture_id", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("capture_id", name=op.f("pk_archived")),
        sqlite_with_rowid=False,
    )
