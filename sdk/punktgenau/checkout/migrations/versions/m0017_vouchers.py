"""Vouchers that pay orders: what went back onto them.

Revision 0017.
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    column = sa.Column("vouchers_back_minor", sa.BigInteger(), nullable=False, server_default="0")
    op.add_column("punktgenau_redemption", column)
    op.add_column("punktgenau_return", sa.Column("vouchers", sa.Text(), nullable=True))


def downgrade() -> None:
    """Drop what `upgrade` made; only for tests of this migration."""
    op.drop_column("punktgenau_return", "vouchers")
    op.drop_column("punktgenau_redemption", "vouchers_back_minor")
