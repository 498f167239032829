"""What was paid of a return's money half, by the payment provider's own references.

Revision 0009.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table, with the payments that are known: of each return the last."""
    op.create_table(
        "punktgenau_payout",
        sa.Column("return_id", sa.String(length=32), nullable=False),
        sa.Column("psp_reference", sa.String(length=255), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["return_id"], ["punktgenau_return.id"]),
        sa.PrimaryKeyConstraint("return_id", "psp_reference"),
    )
    op.execute(
        "INSERT INTO punktgenau_payout (return_id, psp_reference, amount_minor, created_at)"
        " SELECT id, psp_reference, refunded_minor, coalesce(money_refunded_at, created_at)"
        " FROM punktgenau_return WHERE psp_reference IS NOT NULL"
    )


def downgrade() -> None:
    """Drop what `upgrade` made; only for tests of this migration."""
    op.drop_table("punktgenau_payout")
