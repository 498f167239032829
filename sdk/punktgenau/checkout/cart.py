"""What the shop hands in: a cart with lines, and later the order made of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

from punktgenau.checkout.vouchers import CartVoucher, used, worth_minor
from punktgenau.errors import CartMismatchError, InvalidArgumentError
from punktgenau.money import AMOUNT_MINOR_MAX, Money, largest_remainder, require_points

if TYPE_CHECKING:
    from punktgenau.voucher_records import Voucher

SHIPPING_ID = "shipping"
LINE_ID_MAX = 64
"""As long as the partner API takes an article; a longer one is refused here, not when the order is placed."""
OrderState = Literal["pending", "paid", "cancelled"]


def _whole(value: int, *, field: str, least: int = 0) -> None:
    if type(value) is not int or not least <= value <= AMOUNT_MINOR_MAX:
        raise InvalidArgumentError(f"{field} must be a whole number from {least} to {AMOUNT_MINOR_MAX}.", field=field)


def _text(value: str, *, field: str) -> None:
    if not isinstance(value, str) or not 1 <= len(value) <= LINE_ID_MAX or not value.isprintable():
        raise InvalidArgumentError(f"{field} must be a text of 1 to {LINE_ID_MAX} printable characters.", field=field)


_PERCENT = re.compile(r"[0-9]{1,3}(\.[0-9]{1,6})?")


def _vat_percent(vat_rate: str, *, field: str = "vat_rate") -> Fraction:
    if not isinstance(vat_rate, str) or not _PERCENT.fullmatch(vat_rate) or Fraction(vat_rate) > 100:
        raise InvalidArgumentError(
            f"{field} must be percent as text, from '0' to '100', such as '19' or '5.5'.", field=field
        )
    return Fraction(vat_rate)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One article in a cart: unit price and discount in the smallest unit of the cart's currency.

    `discount_minor` is taken off the whole line. `id` defaults to the sku and must be unique in the cart.
    `reward_points`: so many points must pay each unit, and are bound to it; the unit price is their worth and what is
    paid besides. `points_allowed` says whether points may pay that, too. `name` is what customers read about such a
    line; it is neither kept nor sent. Raises InvalidArgumentError for negative or fractional numbers, or a discount
    above the line.
    """

    sku: str
    quantity: int
    unit_price_minor: int
    vat_rate: str
    id: str = ""
    discount_minor: int = 0
    points_allowed: bool = True
    reward_points: int = 0
    name: str = ""

    def __post_init__(self) -> None:
        _text(self.sku, field="sku")
        _vat_percent(self.vat_rate)
        _whole(self.quantity, field="quantity", least=1)
        _whole(self.unit_price_minor, field="unit_price_minor")
        _whole(self.discount_minor, field="discount_minor")
        object.__setattr__(self, "id", self.id or self.sku)
        _text(self.id, field="id")
        if type(self.points_allowed) is not bool:
            raise InvalidArgumentError("points_allowed must be True or False.", field="points_allowed")
        if not isinstance(self.name, str):
            raise InvalidArgumentError("name must be a text.", field="name")
        require_points(self.reward_points, field="reward_points", least=0)
        require_points(self.reward_points * self.quantity, field="reward_points", least=0)
        if self.discount_minor > self.quantity * self.unit_price_minor:
            raise InvalidArgumentError(
                f"The discount of line {self.id!r} is larger than the line.", field="discount_minor"
            )

    @property
    def amount_minor(self) -> int:
        """What the whole line costs, after its discount, as the cart counts it (with or without VAT)."""
        return self.quantity * self.unit_price_minor - self.discount_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class GrossLine:
    """One line as it is paid: VAT included; shipping is a line as well."""

    id: str
    sku: str
    quantity: int
    amount_minor: int
    vat_rate: str
    points_allowed: bool = True
    reward_points: int = 0
    name: str = ""

    @property
    def bound_points(self) -> int:
        """The points that must pay all units of it."""
        return self.reward_points * self.quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class Cart:
    """What the customer is about to pay: lines and shipping, all in the smallest unit of one currency.

    `other_tenders_minor` (gift cards) is paid first. A `total_minor` that is given is checked against the lines.
    Raises CartMismatchError, which names both sums, and InvalidArgumentError for numbers that cannot be meant.
    """

    currency: str
    lines: Sequence[Line]
    shipping_minor: int = 0
    shipping_vat_rate: str = "0"
    prices_include_vat: bool = True
    other_tenders_minor: int = 0
    total_minor: int | None = None
    vouchers: tuple[CartVoucher, ...] = ()
    """What pays of `other_tenders_minor`; made by `with_vouchers`."""
    gross_lines: tuple[GrossLine, ...] = field(init=False, repr=False, compare=False)
    total: Money = field(init=False, repr=False, compare=False)
    """Goods and shipping with VAT, before any tender."""
    payable: Money = field(init=False, repr=False, compare=False)
    """What is left to pay after the other tenders, with points or money."""

    def __post_init__(self) -> None:
        Money(amount_minor=0, currency=self.currency)
        _whole(self.shipping_minor, field="shipping_minor")
        _whole(self.other_tenders_minor, field="other_tenders_minor")
        _vat_percent(self.shipping_vat_rate, field="shipping_vat_rate")
        if type(self.prices_include_vat) is not bool:
            raise InvalidArgumentError("prices_include_vat must be True or False.", field="prices_include_vat")
        object.__setattr__(self, "lines", tuple(self.lines))
        self._check_lines()
        object.__setattr__(self, "gross_lines", self._gross())
        total = sum(line.amount_minor for line in self.gross_lines)
        _whole(total, field="total_minor")
        if self.total_minor is not None:
            _whole(self.total_minor, field="total_minor")
            if self.total_minor != total:
                raise CartMismatchError(
                    f"The cart says {self.total_minor} {self.currency}, its lines and shipping add up to {total} "
                    "(both in the smallest unit).",
                    field="total_minor",
                )
        if self.other_tenders_minor > total:
            raise CartMismatchError(
                f"Other tenders pay {self.other_tenders_minor}, the cart is only {total} {self.currency} "
                "(both in the smallest unit).",
                field="other_tenders_minor",
            )
        object.__setattr__(self, "total", Money(amount_minor=total, currency=self.currency))
        payable = Money(amount_minor=total - self.other_tenders_minor, currency=self.currency)
        object.__setattr__(self, "payable", payable)

    def _check_lines(self) -> None:
        seen = {SHIPPING_ID}
        for line in self.lines:
            if not isinstance(line, Line):
                raise InvalidArgumentError("lines must be records of the class Line.", field="lines")
            if line.id in seen:
                raise InvalidArgumentError(
                    f"Line id {line.id!r} is used twice or reserved; give each line its own id.", field="id"
                )
            seen.add(line.id)

    def with_vouchers(self, offered: Sequence[Voucher], *, partner_id: str, reserved_minor: int = 0) -> Cart:
        """The same where these pay first, as far as other tenders leave them something. Raises VoucherError.

        `reserved_minor` is left to points, which must pay so much.
        """
        if not offered:
            return self
        room_minor = max(0, self.payable.amount_minor - reserved_minor)
        return self.paid_by(used(offered, room_minor=room_minor, currency=self.currency, partner_id=partner_id))

    def paid_by(self, vouchers: tuple[CartVoucher, ...]) -> Cart:
        """The same where just these pay first."""
        other_minor = self.other_tenders_minor + worth_minor(vouchers)
        return replace(self, other_tenders_minor=other_minor, vouchers=vouchers)

    @property
    def reward_points(self) -> int:
        """The points that must pay some of its lines, and are bound to these."""
        return sum(line.bound_points for line in self.gross_lines)

    @property
    def left_minor(self) -> tuple[int, ...]:
        """What the other tenders leave of each gross line, in proportion, where no points are bound to a line."""
        amounts = tuple(line.amount_minor for line in self.gross_lines)
        if self.other_tenders_minor == 0:
            return amounts
        paid = largest_remainder(self.other_tenders_minor, amounts)
        return tuple(amount - part for amount, part in zip(amounts, paid, strict=True))

    def _gross(self) -> tuple[GrossLine, ...]:
        net = [
            GrossLine(
                id=line.id,
                sku=line.sku,
                quantity=line.quantity,
                amount_minor=line.amount_minor,
                vat_rate=line.vat_rate,
                points_allowed=line.points_allowed,
                reward_points=line.reward_points,
                name=line.name,
            )
            for line in self.lines
        ]
        if self.shipping_minor:
            net.append(
                GrossLine(
                    id=SHIPPING_ID,
                    sku=SHIPPING_ID,
                    quantity=1,
                    amount_minor=self.shipping_minor,
                    vat_rate=self.shipping_vat_rate,
                )
            )
        return tuple(net) if self.prices_include_vat else _with_vat(net)


def _with_vat(net: list[GrossLine]) -> tuple[GrossLine, ...]:
    """Net lines made gross: VAT is rounded once per rate, as on an invoice, and its cents are spread over the lines."""
    vat_of: dict[str, int] = {}
    # '7' and '7.0' are one rate, with one rounding.
    groups: dict[Fraction, list[GrossLine]] = {}
    for line in net:
        groups.setdefault(_vat_percent(line.vat_rate), []).append(line)
    for rate, group in groups.items():
        taxed = sum(line.amount_minor for line in group)
        vat = (2 * taxed * rate.numerator + 100 * rate.denominator) // (200 * rate.denominator)
        for line, part in zip(group, largest_remainder(vat, [line.amount_minor for line in group]), strict=True):
            vat_of[line.id] = part
    return tuple(replace(line, amount_minor=line.amount_minor + vat_of[line.id]) for line in net)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """The shop's order as its loader tells it; `state` decides what recovery does with its points."""

    reference: str
    state: OrderState
    cart: Cart | None = None
    customer_id: str | None = None
    placed_at: datetime | None = None
    url: str | None = None
