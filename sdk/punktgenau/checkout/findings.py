"""What a run has found: each disagreement with its proposal, written down in the journal as it is found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from punktgenau._redact import logger, short
from punktgenau.checkout.booking import Booking, Window
from punktgenau.checkout.bookings import Bookings, OrderPoints
from punktgenau.checkout.cart import Order
from punktgenau.checkout.differences import NEXT_ONE, Differences, difference_id
from punktgenau.checkout.matched import DifferenceKind, Finding
from punktgenau.checkout.schema import RedemptionRow
from punktgenau.checkout.schema_clearing import DifferenceRow

FINDINGS_MAX = 10_000
"""More than that is no list to work on: it is the wrong statement. Further ones are only counted."""
BROKEN_MAX = 100
WAITING_MAX = 100_000
_BATCH = 200
# What a person may have done about it; only "capture", "cancel" and "look_up" make a call.
PROPOSALS: dict[DifferenceKind, str] = {
    "only_there": "look_up",
    "only_here": "look_up",
    "amount": "look_up",
    "period": "accept",
    "not_captured": "capture",
    "not_released": "cancel",
    "double": "claim",
}


class Findings:
    """Gathers what one run finds, in batches; `order_loader` tells how the shop sees the order in question.

    `asking` is called before the shop is asked; what it raises ends the run. `settles`: whether a booking of
    the next month that stands on this statement is done with.
    """

    def __init__(
        self,
        differences: Differences,
        bookings: Bookings,
        *,
        period: str,
        seen_at: int,
        order_loader: Callable[[str], Order | None] | None,
        asking: Callable[[], None] = lambda: None,
        settles: bool = True,
    ) -> None:
        self._differences = differences
        self._bookings = bookings
        self._period = period
        self._seen_at = seen_at
        self._order_loader = order_loader
        self._asking = asking
        self._settles = settles
        self._rows: list[DifferenceRow] = []
        self._waited: frozenset[str] | None = None
        self.found: Counter[str] = Counter()
        self.waiting = 0
        self.broken_count = 0
        self.broken_lines: list[tuple[int, str]] = []

    @property
    def is_full(self) -> bool:
        """Whether further ones are only counted."""
        return self.found.total() >= FINDINGS_MAX

    def count(self, kind: DifferenceKind) -> None:
        """One more, written down or not."""
        self.found[kind] += 1

    def broken(self, number: int, reason: str) -> None:
        """A line that is no booking of ours; the first of them are kept."""
        self.broken_count += 1
        if len(self.broken_lines) < BROKEN_MAX:
            self.broken_lines.append((number, reason))

    def add(self, finding: Finding) -> None:
        """A disagreement about a pair, or a booking without one."""
        there, here = finding.there, finding.here
        self._keep(finding.kind, there=there, here=here, note=finding.note)

    def double(self, line: Booking, twin: Booking) -> None:
        """What another line has found is on the statement once more."""
        self._keep("double", there=line, here=twin, note="another line is about the same")

    def unknown_line(self, line: Booking, twin: Booking | None) -> None:
        """A line about a redemption that the journal has never heard of; `twin`: its order has just that booked."""
        if twin is not None:
            self._keep("double", there=line, here=twin, note="this order's points are booked under another redemption")
            return
        self._keep("only_there", there=line, here=None, note="the journal knows nothing of it", proposal="claim")

    def known_line(self, line: Booking, row: RedemptionRow) -> None:
        """A line about a redemption of which the journal says nothing of the kind."""
        asked = self._bookings.open_operation(row.id)
        note = f"here it is {row.state}" + (f", with {asked.kind} not resolved" if asked is not None else "")
        self._keep("only_there", there=line, here=None, note=note, redemption_id=row.id)

    def paired(self, booking: Booking, window: Window) -> None:
        """A booking that a line agrees with: where our clock had the next month by then, that one has to know."""
        if booking.at >= window.until and self._settles:
            self._keep("only_here", there=None, here=booking, note="stands on the statement before", state="settled")

    def lost_booking(self, booking: Booking, window: Window) -> None:
        """A booking that is not on the statement: perhaps on the one before or after, if it stands near the edge."""
        if booking.at >= window.until:
            return
        id = difference_id("only_here", booking.id)
        if booking.at < window.since:
            if id in self._awaited():
                self._keep(
                    "only_here", there=None, here=booking, note="neither on this statement nor on the one before"
                )
            return
        if booking.at >= window.until - window.grace:
            self.waiting += 1
            if self.waiting <= WAITING_MAX:
                self._keep("only_here", there=None, here=booking, note=NEXT_ONE, state="waiting")
            return
        if not self.is_full and booking.at < window.since + window.grace and self._stood_before(id):
            return
        self._keep("only_here", there=None, here=booking, note="the statement says nothing of it")

    def _stood_before(self, id: str) -> bool:
        known = self._differences.find(id)
        return known is not None and known.state == "settled" and known.period < self._period

    def _awaited(self) -> frozenset[str]:
        """What the statement before had nothing of either; bookings before this month are no news otherwise."""
        if self._waited is None:
            states = ("waiting", "open")
            rows = (row for state in states for row in self._differences.listed(state=state))
            self._waited = frozenset(row.id for row in rows if row.kind == "only_here")
        return self._waited

    def order(self, kind: DifferenceKind, order: Order, points: OrderPoints) -> None:
        """An order whose points are not where its state says."""
        where = f"the order is {order.state}, its points are {points.state}"
        self.count(kind)
        self._add(
            DifferenceRow(
                id=difference_id(kind, points.id),
                period=self._period,
                kind=kind,
                state="open",
                order_reference=order.reference[:64],
                order_state=order.state,
                redemption_id=points.id,
                provider_id=points.provider_id,
                line_id="",
                operation_id="",
                there_points=None,
                there_minor=None,
                there_at=None,
                here_points=points.left_points,
                here_minor=points.left_minor,
                here_at=points.updated_at,
                currency=points.currency,
                # Points that are gone cannot be taken: somebody has to decide what that order pays with.
                proposal="claim" if points.state == "short" else PROPOSALS[kind],
                note=where,
                created_at=self._seen_at,
                seen_at=self._seen_at,
            )
        )

    def flush(self) -> None:
        """Write down what has not been yet."""
        if self._rows:
            self._differences.found(self._rows)
            self._rows = []

    def _keep(
        self,
        kind: DifferenceKind,
        *,
        there: Booking | None,
        here: Booking | None,
        note: str,
        proposal: str | None = None,
        redemption_id: str | None = None,
        state: str = "open",
    ) -> None:
        if state == "open":
            self.count(kind)
        either = there or here
        if either is None or (state == "open" and self.found.total() > FINDINGS_MAX):
            return
        is_earned = here is not None and not here.redemption_id
        # A provider may number each statement's lines anew, so a line is named by its month and by what it is about; a
        # booking of ours has an id of its own, and is the same whether it has waited for another month or not.
        line = (self._period, there.id, there.key, there.provider_id, there.order_reference) if there else ()
        self._add(
            DifferenceRow(
                id=difference_id(kind, *line, *((here.id,) if here else ())),
                period=self._period,
                kind=kind,
                state=state,
                order_reference=either.order_reference[:64],
                order_state=self._order_state(either.order_reference) if state == "open" else "",
                redemption_id=redemption_id or (here.redemption_id or None if here else None),
                provider_id=either.provider_id,
                line_id=there.id if there else "",
                operation_id=here.id if here else "",
                there_points=there.points if there else None,
                there_minor=there.amount_minor if there else None,
                there_at=there.at if there else None,
                here_points=here.points if here else None,
                here_minor=here.amount_minor if here else None,
                here_at=here.at if here else None,
                currency=either.currency,
                # What an order has earned is looked up by nobody but its own steps.
                proposal=proposal or ("claim" if is_earned and kind != "period" else PROPOSALS[kind]),
                note=note[:200],
                created_at=self._seen_at,
                seen_at=self._seen_at,
                done_at=self._seen_at if state == "settled" else None,
                here_currency=here.currency if here and here.currency != either.currency else None,
            )
        )

    def _add(self, row: DifferenceRow) -> None:
        if self.found.total() > FINDINGS_MAX and row.state == "open":
            return
        self._rows.append(row)
        if len(self._rows) >= _BATCH:
            self.flush()

    def _order_state(self, order_reference: str) -> str:
        if self._order_loader is None or not order_reference:
            return ""
        self._asking()
        try:
            order = self._order_loader(order_reference)
        except Exception:  # the shop's code: a difference is listed without what the shop says of it
            logger.exception("the order loader failed for %s", short(order_reference))
            return ""
        return "missing" if order is None else order.state
