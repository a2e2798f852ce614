"""Digests of article contents, and more about the shapes of texts; null for existing rows."""

import sqlalchemy as sa
from alembic import op

from tasks.index.column_types import WebText

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    op.add_column("articles", sa.Column("content_digest", sa.String(length=128), nullable=True))
    op.add_column("articles", sa.Column("extractor", WebText(), nullable=True))
    op.add_column("articles", sa.Column("earlier_contents", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("shapes", sa.Column("vocabulary", sa.LargeBinary(), nullable=True))
    op.add_column("shapes", sa.Column("names", sa.LargeBinary(), nullable=True))
