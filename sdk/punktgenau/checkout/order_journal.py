"""The journal with amended orders in it: each version is written down beside what it makes necessary."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from punktgenau.checkout.database import DuplicateError, UnconfirmedError
from punktgenau.checkout.intent import Claim
from punktgenau.checkout.journal import LostSwapError
from punktgenau.checkout.return_journal import Books, ReturnJournal, add_values
from punktgenau.checkout.return_statements import STATEMENTS
from punktgenau.checkout.schema import RedemptionRow
from punktgenau.checkout.schema_returns import AmendmentRow, ReturnRow


@dataclass(frozen=True, slots=True)
class Amended:
    """A new version of an order, and the return that comes with it."""

    version: AmendmentRow
    back: ReturnRow | None


PlanAmendment = Callable[[Books], Amended | None]


class OrderJournal(ReturnJournal):
    """The journal of one shop at one provider, with returns and amended orders."""

    def amend(self, redemption_id: str, *, plan: PlanAmendment, lease_s: float) -> tuple[RedemptionRow, Claim | None]:
        """Write a new version of an order down, with what comes back by it; the row, and the right to send that.

        `plan` decides under the row's lock; None: nothing is to be changed. Raises what `plan` raises, LostSwapError,
        and UnavailableError whose outcome is unknown where nobody can tell whether it was written.
        """
        self._secret()
        try:
            with self._database.transaction() as tx:
                books = self._books(tx, redemption_id, lock=True)
                row, made = books.redemption, plan(books)
                if made is None:
                    return row, None
                tx.run(STATEMENTS.add_amendment, add_values(made.version))
                row = self._swap(
                    tx,
                    row,
                    replace(
                        row,
                        amended_points=made.version.points,
                        amended_minor=made.version.value_minor,
                        amended_payable_minor=made.version.payable_minor,
                    ),
                )
                if made.back is None:
                    return row, None
                tx.run(STATEMENTS.add, add_values(made.back))
                if made.back.state != "requested":
                    return row, None
                claim = self._begin(tx, row, made.back, lease_s=lease_s)[1]
                return row if claim is None else claim.redemption, claim
        except DuplicateError as error:
            raise LostSwapError from error
        except UnconfirmedError as error:
            error.outcome = "unknown"
            raise
