"""Indexes to list the newest articles, and the newest URLs without a page."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_SHOWN_AT = sa.text("(CASE WHEN (published_at <= first_seen_at) THEN published_at ELSE first_seen_at END)")
_HAS_REASON = sa.text("reason IS NOT NULL")


def upgrade() -> None:
    """Create the indexes; 100,000 articles take a second."""
    op.create_index("ix_articles_told", "articles", [_SHOWN_AT, "article_id"])
    op.create_index("ix_articles_told_of_source", "articles", ["source_id", _SHOWN_AT, "article_id"])
    op.create_index(
        "ix_frontier_no_page", "frontier", ["captured_at"], sqlite_where=_HAS_REASON, postgresql_where=_HAS_REASON
    )
