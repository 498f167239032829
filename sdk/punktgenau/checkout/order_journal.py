"""The journal with amended orders and shipments: each is written down beside what it makes necessary."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from sqlalchemy import bindparam, update

from punktgenau.checkout import shipment_statements as shipping
from punktgenau.checkout.actions import Actions, Beside
from punktgenau.checkout.books import Books
from punktgenau.checkout.database import DuplicateError, Transaction, Value
from punktgenau.checkout.intent import Claim, NextOperation, anew, deal_stands, wished
from punktgenau.checkout.journal import LostSwapError
from punktgenau.checkout.resolve import UNDONE
from punktgenau.checkout.return_journal import ReturnJournal
from punktgenau.checkout.return_statements import STATEMENTS
from punktgenau.checkout.rows import row_of, values_of
from punktgenau.checkout.schema import RedemptionRow, operation
from punktgenau.checkout.schema_returns import AmendmentRow, ReturnRow, ShipmentRow
from punktgenau.checkout.shortfall import Settled
from punktgenau.checkout.states import HELD


@dataclass(frozen=True, slots=True)
class Amended:
    """A new version of an order, and the return that comes with it."""

    version: AmendmentRow
    back: ReturnRow | None


PlanAmendment = Callable[[Books], Amended | None]
PlanShipment = Callable[[Books], ShipmentRow | None]
PlanSettlement = Callable[[Books], Settled]
AMENDED = "amended"
"""Why held points are released by a change that leaves them nothing to pay."""
_PUT_BACK = (
    update(operation)
    .where(operation.c.id == bindparam("operation_id"), operation.c.lease_token == bindparam("seen_token"))
    .values(lease_until=0, lease_token=operation.c.lease_token - 1)
)


class OrderJournal(ReturnJournal):
    """The journal of one shop at one provider, with returns, amended orders and shipments."""

    def begin_operation(self, seen: RedemptionRow, planned: NextOperation, *, lease_s: float) -> Claim:
        """As written there; what is proven to have done nothing before is begun anew, with another key."""
        try:
            return super().begin_operation(seen, planned, lease_s=lease_s)
        except LostSwapError:
            return super().begin_operation(seen, self._anew(seen, planned), lease_s=lease_s)

    def note_wish(self, row: RedemptionRow, *, beside: Beside | None = None) -> RedemptionRow:
        """Write down the wish that `row` carries, to give back or to take, and its `check_at`; the first cause stays.

        `beside`: a person wishes it, about the row as it was seen. Raises LostSwapError when it is no longer as seen.
        """
        with self._database.transaction() as tx:
            current = self._redemption(tx, row.id, lock=True)
            is_noted = current.release_cause is not None
            if current.version != row.version and (beside is not None or not is_noted):
                raise LostSwapError
            if beside is not None:
                beside(tx)
            return current if is_noted else self._swap(tx, current, row)

    def supersede(self, seen: RedemptionRow, planned: NextOperation, *, lease_s: float) -> Claim:
        """As written there; what is proven to have done nothing before is begun anew, with another key."""
        try:
            return super().supersede(seen, planned, lease_s=lease_s)
        except LostSwapError:
            return super().supersede(seen, self._anew(seen, planned), lease_s=lease_s)

    def _anew(self, seen: RedemptionRow, planned: NextOperation) -> NextOperation:
        """Raises LostSwapError where it was lost to somebody else."""
        again = anew(planned, seen, self.operations(seen.id))
        if again is None:
            raise LostSwapError
        return again

    def amend(self, redemption_id: str, *, plan: PlanAmendment, lease_s: float) -> tuple[RedemptionRow, Claim | None]:
        """Write a new version of an order down, with what comes back by it; the row, and the right to send that.

        `plan` decides under the row's lock; None: nothing is to be changed. Raises what `plan` raises, LostSwapError,
        and UnavailableError whose outcome is unknown where nobody can tell whether it was written.
        """
        self._secret()
        with self._intent() as tx:
            books = self._books(tx, redemption_id, lock=True)
            row, made = books.redemption, plan(books)
            if made is None:
                return row, None
            self._require_once(tx, row, "" if made.back is None else made.back.reference)
            tx.run(STATEMENTS.add_amendment, values_of(made.version))
            self._mind_earned(tx, row.order_reference)
            changed = replace(
                row,
                amended_points=made.version.points,
                amended_minor=made.version.value_minor,
                amended_payable_minor=made.version.payable_minor,
                # What was captured and pays nothing of this version has come back, or comes back with it.
                settled_points=row.captured_points - made.version.taken_points,
                settled_minor=row.captured_minor - made.version.taken_minor,
                # It has a price of its own.
                written_off_minor=0,
            )
            if made.version.points == 0 and (row.state == "authorized" or deal_stands(row)):
                # Points may pay nothing of it any more: none are captured, and none are taken anew.
                check_at = self.now_ms() if row.state == "authorized" else None
                changed = replace(changed, release_cause=AMENDED, check_at=check_at)
            elif wished(changed) is not None:
                # Nothing of it is to be captured any more, so what is still held goes back.
                changed = replace(changed, check_at=self.now_ms())
            row = self._swap(tx, row, changed)
            if made.back is None:
                return row, None
            tx.run(STATEMENTS.add, values_of(made.back))
            if made.back.state != "requested":
                return row, None
            claim = self._begin(tx, row, made.back, lease_s=lease_s)[1]
            return row if claim is None else claim.redemption, claim

    def settle(self, redemption_id: str, *, plan: PlanSettlement, actor: str) -> tuple[RedemptionRow, RedemptionRow]:
        """Write down what a person decided about a shortfall, with who and why; the row before and after.

        `plan` decides under the row's lock. Raises what `plan` raises.
        """
        with self._database.transaction() as tx:
            books = self._books(tx, redemption_id, lock=True)
            made = plan(books)
            tx.run(STATEMENTS.add_amendment, values_of(made.version))
            if made.back is not None:
                tx.run(STATEMENTS.add, values_of(made.back))
            # Parcels that were to be captured one after the other have nothing to wait for any more.
            tx.run(shipping.END, {"redemption_id": redemption_id})
            Actions(self._database, clock=self._clock).record_in(
                tx,
                f"resolve_{made.row.reason}",
                actor=actor,
                reason=made.version.reason,
                subject=books.redemption.order_reference,
                redemption_id=redemption_id,
                detail={
                    "points": made.missing_points,
                    "value_minor": made.missing_minor,
                    "currency": made.row.currency,
                    "version": made.version.version,
                },
            )
            return books.redemption, self._swap(tx, books.redemption, made.row)

    def ship(
        self, redemption_id: str, *, reference: str, plan: PlanShipment, lease_s: float
    ) -> tuple[RedemptionRow, ShipmentRow | None, Claim | None]:
        """Write a shipment down, once per reference; the one that stands, and the right to capture, if it is its turn.

        `plan` decides under the row's lock; None: nothing can be captured in parts as things are. Raises as `amend`.
        """
        self._secret()
        with self._intent() as tx:
            books = self._books(tx, redemption_id, lock=True)
            for known in books.shipments:
                if known.reference == reference:
                    return books.redemption, known, None
            made = plan(books)
            if made is None:
                return books.redemption, None, None
            tx.run(shipping.ADD, values_of(made))
            if made.state != "requested":
                return books.redemption, made, None
            row, claim = self._begin_shipment(tx, books.redemption, made, lease_s=lease_s)
            return row, made, claim

    def has_parcels(self, redemption_id: str) -> bool:
        """Whether a shipment waits for its turn, or is just being captured."""
        with self._database.transaction(write=False) as tx:
            known = _shipments(tx.all(shipping.ALL, {"redemption_id": redemption_id}))
        return any(one.state in {"requested", "capturing"} for one in known)

    def begin_shipment(self, seen: RedemptionRow, *, lease_s: float) -> Claim | None:
        """The right to capture the shipment that waits longest; None when none waits, or all is to go back.

        Raises LostSwapError when the row is no longer as seen, or has an open operation.
        """
        self._secret()
        with self._database.transaction(write=False) as tx:
            if tx.one(shipping.NEXT, {"redemption_id": seen.id}) is None:
                return None
        try:
            with self._database.transaction() as tx:
                current = self._redemption(tx, seen.id, lock=True)
                if current.version != seen.version:
                    raise LostSwapError
                waiting = _shipments(tx.all(shipping.NEXT, {"redemption_id": seen.id}))
                if not waiting or current.state not in HELD or (current.release_cause or seen.release_cause):
                    return None
                return self._begin_shipment(tx, current, waiting[0], lease_s=lease_s)[1]
        except DuplicateError as error:
            raise LostSwapError from error

    def _begin_shipment(
        self, tx: Transaction, row: RedemptionRow, made: ShipmentRow, *, lease_s: float
    ) -> tuple[RedemptionRow, Claim | None]:
        """Make the operation of a requested shipment, or have somebody look when the open one is finished."""
        if row.state not in HELD:
            return self._swap(tx, row, replace(row, check_at=self.now_ms())), None
        ends = self._lease_ends(lease_s)
        planned = capture_of_shipment(made)
        if made.operation_id is not None:
            # Proven to have done nothing, so it is begun anew, under another key.
            planned = replace(planned, cause=f"{planned.cause} {row.version}")
        operation = self._new_operation(row, planned)
        beginning: dict[str, Value] = {
            "redemption_id": row.id,
            "number": made.number,
            "operation_id": operation.id,
        }
        if tx.run(shipping.BEGIN, beginning) != 1:
            raise LostSwapError
        changed = self._swap(tx, row, replace(row, state="capturing", check_at=self._next_at(tx, row)))
        self._add(tx, operation, lease_s)
        return changed, Claim(operation, changed, operation.lease_token, ends)

    def put_back(self, claim: Claim) -> RedemptionRow:
        """Give a claim up by which no call was made: its operation is as it was, and as due. Returns its redemption.

        Also its token: who gave it up does nothing more under it.
        """
        with self._database.transaction() as tx:
            tx.run(_PUT_BACK, {"operation_id": claim.operation.id, "seen_token": claim.token})
        return claim.redemption

    def _finish_operation(
        self,
        tx: Transaction,
        claim: Claim,
        *,
        outcome: str | None,
        code: str | None,
        reply: Mapping[str, str | int | None] | None,
        sends: int,
        next_at: int | None,
    ) -> None:
        super()._finish_operation(tx, claim, outcome=outcome, code=code, reply=reply, sends=sends, next_at=next_at)
        if claim.operation.kind == "capture" and claim.operation.cause.startswith("shipment") and next_at is None:
            state = "done" if outcome == "done" else "requested" if code == UNDONE else "short"
            tx.run(shipping.FINISH, {"operation_id": claim.operation.id, "state": state})


def capture_of_shipment(made: ShipmentRow) -> NextOperation:
    """What a shipment takes of the hold; the last one releases nothing, because nothing is left by then."""
    request: dict[str, str | int] = {
        "points": made.points,
        "value_minor": made.worth_minor,
        "capture_reference": made.reference,
    }
    if not made.is_last:
        request["more_to_come"] = 1
    return NextOperation(kind="capture", cause=f"shipment {made.number}", request=request, state="capturing")


def _shipments(rows: Iterable[tuple[Value, ...]]) -> tuple[ShipmentRow, ...]:
    return tuple(row_of(ShipmentRow, row) for row in rows)
