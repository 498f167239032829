"""The journal's own currency beside that of the statement, where a difference has both.

Revision 0013.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_TELL = """
UPDATE punktgenau_difference SET here_currency = (
    SELECT r.currency FROM punktgenau_redemption AS r
    WHERE r.id = punktgenau_difference.redemption_id AND r.currency <> punktgenau_difference.currency
)
WHERE here_points IS NOT NULL
"""


def upgrade() -> None:
    """Add the column, and tell it of what was found before."""
    op.add_column("punktgenau_difference", sa.Column("here_currency", sa.String(3), nullable=True))
    op.execute(_TELL)


def downgrade() -> None:
    """Drop what `upgrade` made; only for tests of this migration."""
    op.drop_column("punktgenau_difference", "here_currency")
