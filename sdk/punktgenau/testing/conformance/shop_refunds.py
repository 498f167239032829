"""Checks of a shop: goods come back."""

from __future__ import annotations

from punktgenau.testing.conformance.check import check, expect_that
from punktgenau.testing.conformance.shop_world import HAS, POINTS, ShopWorld

ONCE = "pass the return's own number on; the same number gives back once."


class RefundChecks(ShopWorld):
    """Refund; not applicable where the shop has no returns yet."""

    @check("refund-all", why="after the last return the customer has what they had before")
    def test_refund_all(self) -> None:
        """Everything returned gives every point back."""
        self.give()
        self.refund(self.buy(POINTS), lines=self.cart.lines, return_reference="R-1")
        left, _ = self.taken()
        # Shipping may stay paid, and a part of the points with it.
        expect_that(0 <= left < POINTS, f"Of {POINTS} points {left} stay taken.", to_do="refund all lines, wholly.")

    @check("refund-part", why="one article of two comes back")
    def test_refund_part(self) -> None:
        """A part returned gives a part of the points back."""
        self.give()
        order = self.buy(POINTS)
        self.refund(order, lines=dict([next(iter(self.cart.lines.items()))]), return_reference="R-1")
        back = POINTS - self.taken()[0]
        expect_that(0 <= back <= POINTS, f"{back} points of {POINTS} came back.", to_do="never more than were taken.")
        self.expect_plain(self.page(order))

    @check("refund-twice", why="two clerks see the same parcel")
    def test_refund_twice(self) -> None:
        """The same return again gives nothing more back."""
        self.give()
        order = self.buy(POINTS)
        self.refund(order, lines=self.cart.lines, return_reference="R-1")
        once = self.provider().available()
        self.refund(order, lines=self.cart.lines, return_reference="R-1")
        twice = self.provider().available()
        expect_that(once == twice <= HAS, f"{once} points are available, then {twice}.", to_do=ONCE)
