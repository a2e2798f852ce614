"""Indexes of waiting URLs by source and host, so that a claim need not scan all due rows; budgets; truncated bodies."""

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
    """Create both indexes, the intake table and the column `partial`."""
    op.create_table(
        "source_intake",
        sa.Column("source_id", sa.String(length=255), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("urls", sa.Integer(), nullable=False),
        sa.Column("hosts", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("source_id", "day", name=op.f("pk_source_intake")),
        sqlite_with_rowid=False,
    )
    op.add_column("frontier", sa.Column("partial", sa.String(length=96), nullable=True))
    for name, columns in _INDEXES.items():
        op.create_index(name, "frontier", columns, sqlite_where=_IS_WAITING, postgresql_where=_IS_WAITING)
