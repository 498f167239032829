"""Exchanges: points that become a voucher or money.

Revision 0016.
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

TABLE = "punktgenau_exchange"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        TABLE,
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("provider", sa.String(64), nullable=False),
        sa.Column("partner", sa.String(64), nullable=False),
        sa.Column("mode", sa.String(16), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("customer_id", sa.String(255), nullable=False),
        sa.Column("member_id", sa.String(64), nullable=False),
        sa.Column("form", sa.String(64), nullable=False),
        sa.Column("reference", sa.String(36), nullable=False),
        sa.Column("key", sa.String(255), nullable=False, unique=True),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("product_id", sa.String(64), nullable=True),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("provider_id", sa.String(64), nullable=True),
        sa.Column("value_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(3), nullable=True),
        sa.Column("hint", sa.String(64), nullable=True),
        sa.Column("outcome", sa.String(8), nullable=True),
        sa.Column("code", sa.String(64), nullable=True),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("sends", sa.Integer(), nullable=False),
        sa.Column("passes", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.Column("lease_until", sa.BigInteger(), nullable=False),
        sa.Column("lease_token", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("provider", "partner", "mode", "customer_id", "form", name=f"{TABLE}_form"),
    )
    is_due = sa.text("next_at IS NOT NULL")
    op.create_index(f"{TABLE}_due", TABLE, ["next_at"], sqlite_where=is_due, postgresql_where=is_due)
    op.create_index(f"{TABLE}_customer", TABLE, ["customer_id", "created_at"])
    op.create_index(f"{TABLE}_provider_id", TABLE, ["provider_id"])


def downgrade() -> None:
    """Drop what `upgrade` made; only for tests of this migration."""
    op.drop_table(TABLE)
