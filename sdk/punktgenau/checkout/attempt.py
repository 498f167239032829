"""The noun attempt: a fresh redemption row from a quote, and the payment that a row shows."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Literal, get_args

from punktgenau.checkout.cart import Cart
from punktgenau.checkout.journal import Journal
from punktgenau.checkout.links import Link
from punktgenau.checkout.payment import Payment, PaymentState
from punktgenau.checkout.quote import CartQuote
from punktgenau.checkout.schema import RedemptionRow
from punktgenau.errors import InvalidArgumentError
from punktgenau.money import Money
from punktgenau.provider import Provider

EVENT_BY_STATE = {
    "authorized": "redemption_authorized",
    "captured": "redemption_captured",
    "voided": "redemption_voided",
    "abandoned": "redemption_voided",
    "expired": "redemption_expired",
    "reversed": "redemption_reversed",
    "partially_reversed": "redemption_reversed",
    "short": "redemption_short",
    "needs_attention": "needs_attention",
}
_PAYS = frozenset(
    {"authorizing", "authorized", "capturing", "captured", "partially_captured", "partially_reversed", "short"}
)


def cart_json(cart: Cart) -> str:
    """The journal's copy of a cart: what returns and the provider's lines are made from."""
    lines = [
        {
            "id": line.id,
            "sku": line.sku,
            "quantity": line.quantity,
            "amount_minor": line.amount_minor,
            "vat_rate": line.vat_rate,
        }
        for line in cart.gross_lines
    ]
    excluded = [line.id for line in cart.gross_lines if not line.points_allowed]
    return json.dumps(
        {"lines": lines, "excluded": excluded, "other_tenders_minor": cart.other_tenders_minor},
        sort_keys=True,
        separators=(",", ":"),
    )


def new_attempt(
    journal: Journal,
    provider: Provider,
    link: Link,
    made: CartQuote,
    cart: Cart,
    *,
    order_reference: str,
    number: int,
    wish: str,
    hold_s: int,
) -> RedemptionRow:
    """An attempt that is not written yet: all that its authorize will say."""
    if not isinstance(order_reference, str) or not 1 <= len(order_reference) <= 36 or not order_reference.isprintable():
        raise InvalidArgumentError("order_reference must be 1 to 36 printable characters.", field="order_reference")
    now = journal.now_ms()
    identity = (provider.profile.name, provider.partner_id, provider.mode or "", order_reference)
    longest = provider.profile.longest_hold_s
    return RedemptionRow(
        id=journal.fresh_id(),
        provider=identity[0],
        partner=identity[1],
        mode=identity[2],
        order_reference=order_reference,
        attempt=number,
        key="",
        live_key="|".join(identity),
        state="authorizing",
        version=1,
        customer_id=link.customer_id,
        member_id=link.member_id,
        consent_id=link.consent_id,
        wish=wish,
        points=made.points,
        value_minor=made.value.amount_minor,
        total_minor=cart.total.amount_minor,
        payable_minor=cart.payable.amount_minor,
        currency=cart.currency,
        rate_id=made.rate.id,
        rate_points=made.rate.points,
        rate_amount_minor=made.rate.amount_minor,
        rate_rounding=made.rate.rounding,
        cart=cart_json(cart),
        hold_s=min(hold_s, longest) if longest else hold_s,
        provider_id=None,
        hold_until=None,
        captured_points=0,
        reversed_points=0,
        release_cause=None,
        reason="",
        check_at=None,
        lease_until=0,
        lease_token=0,
        created_at=now,
        updated_at=now,
    )


def same_wish(row: RedemptionRow, cart: Cart, points: int | Literal["all"]) -> bool:
    """Whether a call is the one that made this row, again; asking for just the points that it has is that, too."""
    return str(points) in (row.wish, str(row.points)) and row.currency == cart.currency and row.cart == cart_json(cart)


def payment_of(row: RedemptionRow) -> Payment:
    """What a row means for the shop."""
    pays = row.state in _PAYS and not (row.state == "authorized" and row.release_cause)
    value_minor = row.value_minor if pays else 0
    return Payment(
        state=_state(row.state),
        order_reference=row.order_reference,
        points=row.points - row.reversed_points if pays else 0,
        value=Money(amount_minor=value_minor, currency=row.currency),
        total=Money(amount_minor=row.payable_minor, currency=row.currency),
        due_minor=row.payable_minor - value_minor,
        attempt=row.attempt,
        hold_until=None if row.hold_until is None else datetime.fromtimestamp(row.hold_until / 1000, UTC),
        reason=row.reason or row.release_cause or "",
        idempotency_key=row.key,
    )


def without_points(order_reference: str, cart: Cart) -> Payment:
    """An order that no points pay."""
    return Payment(
        state="none",
        order_reference=order_reference,
        points=0,
        value=Money(amount_minor=0, currency=cart.currency),
        total=cart.payable,
        due_minor=cart.payable.amount_minor,
    )


def _state(text: str) -> PaymentState:
    for state in get_args(PaymentState):
        if state == text:
            known: PaymentState = state
            return known
    raise AssertionError(f"unknown state {text!r}")
