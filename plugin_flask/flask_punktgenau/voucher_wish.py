"""Which vouchers are to pay: what the customer added, as the provider has it now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf

from flask_punktgenau.asking import ask_own_vouchers, ask_vouchers
from flask_punktgenau.session import Chosen, PlacedOrder, keep_order, keep_vouchers, read_order, read_vouchers
from flask_punktgenau.state import AppState, logger
from flask_punktgenau.vouchers import PaidCart, VoucherBox, VoucherRow, offered_to, pay_with
from punktgenau.checkout import Cart, Checkout
from punktgenau.errors import PunktgenauError, VoucherError
from punktgenau.voucher_records import Voucher

PAGE_AGE_S = 5.0
"""How old what a page shows may be, as for a balance."""
OFFER_AGE_S = 60.0
"""The same for what could be added: it is judged when it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Vouchers by id as the provider has them, and the ids that it knows no more."""

    by_id: Mapping[str, Voucher] = field(default_factory=dict)
    gone: frozenset[str] = frozenset()


def takes_vouchers(state: AppState, checkout: Checkout | None) -> bool:
    """Whether vouchers pay in this shop: the provider has them, and the shop wants them."""
    return checkout is not None and state.config.vouchers and checkout.offers_vouchers


def has_chosen(state: AppState, checkout: Checkout, customer_id: str) -> bool:
    """Whether vouchers are to pay of the cart in front; if none are, nothing about them has to be asked for a quote."""
    return takes_vouchers(state, checkout) and bool(read_chosen(customer_id))


def read_chosen(customer_id: str | None, order_reference: str = "") -> tuple[Chosen, ...]:
    """What was added: to another try to pay that order, else to the cart in front."""
    if not order_reference:
        return read_vouchers(customer_id=customer_id)
    placed = read_order(order_reference)
    return placed.vouchers if placed is not None and placed.customer_id == customer_id else ()


def keep_chosen(chosen: Sequence[Chosen], *, checkout: Checkout, customer_id: str, order_reference: str = "") -> None:
    """Set what was added."""
    if not order_reference:
        keep_vouchers(chosen, customer_id=customer_id)
        return
    placed = read_order(order_reference)
    if placed is None or placed.customer_id != customer_id:
        # Placed in another browser.
        placed = PlacedOrder(customer_id=customer_id, points=checkout.asked(order_reference, customer_id=customer_id))
    keep_order(order_reference, replace(placed, vouchers=tuple(chosen)))


def look_up(
    state: AppState, checkout: Checkout, customer_id: str, chosen: Sequence[Chosen], *, max_age_s: float = PAGE_AGE_S
) -> Known:
    """The vouchers that were added, asked for where what is known of them is older than so many seconds.

    Raises NotLinkedError, NotSentError, UnavailableError and what else a provider answers.
    """
    seen, wanted = state.vouchers.seen, [one.id for one in chosen]
    known = dict(seen.some(customer_id, wanted, max_age_s=max_age_s))
    missing = [one for one in wanted if one not in known]
    own_ids = seen.own_ids(customer_id)
    if missing and (own_ids is None or not own_ids.isdisjoint(missing)):
        known |= {one.id: one for one in _ask_own(state, checkout, customer_id) if one.id in missing}
        missing = [one for one in missing if one not in known]
    gone: set[str] = set()
    while missing:
        try:
            found = ask_vouchers(checkout, missing)
        except VoucherError as error:
            if error.field not in missing:
                raise
            missing.remove(error.field)
            gone.add(error.field)
            continue
        seen.keep(customer_id, found)
        known |= {one.id: one for one in found}
        missing = []
    return Known(by_id=known, gone=frozenset(gone))


def own_vouchers(state: AppState, checkout: Checkout, customer_id: str) -> tuple[Voucher, ...]:
    """All that the linked member has, up to a minute old. Raises what a provider answers."""
    own = state.vouchers.seen.own(customer_id, max_age_s=OFFER_AGE_S)
    return own if own is not None else _ask_own(state, checkout, customer_id)


def look(
    state: AppState, checkout: Checkout, customer_id: str, cart: Cart, *, order_reference: str = "", notice: str = ""
) -> tuple[PaidCart, VoucherBox]:
    """The cart with what vouchers pay of it, and the box about them; remembers what this page says of each.

    A provider that does not answer is an answer as well: then none pays, and all stay added.
    """
    chosen = read_chosen(customer_id, order_reference)
    box = VoucherBox(currency=cart.currency, notice=notice, order_reference=order_reference)
    partner_id = state.provider().partner_id
    try:
        known = look_up(state, checkout, customer_id, chosen)
        reserved_minor = for_points_minor(checkout, customer_id, cart)
        paid = pay_with(
            cart, chosen, known.by_id, partner_id=partner_id, gone=known.gone, reserved_minor=reserved_minor
        )
        own = own_vouchers(state, checkout, customer_id)
    except PunktgenauError as error:
        logger.info("vouchers cannot be used now: %s", error.brief)
        return PaidCart(cart=cart), away(state, customer_id, chosen, box)
    said = tuple(Chosen(id=one.id, refused=one.problem) for one in paid.rows)
    if said != chosen:
        keep_chosen(said, checkout=checkout, customer_id=customer_id, order_reference=order_reference)
    offered = offered_to(own, chosen=chosen, currency=cart.currency, partner_id=partner_id)
    return paid, replace(
        box, rows=paid.rows, own=tuple(offered), room_minor=max(0, paid.cart.payable.amount_minor - reserved_minor)
    )


def away(state: AppState, customer_id: str, chosen: Sequence[Chosen], box: VoucherBox) -> VoucherBox:
    """The box while nobody can say what vouchers are worth: they wait."""
    last = state.vouchers.seen.some(customer_id, [one.id for one in chosen], max_age_s=inf)
    rows = tuple(VoucherRow(id=one.id, voucher=last.get(one.id)) for one in chosen)
    return replace(box, rows=rows, own=(), is_away=True)


def to_place(
    state: AppState, checkout: Checkout, customer_id: str, cart: Cart, chosen: Sequence[Chosen], *, max_age_s: float
) -> Cart:
    """The cart with what these vouchers pay of it. What a page has said pays nothing is left out.

    Raises VoucherError for one that cannot pay although the page said so, and what a provider answers.
    """
    wanted = [one for one in chosen if not one.refused]
    if not wanted:
        return cart
    known = look_up(state, checkout, customer_id, wanted, max_age_s=max_age_s)
    lost = next((one.id for one in wanted if one.id in known.gone), None)
    if lost is not None:
        raise VoucherError(
            "The provider does not know one of the vouchers any more.", code="voucher_unknown", field=lost
        )
    return cart.with_vouchers(
        [known.by_id[one.id] for one in wanted],
        partner_id=state.provider().partner_id,
        reserved_minor=for_points_minor(checkout, customer_id, cart),
    )


def for_points_minor(checkout: Checkout, customer_id: str, cart: Cart) -> int:
    """What vouchers leave to points that must pay articles of this cart, by the rate that was seen last."""
    link = checkout.find_link(customer_id) if cart.reward_points else None
    return link.balance.rate.worth(cart.reward_points).amount_minor if link is not None and link.balance else 0


def _ask_own(state: AppState, checkout: Checkout, customer_id: str) -> tuple[Voucher, ...]:
    own = ask_own_vouchers(checkout, customer_id)
    state.vouchers.seen.keep_own(customer_id, own)
    return own
