"""Checks of an adapter: points that the shop gave out lead back to the order that earned them."""

from __future__ import annotations

from datetime import UTC

from punktgenau.provider import IssuedPort, StatementsProvider
from punktgenau.testing.conformance.accruals import POINTS, AccrualChecks
from punktgenau.testing.conformance.adapter_world import HAS
from punktgenau.testing.conformance.check import check, expect, not_applicable


class IssuedChecks(AccrualChecks):
    """The list of what was redeemed of the points that the shop gave out."""

    @property
    def issued(self) -> IssuedPort:
        """The list; ends the check where the provider has none."""
        provider = self.provider()
        statements = provider.statements if isinstance(provider, StatementsProvider) else None
        if not isinstance(statements, IssuedPort):
            raise not_applicable("the provider does not list which of the shop's points were redeemed")
        return statements

    @check("issued", why="the tax report leads redeemed points back to the order that earned them")
    def test_issued(self) -> None:
        """What is redeemed names its accrual and order; what is given back comes off again."""
        issued, (member, order) = self.issued, self.about()
        made = self.give(member, order)
        # All that there is, so whichever points are taken first, these are among them.
        redemption = self.take(member, points=HAS + POINTS)
        self.settle()
        month = f"{redemption.now.astimezone(UTC):%Y-%m}"

        def listed() -> tuple[int, set[str | None]]:
            lines = [one for one in issued.issued(month) if one.accrual_reference == made.accrual_reference]
            return sum(one.points for one in lines), {one.order_reference for one in lines}

        expect("points, and of which order", listed(), (POINTS, {order}), to_do="name the accrual of each point.")
        self.redemptions.reverse(
            redemption.id, points=HAS + POINTS, return_reference=self.new_order(), idempotency_key=self.new_key()
        )
        self.settle()
        expect("points once all are back", listed()[0], 0, to_do="list what is given back as negative.")
