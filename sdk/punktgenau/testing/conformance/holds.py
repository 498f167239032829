"""Checks of an adapter: holding points, and ending a hold by void, time or a longer time."""

from __future__ import annotations

from punktgenau.errors import (
    AlreadyCapturedError,
    AlreadyVoidedError,
    HoldExpiredError,
    InsufficientPointsError,
    LiveRedemptionError,
    ProviderError,
    PunktgenauError,
    StateConflictError,
)
from punktgenau.money import Money
from punktgenau.testing.conformance.adapter_world import HAS, POINTS, AdapterWorld
from punktgenau.testing.conformance.check import check, expect, expect_that, not_applicable

HOLD_S = 600
EXACT = "hand on just what the provider booked; count nothing yourself."


class HoldChecks(AdapterWorld):
    """Authorize, void, extend, expire."""

    @check("hold-arithmetic", why="balance and preview in the cart are read from it")
    def test_hold_arithmetic(self) -> None:
        """Held points leave `available` and stand in `held`, and nowhere else."""
        self.needs_holds()
        member = self.member(HAS)
        self.expect_points(member, available=1000, held=0, to_do="map the provider's spendable points to `available`.")
        self.authorize(member)
        self.expect_points(member, available=573, held=427, to_do="map reserved points to `held`, not to `available`.")

    @check("hold-echo", why="an answer that is not about what was asked is unknown to the engine, and never done")
    def test_hold_echo(self) -> None:
        """The answer repeats key, order, member, points, value and total, and belongs to this partner."""
        member, order, key = self.member(HAS), self.new_order(), self.new_key()
        worth = self.worth(member, POINTS)
        redemption = self.authorize(member, order=order, key=key)
        differs = redemption.differs_from(
            idempotency_key=key if self.profile.keys != "none" else redemption.idempotency_key,
            order_reference=order,
            member_id=member,
            points=POINTS,
            value=worth,
            total=self.money(5990),
        )
        expect("the field that differs", differs, None, to_do="fill this field from the answer, as it was asked for.")
        expect("partner_id", redemption.partner_id, self.provider().partner_id, to_do="say who asks, as profile does.")
        expect_that(not redemption.replayed, "A first answer is marked replayed.", to_do="mark repeated answers only.")

    @check("hold-state", why="state and amounts decide what the engine does next")
    def test_hold_state(self) -> None:
        """A fresh hold is `authorized`, holds everything, has captured nothing, and says when it ends."""
        self.needs_holds()
        hold = self.authorize(self.member(HAS))
        amounts = (hold.state, hold.held_points, hold.captured_points, hold.reversed_points, hold.released_points)
        expect("state and amounts", amounts, ("authorized", 427, 0, 0, 0), to_do=EXACT)
        expect_that(
            hold.expires_at is not None and hold.expires_at > hold.now and bool(hold.expires_in_s),
            f"expires_at is {hold.expires_at}, expires_in_s {hold.expires_in_s}, now {hold.now}.",
            to_do="tell the hold's end as the provider does, with its own `now` beside it.",
        )

    @check("hold-value", why="an order's bill is worked out with the rate of its quote")
    def test_hold_value(self) -> None:
        """Points and value given together are taken together; a value that they are not worth is refused."""
        member = self.member(HAS)
        worth = self.worth(member, POINTS)
        expect(
            "value", self.authorize(member, value=worth).value, worth, to_do="send the value and hand on the answer's."
        )
        wrong = Money(amount_minor=worth.amount_minor * 2, currency=worth.currency)
        self.refused(
            PunktgenauError,
            lambda: self.authorize(member, value=wrong),
            to_do="refuse a value that the points are not worth.",
        )
        self.expect_gone(member, points=427, to_do="a refused call moves nothing.")

    @check("hold-too-many", why="the customer is told how many points are left")
    def test_hold_too_many(self) -> None:
        """More points than there are: InsufficientPointsError with `.remaining`, and nothing is held."""
        self._needs_all_or_nothing()
        member = self.member(HAS)
        error = self.refused(
            InsufficientPointsError,
            lambda: self.authorize(member, points=1001),
            to_do="map this refusal to InsufficientPointsError.",
        )
        expect("remaining", error.remaining, 1000, to_do="set `remaining` to the points that are available.")
        self.expect_gone(member, points=0, to_do="a refused call moves nothing.")

    @check("hold-all", why="whole bills are paid with points")
    def test_hold_all(self) -> None:
        """The last point can be used."""
        member = self.member(HAS)
        self.authorize(member, points=1000)
        self.expect_gone(member, points=1000, to_do="do not keep a rest back.")

    @check("hold-one", why="any odd number of points is the product")
    def test_hold_one(self) -> None:
        """One point can be used, where the programme's limits allow it."""
        member = self.member(HAS)
        if self.members.balance(member_id=member).limits.min_points > 1:
            raise not_applicable("the programme's limits ask for more than one point")
        expect("points", self.authorize(member, points=1).points, 1, to_do="do not round points.")

    @check("hold-length", why="points are kept for as long as the payment page lives")
    def test_hold_length(self) -> None:
        """A hold lasts as long as it was asked to."""
        self.needs_holds()
        hold_s = max(HOLD_S, self.profile.shortest_hold_s)
        hold = self.redemptions.authorize(
            member_id=self.member(HAS),
            order_reference=self.new_order(),
            total=self.money(5990),
            points=POINTS,
            hold_s=hold_s,
            idempotency_key=self.new_key(),
        )
        told = hold.expires_in_s or 0
        expect_that(
            hold_s - 5 <= told <= hold_s,
            f"A hold of {hold_s} s ends in {told} s.",
            to_do="send `hold_s`; where the provider cannot do that, say so by longest_hold_s.",
        )

    @check("hold-one-live", why="a second try must not hold the points of the first one again")
    def test_hold_one_live(self) -> None:
        """A second redemption of an order that has a live one is LiveRedemptionError, which names the first."""
        member, order = self.member(HAS), self.new_order()
        first = self.authorize(member, order=order)
        error = self.refused(
            LiveRedemptionError,
            lambda: self.authorize(member, order=order),
            to_do="look for a live redemption of the order first.",
        )
        expect("redemption_id", error.redemption_id, first.id, to_do="name the live redemption in `redemption_id`.")
        self.expect_gone(member, points=427, to_do="one order, one live redemption.")

    @check("hold-attempts", why="after a declined card the same order is paid anew")
    def test_hold_attempts(self) -> None:
        """After a void the same order can hold points again, under another key."""
        self.needs_holds()
        member, order = self.member(HAS), self.new_order()
        first = self.authorize(member, order=order)
        self.redemptions.void(first.id, idempotency_key=self.new_key())
        second = self.authorize(member, order=order)
        expect_that(
            second.id != first.id and second.state == "authorized",
            f"The second attempt has id {second.id}, state {second.state}; the first one had {first.id}.",
            to_do="make a new redemption for a new key once the order has no live one.",
        )
        self.expect_points(member, available=573, held=427, to_do=EXACT)

    @check("hold-declined-then-less", why="a customer who asked for too much tries again with less")
    def test_hold_declined_then_less(self) -> None:
        """After a refusal the order is free for another attempt."""
        self._needs_all_or_nothing()
        member, order = self.member(HAS), self.new_order()
        self.refused(
            InsufficientPointsError,
            lambda: self.authorize(member, order=order, points=1001),
            to_do="map this refusal to InsufficientPointsError.",
        )
        self.authorize(member, order=order)
        self.expect_gone(member, points=427, to_do="a declined redemption is not live.")

    @check("void-gives-back", why="points of a failed payment are spendable at once")
    def test_void_gives_back(self) -> None:
        """A void ends the hold, and every point is available again."""
        self.needs_holds()
        member = self.member(HAS)
        voided = self.redemptions.void(self.authorize(member).id, idempotency_key=self.new_key())
        amounts = (voided.state, voided.held_points, voided.released_points)
        expect("state, held, released", amounts, ("voided", 0, 427), to_do=EXACT)
        self.expect_points(member, available=1000, held=0, to_do="release the whole hold.")

    @check("void-twice", why="a void whose answer was lost is sent again")
    def test_void_twice(self) -> None:
        """The same void again answers as the first one, marked as replayed; another one is AlreadyVoidedError."""
        self.needs_holds()
        self.needs_keys()
        member = self.member(HAS)
        hold, key = self.authorize(member), self.new_key()
        self.redemptions.void(hold.id, idempotency_key=key)
        again = self.redemptions.void(hold.id, idempotency_key=key)
        expect("state, replayed", (again.state, again.replayed), ("voided", True), to_do="answer with what stands now.")
        self.refused(
            AlreadyVoidedError,
            lambda: self.redemptions.void(hold.id, idempotency_key=self.new_key()),
            to_do="map this conflict to AlreadyVoidedError.",
        )
        self.expect_points(member, available=1000, held=0, to_do="a second void moves nothing.")

    @check("void-captured", why="a late void must not take back what was paid")
    def test_void_captured(self) -> None:
        """Captured points cannot be voided: AlreadyCapturedError, and they stay captured."""
        self.needs_holds()
        member = self.member(HAS)
        taken = self.take(member)
        self.refused(
            AlreadyCapturedError,
            lambda: self.redemptions.void(taken.id, idempotency_key=self.new_key()),
            to_do="map this conflict to AlreadyCapturedError.",
        )
        self.expect_points(member, available=573, held=0, to_do="give captured points back by a reversal only.")

    @check("hold-expires", why="points of an abandoned order come back, and a late capture has to hear that they did")
    def test_hold_expires(self) -> None:
        """A hold ends by time: the points are back, its state says so, and a capture is HoldExpiredError."""
        self.needs_holds()
        member = self.member(HAS)
        hold = self.authorize(member)
        self.advance((hold.expires_in_s or 0) + 1)
        self.expect_points(member, available=1000, held=0, to_do="let the provider's clock end the hold.")
        if self.profile.lookup:
            expect("state", self.redemptions.get(hold.id).state, "expired", to_do="hand on the provider's state.")
        self.refused(
            HoldExpiredError,
            lambda: self.redemptions.capture(hold.id, idempotency_key=self.new_key()),
            to_do="map this conflict to HoldExpiredError.",
        )

    @check("extend", why="a slow bank transfer outlives the provider's longest hold")
    def test_extend(self) -> None:
        """A live hold can be made longer; a hold that has ended cannot."""
        self.needs_holds()
        if not self.profile.extend:
            raise not_applicable("the profile says that holds cannot be extended")
        member = self.member(HAS)
        hold = self.authorize(member)
        length_s = min(2 * (hold.expires_in_s or 0), self.profile.longest_hold_s)
        longer = self.redemptions.extend(hold.id, hold_s=length_s, idempotency_key=self.new_key())
        expect_that(
            longer.expires_at is not None and hold.expires_at is not None and longer.expires_at >= hold.expires_at,
            f"The hold ended at {hold.expires_at}, and ends at {longer.expires_at} after an extend by {length_s} s.",
            to_do="let the hold end `hold_s` from now, never earlier than before.",
        )
        self.redemptions.void(hold.id, idempotency_key=self.new_key())
        self.refused(
            StateConflictError,
            lambda: self.redemptions.extend(hold.id, hold_s=length_s, idempotency_key=self.new_key()),
            to_do="map this conflict to AlreadyVoidedError.",
        )

    @check("one-step", why="shops that ship at once, and providers without holds, redeem in one step")
    def test_one_step(self) -> None:
        """`capture="now"` takes the points in one step."""
        member = self.member(HAS)
        taken = self.redemptions.authorize(
            member_id=member,
            order_reference=self.new_order(),
            total=self.money(5990),
            points=POINTS,
            capture="now",
            idempotency_key=self.new_key(),
        )
        amounts = (taken.state, taken.held_points, taken.captured_points)
        expect("state, held, captured", amounts, ("captured", 0, 427), to_do=EXACT)
        self.expect_points(member, available=573, held=0, to_do=EXACT)

    @check("currency", why="no conversion is ever ours")
    def test_currency(self) -> None:
        """A total of another currency than the programme's is refused, and nothing is held."""
        member = self.member(HAS)
        other = Money(amount_minor=5990, currency="CHF" if self.currency != "CHF" else "EUR")
        self.refused(
            PunktgenauError,
            lambda: self.redemptions.authorize(
                member_id=member,
                order_reference=self.new_order(),
                total=other,
                points=POINTS,
                idempotency_key=self.new_key(),
            ),
            to_do="send the currency, and refuse where the provider ignores it.",
        )
        self.expect_gone(member, points=0, to_do="a refused call moves nothing.")

    @check("unknown-member", why="a link may outlive the member's account")
    def test_unknown_member(self) -> None:
        """A member whom the provider does not know is a ProviderError, outcome not_done."""
        self.refused(
            ProviderError,
            lambda: self.authorize("nobody-of-that-name"),
            to_do="map the refusal to NotFoundError or NotLinkedError.",
        )

    def _needs_all_or_nothing(self) -> None:
        if self.profile.partial_approval:
            raise not_applicable("the profile says that fewer points than asked for may be held")
