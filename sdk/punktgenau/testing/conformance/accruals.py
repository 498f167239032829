"""Checks of an adapter: points that the shop gives, and once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from punktgenau.errors import IdempotencyConflictError, NotFoundError
from punktgenau.provider import AccrualsPort, AccrualsProvider
from punktgenau.testing.conformance.adapter_world import HAS, AdapterWorld
from punktgenau.testing.conformance.check import ConformanceError, check, expect, not_applicable

if TYPE_CHECKING:
    from punktgenau.accrual_records import Accrual, AccrualReversal

REASON = "Given by a check"
POINTS = 7


class AccrualChecks(AdapterWorld):
    """Accruals: given, given once, found."""

    @property
    def accruals(self) -> AccrualsPort:
        """Giving points; ends the check where the provider's profile says that there is no such thing."""
        provider = self.provider()
        if not provider.profile.accrues:
            raise not_applicable("the profile says that partners give no points")
        if not isinstance(provider, AccrualsProvider):
            raise ConformanceError("The profile says `accrues`, and there is no `accruals`.\nto do: offer one of them.")
        return provider.accruals

    def give(self, member_id: str, order: str, *, key: str | None = None, pending_s: int | None = None) -> Accrual:
        """Seven points for an order, under its own reference."""
        return self.accruals.create(
            member_id=member_id,
            points=POINTS,
            order_reference=order,
            accrual_reference=f"{order}-n",
            reason=REASON,
            pending_s=pending_s,
            idempotency_key=key or self.new_key(),
        )

    def take_back(
        self, made: Accrual, points: int, return_reference: str, *, below_zero: bool = False, key: str | None = None
    ) -> AccrualReversal:
        """So many of them, for one return."""
        return self.accruals.reverse(
            made.id,
            points=points,
            return_reference=return_reference,
            reason=REASON,
            below_zero=below_zero,
            idempotency_key=key or self.new_key(),
        )

    def about(self) -> tuple[str, str]:
        """A member and an order that nothing is known of; ends the check where partners give no points."""
        self.accruals  # noqa: B018  says whether it applies
        return self.member(HAS), self.new_order()

    @check("accrue", why="new points take the place of those that came back expired")
    def test_accrue(self) -> None:
        """Points are there at once; the answer says for whom, for which order, and how many."""
        member, order = self.about()
        made = self.give(member, order)
        told = (made.state, made.member_id, made.order_reference, made.accrual_reference, made.points)
        expect("the accrual", told, ("posted", member, order, f"{order}-n", POINTS), to_do="hand on what was given.")
        self.expect_points(member, available=HAS + POINTS, held=0, to_do="give the points at once.")

    @check("accrue-twice", why="an answer that was lost is asked for again, under the same key")
    def test_accrue_twice(self) -> None:
        """The same key gives once, and answers with the first accrual, marked as a repeat."""
        (member, order), key = self.about(), self.new_key()
        self.needs_keys()
        first, again = self.give(member, order, key=key), self.give(member, order, key=key)
        expect("id, replayed", (again.id, again.replayed), (first.id, True), to_do="answer with the first accrual.")
        self.expect_points(member, available=HAS + POINTS, held=0, to_do="give once per key.")

    @check("accrue-reference", why="a reference stands for one accrual for ever, whatever became of its key")
    def test_accrue_reference(self) -> None:
        """The same reference under another key gives nothing: IdempotencyConflictError."""
        member, order = self.about()
        self.give(member, order)
        self.refused(
            IdempotencyConflictError, lambda: self.give(member, order), to_do="keep accrual references unique."
        )
        self.expect_points(member, available=HAS + POINTS, held=0, to_do="give once per reference.")

    @check("accrue-found", why="what an unanswered accrual did is found by its key, or by its order")
    def test_accrue_found(self) -> None:
        """By key, by order and by id the same accrual; what nobody gave is not found."""
        accruals, (member, order), key = self.accruals, self.about(), self.new_key()
        self.needs_lookup()
        made = self.give(member, order, key=key)
        self.settle()
        if "key" in self.profile.lookup:
            found = [one.id for one in accruals.find(idempotency_key=key)]
            expect("by key", found, [made.id], to_do="find an accrual by its key.")
            expect("by no key", accruals.find(idempotency_key=self.new_key()), (), to_do="return an empty tuple.")
        if "order" in self.profile.lookup:
            found = [one.id for one in accruals.find(order_reference=order)]
            expect("by order", found, [made.id], to_do="find an accrual by its order.")
            expect("by no order", accruals.find(order_reference=self.new_order()), (), to_do="return an empty tuple.")
        expect("by id", accruals.get(made.id).points, POINTS, to_do="hand on what the provider has now.")
        self.refused(NotFoundError, lambda: accruals.get("acc_never_made"), to_do="map this refusal to NotFoundError.")
