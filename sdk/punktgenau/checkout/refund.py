"""The shop's view of a return: what goes back to whom, and how far that is."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from punktgenau.checkout.moments import moment
from punktgenau.checkout.rest import is_rest
from punktgenau.checkout.returned import Returned
from punktgenau.checkout.schema import RedemptionRow
from punktgenau.checkout.schema_returns import ReturnRow
from punktgenau.checkout.settings import RefundPolicy
from punktgenau.checkout.vouchers import Parts, of_cart, parts_of, sum_of
from punktgenau.money import Money

RefundState = Literal["done", "reversing", "declined", "ended", "needs_attention"]
NewPointsState = Literal["none", "accruing", "posted", "declined", "needs_attention"]
AMENDMENT = "amend-"
"""How the reference of what `amend` gives back begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """What one return gives back: `goods` = `other` (gift cards) + `points_value` + `money` + `written_off`.

    `carry` is what is still owed of a point after it, where a point is worth more than the smallest unit.
    """

    points: int
    points_value: Money
    money: Money
    other: Money
    goods: Money
    carry: Money

    @property
    def written_off(self) -> Money:
        """What nobody has paid of it, because the shop bore it when points were missing."""
        return self.goods - self.other - self.points_value - self.money


@dataclass(frozen=True, slots=True, kw_only=True)
class VoucherBack:
    """What goes back onto a voucher with a return; `expired_value` of it came back expired (None: not said)."""

    id: str
    last_four: str
    value: Money
    expired_value: Money | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """One return of an order: points in `points`, amounts as Money; the money half is the shop's to pay.

    `state` tells about the points: "reversing" until the provider has confirmed, "declined" when it refused for good,
    "ended" when there are none (any more) to give back: the order was cancelled before its points were captured, or
    the provider gave all of them back by itself.
    `goods` = `other` + `points_value` + `money` + `money_instead` + `written_off`; what was owed of a point before and
    is part of `money_instead` comes on top. `points_worth`: what whole `points` are worth, where `points_value` counts
    what is owed of one.
    `restored`, `already_expired` and `converted` are points as the provider gave them back; None: not said.
    `vouchers` are part of `other`, each with what goes back onto it; the shop's own gift cards are the rest of that.
    `lines` are the units that came back, by line id, `shipping` what of the shipping did; for an amount there are none.
    """

    state: RefundState
    order_reference: str
    return_reference: str
    policy: RefundPolicy
    points: int
    points_value: Money
    points_worth: Money
    money: Money
    other: Money
    goods: Money
    carry: Money
    written_off: Money
    """What nobody has paid of it, because the shop bore it when points were missing."""
    restored: int | None
    already_expired: int | None
    converted: int | None
    expired_money: Money
    """What the shop pays in money for points and vouchers that came back already expired, where its rule says so.

    Vouchers are never given anew, so where points are, their value is paid in money."""
    new_points: int
    """Points given anew for those that came back already expired, where the shop's rule says so."""
    new_points_value: Money
    """What these are worth at the order's rate, and what is owed in their place if a person says so (`pay_instead`)."""
    new_points_state: NewPointsState
    """none: there are none; posted: the customer has them; declined: the provider refuses, and a person is needed."""
    money_instead: Money
    """What the shop pays in money for points that the provider did not take back; these stay captured."""
    reason: str
    actor: str
    asked_at: datetime
    psp_reference: str | None
    money_refunded_at: datetime | None
    money_paid: Money
    lines: Mapping[str, int]
    shipping: Money
    vouchers: tuple[VoucherBack, ...] = ()
    is_unsaid: bool = False
    """Nobody said how many points came back expired, and the shop makes up for those: see `settle_expired`."""
    is_rest: bool = False
    """No return: what was left as the order was cancelled, of which some had expired; its goods are no part of it."""

    @property
    def is_amendment(self) -> bool:
        """Whether it is what an order gave back as it was made smaller, by `amend`; nobody asked for it as a return."""
        return self.return_reference.startswith(AMENDMENT)

    @property
    def money_due(self) -> Money:
        """What the shop still has to pay to the customer; nothing once `money_refunded` was called.

        It may become due again: when points come back already expired, or not at all.
        """
        return self.money + self.expired_money + self.money_instead - self.money_paid


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundPreview:
    """What a return would give back under each policy, given what went back already.

    `policy` is the order's own, and exact: this is what `refund` does. Each other one is reckoned as if it held from
    this return on: points first as far as points are left, money first as far as money is left, proportional by the
    shares of its lines as far as both are left for them. What went back before stays as it went.
    `already_expired`: how many of its points would come back expired; None: not known.
    """

    order_reference: str
    policy: RefundPolicy
    policies: Mapping[RefundPolicy, Split]
    already_expired: int | None = None
    earned_taken: int = 0
    """Earned points that would be taken back by it."""
    vouchers: tuple[VoucherBack, ...] = ()
    """What would go back onto which voucher, by the order's own policy."""

    @property
    def split(self) -> Split:
        """What the return would really give back."""
        return self.policies[self.policy]


