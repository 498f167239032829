"""An index by which order references are found by how they begin.

Revision 0012.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the index; on SQLite the one that keeps attempts apart does as well, so it stays empty there."""
    op.create_index(
        "punktgenau_redemption_beginning",
        "punktgenau_redemption",
        ["provider", "partner", "mode", "order_reference", "attempt"],
        unique=False,
        postgresql_ops={"order_reference": 'COLLATE "C"'},
        sqlite_where=sa.text("0"),
    )


def downgrade() -> None:
    """Drop what `upgrade` made; only for tests of this migration."""
    op.drop_index("punktgenau_redemption_beginning", table_name="punktgenau_redemption")
