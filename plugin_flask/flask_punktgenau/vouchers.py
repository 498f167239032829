"""What the points box shows of vouchers: those that were added, what each pays, and those that could be. No request."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from flask_punktgenau.session import Chosen
from punktgenau.checkout.cart import Cart
from punktgenau.checkout.vouchers import MOST, CartVoucher
from punktgenau.errors import VoucherError
from punktgenau.money import Money
from punktgenau.voucher_records import Voucher

UNKNOWN = "voucher_unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class VoucherRow:
    """One voucher that was added: what it pays, or the code of why it pays nothing.

    Neither: nothing is left for it to pay, or nobody knows now. `voucher` is None where it was never seen here.
    """

    id: str
    voucher: Voucher | None = None
    pays: CartVoucher | None = None
    problem: str = ""

    @property
    def last_four(self) -> str:
        """What somebody knows it by."""
        return self.voucher.last_four if self.voucher is not None else ""


@dataclass(frozen=True)
class VoucherBox:
    """Everything about vouchers in the box, in the order in which they pay.

    `own`: the member's own that can pay and were not added yet. `is_away`: nobody can say now what they are worth, so
    they pay nothing; they stay added. `is_linked`: without a linked account none can be used. `notice`: the code of why
    the last form about them did nothing. `room_minor`: what they leave to points and money. `order_reference`: of
    another try to pay that order; else it is about the cart in front.
    """

    rows: tuple[VoucherRow, ...] = ()
    own: tuple[Voucher, ...] = ()
    is_away: bool = False
    is_linked: bool = True
    notice: str = ""
    currency: str = ""
    room_minor: int = 0
    order_reference: str = field(default="", kw_only=True)

    @cached_property
    def value(self) -> Money:
        """What they pay together."""
        paid = sum(one.pays.value_minor for one in self.rows if one.pays is not None)
        return Money(amount_minor=paid, currency=self.currency)

    @property
    def has_room(self) -> bool:
        """Whether one more can be added."""
        return len(self.rows) < MOST


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidCart:
    """A cart that vouchers pay first, and what became of each that was added."""

    cart: Cart
    rows: tuple[VoucherRow, ...] = ()


def pay_with(
    cart: Cart,
    chosen: Sequence[Chosen],
    known: Mapping[str, Voucher],
    *,
    partner_id: str,
    gone: Collection[str] = (),
    reserved_minor: int = 0,
) -> PaidCart:
    """The cart after the vouchers that can pay of it, in the order in which they were added.

    `reserved_minor` is for points that must pay articles. `gone`: ids that the provider does not know any more; what is
    neither known nor gone pays nothing.
    """
    problems = dict.fromkeys(gone, UNKNOWN)
    while True:
        offered = [known[one.id] for one in chosen if one.id in known and one.id not in problems]
        try:
            paid = cart.with_vouchers(offered, partner_id=partner_id, reserved_minor=reserved_minor)
            break
        except VoucherError as error:
            if error.field is None or error.field not in known:
                raise
            problems[error.field] = error.code
    pays = {one.id: one for one in paid.vouchers}
    rows = (
        VoucherRow(id=one.id, voucher=known.get(one.id), pays=pays.get(one.id), problem=problems.get(one.id, ""))
        for one in chosen
    )
    return PaidCart(cart=paid, rows=tuple(rows))


def offered_to(
    vouchers: Sequence[Voucher], *, chosen: Sequence[Chosen], currency: str, partner_id: str
) -> list[Voucher]:
    """Those that can pay in this shop and currency now and were not added yet; what is over soonest comes first."""
    added = {one.id for one in chosen}
    found = [
        one
        for one in vouchers
        if one.id not in added
        and one.state == "active"
        and one.left.amount_minor
        and one.left.currency == currency
        and one.is_valid_at(partner_id)
        and not (one.residual == "lost" and one.held.amount_minor)
    ]
    return sorted(found, key=lambda one: one.expires_at)
