"""Vouchers as a tender of an order: which of them pay how much, and how much goes back onto each. Pure.

They pay first, like a gift card: what they pay is part of a frozen cart's `other_tenders_minor`, and the rest of that
is the shop's own. What comes back is the difference of two cumulative states, as for points: exact in any order.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from punktgenau.errors import StateConflictError, VoucherError

if TYPE_CHECKING:
    from punktgenau.voucher_records import Voucher

MOST = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class CartVoucher:
    """A voucher that pays a part: its id, its last four signs, what it pays and what it leaves over, in minor units.

    `residual`: what it leaves over stays on it ("keeps"), or is gone once the order is paid ("lost").
    """

    id: str
    last_four: str
    value_minor: int
    left_over_minor: int
    residual: str


def used(offered: Sequence[Voucher], *, room_minor: int, currency: str, partner_id: str) -> tuple[CartVoucher, ...]:
    """What each pays, in the order in which they are given; one for which nothing is left to pay is left out.

    Raises VoucherError (`.field` is its id) for the first that cannot pay here.
    """
    if len(offered) > MOST:
        raise VoucherError(f"No more than {MOST} vouchers pay one order.", code="voucher_value", field="vouchers")
    found: list[CartVoucher] = []
    for one in offered:
        code = _why_not(one, currency=currency, partner_id=partner_id, others=found)
        if code is not None:
            raise VoucherError(f"Voucher …{one.last_four} cannot pay this order.", code=code, field=one.id)
        pays = min(one.left.amount_minor, room_minor)
        if pays:
            room_minor -= pays
            found.append(
                CartVoucher(
                    id=one.id,
                    last_four=one.last_four,
                    value_minor=pays,
                    left_over_minor=one.left.amount_minor - pays,
                    residual=one.residual,
                )
            )
    return tuple(found)


def _why_not(one: Voucher, *, currency: str, partner_id: str, others: Sequence[CartVoucher]) -> str | None:
    if not one.is_valid_at(partner_id):
        return "voucher_not_valid_here"
    if one.left.currency != currency:
        return "voucher_currency"
    if one.state in ("expired", "void"):
        return "voucher_expired"
    if one.state == "used":
        return "voucher_used"
    is_held = not one.left.amount_minor or (one.residual == "lost" and one.held.amount_minor > 0)
    return "voucher_held" if is_held or any(one.id == other.id for other in others) else None


def kept(vouchers: Sequence[CartVoucher]) -> list[dict[str, str | int]]:
    """As a frozen cart keeps them."""
    return [
        {
            "id": one.id,
            "last_four": one.last_four,
            "value_minor": one.value_minor,
            "left_over_minor": one.left_over_minor,
            "residual": one.residual,
        }
        for one in vouchers
    ]


def of_cart(text: str) -> tuple[CartVoucher, ...]:
    """The vouchers of a frozen cart; a cart without any is not parsed for that."""
    if '"vouchers":' not in text:
        return ()
    return tuple(CartVoucher(**one) for one in json.loads(text).get("vouchers", ()))


def worth_minor(vouchers: Sequence[CartVoucher]) -> int:
    """What they pay together."""
    return sum(one.value_minor for one in vouchers)


def back(
    vouchers: Sequence[CartVoucher], *, other_total_minor: int, before_minor: int, after_minor: int
) -> tuple[tuple[str, int], ...]:
    """What goes onto each once `after_minor` of what other tenders paid came back, and `before_minor` had before.

    Of each cent that other tenders paid the vouchers' part is theirs; it fills them in the order in which they paid.
    """
    whole = worth_minor(vouchers)
    if not whole:
        return ()
    first, last = (whole * part // other_total_minor for part in (before_minor, after_minor))
    parts, start = [], 0
    for one in vouchers:
        end = start + one.value_minor
        part = max(0, min(last, end) - max(first, start))
        if part:
            parts.append((one.id, part))
        start = end
    return tuple(parts)


def check_whole(vouchers: Sequence[CartVoucher], onto: Sequence[tuple[str, int]], *, points_left: int) -> None:
    """Where a provider gives an order back only as a whole: raises StateConflictError for a return of a part.

    Vouchers cannot wait for the rest as points do: what they paid is not owed in money. `points_left` stay taken.
    """
    if onto and (points_left or sum(minor for _, minor in onto) < worth_minor(vouchers)):
        raise StateConflictError(
            "Vouchers pay this order, and this provider gives them back only with the whole order. Nothing was booked; "
            "return all of it at once, or cancel it.",
            code="not_offered",
        )


def rest(vouchers: Sequence[CartVoucher], back_minor: int) -> tuple[tuple[str, int], ...]:
    """What is still to go back onto each, where so much did already."""
    whole = worth_minor(vouchers)
    return back(vouchers, other_total_minor=whole, before_minor=back_minor, after_minor=whole) if whole else ()


def left(vouchers: Sequence[CartVoucher], back_minor: int) -> tuple[CartVoucher, ...]:
    """What each still pays, where so much of them went back; one that pays nothing any more is left out."""
    if not back_minor:
        return tuple(vouchers)
    pays = dict(rest(vouchers, back_minor))
    return tuple(replace(one, value_minor=pays[one.id]) for one in vouchers if one.id in pays)
