"""Index by first sight, to list what a sweep added."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the index."""
    op.create_index("ix_articles_first_seen_at", "articles", ["first_seen_at"])
