"""What the points box shows: the state, its numbers, and where its forms lead. No request, no network, no text.

`render_template("punktgenau/panel.html", view=build_panel(...), t=Language(locale, timezone))`; `Language` is in
`language.py`. The same for `field.html` (inputs inside the shop's form), `summary.html` (order page),
`summary_rows.html` (rows of a table of the shop's) and `summary.txt` (mail). `pages.py` has the views of whole pages;
`preview.preview(quote, t)` is the answer of `GET quote`, a mapping ready for JSON.

Forms and their fields, for the routes that take them:

- `POST urls.apply`: `points` (digits, or `all`), the CSRF field, `next` (where to return to). Only plain digits are a
  number, as typed: "1.000" is a thousand to one and one to another, so it is refused with a sentence.
- `POST urls.add_voucher`: `code`; `urls.use_voucher` and `urls.remove_voucher`: `voucher` (its id); each with
  `order_reference` where an order is tried again.
- `POST urls.remove`, `POST urls.disconnect`: the CSRF field, `next`.
- `POST urls.retry`, `POST urls.without`: `order_reference`, the CSRF field.
- `field.html` adds to the shop's own form: `punktgenau_points` (digits or empty: none), `punktgenau_apply` (always `1`:
  the field was on the page), `punktgenau_seen_points` and `punktgenau_seen_due` (smallest unit): what stood there as
  points and as left to pay, as the page came with it where there is no JavaScript; `punktgenau_vouchers`: `cart` or
  `order`, whose vouchers the page has shown as paying, or `none`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from flask_punktgenau.earns import Earns
from flask_punktgenau.forms import CsrfField as CsrfField
from flask_punktgenau.forms import Urls as Urls
from flask_punktgenau.vouchers import VoucherBox
from punktgenau.checkout.cart import Cart
from punktgenau.checkout.payment import Payment
from punktgenau.checkout.quote import CartQuote, Neighbour, Reason, RewardQuote, rewards_of
from punktgenau.codes import explain
from punktgenau.errors import NotLinkedError, PunktgenauError
from punktgenau.money import Money
from punktgenau.provider import Balance

Wish = int | Literal["all"]
SummaryForm = Literal["box", "rows", "text"]
"""How an order's page, its receipt or a mail tells of points."""
PanelState = Literal[
    "guest",  # nobody is signed in, no account is linked
    "not_linked",  # signed in, no account is linked
    "ready",  # linked, nothing applied
    "applied",  # so many points are used
    "limited",  # a rule allows fewer points than asked for, or none
    "small_rest",  # what would stay due is too small to pay
    "reclamped",  # the cart or the balance changed what is used
    "held_elsewhere",  # points wait for other orders
    "no_balance",  # an account without points
    "away",  # the provider does not answer; the shop sells
    "unknown",  # it is not known whether the points are held
    "placed",  # the order is placed; its payment says what became of the points
    "off",  # points are switched off
]
_UNREMARKABLE = frozenset({"balance", "cart", "fewest"})
"""Bounds that explain themselves while no number is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Points that wait for another order, with the way to it."""

    payment: Payment
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelView:
    """Everything that `panel.html`, `field.html` and `summary.html` show; frozen, and free of any language.

    `offer` has the bounds of field and slider: the quote of "all", or of the wish. `quote` is the quote of the wish,
    None without one; where articles must be paid with points, these are a wish by themselves. `rewards`: those lines.
    `points` are used now, `value` is their worth, `due` is left to pay. `undo_points`: the number that "undo" goes
    back to; None where it is not possible any more. `reason_code`: why the state is what it is; `notice`: the code of
    something to be said once, `entered` what was typed then, `remaining` the points that are possible instead.
    `at_once`: the points leave the account when the order is placed. `earns`: what the cart would earn.
    `vouchers`: those that were added, which pay before points do; None where the shop takes none.
    """

    state: PanelState
    total: Money | None = None
    available: int = 0
    held: int = 0
    pending: int = 0
    available_value: Money | None = None
    offer: CartQuote | None = None
    quote: CartQuote | None = None
    wish: Wish | None = None
    rewards: tuple[RewardQuote, ...] = ()
    notice: str | None = None
    entered: str = ""
    remaining: int | None = None
    reclamped_from: int | None = None
    undo_points: int | None = None
    reasons: tuple[Reason, ...] = ()
    neighbours: tuple[Neighbour, ...] = ()
    payment: Payment | None = None
    elsewhere: tuple[Held, ...] = ()
    reason_code: str | None = None
    provider_name: str = ""
    linked: bool = False
    at_once: bool = False
    earns: Earns | None = None
    vouchers: VoucherBox | None = None
    urls: Urls = field(default_factory=Urls)
    csrf: CsrfField | None = None
    id: str = "punktgenau"

    @property
    def points(self) -> int:
        """The points that are used now, 0 for none."""
        if self.payment is not None:
            return self.payment.points
        return self.quote.points if self.quote is not None else 0

    @property
    def value(self) -> Money | None:
        """What the points that are used now are worth."""
        if self.payment is not None:
            return self.payment.value
        return self.quote.value if self.quote is not None else None

    @property
    def due(self) -> Money | None:
        """What is left to pay; None while that is not known."""
        if self.payment is not None:
            return None if self.payment.state == "authorizing" else self.payment.due
        return self.quote.due if self.quote is not None else self.total

    @property
    def floor(self) -> int:
        """The fewest points that can be used here: 0, or what articles must be paid with."""
        return self.offer.least if self.offer is not None and self.offer.mandatory else 0

    @property
    def usable(self) -> bool:
        """Whether a number can be chosen in this cart."""
        return self.payment is None and self.offer is not None and self.offer.most > 0

    @property
    def silent(self) -> bool:
        """Whether there is nothing to say: points are off or cannot be linked, and nobody here uses any."""
        if self.rewards:
            return False
        if self.state == "off":
            return not (self.linked or self.wish)
        return self.state in ("guest", "not_linked") and not self.urls.connect


