"""Checks of an adapter: making holds final, whole and in part, and who wins against a void."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from punktgenau.errors import (
    AlreadyCapturedError,
    AlreadyVoidedError,
    NotFoundError,
    StateConflictError,
)
from punktgenau.testing.conformance.adapter_world import HAS, AdapterWorld
from punktgenau.testing.conformance.check import check, expect, expect_that, not_applicable
from punktgenau.testing.conformance.holds import EXACT


class CaptureChecks(AdapterWorld):
    """Capture: whole, in part, in parts, too much, twice, too late."""

    @check("capture", why="the shop ships on `captured`")
    def test_capture(self) -> None:
        """A capture takes what was held, in points and value, and the hold is over."""
        self.needs_holds()
        member = self.member(HAS)
        hold = self.authorize(member)
        taken = self.redemptions.capture(hold.id, idempotency_key=self.new_key())
        amounts = (taken.id, taken.state, taken.held_points, taken.captured_points, taken.captured_value)
        expect("what was captured", amounts, (hold.id, "captured", 0, 427, hold.value), to_do=EXACT)
        expect("expires_at", taken.expires_at, None, to_do="nothing is held any more, so nothing ends.")
        self.expect_points(member, available=573, held=0, to_do=EXACT)

    @check("capture-twice", why="a capture whose answer was lost is sent again")
    def test_capture_twice(self) -> None:
        """The same capture again answers as it stands, marked as replayed; another one is AlreadyCapturedError."""
        self.needs_holds()
        self.needs_keys()
        member = self.member(HAS)
        hold, key = self.authorize(member), self.new_key()
        self.redemptions.capture(hold.id, idempotency_key=key)
        again = self.redemptions.capture(hold.id, idempotency_key=key)
        told = (again.state, again.captured_points, again.replayed)
        expect("state, captured, replayed", told, ("captured", 427, True), to_do="answer with what stands now.")
        self.refused(
            AlreadyCapturedError,
            lambda: self.redemptions.capture(hold.id, idempotency_key=self.new_key()),
            to_do="map this conflict to AlreadyCapturedError.",
        )
        self.expect_points(member, available=573, held=0, to_do="a second capture takes nothing.")

    @check("capture-in-part", why="an order that became smaller takes fewer points")
    def test_capture_in_part(self) -> None:
        """A final capture of a part releases the rest at once."""
        self.needs_holds()
        member = self.member(HAS)
        taken = self.redemptions.capture(self.authorize(member).id, points=300, idempotency_key=self.new_key())
        amounts = (taken.state, taken.held_points, taken.captured_points, taken.released_points)
        expect("state, held, captured, released", amounts, ("captured", 0, 300, 127), to_do=EXACT)
        self.expect_points(member, available=700, held=0, to_do="release what a final capture leaves.")

    @check("capture-in-parts", why="an order that ships in parcels takes its points with each")
    def test_capture_in_parts(self) -> None:
        """With `final=False` the rest stays held, and can be captured later."""
        self.needs_holds()
        if self.profile.captures == "one":
            raise not_applicable("the profile says that there is one capture")
        member = self.member(HAS)
        hold = self.authorize(member)
        part = self.redemptions.capture(
            hold.id, points=300, final=False, capture_reference="C-1", idempotency_key=self.new_key()
        )
        amounts = (part.state, part.held_points, part.captured_points)
        expect("state, held, captured", amounts, ("partially_captured", 127, 300), to_do=EXACT)
        self.expect_points(member, available=573, held=127, to_do=EXACT)
        whole = self.redemptions.capture(hold.id, capture_reference="C-2", idempotency_key=self.new_key())
        amounts = (whole.state, whole.held_points, whole.captured_points)
        expect("state, held, captured", amounts, ("captured", 0, 427), to_do=EXACT)
        self.expect_points(member, available=573, held=0, to_do=EXACT)

    @check("capture-too-many", why="never more is taken than the customer agreed to")
    def test_capture_too_many(self) -> None:
        """More than is held is refused with `.remaining`, and nothing is captured."""
        self.needs_holds()
        member = self.member(HAS)
        hold = self.authorize(member)
        error = self.refused(
            StateConflictError,
            lambda: self.redemptions.capture(hold.id, points=428, idempotency_key=self.new_key()),
            to_do="refuse it; never cut it to what is held.",
        )
        expect("remaining", error.remaining, 427, to_do="set `remaining` to the points that are held.")
        self.expect_points(member, available=573, held=427, to_do="a refused call moves nothing.")

    @check("capture-voided", why="a late capture has to hear that the points are back with the member")
    def test_capture_voided(self) -> None:
        """A voided hold cannot be captured: AlreadyVoidedError, and nothing is taken."""
        self.needs_holds()
        member = self.member(HAS)
        hold = self.authorize(member)
        self.redemptions.void(hold.id, idempotency_key=self.new_key())
        self.refused(
            AlreadyVoidedError,
            lambda: self.redemptions.capture(hold.id, idempotency_key=self.new_key()),
            to_do="map this conflict to AlreadyVoidedError.",
        )
        self.expect_points(member, available=1000, held=0, to_do="a refused call moves nothing.")

    @check("capture-or-void", why="shop and worker may decide at the same moment")
    def test_capture_or_void(self) -> None:
        """Of a capture and a void at the same time one wins, and the other one hears a conflict."""
        self.needs_holds()
        member = self.member(HAS)
        hold = self.authorize(member)
        with ThreadPoolExecutor(2) as threads:
            calls = (
                threads.submit(self.redemptions.capture, hold.id, idempotency_key=self.new_key()),
                threads.submit(self.redemptions.void, hold.id, idempotency_key=self.new_key()),
            )
            errors = [call.exception() for call in calls]
        lost = [error for error in errors if error is not None]
        expect_that(
            len(lost) == 1 and isinstance(lost[0], StateConflictError),
            f"A capture and a void at once ended with {errors!r}.",
            to_do="let the provider decide, and hand on the loser's conflict.",
        )
        left = 573 if errors[0] is None else 1000
        self.expect_points(member, available=left, held=0, to_do="the winner's effect alone counts.")

    @check("capture-unknown", why="a redemption of another shop is none of ours")
    def test_capture_unknown(self) -> None:
        """A redemption that does not exist is NotFoundError."""
        self.needs_holds()
        self.refused(
            NotFoundError,
            lambda: self.redemptions.capture("red_never_made", idempotency_key=self.new_key()),
            to_do="map this refusal to NotFoundError.",
        )
