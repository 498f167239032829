"""Articles: what they earn and cost in points, in whole editions.

Revision 0015.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "punktgenau_article",
        sa.Column("edition", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sku", sa.String(64).with_variant(sa.String(64, collation="C"), "postgresql"), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=True),
        sa.Column("price_points", sa.BigInteger(), nullable=True),
        sa.Column("copayment_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(3), nullable=True),
        sa.Column("exclusive", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.BigInteger(), nullable=True),
        sa.Column("valid_until", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("edition", "sku"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "punktgenau_article_edition",
        sa.Column("provider", sa.String(64), nullable=False),
        sa.Column("partner", sa.String(64), nullable=False),
        sa.Column("mode", sa.String(16), nullable=False),
        sa.Column("current", sa.BigInteger(), nullable=True),
        sa.Column("articles", sa.BigInteger(), nullable=False),
        sa.Column("imported_at", sa.BigInteger(), nullable=True),
        sa.Column("incoming", sa.BigInteger(), nullable=True),
        sa.Column("leaving", sa.BigInteger(), nullable=True),
        sa.Column("lease_token", sa.BigInteger(), nullable=False),
        sa.Column("lease_until", sa.BigInteger(), nullable=False),
        sa.Column("lease_since", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("provider", "partner", "mode"),
    )


def downgrade() -> None:
    """Drop what `upgrade` made; only for tests of this migration."""
    op.drop_table("punktgenau_article_edition")
    op.drop_table("punktgenau_article")
