"""What waits in the frontier, by source and by host, so that a claim need not look at every row that is due."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_IS_WAITING = sa.text("state IN ('done', 'dropped', 'due') AND due_at IS NOT NULL")
_INDEXES = {
    "ix_frontier_due_of_source": ["source_id", "priority", "due_at"],
    "ix_frontier_due_of_host": ["source_id", "priority", "host", "due_at"],
}


def upgrade() -> None:
    """Make both indexes."""
    for name, columns in _INDEXES.items():
        op.create_index(name, "frontier", columns, sqlite_where=_IS_WAITING, postgresql_where=_IS_WAITING)
