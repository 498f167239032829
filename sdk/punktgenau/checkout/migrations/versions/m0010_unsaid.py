"""Returns of which nobody said how many points came back expired, although the shop makes up for those.

Revision 0010.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_UNSAID = "state = 'done' AND restored_points IS NULL AND expired_rule IN ('money', 'accrue')"


def upgrade() -> None:
    """Add the index by which a person is told."""
    only = sa.text(_UNSAID)
    op.create_index(
        "punktgenau_return_unsaid",
        "punktgenau_return",
        ["created_at"],
        unique=False,
        sqlite_where=only,
        postgresql_where=only,
    )


def downgrade() -> None:
    """Drop what `upgrade` made; only for tests of this migration."""
    op.drop_index("punktgenau_return_unsaid", table_name="punktgenau_return")
