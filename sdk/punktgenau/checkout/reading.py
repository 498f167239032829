"""Reading the journal: rows as they stand, for whoever decides; nothing here changes them."""

from __future__ import annotations

from punktgenau.checkout.database import Database, Transaction
from punktgenau.checkout.return_statements import STATEMENTS
from punktgenau.checkout.rows import row_of
from punktgenau.checkout.schema import OperationRow, RedemptionRow
from punktgenau.checkout.statements import statements
from punktgenau.errors import ConfigurationError


class Reader:
    """Reads of one journal."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = statements(database)
        self._fingerprint_key: bytes | None = None

    def latest(self, order_reference: str) -> RedemptionRow | None:
        """The newest attempt of an order."""
        with self._database.transaction(write=False) as tx:
            row = tx.one(self._sql.latest, {"order_reference": order_reference})
        return None if row is None else row_of(RedemptionRow, row)

    def redemption(self, redemption_id: str) -> RedemptionRow:
        """One attempt as it stands."""
        with self._database.transaction(write=False) as tx:
            return self._redemption(tx, redemption_id)

    def live_of_customer(self, customer_id: str, tx: Transaction | None = None) -> tuple[RedemptionRow, ...]:
        """What of this customer is live, newest first."""
        if tx is None:
            with self._database.transaction(write=False) as tx:
                return self.live_of_customer(customer_id, tx)
        rows = tx.all(self._sql.live_of_customer, {"customer_id": customer_id})
        return tuple(row_of(RedemptionRow, row) for row in rows)

    def operations(self, redemption_id: str) -> tuple[OperationRow, ...]:
        """All operations of an attempt, oldest first."""
        with self._database.transaction(write=False) as tx:
            rows = tx.all(self._sql.operations, {"redemption_id": redemption_id})
        return tuple(row_of(OperationRow, row) for row in rows)

    def other_ids(self, row: RedemptionRow) -> frozenset[str]:
        """What the provider calls the other attempts of the same order."""
        with self._database.transaction(write=False) as tx:
            rows = tx.all(self._sql.other_ids, {"order_reference": row.order_reference, "redemption_id": row.id})
        return frozenset(str(found[0]) for found in rows)

    def attention(self) -> int:
        """How much needs a person: points that are gone, unknowns, refused returns, expired points not made up for."""
        with self._database.transaction(write=False) as tx:
            rows = [tx.one(statement, {}) for statement in (self._sql.attention, STATEMENTS.attention)]
        return sum(int(row[0] or 0) for row in rows if row is not None)

    def due_since(self, *, at: int) -> tuple[int | None, int | None]:
        """Since when the operation, and the row, has been due that waits longest `at` this moment; None: nothing is."""
        with self._database.transaction(write=False) as tx:
            rows = tx.one(self._sql.operation_since, {"at": at}), tx.one(self._sql.check_since, {"at": at})
        operation, check = (None if row is None else int(row[0] or 0) for row in rows)
        return operation, check

    def waiting_operations(self, *, most: int) -> list[str]:
        """Ids of open operations, due or not, the longest waiting first."""
        with self._database.transaction(write=False) as tx:
            return [str(row[0]) for row in tx.all(self._sql.waiting_operations, {"most": most})]

    def waiting_checks(self, *, most: int) -> list[str]:
        """Ids of rows that somebody should look at, due or not, the longest waiting first."""
        with self._database.transaction(write=False) as tx:
            return [str(row[0]) for row in tx.all(self._sql.waiting_checks, {"most": most})]

    def _redemption(self, tx: Transaction, redemption_id: str, *, lock: bool = False) -> RedemptionRow:
        statement = self._sql.lock_redemption if lock else self._sql.redemption
        row = tx.one(statement, {"redemption_id": redemption_id})
        if row is None:
            raise AssertionError(f"redemption {redemption_id} is gone from the journal")
        return row_of(RedemptionRow, row)

    def _secret(self) -> bytes:
        if self._fingerprint_key is None:
            with self._database.transaction(write=False) as tx:
                row = tx.one(self._sql.meta, {"name": "fingerprint_key"})
            if row is None:
                raise ConfigurationError(
                    "The journal is not upgraded: run `flask punktgenau upgrade`.", field="database_url"
                )
            self._fingerprint_key = bytes.fromhex(str(row[0]))
        return self._fingerprint_key
