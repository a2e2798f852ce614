"""How often in a row a feed was unchanged: this detects a feed that claims it for ever."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column: null for existing feeds, which is read as 0."""
    op.add_column("feeds", sa.Column("unchanged", sa.Integer(), nullable=True))
