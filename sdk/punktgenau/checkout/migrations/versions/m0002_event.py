"""Events that were heard, and what finds the rows that they are about.

Revision 0002.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table and the indexes."""
    op.create_table(
        "punktgenau_event",
        sa.Column("provider", sa.String(length=64), nullable=False),
        sa.Column("partner", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=255), nullable=False),
        sa.Column("type", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=True),
        sa.Column("provider_id", sa.String(length=64), nullable=True),
        sa.Column("order_reference", sa.String(length=36), nullable=True),
        sa.Column("said", sa.String(length=24), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("redemption_id", sa.String(length=32), nullable=True),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("check_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["redemption_id"],
            ["punktgenau_redemption.id"],
        ),
        sa.PrimaryKeyConstraint("provider", "partner", "id"),
    )
    op.create_index(
        "punktgenau_event_check",
        "punktgenau_event",
        ["check_at"],
        unique=False,
        sqlite_where=sa.text("check_at IS NOT NULL"),
        postgresql_where=sa.text("check_at IS NOT NULL"),
    )
    op.create_index("punktgenau_link_member", "punktgenau_link", ["member_id"], unique=False)
    op.create_index("punktgenau_redemption_provider_id", "punktgenau_redemption", ["provider_id"], unique=False)


def downgrade() -> None:
    """Drop what `upgrade` made; only for tests of this migration."""
    op.drop_index("punktgenau_redemption_provider_id", table_name="punktgenau_redemption")
    op.drop_index("punktgenau_link_member", table_name="punktgenau_link")
    op.drop_index(
        "punktgenau_event_check",
        table_name="punktgenau_event",
        sqlite_where=sa.text("check_at IS NOT NULL"),
        postgresql_where=sa.text("check_at IS NOT NULL"),
    )
    op.drop_table("punktgenau_event")
