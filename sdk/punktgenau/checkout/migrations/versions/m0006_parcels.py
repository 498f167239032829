"""Returns and changes of an order of which parcels are still to come.

Revision 0006.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_FIGURES = (
    ("punktgenau_redemption", "settled_points"),
    ("punktgenau_redemption", "settled_minor"),
    ("punktgenau_amendment", "taken_points"),
    ("punktgenau_amendment", "taken_minor"),
)


def upgrade() -> None:
    """Add the columns."""
    op.add_column("punktgenau_return", sa.Column("parcels", sa.Integer(), nullable=True))
    op.add_column("punktgenau_amendment", sa.Column("shipped", sa.Text(), nullable=True))
    for table, name in _FIGURES:
        op.add_column(table, sa.Column(name, sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("punktgenau_amendment", sa.Column("after_shipment", sa.Integer(), server_default="0", nullable=False))


def downgrade() -> None:
    """Drop what `upgrade` made; only for tests of this migration."""
    op.drop_column("punktgenau_amendment", "after_shipment")
    for table, name in _FIGURES:
        op.drop_column(table, name)
    op.drop_column("punktgenau_amendment", "shipped")
    op.drop_column("punktgenau_return", "parcels")
