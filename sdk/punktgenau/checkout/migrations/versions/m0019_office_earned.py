"""Indexes by which the back office looks for earnings and exchanges; whom erased debts belong to.

Revision 0019.
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0017"
branch_labels = None
depends_on = None

_SHOP = ["provider", "partner", "mode"]
_EARNING, _EXCHANGE, _ACTION = "punktgenau_earning", "punktgenau_exchange", "punktgenau_action"
_WHOLE = {
    f"{_EARNING}_placed": (_EARNING, [*_SHOP, "created_at", "id"]),
    f"{_EARNING}_placed_state": (_EARNING, [*_SHOP, "state", "created_at", "id"]),
    f"{_EXCHANGE}_placed": (_EXCHANGE, [*_SHOP, "created_at", "id"]),
    f"{_EXCHANGE}_placed_state": (_EXCHANGE, [*_SHOP, "state", "created_at", "id"]),
    f"{_EXCHANGE}_member": (_EXCHANGE, ["member_id", "created_at"]),
    f"{_EXCHANGE}_reference": (_EXCHANGE, ["reference"]),
}
_PARTLY = {
    f"{_EXCHANGE}_attention": (_EXCHANGE, "created_at", "state = 'needs_attention'"),
    f"{_EARNING}_mark": (_EARNING, "owed_mark", "owed_mark IS NOT NULL"),
    f"{_ACTION}_subject": (_ACTION, "subject", "redemption_id IS NULL"),
}
_BEGINNING = f"{_EARNING}_beginning"


def upgrade() -> None:
    """Add the column, create the indexes; that by beginnings stays empty on SQLite, where another one does."""
    op.add_column(_EARNING, sa.Column("owed_mark", sa.String(64), nullable=True))
    for name, (table, columns) in _WHOLE.items():
        op.create_index(name, table, columns, unique=False)
    for name, (table, column, where) in _PARTLY.items():
        only = sa.text(where)
        op.create_index(name, table, [column], unique=False, sqlite_where=only, postgresql_where=only)
    op.create_index(
        _BEGINNING,
        _EARNING,
        [*_SHOP, "order_reference"],
        unique=False,
        postgresql_ops={"order_reference": 'COLLATE "C"'},
        sqlite_where=sa.text("0"),
    )


def downgrade() -> None:
    """Drop what `upgrade` made; only for tests of this migration."""
    op.drop_index(_BEGINNING, table_name=_EARNING)
    for name, (table, *_) in (_WHOLE | _PARTLY).items():
        op.drop_index(name, table_name=table)
    op.drop_column(_EARNING, "owed_mark")
