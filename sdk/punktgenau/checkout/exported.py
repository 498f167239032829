"""What the journal keeps of a customer, to be handed out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import and_, bindparam, select

from punktgenau.checkout.database import Transaction, Value
from punktgenau.checkout.earning.personal import kept_earnings
from punktgenau.checkout.exchanging.personal import kept_exchanges
from punktgenau.checkout.frozen import thaw
from punktgenau.checkout.moments import moment
from punktgenau.checkout.schema import link, redemption
from punktgenau.checkout.schema_returns import action, amendment, returns
from punktgenau.checkout.searching import FOUND_COLUMNS, found_of
from punktgenau.checkout.statements import ours, own
from punktgenau.checkout.vouchers import of_cart, parts_of

_r, _t = redemption.c, returns.c
OF_CUSTOMER = and_(ours(redemption), _r.customer_id == bindparam("customer_id"))
_EXPORTED = select(*FOUND_COLUMNS, _r.consent_id, _r.cart).where(OF_CUSTOMER).order_by(_r.created_at, _r.id)
_RETURNS = (
    select(
        *(_t.reference, _t.points, _t.money_minor, _t.reason, _t.created_at, _r.order_reference, _r.currency),
        *(_t.expired_minor, _t.instead_minor, _t.wanted, _t.actor, _t.new_points, _t.vouchers),
    )
    .join(redemption, _r.id == _t.redemption_id)
    .where(OF_CUSTOMER)
    .order_by(_t.created_at)
)
_CHANGES = (
    select(_r.order_reference, amendment.c.version, amendment.c.created_at, amendment.c.reason, amendment.c.cart)
    .join(redemption, _r.id == amendment.c.redemption_id)
    .where(OF_CUSTOMER)
    .order_by(amendment.c.created_at, amendment.c.version)
)
_DEEDS = (
    select(_r.order_reference, action.c.kind, action.c.created_at, action.c.reason)
    .join(redemption, _r.id == action.c.redemption_id)
    .where(OF_CUSTOMER)
    .order_by(action.c.created_at, action.c.id)
)
LINK = select(link.c.member_id, link.c.consent_id, link.c.linked_at, link.c.balance, link.c.balance_at).where(
    own(link), link.c.customer_id == bindparam("customer_id")
)


Fields = Mapping[str, "str | int | Mapping[str, int] | Mapping[str, object] | list[dict[str, str | int]]"]
"""One record, ready for JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What the journal has of one customer, ready for JSON: times as text, amounts in the smallest unit.

    `link` has the last balance that was asked for, as the provider told it. `changes` are of orders after they were
    placed; `deeds` what was done to them by hand, and why; `earned` points that orders brought;
    `exchanges` points that became vouchers or money.
    """

    customer_id: str
    link: Fields | None
    redemptions: tuple[Fields, ...]
    returns: tuple[Fields, ...]
    changes: tuple[Fields, ...] = ()
    deeds: tuple[Fields, ...] = ()
    earned: tuple[Fields, ...] = ()
    exchanges: tuple[Fields, ...] = ()


def exported(tx: Transaction, customer_id: str) -> Exported:
    """All that is kept of a customer; empty where nothing is."""
    values: dict[str, Value] = {"customer_id": customer_id}
    linked = tx.one(LINK, values)
    return Exported(
        customer_id=customer_id,
        link=None if linked is None else _link(linked),
        redemptions=tuple(_redemption(row) for row in tx.all(_EXPORTED, values)),
        returns=tuple(_return(row) for row in tx.all(_RETURNS, values)),
        changes=tuple(_change(row) for row in tx.all(_CHANGES, values)),
        deeds=tuple(_deed(row) for row in tx.all(_DEEDS, values)),
        earned=kept_earnings(tx, customer_id),
        exchanges=kept_exchanges(tx, customer_id),
    )


def _link(row: tuple[Value, ...]) -> Fields:
    linked: dict[str, str | Mapping[str, object]] = {
        "member_id": str(row[0]),
        "consent_id": str(row[1]),
        "linked_at": _text(row[2]),
    }
    if row[3] is not None:
        linked |= {"balance": json.loads(str(row[3])), "balance_at": _text(row[4])}
    return linked


def _redemption(row: tuple[Value, ...]) -> Fields:
    *found, consent_id, cart = row
    one = found_of(tuple(found))
    return {
        "order_reference": one.order_reference,
        "attempt": one.attempt,
        "state": one.state,
        "member_id": one.member_id,
        "consent_id": str(consent_id),
        "articles": _articles(cart),
        "vouchers": _vouchers(cart),
        "points": one.points,
        "value_minor": one.value.amount_minor,
        "currency": one.value.currency,
        "captured_points": one.captured_points,
        "reversed_points": one.reversed_points,
        "went_back_because": one.release_cause,
        "placed_at": one.placed_at.isoformat(),
        "changed_at": one.changed_at.isoformat(),
    }


def _articles(cart: Value) -> list[dict[str, str | int]]:
    lines = thaw(str(cart)).lines
    return [{"sku": line.sku, "quantity": line.quantity, "amount_minor": line.amount_minor} for line in lines]


def _vouchers(cart: Value) -> list[dict[str, str | int]]:
    return [
        {"voucher_id": one.id, "last_four": one.last_four, "value_minor": one.value_minor} for one in of_cart(str(cart))
    ]


def _change(row: tuple[Value, ...]) -> Fields:
    return {
        "order_reference": str(row[0]),
        "version": int(row[1] or 0),
        "changed_at": _text(row[2]),
        "reason": str(row[3] or ""),
        "articles": _articles(row[4]),
    }


def _deed(row: tuple[Value, ...]) -> Fields:
    return {"order_reference": str(row[0]), "deed": str(row[1]), "at": _text(row[2]), "reason": str(row[3] or "")}


def _return(row: tuple[Value, ...]) -> Fields:
    return {
        "order_reference": str(row[5]),
        "return_reference": str(row[0]),
        "wanted": json.loads(str(row[9])),
        "asked_by": str(row[10] or ""),
        "points": int(row[1] or 0),
        "money_minor": int(row[2] or 0),
        "expired_money_minor": int(row[7] or 0),
        "money_instead_minor": int(row[8] or 0),
        "new_points": int(row[11] or 0),
        "vouchers": [{"voucher_id": name, "value_minor": minor} for name, minor in parts_of(row[12])],
        "currency": str(row[6]),
        "reason": str(row[3] or ""),
        "asked_at": _text(row[4]),
    }


def _text(at_ms: Value) -> str:
    return moment(int(at_ms or 0)).isoformat()
