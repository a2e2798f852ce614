"""The articles of a run are found by an index: what a sweep adds is listed at its end."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index."""
    op.create_index("ix_articles_first_seen_at", "articles", ["first_seen_at"])