def refund_of(row: RedemptionRow, one: ReturnRow) -> Refund:
    """A return as the journal has it."""
    wanted = json.loads(one.wanted)
    state: RefundState = "done"
    if one.state == "declined":
        state = "declined"
    elif one.state == "ended":
        state = "ended"
    elif one.state != "done":
        state = "needs_attention" if row.state == "needs_attention" else "reversing"
    money = _money_of(row.currency)
    # What the shop pays in money in place of vouchers and points.
    for_vouchers = sum_of(parts_of(one.vouchers)) if one.instead_minor else 0
    return Refund(
        state=state,
        order_reference=row.order_reference,
        return_reference=one.reference,
        policy=policy_of(one.policy),
        points=0 if one.instead_minor else one.points,
        # What was owed of a point before may be in what is paid instead.
        points_value=money(max(0, one.value_minor + for_vouchers - one.instead_minor)),
        points_worth=money(0 if one.instead_minor else one.worth_minor),
        money=money(one.money_minor),
        other=money(one.other_minor - for_vouchers),
        goods=money(one.goods_minor),
        carry=money(one.carry_minor),
        written_off=money(one.goods_minor - one.other_minor - one.value_minor - one.money_minor),
        restored=one.restored_points,
        already_expired=one.expired_points,
        converted=one.converted_points,
        expired_money=money(one.expired_minor),
        new_points=one.new_points,
        new_points_value=money(one.worth_minor * one.new_points // one.points if one.points else 0),
        new_points_state=_new_points_state(one.accrual_state),
        money_instead=money(one.instead_minor),
        reason=one.reason,
        actor=one.actor,
        asked_at=moment(one.created_at),
        psp_reference=one.psp_reference,
        money_refunded_at=None if one.money_refunded_at is None else moment(one.money_refunded_at),
        money_paid=money(one.refunded_minor),
        lines=wanted["lines"],
        shipping=money(wanted["shipping_minor"]),
        vouchers=() if one.instead_minor else vouchers_back(row, parts_of(one.vouchers), one.vouchers_expired),
        is_unsaid=one.state == "done" and one.restored_points is None and one.expired_rule != "tell",
        is_rest=is_rest(one),
    )


def vouchers_back(row: RedemptionRow, onto: Parts, expired: str | None = None) -> tuple[VoucherBack, ...]:
    """What goes back onto which voucher; `expired` of it, as the return keeps it: None: nobody said."""
    if not onto:
        return ()
    last_four = {paid.id: paid.last_four for paid in of_cart(row.cart)}
    said, money = dict(parts_of(expired)), _money_of(row.currency)
    return tuple(
        VoucherBack(
            id=voucher_id,
            last_four=last_four[voucher_id],
            value=money(minor),
            expired_value=None if expired is None else money(said.get(voucher_id, 0)),
        )
        for voucher_id, minor in onto
    )


def split_of(step: Returned, carry_minor: int, currency: str) -> Split:
    """What one step gives back, with what is owed after it."""
    money = _money_of(currency)
    return Split(
        points=step.points,
        points_value=money(step.value_minor),
        money=money(step.money_minor),
        other=money(step.other_minor),
        goods=money(step.goods_minor),
        carry=money(carry_minor),
    )


def _money_of(currency: str) -> Callable[[int], Money]:
    return lambda amount_minor: Money(amount_minor=amount_minor, currency=currency)


def _new_points_state(text: str | None) -> NewPointsState:
    for state in get_args(NewPointsState):
        if state == (text or "none"):
            known: NewPointsState = state
            return known
    raise AssertionError(f"unknown state of new points {text!r}")


def policy_of(text: str) -> RefundPolicy:
    """A refund policy, from the journal's text."""
    for policy in get_args(RefundPolicy):
        if policy == text:
            known: RefundPolicy = policy
            return known
    raise AssertionError(f"unknown refund policy {text!r}")
