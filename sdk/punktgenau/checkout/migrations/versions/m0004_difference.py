"""Differences between statement, journal and orders; what was booked, by its time.

Revision 0004.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_IS_DONE = "outcome = 'done'"


def upgrade() -> None:
    """Create the table and the indexes."""
    texts = (
        ("id", 32), ("provider", 64), ("partner", 64), ("mode", 16), ("period", 7), ("kind", 16), ("state", 12),
        ("order_reference", 64), ("order_state", 16),
    )  # fmt: skip
    figures = ("there_points", "there_minor", "there_at", "here_points", "here_minor", "here_at")
    op.create_table(
        "punktgenau_difference",
        *(sa.Column(name, sa.String(length=length), nullable=False) for name, length in texts),
        sa.Column("redemption_id", sa.String(length=32), nullable=True),
        *(sa.Column(name, sa.String(length=64), nullable=False) for name in ("provider_id", "line_id")),
        sa.Column("operation_id", sa.String(length=32), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=True) for name in figures),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("proposal", sa.String(length=16), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.String(length=200), nullable=False) for name in ("actor", "reason", "result")),
        sa.Column("done_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["redemption_id"], ["punktgenau_redemption.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "punktgenau_difference_listed",
        "punktgenau_difference",
        ["provider", "partner", "mode", "state", "period", "id"],
        unique=False,
    )
    op.create_index(
        "punktgenau_operation_done",
        "punktgenau_operation",
        ["finished_at", "id"],
        unique=False,
        sqlite_where=sa.text(_IS_DONE),
        postgresql_where=sa.text(_IS_DONE),
    )


def downgrade() -> None:
    """Drop what `upgrade` made; only for tests of this migration."""
    op.drop_index("punktgenau_operation_done", table_name="punktgenau_operation")
    op.drop_table("punktgenau_difference")
