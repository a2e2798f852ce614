"""What replays record about captures, and the highest revision number an article ever had."""

import sqlalchemy as sa
from alembic import op

from tasks.index.column_types import Instant

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table and the column, both empty until the first replay."""
    op.create_table(
        "replayed",
        sa.Column("capture_id", sa.String(64), nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("article_id", sa.String(32)),
        sa.Column("revision", sa.Integer()),
        sa.Column("position", sa.BigInteger()),
        sa.Column("rules", sa.String(128)),
        sa.Column("knowledge", sa.Integer()),
        sa.Column("kept", sa.JSON(none_as_null=True)),
        sa.Column("noted_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("capture_id", name="pk_replayed"),
    )
    op.create_index("ix_replayed_article_id", "replayed", ["article_id"])
    op.add_column("articles", sa.Column("last_revision", sa.Integer()))
