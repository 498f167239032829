"""The indexes by which the back office looks: a page of a list is found at once, however long the journal is."""

from __future__ import annotations

from sqlalchemy import Index, literal_column

from punktgenau.checkout.schema import PREFIX, event, redemption
from punktgenau.checkout.schema_returns import returns

_R = redemption.c
_SHOP = (_R.provider, _R.partner, _R.mode)
_DECLINED = returns.c.state == literal_column("'declined'")
_IS_ABOUT_ONE = event.c.redemption_id.is_not(None)

Index(f"{PREFIX}redemption_placed", *_SHOP, _R.created_at, _R.id)
Index(f"{PREFIX}redemption_placed_state", *_SHOP, _R.state, _R.created_at, _R.id)
Index(f"{PREFIX}redemption_member", _R.member_id, _R.created_at)
Index(
    f"{PREFIX}return_declined",
    returns.c.created_at,
    sqlite_where=_DECLINED,
    postgresql_where=_DECLINED,
)
Index(
    f"{PREFIX}event_redemption",
    event.c.redemption_id,
    sqlite_where=_IS_ABOUT_ONE,
    postgresql_where=_IS_ABOUT_ONE,
)
