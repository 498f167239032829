"""The journal: redemptions, tenders, operations, links.

Revision 0001.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    _link()
    _meta()
    _redemption()
    _operation()
    _tender()


def _link() -> None:
    op.create_table(
        "punktgenau_link",
        sa.Column("provider", sa.String(length=64), nullable=False),
        sa.Column("partner", sa.String(length=64), nullable=False),
        sa.Column("mode", sa.String(length=16), nullable=False),
        sa.Column("customer_id", sa.String(length=255), nullable=False),
        sa.Column("member_id", sa.String(length=64), nullable=False),
        sa.Column("consent_id", sa.String(length=64), nullable=False),
        sa.Column("linked_at", sa.BigInteger(), nullable=False),
        sa.Column("balance", sa.Text(), nullable=True),
        sa.Column("balance_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("provider", "partner", "mode", "customer_id"),
    )


def _meta() -> None:
    op.create_table(
        "punktgenau_meta",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("value", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def _redemption() -> None:
    op.create_table(
        "punktgenau_redemption",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("provider", sa.String(length=64), nullable=False),
        sa.Column("partner", sa.String(length=64), nullable=False),
        sa.Column("mode", sa.String(length=16), nullable=False),
        sa.Column("order_reference", sa.String(length=36), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("live_key", sa.String(length=200), nullable=True),
        sa.Column("cause", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.String(length=255), nullable=False),
        sa.Column("member_id", sa.String(length=64), nullable=False),
        sa.Column("consent_id", sa.String(length=64), nullable=False),
        sa.Column("wish", sa.String(length=20), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("value_minor", sa.BigInteger(), nullable=False),
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.Column("payable_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("rate_id", sa.String(length=64), nullable=False),
        sa.Column("rate_points", sa.BigInteger(), nullable=False),
        sa.Column("rate_amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("rate_rounding", sa.String(length=8), nullable=False),
        sa.Column("cart", sa.Text(), nullable=False),
        sa.Column("hold_s", sa.Integer(), nullable=False),
        sa.Column("provider_id", sa.String(length=64), nullable=True),
        sa.Column("hold_until", sa.BigInteger(), nullable=True),
        sa.Column("captured_points", sa.BigInteger(), nullable=False),
        sa.Column("reversed_points", sa.BigInteger(), nullable=False),
        sa.Column("reversed_minor", sa.BigInteger(), nullable=False),
        sa.Column("release_cause", sa.String(length=200), nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("check_at", sa.BigInteger(), nullable=True),
        sa.Column("lease_until", sa.BigInteger(), nullable=False),
        sa.Column("lease_token", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
        sa.UniqueConstraint("live_key"),
        sa.UniqueConstraint(
            "provider", "partner", "mode", "order_reference", "attempt", name="punktgenau_redemption_attempt"
        ),
    )
    op.create_index(
        "punktgenau_redemption_check",
        "punktgenau_redemption",
        ["check_at"],
        unique=False,
        sqlite_where=sa.text("check_at IS NOT NULL"),
        postgresql_where=sa.text("check_at IS NOT NULL"),
    )
    op.create_index(
        "punktgenau_redemption_attention",
        "punktgenau_redemption",
        ["state"],
        unique=False,
        sqlite_where=sa.text("state IN ('short', 'needs_attention')"),
        postgresql_where=sa.text("state IN ('short', 'needs_attention')"),
    )
    op.create_index(
        "punktgenau_redemption_customer", "punktgenau_redemption", ["customer_id", "created_at"], unique=False
    )


def _operation() -> None:
    op.create_table(
        "punktgenau_operation",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("redemption_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("cause", sa.String(length=200), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("reply", sa.Text(), nullable=True),
        sa.Column("outcome", sa.String(length=8), nullable=True),
        sa.Column("code", sa.String(length=64), nullable=True),
        sa.Column("sends", sa.Integer(), nullable=False),
        sa.Column("passes", sa.Integer(), nullable=False),
        sa.Column("open_key", sa.String(length=32), nullable=True),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.Column("lease_until", sa.BigInteger(), nullable=False),
        sa.Column("lease_token", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["redemption_id"],
            ["punktgenau_redemption.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
        sa.UniqueConstraint("open_key"),
        sa.UniqueConstraint("redemption_id", "kind", "cause", name="punktgenau_operation_once"),
    )
    op.create_index(
        "punktgenau_operation_due",
        "punktgenau_operation",
        ["next_at"],
        unique=False,
        sqlite_where=sa.text("next_at IS NOT NULL"),
        postgresql_where=sa.text("next_at IS NOT NULL"),
    )


def _tender() -> None:
    op.create_table(
        "punktgenau_tender",
        sa.Column("redemption_id", sa.String(length=32), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("value_minor", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["redemption_id"],
            ["punktgenau_redemption.id"],
        ),
        sa.PrimaryKeyConstraint("redemption_id", "position"),
    )


def downgrade() -> None:
    """Drop the tables; only for tests of this migration."""
    op.drop_table("punktgenau_tender")
    op.drop_index(
        "punktgenau_operation_due",
        table_name="punktgenau_operation",
        sqlite_where=sa.text("next_at IS NOT NULL"),
        postgresql_where=sa.text("next_at IS NOT NULL"),
    )
    op.drop_table("punktgenau_operation")
    op.drop_index("punktgenau_redemption_customer", table_name="punktgenau_redemption")
    op.drop_index(
        "punktgenau_redemption_check",
        table_name="punktgenau_redemption",
        sqlite_where=sa.text("check_at IS NOT NULL"),
        postgresql_where=sa.text("check_at IS NOT NULL"),
    )
    op.drop_table("punktgenau_redemption")
    op.drop_table("punktgenau_meta")
    op.drop_table("punktgenau_link")
