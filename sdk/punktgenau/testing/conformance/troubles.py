"""Checks of an adapter: answers that are lost, late, wrong or never come; and what errors and texts may show."""

from __future__ import annotations

from collections.abc import Callable

from punktgenau.errors import NotSentError, OutcomeUnknownError, PunktgenauError, UnavailableError
from punktgenau.provider import Redemption, Reversal
from punktgenau.testing.conformance.adapter_world import HAS, AdapterWorld
from punktgenau.testing.conformance.check import ConformanceError, check, expect, expect_that

DEADLINE_S = 1.0
LATE_S = 1.0
SAY_UNKNOWN = "raise OutcomeUnknownError for a write without a proper answer: it is neither failed nor done."


class TroubleChecks(AdapterWorld):
    """Each needs one of the functions that make trouble."""

    def _unknown(self, call: Callable[[], Redemption | Reversal], *, key: str) -> None:
        """A call without a proper answer is unknown; one that was repeated inside, and then answered, is fine."""
        __tracebackhide__ = True
        try:
            answer = call()
        except OutcomeUnknownError as error:
            self.expect_explained(error)
            told = (error.outcome, error.retry, error.idempotency_key)
            expect("outcome, retry, key of the error", told, ("unknown", "same_key", key), to_do=SAY_UNKNOWN)
            expect_that(
                bool(error.next_call), "The error names no next call.", to_do="name the look-up that finds out."
            )
        except PunktgenauError as error:
            raise ConformanceError(
                f"{type(error).__name__} ({error.code}, outcome {error.outcome}) was raised.\nto do: {SAY_UNKNOWN}"
            ) from error
        else:
            expect_that(
                answer.replayed or answer.sends > 1,
                "An answer was returned although every answer got lost.",
                to_do=SAY_UNKNOWN,
            )

    @check("lost-authorize", why="the customer is asked, and the same key finds out")
    def test_lost_authorize(self) -> None:
        """A hold whose answer was lost is unknown; the same call with the same key then resolves it, once."""
        self.needs_keys()
        member, order, key = self.member(HAS), self.new_order(), self.new_key()
        self.lose_answers("authorize")
        self._unknown(lambda: self.authorize(member, order=order, key=key), key=key)
        self.heal()
        again = self.authorize(member, order=order, key=key)
        expect("points, replayed", (again.points, again.replayed), (427, True), to_do="repeat it with the same key.")
        self.expect_gone(member, points=427, to_do="however often a key is sent, it is one effect.")

    @check("lost-found", why="an unknown call is looked up where its key must not be sent again")
    def test_lost_found(self) -> None:
        """A hold whose answer was lost is found by its key or its order."""
        self.needs_lookup()
        member, order, key = self.member(HAS), self.new_order(), self.new_key()
        self.lose_answers("authorize")
        self._unknown(lambda: self.authorize(member, order=order, key=key), key=key)
        self.heal()
        self.settle()
        if "key" in self.profile.lookup:
            found = self.redemptions.find(idempotency_key=key)
        else:
            found = self.redemptions.find(order_reference=order)
        told = [(redemption.order_reference, redemption.points) for redemption in found]
        expect("order and points", told, [(order, 427)], to_do="look it up at the provider, not in what was answered.")

    @check("lost-capture", why="the shop ships on `captured`, and a worker finds out")
    def test_lost_capture(self) -> None:
        """A capture whose answer was lost is unknown, and the same key resolves it."""
        self.needs_keys()
        self.needs_holds()
        member, key = self.member(HAS), self.new_key()
        hold = self.authorize(member)
        self.lose_answers("capture")
        self._unknown(lambda: self.redemptions.capture(hold.id, idempotency_key=key), key=key)
        self.heal()
        again = self.redemptions.capture(hold.id, idempotency_key=key)
        expect(
            "state, captured", (again.state, again.captured_points), ("captured", 427), to_do="repeat it by its key."
        )
        self.expect_points(member, available=573, held=0, to_do="however often a key is sent, it is one effect.")

    @check("lost-void", why="points of a failed payment come back, whatever the network does")
    def test_lost_void(self) -> None:
        """A void whose answer was lost is unknown, and the same key resolves it."""
        self.needs_keys()
        self.needs_holds()
        member, key = self.member(HAS), self.new_key()
        hold = self.authorize(member)
        self.lose_answers("void")
        self._unknown(lambda: self.redemptions.void(hold.id, idempotency_key=key), key=key)
        self.heal()
        expect(
            "state", self.redemptions.void(hold.id, idempotency_key=key).state, "voided", to_do="repeat it by its key."
        )
        self.expect_points(member, available=1000, held=0, to_do="release the whole hold.")

    @check("lost-reverse", why="a return must not be paid out twice")
    def test_lost_reverse(self) -> None:
        """A reversal whose answer was lost is unknown, and the same key gives back once."""
        self.needs_keys()
        member, key = self.member(HAS), self.new_key()
        taken = self.take(member)

        def back() -> Reversal:
            return self.redemptions.reverse(taken.id, points=427, return_reference="R-1", idempotency_key=key)

        self.lose_answers("reverse")
        self._unknown(back, key=key)
        self.heal()
        expect("points", back().points, 427, to_do="repeat it by its key.")
        self.expect_points(member, available=1000, held=0, to_do="one return gives back once.")

    @check("deadline-write", why="a checkout page waits for the provider for so long and no longer")
    def test_deadline_write(self) -> None:
        """A write that gets no answer ends by its deadline, as unknown."""
        member, key = self.member(HAS), self.new_key()
        self.never_answer("authorize")
        began = self.monotonic()
        self._unknown(lambda: self.authorize(member, key=key, deadline_s=DEADLINE_S), key=key)
        self._expect_in_time(began)

    @check("deadline-read", why="a cart page waits for the balance for so long and no longer")
    def test_deadline_read(self) -> None:
        """A read that gets no answer ends by its deadline, as UnavailableError: nothing was changed."""
        member = self.member(HAS)
        self.never_answer("balance")
        began = self.monotonic()
        self.refused(
            UnavailableError,
            lambda: self.members.balance(member_id=member, deadline_s=DEADLINE_S),
            to_do="a read that got no answer is UnavailableError.",
        )
        self._expect_in_time(began)

    @check("wrong-answer", why="an answer about other points would charge the customer something else")
    def test_wrong_answer(self) -> None:
        """An answer that is about other points than asked for is unknown, never done."""
        member, key = self.member(HAS), self.new_key()
        self.answer_wrongly("authorize")
        to_do = "compare every answer with what was asked: Redemption.differs_from."
        self.refused(OutcomeUnknownError, lambda: self.authorize(member, key=key), to_do=to_do, outcome="unknown")

    @check("away-write", why="the shop sells without the provider, at once")
    def test_away_write(self) -> None:
        """A provider that is not there: NotSentError, for nothing happened; or unknown, where that is not certain."""
        member, key = self.member(HAS), self.new_key()
        # Also an adapter that needs a token first has one now.
        self.members.balance(member_id=member)
        self.go_away()
        to_do = "raise NotSentError where the connection was refused, OutcomeUnknownError where anything may have left."
        try:
            self.authorize(member, key=key)
        except (NotSentError, OutcomeUnknownError) as error:
            self.expect_explained(error)
            wanted = "not_done" if isinstance(error, NotSentError) else "unknown"
            expect("outcome", error.outcome, wanted, to_do=to_do)
        except PunktgenauError as error:
            raise ConformanceError(f"{type(error).__name__} was raised.\nto do: {to_do}") from error
        else:
            raise ConformanceError(f"An answer was returned although nobody listens.\nto do: {to_do}")
        self.heal()
        self.authorize(member)
        self.expect_gone(member, points=427, to_do="a call that was refused has done nothing.")

    @check("away-read", why="points are greyed out with the reason, and the cart goes on")
    def test_away_read(self) -> None:
        """A provider that is not there: a read is NotSentError or UnavailableError, outcome not_done."""
        member = self.member(HAS)
        self.go_away()
        error = self.refused(
            PunktgenauError,
            lambda: self.members.balance(member_id=member),
            to_do="raise errors of punktgenau.errors only.",
        )
        expect_that(
            isinstance(error, NotSentError | UnavailableError),
            f"{type(error).__name__} was raised.",
            to_do="a read without an answer is NotSentError or UnavailableError.",
        )

    @check("no-secret", why="what is shown by repr ends in logs and error reports")
    def test_no_secret(self) -> None:
        """No secret is shown by repr or str of the adapter and its parts."""
        provider = self.provider()
        for part in (provider, provider.members, provider.redemptions, provider.profile):
            self.expect_no_secret(f"{part!r} {part}", where=f"repr of {type(part).__name__}")

    def _expect_in_time(self, began: float) -> None:
        took_s = self.monotonic() - began
        expect_that(
            took_s <= DEADLINE_S + LATE_S,
            f"A call with a deadline of {DEADLINE_S:g} s took {took_s:.2f} s.",
            to_do="count one deadline over connect, headers, body and every repeat.",
        )
