"""How often in a row a feed brought nothing new, by which one is found out that says so for ever."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column: unknown for the feeds that are there, and read as none."""
    op.add_column("feeds", sa.Column("unchanged", sa.Integer(), nullable=True))
