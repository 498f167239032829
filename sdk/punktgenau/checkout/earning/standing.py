"""What of an order is kept by now, as far as earning asks: by the journal's returns, and by the shop's own word."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from punktgenau.checkout.allocation import Allocation
from punktgenau.checkout.books import Books
from punktgenau.checkout.cart import Order
from punktgenau.checkout.earning.reckon import Basis, basis_from, earned, gone_of, has_goods, kept_money, money_of
from punktgenau.checkout.earning.schema import EarningReturnRow, EarningRow
from punktgenau.checkout.intent import PAYMENT_FAILED, WENT_WITHOUT
from punktgenau.checkout.order_journal import AMENDED, OrderJournal
from punktgenau.checkout.reached import GIVEN_UP
from punktgenau.checkout.returned import History, Wanted, with_return
from punktgenau.checkout.rows import SETTLED
from punktgenau.checkout.schema import RedemptionRow
from punktgenau.checkout.standing import allocation_of, so_far

Word = Literal["go", "wait", "cancelled", "missing"]
"""What the shop says about an order: it is paid, not yet, never will be; or it is not known, or not any more."""
LIVES_ON = WENT_WITHOUT | SETTLED | {AMENDED, GIVEN_UP}
"""Why points are back although their order was not cancelled."""


class NotToldError(Exception):
    """The shop did not say what became of its order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What is gone of an order's lines, and what money pays of them by now; None: what it paid, less what is gone."""

    gone: Mapping[str, int]
    money: Mapping[str, int] | None
    is_cancelled: bool = False

    def points(self, row: EarningRow, basis: Basis) -> int:
        """What an earning is worth by that, before anything is set off."""
        if row.kind == "welcome":
            return 0 if self.is_cancelled or not has_goods(basis, self.gone) else row.points
        return earned(basis, kept_money(basis, self.gone, most=self.money, cancelled=self.is_cancelled))


@dataclass(frozen=True, slots=True)
class Targets:
    """What of an earning has to be taken in all, and how much of what it settled is owed again."""

    taken: int
    offset_back: int


def targets(row: EarningRow, kept_points: int) -> Targets:
    """Points that were given go first, then what was set off: so the member stands as if less had been bought."""
    left = max(0, kept_points - row.offset_points)
    return Targets(
        taken=max(row.points_taken, row.points - left),
        offset_back=max(row.offset_back, row.offset_points - min(row.offset_points, kept_points)),
    )


def pays_with_points(row: RedemptionRow) -> bool:
    """Whether points pay a part of the order, or will."""
    is_gone = row.state in {"declined", "abandoned", "abandoning"} or row.release_cause is not None
    return not row.is_without_points and not is_gone


def is_cancelled(row: RedemptionRow) -> bool:
    """Whether the order of a redemption was cancelled, by the shop's own call."""
    return row.release_cause is not None and row.release_cause not in LIVES_ON


class Orders(Protocol):
    """Where the redemptions of orders are read."""

    def latest(self, order_reference: str) -> RedemptionRow | None:
        """The newest attempt of an order."""
        ...

    def books(self, redemption_id: str) -> Books:
        """One redemption with its returns."""
        ...


def kept_of(
    journal: Orders, row: EarningRow, basis: Basis, noted: Sequence[EarningReturnRow], more: Wanted | None = None
) -> Kept:
    """What is kept of an order by the journal; `noted` came back where no redemption knew of it, `more` would."""
    redemption = journal.latest(row.order_reference)
    if row.cancelled is not None or (redemption is not None and is_cancelled(redemption)):
        return Kept(gone={}, money=None, is_cancelled=True)
    before: Mapping[str, int] = {}
    if redemption is None or goes_without(redemption):
        allocation, history = basis.allocation(), History()
        for one in noted:
            history = with_return(allocation, history, Wanted(**json.loads(one.wanted)))
        money = None
        if redemption is not None:
            before = _gone_before(journal.books(redemption.id), basis)
    else:
        books = journal.books(redemption.id)
        at = so_far(books)
        allocation, history = at.allocation, at.history
        money = allocation
        # Told before anybody asked for points; told once more since, it is one of the redemption's.
        known = {one.reference for one in books.returns}
        before = _gone_by([one for one in noted if one.reference not in known], basis)
    if more is not None:
        history = with_return(allocation, history, more)
    gone = gone_of(basis, allocation, history)
    return Kept(
        gone={line_id: minor + before.get(line_id, 0) for line_id, minor in gone.items()},
        money=None if money is None else money_of(money, history),
    )


def _gone_by(noted: Sequence[EarningReturnRow], basis: Basis) -> Mapping[str, int]:
    if not noted:
        return {}
    allocation, history = basis.allocation(), History()
    for one in noted:
        history = with_return(allocation, history, Wanted(**json.loads(one.wanted)))
    return gone_of(basis, allocation, history)


def _gone_before(books: Books, basis: Basis) -> Mapping[str, int]:
    """What came back, or was taken out of the order, while points still paid a part of it."""
    if books.amendment is None and not books.of_version:
        return {}
    at = so_far(books)
    return gone_of(basis, at.allocation, at.history)


def goes_without(row: RedemptionRow) -> bool:
    """Whether no return of the order is booked with its redemption, because points have no part in it (any more)."""
    if row.is_without_points:
        # Settled by a person: its returns are booked with it, as money.
        return False
    return row.state in {"declined", "abandoned"} or row.release_cause in LIVES_ON


def paid_lines(journal: OrderJournal, redemption: RedemptionRow) -> tuple[Allocation, str]:
    """Who pays which line of an order that a redemption knows, as it is now, and its frozen cart."""
    books = journal.books(redemption.id)
    pays = pays_with_points(redemption)
    return allocation_of(books, with_points=pays, with_vouchers=pays), books.cart


def word_of(row: EarningRow, redemption: RedemptionRow | None, loader: Callable[[str], Order | None] | None) -> Word:
    """What the shop says about the order by now. Raises NotToldError when the loader fails."""
    if row.cancelled is not None or (redemption is not None and is_cancelled(redemption)):
        return "cancelled"
    if loader is None:
        # Points paid a part of it, and are back because its payment failed after all.
        is_back = redemption is not None and redemption.release_cause == PAYMENT_FAILED
        return "cancelled" if is_back and basis_of_row(row).value_minor else "go"
    try:
        order = loader(row.order_reference)
    except Exception as error:  # the shop's code: whatever it raises means that we do not know
        raise NotToldError from error
    if order is None:
        return "missing"
    return "cancelled" if order.state == "cancelled" else "wait" if order.state == "pending" else "go"


def basis_of_row(row: EarningRow) -> Basis:
    """What an earning is reckoned from."""
    return basis_from(row.basis)
