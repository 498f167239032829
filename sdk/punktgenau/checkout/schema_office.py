"""The indexes by which the back office looks: a page of a list is found at once, however long the journal is."""

from __future__ import annotations

from sqlalchemy import Index, literal_column

from punktgenau.checkout.earning.schema import earning
from punktgenau.checkout.exchanging.schema import exchange
from punktgenau.checkout.schema import PREFIX, event, redemption
from punktgenau.checkout.schema_returns import action

_R = redemption.c
_SHOP = (_R.provider, _R.partner, _R.mode)
_IS_ABOUT_ONE = event.c.redemption_id.is_not(None)

Index(f"{PREFIX}redemption_placed", *_SHOP, _R.created_at, _R.id)
Index(f"{PREFIX}redemption_placed_state", *_SHOP, _R.state, _R.created_at, _R.id)
# Byte by byte, whatever the database's language. On SQLite every text is compared like that, so the index that keeps
# attempts apart does, and this one stays empty.
Index(
    f"{PREFIX}redemption_beginning",
    *_SHOP,
    _R.order_reference,
    _R.attempt,
    postgresql_ops={"order_reference": 'COLLATE "C"'},
    sqlite_where=literal_column("0"),
)
Index(f"{PREFIX}redemption_member", _R.member_id, _R.created_at)
Index(
    f"{PREFIX}event_redemption",
    event.c.redemption_id,
    sqlite_where=_IS_ABOUT_ONE,
    postgresql_where=_IS_ABOUT_ONE,
)
for _name, _c in (("earning", earning.c), ("exchange", exchange.c)):
    _of_shop = (_c.provider, _c.partner, _c.mode)
    Index(f"{PREFIX}{_name}_placed", *_of_shop, _c.created_at, _c.id)
    Index(f"{PREFIX}{_name}_placed_state", *_of_shop, _c.state, _c.created_at, _c.id)
Index(
    f"{PREFIX}earning_beginning",
    earning.c.provider,
    earning.c.partner,
    earning.c.mode,
    earning.c.order_reference,
    postgresql_ops={"order_reference": 'COLLATE "C"'},
    sqlite_where=literal_column("0"),
)
_IS_ABOUT_NONE = action.c.redemption_id.is_(None)
Index(f"{PREFIX}action_subject", action.c.subject, sqlite_where=_IS_ABOUT_NONE, postgresql_where=_IS_ABOUT_NONE)
