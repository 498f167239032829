"""Orders whose hold ended between two parcels, from before that was told: points are missing, and a person decides.

A wish to give back is no loss: its points were to go back anyway.

Revision 0011.
"""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_TELL = """
UPDATE punktgenau_redemption SET state = 'short', version = version + 1
WHERE state IN ('captured', 'partially_reversed')
AND release_cause IS NULL
AND captured_points > 0
AND captured_points < COALESCE(amended_points, points) + settled_points
AND EXISTS (SELECT 1 FROM punktgenau_shipment AS s WHERE s.redemption_id = punktgenau_redemption.id)
"""


def upgrade() -> None:
    """Tell them."""
    op.execute(_TELL)


def downgrade() -> None:
    """Nothing was made; only for tests of this migration."""
