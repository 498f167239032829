"""Checks of an adapter: finding out what became of a call, and what its records are made of."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import cast, get_args

from punktgenau.errors import InvalidArgumentError, NotFoundError, NotLinkedError, PunktgenauError
from punktgenau.provider import Mode, Redemption, TenderRequest
from punktgenau.testing.conformance.adapter_world import HAS, POINTS, AdapterWorld
from punktgenau.testing.conformance.check import check, expect, expect_that

# What a program without types might hand over.
NOT_POINTS: tuple[object, ...] = (True, 10.0, "10", 0, -1, None)


class LookupChecks(AdapterWorld):
    """Get, find, entries, and arguments that cannot be meant."""

    @check("find-by-key", why="what an unanswered call did is found by its key")
    def test_find_by_key(self) -> None:
        """The redemption of a key, and only that."""
        self.needs_lookup("key")
        member, key = self.member(HAS), self.new_key()
        made = self.authorize(member, key=key)
        self.authorize(member, points=1)
        self.settle()
        found = [redemption.id for redemption in self.redemptions.find(idempotency_key=key)]
        expect("ids", found, [made.id], to_do="look up by the authorize's key.")

    @check("find-by-order", why="the newest attempt is the one that counts")
    def test_find_by_order(self) -> None:
        """Every redemption of an order, newest first."""
        self.needs_lookup("order")
        member, order = self.member(HAS), self.new_order()
        first = self.take(member, order=order)
        self.redemptions.reverse(first.id, points=427, return_reference="R-1", idempotency_key=self.new_key())
        second = self.authorize(member, order=order)
        self.settle()
        found = [redemption.id for redemption in self.redemptions.find(order_reference=order)]
        expect("ids", found, [second.id, first.id], to_do="hand on all attempts, newest first.")

    @check("find-nothing", why="that nothing was done is an answer, too")
    def test_find_nothing(self) -> None:
        """A key and an order that nobody used: an empty tuple, not an error."""
        self.needs_lookup()
        if "key" in self.profile.lookup:
            expect("by key", self.redemptions.find(idempotency_key=self.new_key()), (), to_do="return an empty tuple.")
        if "order" in self.profile.lookup:
            expect(
                "by order", self.redemptions.find(order_reference=self.new_order()), (), to_do="return an empty tuple."
            )

    @check("get", why="events are only hints; what stands is asked for")
    def test_get(self) -> None:
        """A redemption by its id, as it is now; one that does not exist is NotFoundError."""
        self.needs_lookup()
        made = self.take(self.member(HAS))
        self.settle()
        found = self.redemptions.get(made.id)
        told = (found.id, found.state, found.captured_points, found.value)
        expect("what is got", told, (made.id, "captured", 427, made.value), to_do="hand on what the provider has now.")
        self.refused(
            NotFoundError, lambda: self.redemptions.get("red_never_made"), to_do="map this refusal to NotFoundError."
        )

    @check("entries", why="the customer's history shows every movement with its order")
    def test_entries(self) -> None:
        """Movements come newest first, and one names the order that points were taken for."""
        member, order = self.member(HAS), self.new_order()
        self.take(member, order=order)
        self.settle()
        items = self.members.entries(member_id=member).items
        sequences = [entry.sequence for entry in items]
        expect("order of entries", sequences, sorted(sequences, reverse=True), to_do="hand on the newest first.")
        expect_that(
            any(entry.order_reference == order for entry in items),
            f"No movement names the order {order}.",
            to_do="send the order reference, and hand it on with the movement.",
        )

    @check("times", why="holds are counted by the provider's clock, wherever the shop stands")
    def test_times(self) -> None:
        """Times are aware and in UTC, and the mode is said with every answer, and the one that was configured."""
        redemption = self.authorize(self.member(HAS))
        moments = (redemption.now, redemption.created_at, redemption.updated_at)
        expect_that(
            all(moment.utcoffset() == timedelta(0) for moment in moments),
            f"Times of a redemption are {moments}.",
            to_do="read times as aware datetimes in UTC.",
        )
        configured = self.provider().mode
        expect_that(
            redemption.mode in get_args(Mode) and configured in (None, redemption.mode),
            f"The answer's mode is {redemption.mode!r}, the adapter's is {configured!r}.",
            to_do="refuse answers of another mode than the one configured.",
        )

    @check("profile", why="the engine asks the profile what it may do, never the class")
    def test_profile(self) -> None:
        """The profile can be true: no negative times, and names for provider and shop."""
        profile = self.profile
        times = (profile.key_window_s, profile.settle_s, profile.longest_hold_s, profile.resolution_bound_s)
        expect_that(min(times) >= 0, f"A time of the profile is negative: {times}.", to_do="seconds count from 0.")
        expect_that(
            bool(profile.name) and bool(self.provider().partner_id),
            "The profile's name or the partner_id is empty.",
            to_do="name the provider and the shop as it knows it; both stand in every row of the journal.",
        )

    @check("strict-points", why="points that were rounded or cut on the way are lost or doubled")
    def test_strict_points(self) -> None:
        """Anything but a whole number of points, from 1 on, is InvalidArgumentError, and nothing is sent."""
        member = self.member(HAS)
        for wrong in NOT_POINTS:
            to_do = f"refuse points={wrong!r} before anything is sent."
            self.refused(InvalidArgumentError, partial(self.authorize, member, points=cast(int, wrong)), to_do=to_do)
        self.expect_gone(member, points=0, to_do="a refused call moves nothing.")

    @check("long-reference", why="a reference that was cut is another order's")
    def test_long_reference(self) -> None:
        """An order reference of more than 36 characters is refused, never cut."""
        member = self.member(HAS)
        self.refused(
            PunktgenauError, lambda: self.authorize(member, order="A" * 37), to_do="refuse what the provider would cut."
        )
        self.expect_gone(member, points=0, to_do="a refused call moves nothing.")

    @check("tenders", why="the engine always says which tenders it wants")
    def test_tenders(self) -> None:
        """One tender of kind points is the same as `points`, and the answer repeats it."""
        made: Redemption = self.redemptions.authorize(
            member_id=self.member(HAS),
            order_reference=self.new_order(),
            total=self.money(5990),
            tenders=[TenderRequest(points=POINTS)],
            capture=None if self.has_holds else "now",
            idempotency_key=self.new_key(),
        )
        told = [(tender.kind, tender.points) for tender in made.tenders]
        expect("tenders", told, [("points", 427)], to_do="hand on one tender of kind points.")

    @check("consent", why="a member may take their consent back, and what was begun still ends properly")
    def test_consent(self) -> None:
        """Without consent nothing new is held (NotLinkedError), and a capture goes on."""
        self.needs_holds()
        member = self.member(HAS)
        hold = self.authorize(member)
        self.withdraw_consent(member)
        self.refused(NotLinkedError, lambda: self.authorize(member), to_do="map this refusal to NotLinkedError.")
        taken = self.redemptions.capture(hold.id, idempotency_key=self.new_key())
        expect("state", taken.state, "captured", to_do="ask for the member's consent for new holds only.")
