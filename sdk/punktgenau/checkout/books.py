"""The noun books: what the journal knows of one redemption, with its returns, parcels and newest version."""

from __future__ import annotations

from dataclasses import dataclass

from punktgenau.checkout.rows import RedemptionRow
from punktgenau.checkout.schema_returns import AmendmentRow, ReturnRow, ShipmentRow
from punktgenau.checkout.vouchers import parts_of, sum_of


@dataclass(frozen=True, slots=True)
class Books:
    """What the journal knows of one redemption, read under its row's lock."""

    redemption: RedemptionRow
    returns: tuple[ReturnRow, ...]
    amendment: AmendmentRow | None
    shipments: tuple[ShipmentRow, ...] = ()
    rest: ReturnRow | None = None
    """What was left as the order was cancelled, where some of it came back expired; no return, see `rest`."""
    version: int = 1
    """The number of the order's newest version, whichever of its attempts paid that."""

    @property
    def given_back(self) -> tuple[ReturnRow, ...]:
        """The returns, and the rest."""
        return self.returns if self.rest is None else (*self.returns, self.rest)

    @property
    def last_number(self) -> int:
        """The highest number of a return; some below it may be with another attempt."""
        return max((one.number for one in self.given_back), default=0)

    @property
    def back_by_no_return(self) -> tuple[int, int]:
        """Points, and their worth, that came back by none of its returns: the provider gave them back, or a release."""
        by_returns = [one for one in self.returns if one.state not in {"declined", "ended"} and not one.instead_minor]
        points = self.redemption.reversed_points - sum(one.points for one in by_returns)
        worth_minor = self.redemption.reversed_minor - sum(one.worth_minor for one in by_returns)
        # A return that is only promised may not have come back yet.
        return (points, max(0, worth_minor)) if points > 0 else (0, 0)

    @property
    def vouchers_back_minor(self) -> int:
        """What went back onto vouchers by none of its returns."""
        by_returns = [one for one in self.returns if one.state not in {"declined", "ended"} and not one.instead_minor]
        return max(0, self.redemption.vouchers_back_minor - sum(sum_of(parts_of(one.vouchers)) for one in by_returns))

    @property
    def back_unsettled(self) -> tuple[int, int]:
        """The same, without those that a settlement has left out of the newest version."""
        points, worth_minor = self.back_by_no_return
        earlier, row = self.of_earlier_versions, self.redemption
        points -= max(0, row.settled_points - sum(one.points for one in earlier))
        worth_minor -= max(0, row.settled_minor - sum(one.worth_minor for one in earlier))
        return (points, max(0, worth_minor)) if points > 0 else (0, 0)

    @property
    def missing(self) -> tuple[int, int]:
        """Points that an order which is short has to do without, and their worth: never taken, or revoked since."""
        points, value_minor = self.redemption.missing
        revoked = self.back_by_no_return if self.redemption.captured_points else (0, 0)
        return points + revoked[0], value_minor + revoked[1]

    @property
    def cart(self) -> str:
        """The order as it is now, frozen."""
        return self.redemption.cart if self.amendment is None else self.amendment.cart

    @property
    def of_version(self) -> tuple[ReturnRow, ...]:
        """The returns that count by the order as it is now."""
        return tuple(one for one in self.returns if self._is_of_version(one))

    @property
    def of_earlier_versions(self) -> tuple[ReturnRow, ...]:
        """The returns that came before the newest change, or with it."""
        return tuple(one for one in self.returns if not self._is_of_version(one))

    def _is_of_version(self, one: ReturnRow) -> bool:
        return self.amendment is None or one.number > self.amendment.after_number
