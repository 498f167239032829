"""The statements about exchanges that are the same for every dialect; values are bound by the names used here."""

from __future__ import annotations

from sqlalchemy import BigInteger, bindparam, func, select, update

from punktgenau.checkout.exchanging.schema import exchange
from punktgenau.checkout.statements import ours, own

_x = exchange.c
THIS = _x.id == bindparam("exchange_id")
ONE = select(exchange).where(THIS)
BY_FORM = select(exchange).where(
    own(exchange), _x.customer_id == bindparam("customer_id"), _x.form == bindparam("form")
)
OF_CUSTOMER = (
    select(exchange)
    .where(ours(exchange), _x.customer_id == bindparam("customer_id"))
    .order_by(_x.created_at.desc(), _x.id)
    .limit(bindparam("most"))
)
WAITING = select(_x.id).where(ours(exchange), _x.next_at.is_not(None)).order_by(_x.next_at).limit(bindparam("most"))
ATTENTION = select(func.count()).select_from(exchange).where(own(exchange), _x.state == bindparam("state"))
PUT_BACK = (
    update(exchange)
    .where(THIS, _x.lease_token == bindparam("seen_token"))
    .values(lease_until=0, lease_token=_x.lease_token - 1)
)
PUT_OFF = (
    update(exchange)
    .where(THIS, _x.lease_token == bindparam("seen_token"))
    .values(lease_until=0, passes=_x.passes + 1, outcome=bindparam("outcome"), next_at=bindparam("next_at"))
)
FINISH = (
    update(exchange)
    .where(THIS, _x.lease_token == bindparam("seen_token"))
    .values(
        lease_until=0,
        passes=_x.passes + 1,
        sends=_x.sends + bindparam("more_sends"),
        **{
            name: bindparam(name)
            for name in (
                "state",
                "points",
                "provider_id",
                "value_minor",
                "currency",
                "hint",
                "outcome",
                "code",
                "reason",
                "next_at",
                "updated_at",
            )
        },
    )
)
# An event is a hint: whatever it says, the payout is asked for.
MIND = (
    update(exchange)
    .where(own(exchange), _x.provider_id == bindparam("provider_id"), _x.state == bindparam("state"))
    .values(next_at=bindparam("now_ms", type_=BigInteger))
)
