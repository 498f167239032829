"""New points in the place of those that came back already expired.

Revision 0008.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_NOT_GIVEN = "accrual_state IN ('declined', 'needs_attention')"


def upgrade() -> None:
    """Add the columns, and the index by which a person is told."""
    op.add_column("punktgenau_return", sa.Column("new_points", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("punktgenau_return", sa.Column("accrual_state", sa.String(length=16), nullable=True))
    op.add_column("punktgenau_return", sa.Column("accrual_id", sa.String(length=64), nullable=True))
    only = sa.text(_NOT_GIVEN)
    op.create_index(
        "punktgenau_return_not_given",
        "punktgenau_return",
        ["created_at"],
        unique=False,
        sqlite_where=only,
        postgresql_where=only,
    )


def downgrade() -> None:
    """Drop what `upgrade` made; only for tests of this migration."""
    op.drop_index("punktgenau_return_not_given", table_name="punktgenau_return")
    for name in ("accrual_id", "accrual_state", "new_points"):
        op.drop_column("punktgenau_return", name)
