"""Checks of a shop: points and money add up to the bill, once, whatever is clicked."""

from __future__ import annotations

from punktgenau.testing.conformance.check import check, expect_that
from punktgenau.testing.conformance.shop_page import shows_amount, shows_number, visible_text
from punktgenau.testing.conformance.shop_world import HAS, POINTS, NotPlacedError, ShopOrder, ShopWorld

CHARGE_DUE = "charge what authorize returns as `due`, nothing reckoned beside it."
CAPTURE = "capture when the money is there, in every way an order can be paid."
GIVE_BACK = "call void when the payment failed and cancel when the order will not happen."


class PayingChecks(ShopWorld):
    """Place, pay, cancel, with a provider that is well."""

    @check("part", why="it is what customers are promised: 427 points, and the rest by card")
    def test_part(self) -> None:
        """427 points pay a part of the bill, and the card the rest, to the cent."""
        self.give()
        order = self.buy(POINTS)
        self.expect_paid(order, self.cart.total - self.worth(POINTS), to_do=CHARGE_DUE)
        self.expect_taken(POINTS, to_do=CAPTURE)

    @check("one-point", why="any odd number is the product")
    def test_one_point(self) -> None:
        """One point pays its worth."""
        self.give()
        self.expect_paid(self.buy(1), self.cart.total - self.worth(1), to_do=CHARGE_DUE)
        self.expect_taken(1, to_do=CAPTURE)

    @check("no-points", why="most customers pay without")
    def test_no_points(self) -> None:
        """Who chooses none pays the whole bill by card, and loses no points."""
        self.give()
        self.expect_paid(self.buy(0), self.cart.total, to_do=CHARGE_DUE)
        self.expect_taken(0, to_do="use no more points than were chosen.")

    @check("all-by-points", why="a card that is not needed must not be asked")
    def test_all_by_points(self) -> None:
        """Points pay the whole bill, and no card is charged or asked, even one that would be declined."""
        has = self.cart.total.amount_minor + HAS
        self.give(has)
        order = self.buy("all", card="declined")
        self.expect_paid(order, self.money(0), to_do="skip the money step when `due` is 0.")
        missing = self.cart.total - self.worth(self.taken(of=has)[0])
        expect_that(missing.amount_minor == 0, f"{missing} of the bill was not paid by points.", to_do=CAPTURE)
        self.expect_taken(self.taken(of=has)[0], of=has, to_do=CAPTURE)

    @check("never-more-than-there-is", why="a wish is no promise of balance")
    def test_never_more_than_there_is(self) -> None:
        """Who wishes more points than there are pays the difference, or is told; never too little."""
        self.give(300)
        self._expect_adds_up(POINTS, has=300)

    @check("never-more-than-the-bill", why="points beyond the bill would be lost")
    def test_never_more_than_the_bill(self) -> None:
        """Who wishes more points than the bill is worth loses none of the others."""
        has = self.cart.total.amount_minor + HAS
        self.give(has)
        self._expect_adds_up(has, has=has)

    def _expect_adds_up(self, wish: int, *, has: int) -> None:
        try:
            order = self.buy(wish)
        except NotPlacedError as said:
            self.expect_plain(str(said))
            self.expect_taken(0, of=has, to_do=GIVE_BACK)
            return
        if order.state == "unpaid":
            self.expect_plain(self.page(order))
            self.expect_taken(0, of=has, to_do=GIVE_BACK)
            return
        paid = order.charged + self.worth(self.taken(of=has)[0])
        expect_that(
            paid == self.cart.total,
            f"Points and card paid {paid}, and the bill is {self.cart.total}.",
            to_do=CHARGE_DUE,
        )

    @check("double-place", why="the button is clicked twice")
    def test_double_place(self) -> None:
        """The order form sent twice is one order: points taken once, card charged once."""
        self.give()
        order = self.place(self.cart, POINTS, clicks=2)
        order = self.pay(order) if order.state == "unpaid" else order
        self.expect_paid(
            order, self.cart.total - self.worth(POINTS), to_do="give each form a number that is used once."
        )
        self.expect_taken(POINTS, to_do="give each form a number that is used once.")

    @check("double-pay", why="the payment's page is sent twice, too, also when the order is paid")
    def test_double_pay(self) -> None:
        """An order that is paid again, and again, is paid once."""
        self.give()
        order = self.pay(self.buy(POINTS), clicks=2)
        self.expect_paid(order, self.cart.total - self.worth(POINTS), to_do="charge an order that is unpaid only.")
        self.expect_taken(POINTS, to_do="charge an order that is unpaid only.")

    @check("declined", why="nobody pays with points for an order that was not paid")
    def test_declined(self) -> None:
        """A declined card: not paid, nothing charged, no point lost, and a page that says so in plain words."""
        self.give()
        order = self.buy(POINTS, card="declined")
        self._expect_unpaid(order)
        taken, _ = self.taken()
        expect_that(taken == 0, f"{taken} points were taken although the card was declined.", to_do=GIVE_BACK)
        self.expect_plain(self.page(order))

    @check("declined-then-good", why="the next card is in the same wallet")
    def test_declined_then_good(self) -> None:
        """After a declined card another one pays the same order, with the same points, once."""
        self.give()
        order = self.pay(self.buy(POINTS, card="declined"))
        self.expect_paid(order, self.cart.total - self.worth(POINTS), to_do="call authorize again for the next try.")
        self.expect_taken(POINTS, to_do="void after each declined card, and capture after the one that pays.")

    @check("cancel-unpaid", why="an abandoned order keeps no points")
    def test_cancel_unpaid(self) -> None:
        """An order that is cancelled before it is paid gives every point back."""
        self.give()
        order = self.cancel(self.buy(POINTS, card="declined"))
        self._expect_cancelled(order)
        self.expect_taken(0, to_do=GIVE_BACK)

    @check("cancel-paid", why="a cancelled order costs no points")
    def test_cancel_paid(self) -> None:
        """An order that is cancelled after it was paid gives every point back, once, however often it is cancelled."""
        self.give()
        order = self.cancel(self.cancel(self.buy(POINTS)))
        self._expect_cancelled(order)
        self.expect_taken(0, to_do=GIVE_BACK)
        self.expect_plain(self.page(order))

    @check("pay-cancelled", why="an old tab still shows the button")
    def test_pay_cancelled(self) -> None:
        """An order that was cancelled cannot be paid any more."""
        self.give()
        order = self.cancel(self.buy(POINTS, card="declined"))
        order = self.pay(order)
        expect_that(
            order.state == "cancelled" and not order.charged,
            f"A cancelled order is {order.state} now, {order.charged} charged.",
            to_do="look at the order's state before points are held and money is charged.",
        )
        self.expect_taken(0, to_do=GIVE_BACK)

    @check("page", why="the customer has to see what was paid with what")
    def test_page(self) -> None:
        """The page of a paid order shows the points, their worth, and what was left to pay."""
        self.give()
        order = self.buy(POINTS)
        page = self.page(order)
        self.expect_plain(page)
        due = self.cart.total - self.worth(POINTS)
        missing = [
            name
            for name, is_shown in (
                (f"{POINTS} points", shows_number(page, POINTS)),
                (f"their worth, {self.worth(POINTS)}", shows_amount(page, self.worth(POINTS), digits=self.digits)),
                (f"what was left to pay, {due}", shows_amount(page, due, digits=self.digits)),
            )
            if not is_shown
        ]
        expect_that(
            not missing,
            f"The order's page does not show {', '.join(missing)}: {visible_text(page)[:500]!r}",
            to_do="show what points paid of the order: `punktgenau_summary(order_reference)`.",
        )

    def _expect_unpaid(self, order: ShopOrder) -> None:
        __tracebackhide__ = True
        expect_that(
            order.state == "unpaid" and not order.charged,
            f"After a declined card the order is {order.state}, {order.charged} charged.",
            to_do="an order is paid when the card was charged, or when nothing was due.",
        )

    def _expect_cancelled(self, order: ShopOrder) -> None:
        __tracebackhide__ = True
        expect_that(order.state == "cancelled", f"The order is {order.state}.", to_do="mark the order as cancelled.")
