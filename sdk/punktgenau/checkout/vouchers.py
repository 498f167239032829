"""Vouchers as a tender of an order: which of them pay how much, and how much goes back onto each. Pure.

They pay first, like a gift card: what they pay is part of a frozen cart's `other_tenders_minor`, and the rest of that
is the shop's own. How much comes back is the difference of two cumulative states, as for points: exact in any order. It
fills what is left to go back onto each, in the order in which they paid.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from punktgenau.errors import StateConflictError, VoucherError

if TYPE_CHECKING:
    from punktgenau.voucher_records import Voucher

MOST = 20
Parts = tuple[tuple[str, int], ...]
"""Ids of vouchers and minor units, in the order in which they pay."""


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


def share_minor(vouchers: Sequence[CartVoucher], *, other_total_minor: int, other_minor: int) -> int:
    """The vouchers' part of so many cents that came back of what other tenders paid; cumulative, so it ends exact."""
    return worth_minor(vouchers) * other_minor // other_total_minor if vouchers else 0


def check_whole(vouchers: Sequence[CartVoucher], onto: Parts, *, points_left: int) -> None:
    """Where a provider gives an order back only as a whole: raises StateConflictError for a return of a part.

    Vouchers cannot wait for the rest as points do: what they paid is not owed in money. `points_left` stay taken.
    """
    if onto and (points_left or sum_of(onto) < worth_minor(vouchers)):
        raise StateConflictError(
            "Vouchers pay this order, and this provider gives them back only with the whole order. Nothing was booked; "
            "return all of it at once, or cancel it.",
            code="not_offered",
        )


def gone_of(text: str | None) -> dict[str, tuple[int, int]]:
    """What went back onto each by now, and what never will because it was paid in money instead."""
    return {} if text is None else {name: (back, kept) for name, (back, kept) in json.loads(text).items()}


def gone_text(gone: Mapping[str, tuple[int, int]]) -> str | None:
    """As a row keeps it."""
    some = {name: list(parts) for name, parts in gone.items() if any(parts)}
    return json.dumps(some, sort_keys=True, separators=(",", ":")) if some else None


def rest(vouchers: Sequence[CartVoucher], gone: str | None, *, promised: Mapping[str, int] | None = None) -> Parts:
    """What is still to go back onto each, without what is `promised` already."""
    by_id, promised = gone_of(gone), promised or {}
    parts = ((one.id, one.value_minor - sum(by_id.get(one.id, (0, 0))) - promised.get(one.id, 0)) for one in vouchers)
    return tuple((name, minor) for name, minor in parts if minor > 0)


def filled(left: Parts, minor: int) -> Parts:
    """So much of what is left, in the order in which the vouchers paid; less where less is left."""
    parts = []
    for name, most in left:
        part = min(minor, most)
        minor -= part
        if part:
            parts.append((name, part))
    return tuple(parts)


def plus(parts: Parts, gone: str | None, *, kept: bool = False) -> str | None:
    """What is gone once these went back as well, or were `kept` for money."""
    by_id = gone_of(gone)
    for name, minor in parts:
        back, never = by_id.get(name, (0, 0))
        by_id[name] = (back, never + minor) if kept else (back + minor, never)
    return gone_text(by_id)


def parts_of(text: str | int | None) -> Parts:
    """Ids and minor units, as a return or a request keeps them."""
    return () if text is None else tuple((str(name), int(minor)) for name, minor in json.loads(str(text)))


def sum_of(parts: Parts) -> int:
    """All of them together."""
    return sum(minor for _, minor in parts)


def left(vouchers: Sequence[CartVoucher], gone: str | None) -> tuple[CartVoucher, ...]:
    """What each still pays; one that pays nothing any more is left out."""
    if gone is None:
        return tuple(vouchers)
    pays = dict(rest(vouchers, gone))
    return tuple(replace(one, value_minor=pays[one.id]) for one in vouchers if one.id in pays)


def standing(paying: Sequence[CartVoucher], offered: Sequence[Voucher], *, is_all: bool) -> bool:
    """Whether an order that these pay was offered just these; `is_all`: nothing was left for a further one to pay."""
    ids = [one.id for one in paying]
    return [one.id for one in offered if one.id in ids] == ids and (is_all or len(offered) == len(ids))