def build_panel(
    *,
    cart: Cart | None = None,
    linked: bool = False,
    signed_in: bool = False,
    enabled: bool = True,
    balance: Balance | None = None,
    offer: CartQuote | None = None,
    quote: CartQuote | None = None,
    wish: Wish | None = None,
    notice: str | None = None,
    entered: str = "",
    remaining: int | None = None,
    reclamped_from: int | None = None,
    error: PunktgenauError | None = None,
    payment: Payment | None = None,
    elsewhere: Sequence[Payment] = (),
    order_urls: Mapping[str, str] | None = None,
    provider_name: str = "",
    at_once: bool = False,
    earns: Earns | None = None,
    vouchers: VoucherBox | None = None,
    urls: Urls | None = None,
    csrf: CsrfField | None = None,
    id: str = "punktgenau",
) -> PanelView:
    """The state and its numbers, from what the shop's side knows.

    `cart` as the shop hands it in; `offer` the quote of "all" (needed without a wish), `quote` the quote of `wish`;
    `reclamped_from` the points that the page showed before, where the quote now says otherwise; `error` what went
    wrong with balance or quote; `notice` the code of what the last form did not do, `entered` what was typed there,
    `remaining` the points possible instead; `payment` the order's, once it is placed; `elsewhere` the customer's other
    live payments, `order_urls` leads from their order references to pages; `provider_name` is shown as the place where
    linking leads to; `id` makes element ids unique where a page has two boxes.
    """
    bounds = offer if offer is not None else quote
    available = _available(balance)
    view = PanelView(
        state="ready",
        total=payment.total if payment is not None else cart.payable if cart is not None else None,
        available=available,
        held=balance.held if balance is not None else 0,
        pending=balance.pending if balance is not None else 0,
        available_value=balance.rate.worth(available) if balance is not None else None,
        offer=bounds,
        quote=quote,
        wish=wish,
        rewards=bounds.rewards if bounds is not None else rewards_of(cart) if cart is not None else (),
        notice=notice,
        entered=entered,
        remaining=remaining,
        reclamped_from=reclamped_from,
        undo_points=_undo(reclamped_from, bounds),
        reasons=_reasons(bounds=bounds, quote=quote, wish=wish),
        neighbours=quote.neighbours if quote is not None else (),
        payment=payment,
        elsewhere=tuple(Held(payment=one, url=(order_urls or {}).get(one.order_reference, "")) for one in elsewhere),
        reason_code=explain(error).code if error is not None else None,
        provider_name=provider_name,
        linked=linked,
        at_once=at_once,
        earns=earns,
        vouchers=vouchers,
        urls=urls or Urls(),
        csrf=csrf,
        id=id,
    )
    state = _state(view, signed_in=signed_in, enabled=enabled, has_balance=balance is not None, error=error)
    return replace(_said(view, state), state=state)


def _said(view: PanelView, state: PanelState) -> PanelView:
    if state == "reclamped" and view.entered == str(view.reclamped_from):
        # A form of a page from before the change: what was corrected says it all, and what to do next.
        return replace(view, notice=None, entered="", remaining=None)
    return view


def _available(balance: Balance | None) -> int:
    # An account may be below zero: then nothing can be used.
    return max(0, balance.available) if balance is not None else 0


def _undo(points: int | None, bounds: CartQuote | None) -> int | None:
    return points if points is not None and bounds is not None and bounds.least <= points <= bounds.most else None


def _state(
    view: PanelView, *, signed_in: bool, enabled: bool, has_balance: bool, error: PunktgenauError | None
) -> PanelState:
    if view.payment is not None:
        return "unknown" if view.payment.state == "authorizing" else "placed"
    if error is not None and error.outcome == "unknown":
        return "unknown"
    if not enabled:
        return "off"
    if not view.linked or isinstance(error, NotLinkedError):
        return "not_linked" if signed_in else "guest"
    if not has_balance or view.offer is None:
        return "away"
    if view.available == 0:
        return "held_elsewhere" if view.elsewhere or view.held else "no_balance"
    if view.quote is not None:
        return "reclamped" if view.reclamped_from is not None else _chosen(view.quote, view.reasons)
    if view.offer.most == 0 or view.reasons:
        return "limited"
    return "held_elsewhere" if view.elsewhere else "ready"


def _chosen(quote: CartQuote, reasons: tuple[Reason, ...]) -> PanelState:
    if any(near.points != quote.points for near in quote.neighbours):
        return "small_rest"
    limited = any(reason.code != "fewest" for reason in reasons)
    return "limited" if limited or quote.points == 0 else "applied"


def _reasons(*, bounds: CartQuote | None, quote: CartQuote | None, wish: Wish | None) -> tuple[Reason, ...]:
    if quote is not None and wish is None:
        # Nobody asked for a number: what articles need is told beside them.
        return tuple(reason for reason in quote.reasons if reason.code not in {"reward", "fewest"})
    if quote is not None and wish != "all":
        return quote.reasons
    shown = quote or bounds
    if shown is None:
        return ()
    return tuple(reason for reason in shown.reasons if shown.points == 0 or reason.code not in _UNREMARKABLE)
