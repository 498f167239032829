"""Returns, shipments, amended orders, who did what by hand; and what is declared when an order is placed.

Revision 0003.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_OWES_MONEY = "money_refunded_at IS NULL AND money_minor + expired_minor + instead_minor > 0"


def upgrade() -> None:
    """Add columns and create the tables."""
    for name, length, declared in (("refund_policy", 16, "proportional"), ("tax_mode", 8, "tender")):
        op.add_column(
            "punktgenau_redemption",
            sa.Column(name, sa.String(length=length), server_default=declared, nullable=False),
        )
    for name in ("captured_minor", "kept_points", "kept_minor"):
        op.add_column("punktgenau_redemption", sa.Column(name, sa.BigInteger(), server_default="0", nullable=False))
    for name in ("amended_points", "amended_minor", "amended_payable_minor", "paid_at"):
        op.add_column("punktgenau_redemption", sa.Column(name, sa.BigInteger(), nullable=True))
    # So far everything was captured as a whole.
    op.execute("UPDATE punktgenau_redemption SET captured_minor = value_minor WHERE captured_points > 0")
    _return()
    _shipment()
    _amendment()
    _action()


def _return() -> None:
    op.create_table(
        "punktgenau_return",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("redemption_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("reference", sa.String(length=36), nullable=False),
        sa.Column("wanted", sa.Text(), nullable=False),
        sa.Column("policy", sa.String(length=16), nullable=False),
        sa.Column("goods_minor", sa.BigInteger(), nullable=False),
        sa.Column("other_minor", sa.BigInteger(), nullable=False),
        sa.Column("value_minor", sa.BigInteger(), nullable=False),
        sa.Column("money_minor", sa.BigInteger(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("worth_minor", sa.BigInteger(), nullable=False),
        sa.Column("carry_minor", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("operation_id", sa.String(length=32), nullable=True),
        sa.Column("restored_points", sa.BigInteger(), nullable=True),
        sa.Column("expired_points", sa.BigInteger(), nullable=True),
        sa.Column("converted_points", sa.BigInteger(), nullable=True),
        sa.Column("expired_rule", sa.String(length=8), nullable=False),
        sa.Column("expired_minor", sa.BigInteger(), nullable=False),
        sa.Column("instead_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("psp_reference", sa.String(length=255), nullable=True),
        sa.Column("money_refunded_at", sa.BigInteger(), nullable=True),
        sa.Column("refunded_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["redemption_id"], ["punktgenau_redemption.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("operation_id"),
        sa.UniqueConstraint("redemption_id", "number", name="punktgenau_return_number"),
        sa.UniqueConstraint("redemption_id", "reference", name="punktgenau_return_once"),
    )
    op.create_index(
        "punktgenau_return_money",
        "punktgenau_return",
        ["created_at"],
        unique=False,
        sqlite_where=sa.text(_OWES_MONEY),
        postgresql_where=sa.text(_OWES_MONEY),
    )
    op.create_index(
        "punktgenau_return_refused",
        "punktgenau_return",
        ["created_at"],
        unique=False,
        sqlite_where=sa.text("state = 'declined'"),
        postgresql_where=sa.text("state = 'declined'"),
    )


def _shipment() -> None:
    op.create_table(
        "punktgenau_shipment",
        sa.Column("redemption_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("reference", sa.String(length=36), nullable=False),
        sa.Column("lines", sa.Text(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("worth_minor", sa.BigInteger(), nullable=False),
        sa.Column("is_last", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("operation_id", sa.String(length=32), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["redemption_id"], ["punktgenau_redemption.id"]),
        sa.PrimaryKeyConstraint("redemption_id", "number"),
        sa.UniqueConstraint("operation_id"),
        sa.UniqueConstraint("redemption_id", "reference", name="punktgenau_shipment_once"),
    )


def _amendment() -> None:
    op.create_table(
        "punktgenau_amendment",
        sa.Column("redemption_id", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("cart", sa.Text(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("value_minor", sa.BigInteger(), nullable=False),
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.Column("payable_minor", sa.BigInteger(), nullable=False),
        sa.Column("after_number", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["redemption_id"], ["punktgenau_redemption.id"]),
        sa.PrimaryKeyConstraint("redemption_id", "version"),
    )


def _action() -> None:
    op.create_table(
        "punktgenau_action",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("provider", sa.String(length=64), nullable=False),
        sa.Column("partner", sa.String(length=64), nullable=False),
        sa.Column("mode", sa.String(length=16), nullable=False),
        sa.Column("redemption_id", sa.String(length=32), nullable=True),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["redemption_id"], ["punktgenau_redemption.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "punktgenau_action_latest",
        "punktgenau_action",
        ["provider", "partner", "mode", "created_at"],
        unique=False,
    )
    op.create_index("punktgenau_action_redemption", "punktgenau_action", ["redemption_id", "created_at"], unique=False)


def downgrade() -> None:
    """Drop what `upgrade` made; only for tests of this migration."""
    op.drop_table("punktgenau_action")
    op.drop_table("punktgenau_amendment")
    op.drop_table("punktgenau_shipment")
    op.drop_table("punktgenau_return")
    for name in (
        "paid_at",
        "kept_minor",
        "kept_points",
        "amended_payable_minor",
        "amended_minor",
        "amended_points",
        "captured_minor",
        "tax_mode",
        "refund_policy",
    ):
        op.drop_column("punktgenau_redemption", name)
