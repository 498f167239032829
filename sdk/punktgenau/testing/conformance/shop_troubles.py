"""Checks of a shop: the provider is away, or its answers get lost."""

from __future__ import annotations

from punktgenau.testing.conformance.check import check, expect, expect_that
from punktgenau.testing.conformance.shop_paying import CAPTURE, CHARGE_DUE, GIVE_BACK
from punktgenau.testing.conformance.shop_world import POINTS, NotPlacedError, ShopOrder, ShopWorld

NOT_YET = "charge nothing while `due` is not known, and let the customer choose: try again, or go on without points."


class ShopTroubleChecks(ShopWorld):
    """The shop sells, and says what became of the points."""

    def _unconfirmed(self) -> ShopOrder:
        """An order whose points are held, which nobody here knows."""
        self.give()
        self.provider().lose_answers("authorize")
        try:
            order = self.place(self.cart, POINTS)
            order = self.pay(order) if order.state == "unpaid" else order
        finally:
            self.heal()
        return order

    @check("away", why="the shop sells when the provider does not answer")
    def test_away(self) -> None:
        """While the provider is away the customer is told, and can buy without points."""
        self.give()
        self.provider().go_away()
        try:
            order = self.place(self.cart, POINTS)
        except NotPlacedError as said:
            self.expect_plain(str(said))
            order = self.buy(0)
        else:
            expect_that(
                order.state == "unpaid" and not order.charged,
                f"The order was {order.state} at once, {order.charged} charged, without the points that were chosen.",
                to_do="tell the customer first that points cannot be used now.",
            )
            self.expect_plain(self.page(order))
            order = self.pay(order, with_points=False)
        self.expect_paid(order, self.cart.total, to_do="offer to go on without points: authorize(..., points=0).")
        self.heal()
        self.expect_given_back(to_do=GIVE_BACK)

    @check("unconfirmed", why="unknown is neither failed nor done")
    def test_unconfirmed(self) -> None:
        """When the answer about the points is lost, nothing is charged, and the page says so in plain words."""
        order = self._unconfirmed()
        told = (order.state, order.charged.amount_minor)
        expect("state, charged in minor units", told, ("unpaid", 0), to_do=NOT_YET)
        self.expect_unconfirmed(self.page(order))

    @check("unconfirmed-then-paid", why="trying again must not take the points again")
    def test_unconfirmed_then_paid(self) -> None:
        """The next try finds the points that are held, and takes them once."""
        order = self.pay(self._unconfirmed())
        self.expect_paid(order, self.cart.total - self.worth(POINTS), to_do=CHARGE_DUE)
        self.expect_taken(POINTS, to_do="make the same call again: authorize finds the hold by its key.")

    @check("unconfirmed-without", why="who goes on without points pays in full and keeps them all")
    def test_unconfirmed_without(self) -> None:
        """Who goes on without points pays the whole bill, and every point comes back."""
        order = self.pay(self._unconfirmed(), with_points=False)
        self.expect_paid(order, self.cart.total, to_do="call authorize(..., points=0), and charge its `due`.")
        self.expect_given_back(to_do="let a worker run: the hold is given back in the background.")

    @check("unconfirmed-cancelled", why="a hold that nobody knew of must not stay")
    def test_unconfirmed_cancelled(self) -> None:
        """Who cancels instead gets every point back."""
        order = self.cancel(self._unconfirmed())
        expect("state", order.state, "cancelled", to_do="an order can be cancelled while its points are unknown.")
        self.expect_given_back(to_do=GIVE_BACK)

    @check("capture-lost", why="a paid order stays paid, and its points are taken once")
    def test_capture_lost(self) -> None:
        """When the capture's answer is lost, the order is paid, and recovery ends what was begun."""
        self.give()
        self.provider().lose_answers("capture")
        order = self.buy(POINTS)
        self.heal()
        self.expect_paid(order, self.cart.total - self.worth(POINTS), to_do=CHARGE_DUE)
        self.expect_plain(self.page(order))
        self.recover()
        self.expect_taken(POINTS, to_do=CAPTURE)

    @check("cancel-while-away", why="a wish to give back is kept until it can be done")
    def test_cancel_while_away(self) -> None:
        """An order that is cancelled while the provider is away gives its points back when that is there again."""
        self.give()
        order = self.buy(POINTS)
        self.provider().go_away()
        order = self.cancel(order)
        expect("state", order.state, "cancelled", to_do="cancelling does not wait for the provider.")
        self.expect_plain(self.page(order))
        self.heal()
        self.expect_given_back(to_do=GIVE_BACK)
