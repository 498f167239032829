"""The journal with the returns in it: each is written down, with what it gives back, before anything is asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace

from punktgenau.checkout import shipment_statements as shipping
from punktgenau.checkout.books import Books
from punktgenau.checkout.database import DuplicateError, Transaction, Value
from punktgenau.checkout.intent import Claim, NextOperation
from punktgenau.checkout.journal import LostSwapError
from punktgenau.checkout.payout_journal import PayoutJournal
from punktgenau.checkout.resolve import UNDONE
from punktgenau.checkout.rest import is_release, is_rest
from punktgenau.checkout.return_statements import STATEMENTS
from punktgenau.checkout.rows import row_of, values_of
from punktgenau.checkout.schema import RedemptionRow
from punktgenau.checkout.schema_returns import AmendmentRow, ReturnRow, ShipmentRow
from punktgenau.checkout.vouchers import of_cart, parts_of, plus, sum_of

REVERSIBLE = frozenset({"captured", "partially_reversed", "partially_captured", "short"})
"""Nothing is under way, and something may have been captured."""
_NEVER_TAKEN = frozenset({"declined", "voided", "expired", "abandoned"})
Plan = Callable[[Books], ReturnRow]
Check = Callable[[Books], None]


class _ReturnFirstError(Exception):
    """A return waits for its turn."""


class ReturnJournal(PayoutJournal):
    """The journal of one shop at one provider, with its returns and amended orders."""

    def books(self, redemption_id: str) -> Books:
        """One redemption with its returns as they stand."""
        with self._database.transaction(write=False) as tx:
            return self._books(tx, redemption_id, lock=False)

    def request_return(
        self, redemption_id: str, *, reference: str, plan: Plan, lease_s: float
    ) -> tuple[ReturnRow, Claim | None]:
        """Write a return down, once per reference; the one that stands, and the right to send it, if it is its turn.

        `plan` decides under the row's lock, so two returns never give back the same. While another operation is open it
        waits for its turn. Raises what `plan` raises, LostSwapError, and UnavailableError whose outcome is unknown
        where nobody can tell whether it was written.
        """
        self._secret()
        with self._intent() as tx:
            books = self._books(tx, redemption_id, lock=True)
            for known in books.returns:
                if known.reference == reference:
                    return known, None
            self._require_once(tx, books.redemption, reference)
            asked = plan(books)
            tx.run(STATEMENTS.add, values_of(asked))
            self._mind_earned(tx, books.redemption.order_reference)
            if asked.state != "requested":
                return asked, None
            return self._begin(tx, books.redemption, asked, lease_s=lease_s)

    def begin_return(self, seen: RedemptionRow, *, lease_s: float) -> Claim | None:
        """The right to send the return that waits longest; None when none waits.

        Raises LostSwapError when the row is no longer as seen, or has an open operation.
        """
        self._secret()
        with self._database.transaction(write=False) as tx:
            if tx.one(STATEMENTS.requested, {"redemption_id": seen.id}) is None:
                return None
        try:
            with self._database.transaction() as tx:
                current = self._redemption(tx, seen.id, lock=True)
                if current.version != seen.version:
                    raise LostSwapError
                waiting = tx.one(STATEMENTS.requested, {"redemption_id": seen.id})
                if waiting is None or not is_reversible(current):
                    return None
                # What the caller wishes besides (to give back the rest) is kept with it.
                wishing = replace(current, release_cause=current.release_cause or seen.release_cause)
                return self._begin(tx, wishing, row_of(ReturnRow, waiting), lease_s=lease_s)[1]
        except DuplicateError as error:
            raise LostSwapError from error

    def begin_operation(self, seen: RedemptionRow, planned: NextOperation, *, lease_s: float) -> Claim:
        """As ever; but where all the rest is given back, or captured, returns that were asked for before go first."""
        try:
            return super().begin_operation(seen, planned, lease_s=lease_s)
        except _ReturnFirstError:
            first = self.begin_return(seen, lease_s=lease_s)
            if first is None:
                raise LostSwapError from None
            return first

    def _hand_on(self, tx: Transaction, seen: RedemptionRow | None, attempt: RedemptionRow) -> None:
        if seen is None:
            return
        changed = tx.one(STATEMENTS.amendment, {"redemption_id": seen.id})
        after = 0 if changed is None else row_of(AmendmentRow, changed).after_number
        of: dict[str, Value] = {"redemption_id": seen.id, "after_number": after}
        # What was asked for before the order changed is not taken anew: its points are back, or never left.
        tx.run(STATEMENTS.end_earlier, of | {"finished_at": self.now_ms()})
        if tx.run(STATEMENTS.hand_on, of | {"instead_id": attempt.id}):
            # Whoever writes the result of its authorize looks for them.
            tx.run(STATEMENTS.await_result, {"redemption_id": attempt.id, "check_at": self.now_ms()})

    def _check_turn(self, tx: Transaction, seen: RedemptionRow, planned: NextOperation) -> None:
        is_rest = planned.kind == "reverse" and planned.cause.startswith("release")
        is_in_parts = planned.kind in {"capture", "extend"} and seen.captured_points > 0
        if (is_rest or is_in_parts) and tx.one(STATEMENTS.requested, {"redemption_id": seen.id}) is not None:
            raise _ReturnFirstError

    def ask_again(self, asked: ReturnRow, *, check: Check, actor: str, reason: str, lease_s: float) -> Claim | None:
        """A refused return is asked for once more; the right to send it, if it is its turn.

        `check` looks under the row's lock whether it may be. Raises what it raises; LostSwapError when the return is
        not refused any more.
        """
        self._secret()
        with self._database.transaction() as tx:
            books = self._books(tx, asked.redemption_id, lock=True)
            check(books)
            row = books.redemption
            if tx.run(STATEMENTS.ask_again, {"return_id": asked.id}) != 1:
                raise LostSwapError
            self._decided(tx, "retry", asked, points=asked.points, actor=actor, reason=reason)
            return self._begin(tx, row, replace(asked, state="requested"), lease_s=lease_s)[1]

    def pay_instead(self, asked: ReturnRow, *, check: Check, actor: str, reason: str) -> None:
        """The worth of a refused return's points becomes money; they stay captured for good. Raises as `ask_again`."""
        with self._database.transaction() as tx:
            books = self._books(tx, asked.redemption_id, lock=True)
            check(books)
            row = books.redemption
            onto = parts_of(asked.vouchers)
            of: dict[str, Value] = {"return_id": asked.id, "vouchers_minor": sum_of(onto)}
            if row.state not in REVERSIBLE or tx.run(STATEMENTS.pay_instead, of) != 1:
                raise LostSwapError
            self._decided(tx, "settle_return", asked, points=asked.points, actor=actor, reason=reason)
            kept = (row.kept_points + asked.points, row.kept_minor + asked.worth_minor)
            gone = plus(onto, row.vouchers_gone, kept=True)
            self._swap(tx, row, replace(row, kept_points=kept[0], kept_minor=kept[1], vouchers_gone=gone))

    def refused(self, *, after: tuple[int, str], most: int) -> tuple[tuple[ReturnRow, str], ...]:
        """Returns that were refused for good and nobody has settled, paged as `owing_money`, with their orders."""
        with self._database.transaction(write=False) as tx:
            rows = tx.all(STATEMENTS.refused, {"since": after[0], "after_id": after[1], "most": most})
        return tuple((row_of(ReturnRow, row[:-1]), str(row[-1])) for row in rows)

    def unsaid(self, *, after: tuple[int, str], most: int) -> tuple[tuple[ReturnRow, str], ...]:
        """Returns of which nobody said how many points came back expired, although that matters; paged likewise."""
        with self._database.transaction(write=False) as tx:
            rows = tx.all(STATEMENTS.unsaid, {"since": after[0], "after_id": after[1], "most": most})
        return tuple((row_of(ReturnRow, row[:-1]), str(row[-1])) for row in rows)

    def _begin(
        self, tx: Transaction, row: RedemptionRow, asked: ReturnRow, *, lease_s: float
    ) -> tuple[ReturnRow, Claim | None]:
        """Make the operation of a requested return, or have somebody look when the open one is finished."""
        if not is_reversible(row):
            self._swap(tx, row, replace(row, check_at=self.now_ms()))
            return asked, None
        ends = self._lease_ends(lease_s)
        planned = reversal_of(asked, more_to_come=row.state == "partially_captured")
        if asked.operation_id is not None:
            # Proven to have done nothing, so it is begun anew, under another key.
            planned = replace(planned, cause=f"{planned.cause} {row.version}")
        operation = self._new_operation(row, planned)
        if tx.run(STATEMENTS.begin, {"return_id": asked.id, "operation_id": operation.id}) != 1:
            raise LostSwapError
        changed = self._swap(tx, row, replace(row, state="reversing", check_at=self._next_at(tx, row)))
        self._add(tx, operation, lease_s)
        claim = Claim(operation, changed, operation.lease_token, ends)
        return replace(asked, state="reversing", operation_id=operation.id), claim

    def _next_at(self, tx: Transaction, row: RedemptionRow) -> int | None:
        """When somebody should look again: at once, where another return or parcel waits for its turn as well."""
        of: dict[str, Value] = {"redemption_id": row.id}
        waits = tx.one(STATEMENTS.requested, of) is not None or tx.one(shipping.NEXT, of) is not None
        return self.now_ms() if waits else None

    def _swap(self, tx: Transaction, seen: RedemptionRow, changed: RedemptionRow) -> RedemptionRow:
        of: dict[str, Value] = {"redemption_id": seen.id}
        may_wait = changed.state == "capturing" or (changed.state in REVERSIBLE and seen.check_at is not None)
        if may_wait and changed.check_at is None and tx.one(STATEMENTS.requested, of) is not None:
            # A return that waits for its turn waits on, whatever else becomes of the row.
            changed = replace(changed, check_at=self.now_ms())
        if changed.release_cause is not None:
            self._mind_earned(tx, seen.order_reference)
        changed = super()._swap(tx, seen, changed)
        never_taken = changed.release_cause and changed.state in _NEVER_TAKEN and not changed.captured_points
        if never_taken or changed.state == "reversed":
            # There is nothing to give back (any more), and nothing will be: what waits would wait for ever.
            tx.run(STATEMENTS.end, {"redemption_id": changed.id, "finished_at": self.now_ms()})
        return changed

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
        if claim.operation.kind != "reverse" or next_at is not None:
            return
        if code == UNDONE:
            tx.run(STATEMENTS.reopen, {"operation_id": claim.operation.id})
            return
        said = reply or {}
        if outcome == "done" and is_release(claim):
            self._note_rest(tx, claim, said)
        finished: dict[str, Value] = {
            "operation_id": claim.operation.id,
            "state": "done" if outcome == "done" else "declined",
            "finished_at": self.now_ms(),
        }
        for name in ("restored_points", "expired_points", "converted_points"):
            finished[name] = said.get(name)
        finished["vouchers_expired"] = said.get("vouchers_expired")
        finished["vouchers_minor"] = sum_of(parts_of(said.get("vouchers_expired")))
        tx.run(STATEMENTS.finish, finished)
        if outcome == "done":
            self._promise(tx, claim, int(said.get("expired_points") or 0))

    def _books(self, tx: Transaction, redemption_id: str, *, lock: bool) -> Books:
        row = self._redemption(tx, redemption_id, lock=lock)
        rows = tx.all(STATEMENTS.of_redemption, {"redemption_id": redemption_id})
        shipped = tx.all(shipping.ALL, {"redemption_id": redemption_id})
        changed = tx.one(STATEMENTS.amendment, {"redemption_id": redemption_id})
        newest = None if changed is None else row_of(AmendmentRow, changed)
        version = 1 if newest is None else newest.version
        returned = tuple(row_of(ReturnRow, values) for values in rows)
        return Books(
            row,
            tuple(one for one in returned if not is_rest(one)),
            newest,
            tuple(row_of(ShipmentRow, values) for values in shipped),
            next((one for one in returned if is_rest(one)), None),
            version if row.attempt == 1 else self._versions(tx, row),
        )


def is_reversible(row: RedemptionRow) -> bool:
    """Whether something was captured, and nothing is under way."""
    return row.state in REVERSIBLE and (row.captured_points > 0 or (row.state != "short" and bool(of_cart(row.cart))))


def reversal_of(asked: ReturnRow, *, more_to_come: bool) -> NextOperation:
    """What a return asks of the provider; `more_to_come`: a part is still held meanwhile."""
    request: dict[str, str | int] = {
        "points": asked.points,
        "value_minor": asked.worth_minor,
        "return_reference": asked.reference,
    }
    if asked.vouchers is not None:
        request["vouchers"] = asked.vouchers
    if more_to_come:
        request["more_to_come"] = 1
    return NextOperation(kind="reverse", cause=f"return {asked.number}", request=request, state="reversing")


def wanted_json(lines: Mapping[str, int], shipping_minor: int, amount_minor: int | None) -> str:
    """What was asked for, in one form, so that the same again is seen as the same."""
    return json.dumps(
        {
            "amount_minor": amount_minor,
            "lines": {line_id: quantity for line_id, quantity in lines.items() if quantity},
            "shipping_minor": shipping_minor,
        },
        sort_keys=True,
        separators=(",", ":"),
    )
