"""The noun shipment: points are captured with the goods that leave, and with the last of them to the point."""

from __future__ import annotations

import json
from collections.abc import Mapping

from punktgenau._clock import Clock
from punktgenau.checkout.books import Books
from punktgenau.checkout.execute import Executor
from punktgenau.checkout.goals import POLL_S
from punktgenau.checkout.journal import LostSwapError
from punktgenau.checkout.order_journal import OrderJournal
from punktgenau.checkout.parcels import captured
from punktgenau.checkout.returned import Wanted
from punktgenau.checkout.returns import REFERENCE_MAX, require_reference
from punktgenau.checkout.schema import RedemptionRow
from punktgenau.checkout.schema_returns import ShipmentRow
from punktgenau.checkout.standing import allocation_of, parcels_of
from punktgenau.checkout.vouchers import of_cart
from punktgenau.errors import IdempotencyConflictError, InProgressError, InvalidArgumentError

_SHIPPABLE = frozenset({"authorized", "partially_captured", "capturing", "extending"})


def _is_shippable(row: RedemptionRow) -> bool:
    # While something comes back of what has left, the next parcel waits for its turn.
    return row.state in _SHIPPABLE or (row.state == "reversing" and row.is_in_parts)


class Shipping:
    """Captures the points of a shipment, once per reference; in the order in which they are told."""

    def __init__(self, journal: OrderJournal, executor: Executor, *, clock: Clock) -> None:
        self._journal = journal
        self._executor = executor
        self._clock = clock

    def ship(
        self, row: RedemptionRow, *, lines: Mapping[str, int], reference: str, ends: float
    ) -> RedemptionRow | None:
        """Capture what the points pay of these units; None where that is not possible: only all can be captured then.

        Raises InvalidArgumentError (more units than are left), IdempotencyConflictError (the reference stands for
        another shipment).
        """
        reference = require_reference(reference, field="shipment_reference", most=REFERENCE_MAX)
        wanted = Wanted(lines=lines)
        units = {line_id: quantity for line_id, quantity in lines.items() if quantity}
        text = json.dumps(units, sort_keys=True, separators=(",", ":"))
        if self._executor.profile.captures != "many" or of_cart(row.cart):
            return None

        def plan(books: Books) -> ShipmentRow | None:
            if not _is_shippable(books.redemption) or books.redemption.release_cause is not None:
                return None
            return self._planned(books, wanted, reference=reference, lines=text)

        while True:
            left = max(0.1, ends - self._clock.monotonic())
            try:
                row, known, claim = self._journal.ship(row.id, reference=reference, plan=plan, lease_s=left)
                break
            except LostSwapError:
                if self._clock.monotonic() + POLL_S >= ends:
                    raise InProgressError(
                        f"Order {row.order_reference} is being changed by others. Nothing was captured; try the same "
                        "shipment again.",
                        idempotency_key=row.key,
                    ) from None
                self._clock.sleep(POLL_S)
        if known is None:
            return None if _is_shippable(row) else row
        if known.lines != text:
            raise IdempotencyConflictError(
                f"Shipment {reference} of order {row.order_reference} was told with other lines. The first one stands, "
                "this one did nothing.",
                code="reference_reused",
                field="shipment_reference",
            )
        if claim is None and known.state in {"requested", "capturing"}:
            # An earlier call has left something open, or somebody is sending it.
            claim = self._journal.claim(row.id, lease_s=left)
        return row if claim is None else self._executor.run(claim, deadline_s=left)[0]

    def _planned(self, books: Books, wanted: Wanted, *, reference: str, lines: str) -> ShipmentRow:
        allocation, before = allocation_of(books), parcels_of(books)
        try:
            points, worth_minor = captured(allocation, [*(units for _, units in before), wanted.lines])
        except InvalidArgumentError as error:
            raise InvalidArgumentError(
                f"Shipment {reference} is about more than is left of the order. Nothing was captured.", field="lines"
            ) from error
        taken_points = allocation.taken[0] + sum(one.points for one, _ in before)
        taken_minor = allocation.taken[1] + sum(one.worth_minor for one, _ in before)
        return ShipmentRow(
            redemption_id=books.redemption.id,
            number=len(books.shipments) + 1,
            reference=reference,
            lines=lines,
            points=points - taken_points,
            worth_minor=worth_minor - taken_minor,
            is_last=int(points == allocation.points),
            state="requested" if points > taken_points else "done",
            operation_id=None,
            created_at=self._journal.now_ms(),
        )
