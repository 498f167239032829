"""What orders earn: each with its steps, and returns of orders that were paid without points.

Revision 0014.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "punktgenau_earning",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("provider", sa.String(64), nullable=False),
        sa.Column("partner", sa.String(64), nullable=False),
        sa.Column("mode", sa.String(16), nullable=False),
        sa.Column("order_reference", sa.String(36), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.String(255), nullable=False),
        sa.Column("member_id", sa.String(64), nullable=False),
        sa.Column("consent_id", sa.String(64), nullable=False),
        sa.Column("accrual_reference", sa.String(36), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("pending_s", sa.Integer(), nullable=False),
        sa.Column("claw_back", sa.String(16), nullable=False),
        sa.Column("placed_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("accrual_id", sa.String(64)),
        sa.Column("pending_until", sa.BigInteger()),
        sa.Column("posted_at", sa.BigInteger()),
        sa.Column("given_points", sa.BigInteger(), nullable=False),
        sa.Column("points_taken", sa.BigInteger(), nullable=False),
        sa.Column("owed_points", sa.BigInteger(), nullable=False),
        sa.Column("offset_points", sa.BigInteger(), nullable=False),
        sa.Column("offset_back", sa.BigInteger(), nullable=False),
        sa.Column("cancelled", sa.String(200)),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("check_at", sa.BigInteger()),
        sa.Column("lease_until", sa.BigInteger(), nullable=False),
        sa.Column("lease_token", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint(
            "provider", "partner", "mode", "order_reference", "kind", "number", name="punktgenau_earning_once"
        ),
    )
    _steps()
    _indexes()


def _steps() -> None:
    op.create_table(
        "punktgenau_earning_step",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("earning_id", sa.String(32), sa.ForeignKey("punktgenau_earning.id"), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("cause", sa.String(200), nullable=False),
        sa.Column("key", sa.String(255), nullable=False, unique=True),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("reply", sa.Text()),
        sa.Column("outcome", sa.String(8)),
        sa.Column("code", sa.String(64)),
        sa.Column("sends", sa.Integer(), nullable=False),
        sa.Column("passes", sa.Integer(), nullable=False),
        sa.Column("open_key", sa.String(32), unique=True),
        sa.Column("next_at", sa.BigInteger()),
        sa.Column("lease_until", sa.BigInteger(), nullable=False),
        sa.Column("lease_token", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger()),
        sa.UniqueConstraint("earning_id", "kind", "cause", name="punktgenau_earning_step_once"),
    )
    op.create_table(
        "punktgenau_earning_return",
        sa.Column("earning_id", sa.String(32), sa.ForeignKey("punktgenau_earning.id"), primary_key=True),
        sa.Column("reference", sa.String(36), primary_key=True),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("wanted", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
    )


def _indexes() -> None:
    welcome, due = sa.text("kind = 'welcome'"), sa.text("check_at IS NOT NULL")
    person = sa.text("state IN ('declined', 'needs_attention') AND reason NOT IN ('welcome_had', 'left')")
    open_step, done = sa.text("next_at IS NOT NULL"), sa.text("outcome = 'done'")
    of_member = ["provider", "partner", "mode", "member_id", "number"]
    _index("earning_welcome", "earning", of_member, only=welcome, unique=True)
    _index("earning_member", "earning", ["member_id", "created_at"])
    _index("earning_customer", "earning", ["customer_id", "created_at"])
    _index("earning_check", "earning", ["check_at"], only=due)
    _index("earning_attention", "earning", ["state"], only=person)
    _index("earning_step_due", "earning_step", ["next_at"], only=open_step)
    _index("earning_step_done", "earning_step", ["finished_at"], only=done)


def _index(
    name: str, table: str, columns: list[str], *, only: sa.TextClause | None = None, unique: bool = False
) -> None:
    op.create_index(
        f"punktgenau_{name}",
        f"punktgenau_{table}",
        columns,
        unique=unique,
        sqlite_where=only,
        postgresql_where=only,
    )


def downgrade() -> None:
    """Drop what `upgrade` made; only for tests of this migration."""
    for name in ("earning_return", "earning_step", "earning"):
        op.drop_table(f"punktgenau_{name}")
