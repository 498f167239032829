"""Checks of an adapter: points that are pending first, and points that are taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from punktgenau.errors import IdempotencyConflictError, StateConflictError
from punktgenau.testing.conformance.accruals import POINTS, AccrualChecks
from punktgenau.testing.conformance.adapter_world import HAS
from punktgenau.testing.conformance.check import check, expect, not_applicable

if TYPE_CHECKING:
    from punktgenau.accrual_records import Accrual, AccrualReversal

PENDING_S = 3_600
_FROM = "say where the points came from; the four together are what was asked for."
_SEEN = "keep pending points apart from those that can be spent."


class PendingChecks(AccrualChecks):
    """Pending: seen and not spendable, posted when the time has come, gone when taken back."""

    def _needs_pending(self) -> None:
        self.accruals  # noqa: B018  says whether it applies
        if not self.profile.accrual_pending:
            raise not_applicable("the profile says that points are posted at once")

    def _pending(self, member_id: str, order: str) -> Accrual:
        return self.give(member_id, order, pending_s=PENDING_S)

    def expect_pending(self, member_id: str, *, available: int, pending: int, to_do: str) -> None:
        """What the provider says that a member has and will get."""
        __tracebackhide__ = True
        balance = self.members.balance(member_id=member_id)
        told = (balance.available, balance.pending)
        expect("available, pending", told, (available, pending), to_do=to_do)

    @check("accrue-pending", why="what an order earns must not be spent before it is sure that it stays")
    def test_accrue_pending(self) -> None:
        """Pending points are told with their date and in the balance, and cannot be spent."""
        self._needs_pending()
        member, order = self.about()
        made = self._pending(member, order)
        told = (made.state, made.posted_at, made.pending_until is not None, made.pending_in_s)
        expect("the accrual", told, ("pending", None, True, PENDING_S), to_do="tell until when they are pending.")
        self.expect_pending(member, available=HAS, pending=POINTS, to_do=_SEEN)

    @check("accrue-post", why="points are posted by the provider's clock, and once")
    def test_accrue_post(self) -> None:
        """Too early is refused and changes nothing; then they can be spent; posting again changes nothing."""
        self._needs_pending()
        member, order = self.about()
        made = self._pending(member, order)
        self.refused(
            StateConflictError,
            lambda: self.accruals.post(made.id, idempotency_key=self.new_key()),
            to_do="refuse to post before `pending_until`.",
        )
        self.advance(PENDING_S)
        for _ in range(2):
            posted = self.accruals.post(made.id, idempotency_key=self.new_key())
            told = (posted.id, posted.state, posted.pending_until, posted.posted_at is not None)
            expect("the accrual", told, (made.id, "posted", None, True), to_do="answer with the accrual as it is now.")
        self.expect_pending(member, available=HAS + POINTS, pending=0, to_do="post once.")

    @check("claw-back-pending", why="what comes back before its time costs the member nothing that can be spent")
    def test_claw_back_pending(self) -> None:
        """Points are taken from what is pending; all of them: `reversed`, and nothing is left to be posted."""
        self._needs_pending()
        member, order = self.about()
        made = self._pending(member, order)
        back = self.take_back(made, 3, "R-1")
        told = (back.taken_pending, back.taken_available, back.taken_below_zero, back.not_taken, back.accrual.state)
        expect("taken from, state", told, (3, 0, 0, 0, "pending"), to_do=_FROM)
        self.expect_pending(member, available=HAS, pending=POINTS - 3, to_do=_SEEN)
        rest = self.take_back(made, POINTS - 3, "R-2")
        told_after = (rest.accrual.state, rest.accrual.reversed_points)
        expect(
            "state, reversed points", told_after, ("reversed", POINTS), to_do="end an accrual of which nothing is left."
        )
        self.expect_pending(member, available=HAS, pending=0, to_do=_SEEN)
        self.refused(
            StateConflictError,
            lambda: self.accruals.post(made.id, idempotency_key=self.new_key()),
            to_do="refuse to post what was taken back in full.",
        )


class ClawBackChecks(AccrualChecks):
    """Taken back: what there is, beyond that only if it is said, once per return, never more than was given."""

    def _spent(self, order: str) -> tuple[str, Accrual]:
        """A member who has spent all but two points of what there was and was given."""
        member = self.member(HAS)
        made = self.give(member, order)
        self.take(member, points=HAS + POINTS - 2)
        return member, made

    def _expect_taken(self, back: AccrualReversal, *, available: int, below_zero: int, not_taken: int) -> None:
        __tracebackhide__ = True
        told = (back.taken_pending, back.taken_available, back.taken_below_zero, back.not_taken)
        expect("taken from", told, (0, available, below_zero, not_taken), to_do=_FROM)

    @check("claw-back", why="points of an order that comes back are taken back")
    def test_claw_back(self) -> None:
        """A part is taken from what the member has; the accrual says how much was taken of it."""
        member, order = self.about()
        back = self.take_back(self.give(member, order), 3, "R-1")
        self._expect_taken(back, available=3, below_zero=0, not_taken=0)
        told = (back.points, back.accrual.state, back.accrual.reversed_points)
        expect("points, state, reversed points", told, (3, "posted", 3), to_do="count what was taken back.")
        self.expect_points(member, available=HAS + POINTS - 3, held=0, to_do="take exactly what was asked for.")

    @check("claw-back-once", why="two who see the same return take back once")
    def test_claw_back_once(self) -> None:
        """A return takes back once: its reference stands for one reversal for ever, whatever the key."""
        member, order = self.about()
        made = self.give(member, order)
        self.take_back(made, 3, "R-1")
        self.refused(
            IdempotencyConflictError, lambda: self.take_back(made, 2, "R-1"), to_do="keep return references unique."
        )
        self.expect_points(member, available=HAS + POINTS - 3, held=0, to_do="one return takes back once.")

    @check("claw-back-twice", why="an answer that was lost is asked for again, under the same key")
    def test_claw_back_twice(self) -> None:
        """The same key takes back once, and answers with the first reversal, marked as a repeat."""
        (member, order), key = self.about(), self.new_key()
        self.needs_keys()
        made = self.give(member, order)
        first, again = (self.take_back(made, 3, "R-1", key=key) for _ in range(2))
        expect("id, replayed", (again.id, again.replayed), (first.id, True), to_do="answer with the first reversal.")
        self.expect_points(member, available=HAS + POINTS - 3, held=0, to_do="take back once per key.")

    @check("claw-back-too-many", why="nobody loses more than an order has earned")
    def test_claw_back_too_many(self) -> None:
        """More than is left of the accrual is refused with `.remaining`; nothing is taken, nothing is cut."""
        member, order = self.about()
        made = self.give(member, order)
        self.take_back(made, 3, "R-1")
        error = self.refused(
            StateConflictError,
            lambda: self.take_back(made, POINTS - 2, "R-2"),
            to_do="refuse it; never cut it to what is left.",
        )
        expect("remaining", error.remaining, POINTS - 3, to_do="set `remaining` to the points that can still be taken.")
        self.expect_points(member, available=HAS + POINTS - 3, held=0, to_do="a refused call moves nothing.")

    @check("claw-back-to-zero", why="a shop that takes back to zero only is told what was not there any more")
    def test_claw_back_to_zero(self) -> None:
        """What the member has spent is told as not taken, and counts as taken back from the accrual."""
        self.about()
        member, made = self._spent(self.new_order())
        back = self.take_back(made, POINTS, "R-1")
        self._expect_taken(back, available=2, below_zero=0, not_taken=POINTS - 2)
        expect("reversed points", back.accrual.reversed_points, POINTS, to_do="count what was asked for.")
        self.expect_points(member, available=0, held=0, to_do="take no more than there is.")

    @check("claw-back-below-zero", why="earn, spend, return, keep must not pay, where the shop decides so")
    def test_claw_back_below_zero(self) -> None:
        """What the member has spent is owed, and points that come in settle it first."""
        self.about()
        member, made = self._spent(self.new_order())
        back = self.take_back(made, POINTS, "R-1", below_zero=True)
        self._expect_taken(back, available=2, below_zero=POINTS - 2, not_taken=0)
        balance = self.members.balance(member_id=member)
        expect("available", balance.available, 2 - POINTS, to_do="tell what is owed as available points below zero.")
        self.give(member, self.new_order())
        balance = self.members.balance(member_id=member)
        expect("available", balance.available, 2, to_do="let points that come in settle what is owed.")

    @check("claw-back-without-consent", why="who withdraws the consent must not keep what an order earned")
    def test_claw_back_without_consent(self) -> None:
        """The shop can take its points back without the member's consent."""
        member, order = self.about()
        made = self.give(member, order)
        self.withdraw_consent(member)
        self._expect_taken(self.take_back(made, 3, "R-1"), available=3, below_zero=0, not_taken=0)
