"""The noun attempt: a fresh redemption row from a quote, and the payment that a row shows."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, get_args

from punktgenau.checkout.cart import Cart
from punktgenau.checkout.frozen import freeze, needs_points
from punktgenau.checkout.intent import deal_stands
from punktgenau.checkout.journal import Journal
from punktgenau.checkout.links import Link
from punktgenau.checkout.moments import moment
from punktgenau.checkout.payment import Payment, PaymentState
from punktgenau.checkout.quote import CartQuote
from punktgenau.checkout.resolve import UNDONE
from punktgenau.checkout.return_journal import REVERSIBLE
from punktgenau.checkout.rules import ShopRules
from punktgenau.checkout.schema import RedemptionRow
from punktgenau.checkout.schema_returns import AmendmentRow
from punktgenau.checkout.settings import Settings
from punktgenau.checkout.vouchers import left, of_cart, worth_minor
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
_OPEN = frozenset({"authorizing", "authorized", "extending", "capturing", "abandoning"})
_BACK = frozenset({"partially_reversed", "reversed"})
_PAYS = frozenset(
    {
        "authorizing",
        "authorized",
        "capturing",
        "captured",
        "partially_captured",
        "partially_reversed",
        "reversing",
        "short",
    }
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
    settings: Settings,
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
        live_key=_live_key(*identity),
        cause="placed",
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
        cart=freeze(cart, settings.rules),
        hold_s=min(hold_s, longest) if longest and not provider.profile.extend else hold_s,
        provider_id=None,
        hold_until=None,
        captured_points=0,
        reversed_points=0,
        reversed_minor=0,
        release_cause=None,
        reason="",
        check_at=None,
        lease_until=0,
        lease_token=0,
        created_at=now,
        updated_at=now,
        refund_policy=settings.refund_policy,
        tax_mode=settings.tax_mode,
    )


def event_of(before: RedemptionRow, after: RedemptionRow) -> str | None:
    """What the shop is told about a change, by the names of the signals; None: nothing that it has to know."""
    if after.state == "short" != before.state and after.cause == "shortfall":
        # Holding the same points anew was refused: now only a person, or the customer's money, can help.
        return "needs_attention"
    if before.state == "reversing" and after.state in REVERSIBLE:
        if _back(after) == _back(before):
            # Nothing came back: refused for good, or proven to have never arrived and begun anew.
            return None if after.reason == UNDONE else "needs_attention"
        return "redemption_reversed"
    is_last = before.state in {"capturing", "voiding"} and before.release_cause is None and after.state in _BACK
    if is_last and _back(after) == _back(before):
        # It had come back before the last part was captured.
        return "redemption_captured"
    state = _shown(after)
    return None if state == _shown(before) else EVENT_BY_STATE.get(state)


def _back(row: RedemptionRow) -> tuple[int, int]:
    return row.reversed_points, row.vouchers_back_minor


def live_key_of(row: RedemptionRow) -> str:
    """What only one attempt of an order carries at a time: the one that is live."""
    return _live_key(row.provider, row.partner, row.mode, row.order_reference)


def _live_key(*identity: str) -> str:
    return "|".join(identity)


def repair_of(short: RedemptionRow, changed: AmendmentRow | None, *, row_id: str, now_ms: int) -> RedemptionRow:
    """The attempt that holds and takes the same points anew, at the same rate, because their hold is gone."""
    if changed is not None:
        short = replace(
            short,
            cart=changed.cart,
            points=changed.points,
            value_minor=changed.value_minor,
            total_minor=changed.total_minor,
            payable_minor=changed.payable_minor,
            settled_points=0,
            settled_minor=0,
            amended_points=None,
            amended_minor=None,
            amended_payable_minor=None,
        )
    return replace(
        short,
        id=row_id,
        attempt=short.attempt + 1,
        key="",
        live_key=live_key_of(short),
        cause="shortfall",
        state="authorizing",
        version=1,
        provider_id=None,
        hold_until=None,
        release_cause=None,
        paid_at=None,
        vouchers_back_minor=0,
        vouchers_gone=None,
        reason="",
        check_at=None,
        lease_until=0,
        lease_token=0,
        created_at=now_ms,
        updated_at=now_ms,
    )


def same_wish(row: RedemptionRow, cart: Cart, points: int | Literal["all"], rules: ShopRules) -> bool:
    """Whether a call is the one that made this row, again; asking for just the points that it has is that, too."""
    is_number = str(points) in (row.wish, str(row.points))
    return is_number and row.currency == cart.currency and row.cart == freeze(cart, rules)


def payment_of(row: RedemptionRow) -> Payment:
    """What a row means for the shop.

    The deal of a hold that ended unwished stands: its due stays, and capturing takes the same points anew. It ends with
    a wish to give back, or with another attempt. Returns wish nothing of the kind, not even the last one.
    """
    state = _shown(row)
    # Points that are to go back pay nothing, wherever they still are.
    pays = state in _PAYS and row.release_cause is None
    # Unresolved: whether points are held was never known, or they are known and only what followed is not.
    is_unresolved = state == "needs_attention" and row.provider_id is None and row.release_cause is None
    is_unknown = state == "authorizing" or is_unresolved
    pays = pays or (state == "needs_attention" and row.release_cause is None)
    # Only the rest of a hold is released: the order was changed, and points pay nothing more of it.
    pays = pays or (state == "voiding" and row.release_cause is None and row.captured_points > 0)
    # Voided without a wish is only asked whether the hold has ended.
    stands = pays or deal_stands(row) or (state in {"voiding", "reversed"} and row.release_cause is None)
    points, value_minor = _paid_by(row) if pays else (0, 0)
    payable_minor = row.payable_minor if row.amended_payable_minor is None else row.amended_payable_minor
    # What vouchers were to pay is due in money, once they do not.
    # A person who settled a shortfall left them out of the order, and out of what is due.
    vouchers = of_cart(row.cart) if row.amended_payable_minor is None else ()
    gone_minor = 0 if stands else worth_minor(vouchers)
    return Payment(
        state=state,
        order_reference=row.order_reference,
        points=points,
        value=Money(amount_minor=value_minor, currency=row.currency),
        total=Money(amount_minor=payable_minor + gone_minor, currency=row.currency),
        due_minor=payable_minor - row.written_off_minor - (row.paying[1] if stands else -gone_minor),
        returned_points=row.reversed_points,
        returned_minor=row.reversed_minor,
        agreed_points=row.paying[0] if stands else 0,
        attempt=row.attempt,
        hold_until=None if row.hold_until is None else moment(row.hold_until),
        reason=row.reason or row.release_cause or "",
        idempotency_key=row.key,
        is_unknown=is_unknown,
        needs_points=needs_points(row.cart),
        vouchers=left(vouchers, row.vouchers_gone) if pays else (),
        agreed_vouchers=vouchers if stands else (),
        asked_vouchers=vouchers,
        customer_id=row.customer_id,
    )


def _paid_by(row: RedemptionRow) -> tuple[int, int]:
    """The points that pay an order now, and what they are worth: what was captured and not given back, or will be.

    Points of a refused return are still there, but never more pay the newest version than its own.
    """
    ended = row.captured_points > 0 and row.state in {"short", "needs_attention"}
    is_all = ended or row.captured_points >= row.taking[0]
    points, value_minor = (row.captured_points, row.captured_minor) if is_all else row.taking
    gone, gone_minor = row.reversed_points + row.kept_points, row.reversed_minor + row.kept_minor
    most, most_minor = row.paying[0] - max(0, gone - row.settled_points), row.paying[1]
    return min(points - gone, most), min(value_minor - gone_minor, most_minor - max(0, gone_minor - row.settled_minor))


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


def _shown(row: RedemptionRow) -> PaymentState:
    """A repair shows as the shortfall that it repairs, until it has ended well: the order stands meanwhile."""
    if row.cause == "shortfall" and row.release_cause is None and row.state in _OPEN:
        return "short"
    if row.paid_at is not None and row.release_cause is None and row.state in {"authorized", "extending"}:
        # Nothing more is asked of the shop: recovery takes them.
        return "capturing"
    # A hold that is being made longer is a hold.
    return "authorized" if row.state == "extending" else _state(row.state)


def _state(text: str) -> PaymentState:
    for state in get_args(PaymentState):
        if state == text:
            known: PaymentState = state
            return known
    raise AssertionError(f"unknown state {text!r}")
