"""The statements about exchanges; values are bound by the names used here."""

from __future__ import annotations

from sqlalchemy import BigInteger, and_, bindparam, func, insert, literal_column, select, update

from punktgenau.checkout.database import Database
from punktgenau.checkout.exchanging.schema import NEEDS_A_PERSON, exchange
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
BY_REFERENCE = select(exchange).where(ours(exchange), _x.reference == bindparam("reference"))
ATTENTION = select(func.count()).select_from(exchange).where(ours(exchange), NEEDS_A_PERSON)
NEEDING = select(exchange).where(ours(exchange), NEEDS_A_PERSON).order_by(_x.created_at).limit(bindparam("most"))
PUT_BACK = (
    update(exchange)
    .where(THIS, _x.lease_token == bindparam("seen_token"))
    .values(lease_until=literal_column("0"), lease_token=_x.lease_token - 1)
)
PUT_OFF = (
    update(exchange)
    .where(THIS, _x.lease_token == bindparam("seen_token"))
    .values(
        lease_until=literal_column("0"),
        passes=_x.passes + 1,
        outcome=bindparam("outcome"),
        next_at=bindparam("next_at"),
    )
)
FINISH = (
    update(exchange)
    .where(THIS, _x.lease_token == bindparam("seen_token"))
    .values(
        lease_until=literal_column("0"),
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


class ExchangeStatements:
    """Those that ask the clock that leases are judged by, which each dialect has its own words for."""

    def __init__(self, database: Database) -> None:
        now = database.now()
        self.add = insert(exchange).values(
            {column.name: bindparam(column.name) for column in exchange.columns if column.name != "lease_until"}
            | {"lease_until": now + bindparam("lease_ms")}
        )
        is_due = and_(ours(exchange), _x.next_at.is_not(None), _x.next_at <= bindparam("at"), _x.lease_until < now)
        self.due = select(_x.id).where(is_due).order_by(_x.next_at).limit(1).with_for_update(skip_locked=True)
        self.since = select(_x.next_at).where(is_due).order_by(_x.next_at).limit(1)
        self.lease = (
            update(exchange)
            .where(THIS, _x.lease_until < now)
            .values(lease_until=now + bindparam("lease_ms"), lease_token=_x.lease_token + 1)
        )


_BY_DIALECT: dict[str, ExchangeStatements] = {}


def exchange_statements(database: Database) -> ExchangeStatements:
    """The statements for a database: built once per dialect."""
    known = _BY_DIALECT.get(database.dialect)
    return known or _BY_DIALECT.setdefault(database.dialect, ExchangeStatements(database))
