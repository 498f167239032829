"""Vouchers as tenders of their own, with what became of each; what came back expired.

Revision 0018.
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns and the index."""
    op.add_column("punktgenau_redemption", sa.Column("vouchers_gone", sa.Text(), nullable=True))
    op.add_column("punktgenau_return", sa.Column("vouchers_expired", sa.Text(), nullable=True))
    for column in (
        sa.Column("voucher_id", sa.String(64), nullable=True),
        sa.Column("last_four", sa.String(8), nullable=True),
        sa.Column("captured_minor", sa.BigInteger(), nullable=True),
        sa.Column("reversed_minor", sa.BigInteger(), nullable=True),
    ):
        op.add_column("punktgenau_tender", column)
    op.create_index("punktgenau_tender_voucher", "punktgenau_tender", ["voucher_id"])


def downgrade() -> None:
    """Drop what `upgrade` made; only for tests of this migration."""
    op.drop_index("punktgenau_tender_voucher", "punktgenau_tender")
    for name in ("reversed_minor", "captured_minor", "last_four", "voucher_id"):
        op.drop_column("punktgenau_tender", name)
    op.drop_column("punktgenau_return", "vouchers_expired")
    op.drop_column("punktgenau_redemption", "vouchers_gone")
