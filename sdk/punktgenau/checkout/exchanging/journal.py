"""The journal of exchanges: each is written down before it is sent, and every result is fenced by its lease."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from hashlib import sha256

from punktgenau._clock import Clock
from punktgenau.checkout.actions import Beside
from punktgenau.checkout.database import Database, DuplicateError, Transaction, Value
from punktgenau.checkout.exchanging import statements as sql
from punktgenau.checkout.exchanging.schema import ExchangeClaim, ExchangeRow
from punktgenau.checkout.journal import BALANCE_AGED_MS, LEASE_MARGIN_MS, LostSwapError
from punktgenau.checkout.moments import now_ms
from punktgenau.checkout.rows import replace, row_of, values_of
from punktgenau.checkout.statements import statements

BY_HAND = "resolved_by_hand"


class ExchangeJournal:
    """The exchanges of one shop at one provider."""

    def __init__(
        self, database: Database, *, clock: Clock, key_of: Callable[[bytes], str], secret: Callable[[], bytes]
    ) -> None:
        self._database = database
        self._clock = clock
        self._key_of = key_of
        self._secret = secret
        self._sql = sql.exchange_statements(database)

    def now_ms(self) -> int:
        """The injected clock's wall time, in milliseconds."""
        return now_ms(self._clock)

    def begin(self, row: ExchangeRow, *, lease_s: float) -> tuple[ExchangeRow, ExchangeClaim | None]:
        """Write the intent, leased to the caller; where the form was sent before, what it came to, and no claim."""
        digest = sha256(f"{row.id}|{row.kind}".encode()).digest()
        row = replace(row, reference=f"x-{digest.hex()[:32]}", key=self._key_of(digest))
        row = replace(row, fingerprint=self._fingerprint(row))
        ends = self._ends(lease_s)
        try:
            with self._database.transaction() as tx:
                tx.run(self._sql.add, values_of(row) | {"lease_ms": int(lease_s * 1000) + LEASE_MARGIN_MS})
        except DuplicateError:
            known = self.by_form(row.customer_id, row.form)
            if known is None:
                raise
            return known, None
        return row, ExchangeClaim(row, row.lease_token, ends)

    def claim(self, exchange_id: str | None = None, *, lease_s: float) -> ExchangeClaim | None:
        """Take over this one, or the one that has been due longest; None: none is, or somebody has it."""
        ends = self._ends(lease_s)
        with self._database.transaction() as tx:
            if exchange_id is None:
                found = tx.one(self._sql.due, {"at": self.now_ms()})
                if found is None:
                    return None
                exchange_id = str(found[0])
            values: dict[str, Value] = {"exchange_id": exchange_id, "lease_ms": int(lease_s * 1000) + LEASE_MARGIN_MS}
            if tx.run(self._sql.lease, values) != 1:
                return None
            row = self._one(tx, exchange_id)
            return ExchangeClaim(row, row.lease_token, ends)

    def put_back(self, claim: ExchangeClaim) -> ExchangeRow:
        """Give a claim up by which no call was made: it is as it was, and as due."""
        with self._database.transaction() as tx:
            tx.run(sql.PUT_BACK, {"exchange_id": claim.operation.id, "seen_token": claim.token})
        return claim.operation

    def put_off(self, claim: ExchangeClaim, *, next_at: int) -> None:
        """Something unforeseen happened while it was carried out: nobody knows what it did, and it is due later."""
        values: dict[str, Value] = {"exchange_id": claim.operation.id, "seen_token": claim.token}
        with self._database.transaction() as tx:
            tx.run(sql.PUT_OFF, {**values, "outcome": claim.operation.outcome or "unknown", "next_at": next_at})

    def finish(self, claim: ExchangeClaim, changed: ExchangeRow, *, sends: int) -> ExchangeRow:
        """Write the result of a send. Raises LostSwapError when the lease went to somebody else meanwhile."""
        with self._database.transaction() as tx:
            values: dict[str, Value] = {
                **values_of(changed),
                "exchange_id": changed.id,
                "seen_token": claim.token,
                "more_sends": sends,
                "updated_at": self.now_ms(),
            }
            if tx.run(sql.FINISH, values) != 1:
                raise LostSwapError
            aged: dict[str, Value] = {"customer_id": changed.customer_id, "balance_at": self.now_ms() - BALANCE_AGED_MS}
            tx.run(statements(self._database).age_balance, aged)
            return self._one(tx, changed.id)

    def settle(self, exchange_id: str, *, state: str, beside: Beside, lease_s: float) -> ExchangeRow:
        """What a person says that became of it; it is closed, so that nothing of it is sent any more.

        Raises LostSwapError where it needs no person, or somebody is just asking.
        """
        with self._database.transaction() as tx:
            values: dict[str, Value] = {"exchange_id": exchange_id, "lease_ms": int(lease_s * 1000) + LEASE_MARGIN_MS}
            if tx.run(self._sql.lease, values) != 1:
                raise LostSwapError
            row = self._one(tx, exchange_id)
            if row.state != "needs_attention":
                raise LostSwapError
            beside(tx)
            outcome = "not_done" if state == "declined" else "done"
            changed = replace(row, state=state, outcome=outcome, code=BY_HAND, next_at=None, updated_at=self.now_ms())
            written = values_of(changed) | {"exchange_id": row.id, "seen_token": row.lease_token, "more_sends": 0}
            if tx.run(sql.FINISH, written) != 1:
                raise LostSwapError
            return self._one(tx, exchange_id)

    def is_as_written(self, row: ExchangeRow) -> bool:
        """Whether what would be sent now is what was written down before the first byte."""
        return hmac.compare_digest(row.fingerprint, self._fingerprint(row))

    def by_form(self, customer_id: str, form: str) -> ExchangeRow | None:
        """What a form came to."""
        with self._database.transaction(write=False) as tx:
            found = tx.one(sql.BY_FORM, {"customer_id": customer_id, "form": form})
        return None if found is None else row_of(ExchangeRow, found)

    def by_reference(self, reference: str) -> ExchangeRow | None:
        """The exchange that the provider knows by this name."""
        with self._database.transaction(write=False) as tx:
            found = tx.one(sql.BY_REFERENCE, {"reference": reference})
        return None if found is None else row_of(ExchangeRow, found)

    def needing(self, *, most: int) -> tuple[ExchangeRow, ...]:
        """Those that need a person, the oldest first."""
        with self._database.transaction(write=False) as tx:
            return tuple(row_of(ExchangeRow, row) for row in tx.all(sql.NEEDING, {"most": most}))

    def of_customer(self, customer_id: str, *, most: int) -> tuple[ExchangeRow, ...]:
        """A customer's exchanges, newest first."""
        with self._database.transaction(write=False) as tx:
            rows = tx.all(sql.OF_CUSTOMER, {"customer_id": customer_id, "most": most})
        return tuple(row_of(ExchangeRow, row) for row in rows)

    def waiting(self, *, most: int) -> list[str]:
        """Ids of those that are open, due or not, the longest waiting first."""
        with self._database.transaction(write=False) as tx:
            return [str(row[0]) for row in tx.all(sql.WAITING, {"most": most})]

    def due_since(self) -> int | None:
        """Since when the one is due that waits longest; None: none is."""
        with self._database.transaction(write=False) as tx:
            row = tx.one(self._sql.since, {"at": self.now_ms()})
        return None if row is None else int(row[0] or 0)

    def attention(self) -> int:
        """How many need a person."""
        with self._database.transaction(write=False) as tx:
            row = tx.one(sql.ATTENTION, {})
        return 0 if row is None else int(row[0] or 0)

    def _one(self, tx: Transaction, exchange_id: str) -> ExchangeRow:
        row = tx.one(sql.ONE, {"exchange_id": exchange_id})
        if row is None:
            raise AssertionError(f"exchange {exchange_id} is gone from the journal")
        return row_of(ExchangeRow, row)

    def _ends(self, lease_s: float) -> float:
        # Counted from before the commit, so that it never seems later than the database says.
        return self._clock.monotonic() + lease_s + LEASE_MARGIN_MS / 1000

    def _fingerprint(self, row: ExchangeRow) -> str:
        said = "|".join(str(part) for part in (row.kind, row.member_id, row.product_id, row.points, row.reference))
        return hmac.new(self._secret(), said.encode(), sha256).hexdigest()
