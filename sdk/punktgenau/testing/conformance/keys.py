"""Checks of an adapter: what a key promises, also to threads, and how it is given up."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial

from punktgenau.errors import (
    AlreadyCapturedError,
    IdempotencyConflictError,
    InProgressError,
    OutcomeUnknownError,
    PunktgenauError,
    RedemptionEndedError,
)
from punktgenau.provider import Redemption
from punktgenau.testing.conformance.adapter_world import HAS, AdapterWorld
from punktgenau.testing.conformance.check import check, expect, expect_that, not_applicable

ONE_EFFECT = "send the caller's key to the provider, unchanged, and let it decide."
THREADS = 8


class KeyChecks(AdapterWorld):
    """Idempotency keys, and cancel-by-key."""

    @check("key-same-content", why="a call whose answer was lost is made again, with its key")
    def test_key_same_content(self) -> None:
        """The same key with the same content is one effect; the second answer is marked as replayed."""
        self.needs_keys()
        member, order, key = self.member(HAS), self.new_order(), self.new_key()
        first = self.authorize(member, order=order, key=key)
        again = self.authorize(member, order=order, key=key)
        expect("id, replayed", (again.id, again.replayed), (first.id, True), to_do=ONE_EFFECT)
        self.expect_gone(member, points=427, to_do=ONE_EFFECT)

    @check("key-now", why="the answer to a repeated call is where things stand, not where they stood")
    def test_key_now(self) -> None:
        """The same key later answers with the redemption as it is now."""
        self.needs_holds()
        self.needs_keys()
        member, order, key = self.member(HAS), self.new_order(), self.new_key()
        hold = self.authorize(member, order=order, key=key)
        self.redemptions.capture(hold.id, idempotency_key=self.new_key())
        again = self.authorize(member, order=order, key=key)
        expect("state, replayed", (again.state, again.replayed), ("captured", True), to_do="look up what stands now.")

    @check("key-other-content", why="a key that meets other content is a defect that must not move points")
    def test_key_other_content(self) -> None:
        """The same key with other content is an error, and the first use stands."""
        self.needs_keys()
        member, order, key = self.member(HAS), self.new_order(), self.new_key()
        self.authorize(member, order=order, key=key)
        other = partial(self.authorize, member, order=order, key=key, points=428)
        if self.profile.mismatch == "error":
            self.refused(IdempotencyConflictError, other, to_do="map this conflict to IdempotencyConflictError.")
        else:
            # Such a provider answers with the first content, which is not what was asked for.
            to_do = "compare the answer with what was asked: Redemption.differs_from."
            self.refused(OutcomeUnknownError, other, to_do=to_do, outcome="unknown")
        self.expect_gone(member, points=427, to_do="the first use of a key stands.")

    @check("key-of-two-orders", why="two orders never meet in one redemption")
    def test_key_of_two_orders(self) -> None:
        """Two keys for two orders are two effects."""
        member = self.member(HAS)
        first, second = self.authorize(member), self.authorize(member, points=100)
        expect_that(first.id != second.id, "Two orders got one redemption.", to_do=ONE_EFFECT)
        self.expect_gone(member, points=527, to_do="another order is another redemption.")

    @check("key-threads", why="a double click reaches two processes at the same moment")
    def test_key_threads(self) -> None:
        """The same call from eight threads at once is one effect, and all who get an answer get the same one."""
        self.needs_keys()
        member, order, key = self.member(HAS), self.new_order(), self.new_key()

        def call(_: int) -> Redemption | PunktgenauError:
            try:
                return self.authorize(member, order=order, key=key)
            except PunktgenauError as error:
                return error

        with ThreadPoolExecutor(THREADS) as threads:
            answers = list(threads.map(call, range(THREADS)))
        ids = {answer.id for answer in answers if isinstance(answer, Redemption)}
        expect("number of redemptions", len(ids), 1, to_do=ONE_EFFECT)
        wrong = [error for error in answers if isinstance(error, PunktgenauError) and not _says_wait(error)]
        expect("errors besides 'not known yet'", wrong, [], to_do="wait within the deadline, or raise it as unknown.")
        self.expect_gone(member, points=427, to_do=ONE_EFFECT)

    @check("cancel-held", why="an authorize that was given up is ended by its key")
    def test_cancel_held(self) -> None:
        """Cancel-by-key ends what is held, also when it is done twice."""
        self.needs_holds()
        self._needs_cancel()
        member, key = self.member(HAS), self.new_key()
        self.authorize(member, key=key)
        for _ in range(2):
            ended = self.redemptions.cancel_by_key(target_key=key, idempotency_key=self.new_key())
            told = (ended.held_points, ended.captured_points, ended.idempotency_key)
            expect("held, captured, key", told, (0, 0, key), to_do="end the hold, and answer with what stands.")
        self.expect_points(member, available=1000, held=0, to_do="release the whole hold.")

    @check(
        "cancel-before", why="a request that is still on its way must not hold points after the order went on without"
    )
    def test_cancel_before(self) -> None:
        """A key that was cancelled before its authorize arrived is dead: RedemptionEndedError, nothing is held."""
        self._needs_cancel()
        member, key = self.member(HAS), self.new_key()
        self.redemptions.cancel_by_key(target_key=key, idempotency_key=self.new_key())
        to_do = "a cancelled key is a tombstone for ever; without such, say cancel_by_key=False in the profile."
        self.refused(RedemptionEndedError, lambda: self.authorize(member, key=key), to_do=to_do)
        self.expect_gone(member, points=0, to_do=to_do)

    @check("cancel-captured", why="giving up must not undo a payment that was made meanwhile")
    def test_cancel_captured(self) -> None:
        """What was captured meanwhile stays: AlreadyCapturedError."""
        self.needs_holds()
        self._needs_cancel()
        member, key = self.member(HAS), self.new_key()
        hold = self.authorize(member, key=key)
        self.redemptions.capture(hold.id, idempotency_key=self.new_key())
        self.refused(
            AlreadyCapturedError,
            lambda: self.redemptions.cancel_by_key(target_key=key, idempotency_key=self.new_key()),
            to_do="end only what is held.",
        )
        self.expect_points(member, available=573, held=0, to_do="captured points go back by a reversal only.")

    def _needs_cancel(self) -> None:
        if not self.profile.cancel_by_key:
            raise not_applicable("the profile says that a key cannot be cancelled")


def _says_wait(error: PunktgenauError) -> bool:
    return isinstance(error, OutcomeUnknownError | InProgressError)
