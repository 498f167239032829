"""Checks of an adapter: giving captured points back, never more than there were, and once."""

from __future__ import annotations

from punktgenau.errors import (
    IdempotencyConflictError,
    ProviderError,
    ReversalExceedsCaptureError,
    StateConflictError,
)
from punktgenau.money import Money
from punktgenau.provider import Redemption, Reversal
from punktgenau.testing.conformance.adapter_world import HAS, AdapterWorld
from punktgenau.testing.conformance.check import check, expect, not_applicable
from punktgenau.testing.conformance.holds import EXACT


class ReversalChecks(AdapterWorld):
    """Reverse: all, in part, in parts, too much, twice, too early."""

    def _back(
        self,
        taken: Redemption,
        points: int,
        reference: str = "R-1",
        *,
        key: str | None = None,
        value: Money | None = None,
    ) -> Reversal:
        return self.redemptions.reverse(
            taken.id,
            points=points,
            value=value,
            return_reference=reference,
            idempotency_key=key or self.new_key(),
        )

    def _needs_parts(self) -> None:
        if not self.profile.partial_reversal:
            raise not_applicable("the profile says that points go back as a whole only")

    @check("reverse-all", why="a cancelled order gives everything back")
    def test_reverse_all(self) -> None:
        """Everything goes back, in points and value, and the redemption is `reversed`."""
        member = self.member(HAS)
        taken = self.take(member)
        back = self._back(taken, 427)
        told = (back.points, back.value, back.restored + back.already_expired + back.converted)
        expect("points, value, sum of what became of them", told, (427, taken.captured_value, 427), to_do=EXACT)
        told_after = (back.redemption.id, back.redemption.state, back.redemption.reversed_points)
        expect("the redemption", told_after, (taken.id, "reversed", 427), to_do=EXACT)
        self.expect_points(member, available=1000, held=0, to_do=EXACT)

    @check("reverse-in-part", why="one article of two comes back")
    def test_reverse_in_part(self) -> None:
        """A part goes back; the rest stays captured."""
        self._needs_parts()
        member = self.member(HAS)
        back = self._back(self.take(member), 100)
        after = back.redemption
        told = (back.points, after.state, after.captured_points, after.reversed_points)
        expect("points, state, captured, reversed", told, (100, "partially_reversed", 427, 100), to_do=EXACT)
        self.expect_points(member, available=673, held=0, to_do=EXACT)

    @check("reverse-in-parts", why="after the last return everything is back, to the point and to the cent")
    def test_reverse_in_parts(self) -> None:
        """Parts add up to the whole, in points and in value."""
        self._needs_parts()
        member = self.member(HAS)
        taken = self.take(member)
        parts = [self._back(taken, points, f"R-{points}") for points in (1, 141, 285)]
        after = parts[-1].redemption
        told = (sum(part.value.amount_minor for part in parts), after.reversed_value, after.state)
        wanted = (taken.captured_value.amount_minor, taken.captured_value, "reversed")
        expect("sum of values, reversed value, state", told, wanted, to_do="let the last part take the value's rest.")
        self.expect_points(member, available=1000, held=0, to_do=EXACT)

    @check("reverse-too-many", why="never more goes back than was paid, and the clerk is told how much can")
    def test_reverse_too_many(self) -> None:
        """More than is left is ReversalExceedsCaptureError with `.remaining`; nothing goes back, nothing is cut."""
        member = self.member(HAS)
        taken = self.take(member)
        if self.profile.partial_reversal:
            self._back(taken, 100)
            error = self.refused(
                ReversalExceedsCaptureError,
                lambda: self._back(taken, 328, "R-2"),
                to_do="refuse it; never cut it to what is left.",
            )
            expect("remaining", error.remaining, 327, to_do="set `remaining` to the points that can still go back.")
        else:
            self.refused(
                ProviderError, lambda: self._back(taken, 428, "R-2"), to_do="refuse it; never cut it to what is left."
            )
        left = 327 if self.profile.partial_reversal else 427
        self.expect_points(member, available=1000 - left, held=0, to_do="a refused call moves nothing.")

    @check("reverse-value", why="the cap holds in money, too")
    def test_reverse_value(self) -> None:
        """More value than is left is refused, although the points would fit."""
        self._needs_parts()
        member = self.member(HAS)
        taken = self.take(member)
        beyond = Money(amount_minor=taken.captured_value.amount_minor + 1, currency=taken.captured_value.currency)
        self.refused(
            ProviderError, lambda: self._back(taken, 426, value=beyond), to_do="check the value as well as the points."
        )
        self.expect_points(member, available=573, held=0, to_do="a refused call moves nothing.")

    @check("reverse-twice", why="two who see the same return give back once")
    def test_reverse_twice(self) -> None:
        """The same return again, with its key, is the first one, marked as replayed."""
        self.needs_keys()
        member, key = self.member(HAS), self.new_key()
        taken = self.take(member)
        first = self._back(taken, 427, key=key)
        again = self._back(taken, 427, key=key)
        told = (again.id, again.points, again.replayed)
        expect("id, points, replayed", told, (first.id, 427, True), to_do="answer with the first reversal.")
        self.expect_points(member, available=1000, held=0, to_do="one return gives back once.")

    @check("reverse-reference", why="a return's number stands for one return for ever, whatever the key")
    def test_reverse_reference(self) -> None:
        """The same return reference with other content is refused, and the first one stands."""
        self._needs_parts()
        member = self.member(HAS)
        taken = self.take(member)
        self._back(taken, 100)
        self.refused(
            IdempotencyConflictError,
            lambda: self._back(taken, 101),
            to_do="map this conflict to IdempotencyConflictError.",
        )
        self.expect_points(member, available=673, held=0, to_do="a refused call moves nothing.")

    @check("reverse-held", why="a hold is voided, not reversed")
    def test_reverse_held(self) -> None:
        """What was never captured cannot be reversed: StateConflictError."""
        self.needs_holds()
        member = self.member(HAS)
        hold = self.authorize(member)
        self.refused(
            StateConflictError, lambda: self._back(hold, 427), to_do="map this conflict to StateConflictError."
        )
        self.expect_points(member, available=573, held=427, to_do="a refused call moves nothing.")

    @check("reverse-then-anew", why="an order that was cancelled by mistake is paid again")
    def test_reverse_then_anew(self) -> None:
        """Once everything is back, the order is free for another attempt."""
        member, order = self.member(HAS), self.new_order()
        self._back(self.take(member, order=order), 427)
        self.authorize(member, order=order)
        self.expect_gone(member, points=427, to_do="a redemption that was reversed in full is not live.")
