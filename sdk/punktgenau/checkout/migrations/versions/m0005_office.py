"""Indexes by which the back office looks.

Revision 0005.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_SHOP = ("provider", "partner", "mode")
_PARTLY = {
    "punktgenau_event_redemption": ("punktgenau_event", "redemption_id", "redemption_id IS NOT NULL"),
}
_WHOLE = {
    "punktgenau_redemption_placed": [*_SHOP, "created_at", "id"],
    "punktgenau_redemption_placed_state": [*_SHOP, "state", "created_at", "id"],
    "punktgenau_redemption_member": ["member_id", "created_at"],
}


def upgrade() -> None:
    """Create the indexes."""
    for name, columns in _WHOLE.items():
        op.create_index(name, "punktgenau_redemption", columns, unique=False)
    for name, (table, column, where) in _PARTLY.items():
        only = sa.text(where)
        op.create_index(name, table, [column], unique=False, sqlite_where=only, postgresql_where=only)


def downgrade() -> None:
    """Drop what `upgrade` made; only for tests of this migration."""
    for name in _WHOLE:
        op.drop_index(name, table_name="punktgenau_redemption")
    for name, (table, _, _) in _PARTLY.items():
        op.drop_index(name, table_name=table)
