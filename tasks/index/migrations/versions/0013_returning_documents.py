"""Site documents that return to an earlier form, and licences that feeds declare for their items."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns: null for existing rows until the next request or announcement."""
    op.add_column("robots", sa.Column("form", sa.String(32), nullable=True))
    op.add_column("robots", sa.Column("turn", sa.String(8), nullable=True))
    op.add_column("frontier", sa.Column("announced_rights", sa.Text(), nullable=True))
