"""What orders earn, as the back office sees it: with its story, what the provider says, and what a person may do."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select
from sqlalchemy.sql import ClauseElement

from punktgenau.checkout.accruing import accruals_of
from punktgenau.checkout.actions import Action, require_text
from punktgenau.checkout.earning.reckon import Basis, EarnLine, by_line
from punktgenau.checkout.earning.schema import EarningRow, StepRow
from punktgenau.checkout.earning.standing import basis_of_row
from punktgenau.checkout.earning.told import Earned, EarnedFate, earned_of, fate_of
from punktgenau.checkout.office_basis import Basis as OfficeBasis
from punktgenau.checkout.office_listed import Listed
from punktgenau.checkout.office_told import story_of_earning
from punktgenau.checkout.schema_returns import action
from punktgenau.checkout.statements import own
from punktgenau.checkout.timeline import Moment
from punktgenau.errors import InProgressError, NotFoundError, PunktgenauError, StateConflictError

if TYPE_CHECKING:
    from punktgenau.accrual_records import Accrual

_ABOUT: ClauseElement = (
    select(action)
    .where(own(action), action.c.redemption_id.is_(None), action.c.subject == bindparam("subject"))
    .order_by(action.c.created_at, action.c.id)
    .limit(500)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeEarning:
    """What one order earns for one reason, with all that belongs to it.

    `lines` with the points of each, empty for a welcome. `others` are the same order's other earnings.
    """

    row: EarningRow
    earned: Earned
    fate: EarnedFate
    basis: Basis
    lines: tuple[tuple[EarnLine, int], ...]
    steps: tuple[StepRow, ...]
    story: tuple[Moment, ...]
    open_step: StepRow | None
    others: tuple[EarningRow, ...]
    redemption_id: str
    can_retry: bool
    can_settle: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AccrualView:
    """What the provider has of an earning now; `error`: why that could not be asked."""

    accrual: Accrual | None = None
    error: PunktgenauError | None = None


class EarnedOffice(OfficeBasis):
    """The part of the back office that is about what orders earn."""

    @property
    def listed(self) -> Listed:
        """Lists of earnings and exchanges."""
        return Listed(self._database)

    def earned_with(self, order_reference: str) -> tuple[tuple[str, Earned], ...]:
        """What an order earns, each with its id, the purchase before a welcome."""
        journal = self._checkout._earn_journal
        return tuple((row.id, earned_of(row, journal.steps(row.id))) for row in journal.of_order(order_reference))

    def earning(self, earning_id: str) -> WholeEarning:
        """One earning of this shop. Raises NotFoundError."""
        journal, row = self._checkout._earn_journal, self._earning_row(earning_id)
        steps, basis = journal.steps(row.id), basis_of_row(row)
        open_step = next((one for one in steps if one.open_key == row.id), None)
        found = self.searching.attempts(row.order_reference)
        return WholeEarning(
            row=row,
            earned=earned_of(row, steps),
            fate=fate_of(row.state, row.reason, "" if open_step is None else open_step.kind),
            basis=basis,
            lines=() if row.kind == "welcome" else by_line(basis),
            steps=steps,
            story=story_of_earning(row, steps, journal.returns(row.id), self._about_earning(row)),
            open_step=open_step,
            others=tuple(one for one in journal.of_order(row.order_reference) if one.id != row.id),
            redemption_id=found[-1].id if found else "",
            can_retry=self._is_due(row),
            can_settle=needs_a_person(row),
        )

    def ask_accrual(self, earning_id: str) -> AccrualView:
        """What the provider has of it now; changes nothing. Raises NotFoundError for an earning that is none."""
        row, deadline_s = self._earning_row(earning_id), self._checkout.settings.deadline_s
        port = accruals_of(self._checkout._provider)
        if port is None:
            return AccrualView()
        try:
            if row.accrual_id is not None:
                return AccrualView(accrual=port.get(row.accrual_id, deadline_s=deadline_s))
            found = port.find(order_reference=row.order_reference, deadline_s=deadline_s)
        except PunktgenauError as error:
            return AccrualView(error=error)
        return AccrualView(accrual=next((one for one in found if one.accrual_reference == row.accrual_reference), None))

    def retry_earned(self, earning_id: str, *, actor: str, reason: str = "") -> None:
        """Do now what is due for it anyway.

        Raises InProgressError while somebody else is at it, StateConflictError where nothing is due.
        """
        row, deadline_s = self._earning_row(earning_id), self._checkout.settings.deadline_s
        journal = self._checkout._earn_journal
        said = partial(
            self.actions.record_in,
            kind="earned_retry",
            actor=require_text(actor, field="actor"),
            reason=require_text(reason, field="reason", least=0),
            subject=row.order_reference,
            detail={"points": row.points, "kind": row.kind, "earning_id": row.id},
        )
        if not self._is_due(row):
            raise StateConflictError(
                f"What order {row.order_reference} earns needs no person now. Nothing was changed."
            )
        taken = journal.claim_open(row.id, lease_s=deadline_s) or journal.claim_check(row.id, lease_s=deadline_s)
        if taken is None:
            raise InProgressError(f"Order {row.order_reference} is being worked on by somebody else at this moment.")
        self._write(said)
        self._checkout._earn_recovery.carry_out(taken, deadline_s=deadline_s)

    def settle_earned(self, earning_id: str, *, again: bool, actor: str, reason: str) -> None:
        """Decide about points that were refused, or nobody can tell about. Raises as `Checkout.settle_earned`."""
        row = self._earning_row(earning_id)
        self._checkout.settle_earned(
            row.order_reference,
            kind="welcome" if row.kind == "welcome" else "purchase",
            again=again,
            actor=require_text(actor, field="actor"),
            reason=require_text(reason, field="reason"),
        )

    # Inside

    def _is_due(self, row: EarningRow) -> bool:
        is_late = row.check_at is not None and row.check_at <= self._journal.now_ms()
        return is_late or any(one.open_key == row.id for one in self._checkout._earn_journal.steps(row.id))

    def _earning_row(self, earning_id: str) -> EarningRow:
        row = self.listed.earning(earning_id)
        if row is None:
            raise NotFoundError("There is no such earning.", field="earning_id")
        return row

    def _about_earning(self, row: EarningRow) -> tuple[Action, ...]:
        found = self._about(row.order_reference)
        return tuple(one for one in found if one.detail.get("earning_id") == row.id)

    def _about(self, subject: str) -> tuple[Action, ...]:
        return self.actions.found(_ABOUT, {"subject": subject})


def needs_a_person(row: EarningRow) -> bool:
    """Whether somebody has to decide about it, and nobody has so far."""
    return row.state in {"declined", "needs_attention"} and row.reason not in {"welcome_had", "left"}
