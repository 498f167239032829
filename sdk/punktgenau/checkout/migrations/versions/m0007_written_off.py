"""What a shop bears of an order whose points were missing.

Revision 0007.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    column = sa.Column("written_off_minor", sa.BigInteger(), server_default="0", nullable=False)
    op.add_column("punktgenau_redemption", column)


def downgrade() -> None:
    """Drop what `upgrade` made; only for tests of this migration."""
    op.drop_column("punktgenau_redemption", "written_off_minor")
