"""The back office's side of the engine: what an operator sees, and what one may do; each deed is recorded first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from punktgenau.checkout import attention, figures, personal, searching
from punktgenau.checkout.actions import Action, Actions, require_text
from punktgenau.checkout.attempt import payment_of
from punktgenau.checkout.engine import Checkout
from punktgenau.checkout.execute import Executor
from punktgenau.checkout.frozen import FrozenCart, thaw
from punktgenau.checkout.intent import Claim, wished
from punktgenau.checkout.journal import LostSwapError
from punktgenau.checkout.payment import Payment
from punktgenau.checkout.refund import Refund, RefundPreview
from punktgenau.checkout.resolving import Resolution, resolutions, resolved
from punktgenau.checkout.schema import OperationRow, RedemptionRow
from punktgenau.checkout.schema_returns import AmendmentRow, ReturnRow
from punktgenau.checkout.timeline import Chapter, Moment, heard_of, story
from punktgenau.errors import AmountChangedError, InProgressError, NotFoundError, PunktgenauError, StateConflictError
from punktgenau.provider import Entry, Redemption

_ENTRY_PAGES_MAX = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """One redemption with all that belongs to it; `cart` and `units_left` are of the order as it is now."""

    row: RedemptionRow
    payment: Payment
    cart: FrozenCart
    refunds: tuple[Refund, ...]
    returns: tuple[ReturnRow, ...]
    attempts: tuple[searching.Found, ...]
    story: tuple[Moment, ...]
    open_operation: OperationRow | None
    resolutions: tuple[Resolution, ...]
    is_latest: bool
    can_retry: bool
    can_give_back: bool
    can_return: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderView:
    """What the provider has of a redemption now, and its movements; `error`: why that could not be asked."""

    redemption: Redemption | None = None
    entries: tuple[Entry, ...] = ()
    error: PunktgenauError | None = None


class Office:
    """What the back office may ask of one Checkout. Changes need the operator's id in `actor`, printable."""

    def __init__(self, checkout: Checkout) -> None:
        self._checkout = checkout
        self._journal = checkout._journal
        self._executor: Executor = checkout._executor
        self._clock = checkout._clock
        self._database = checkout._database
        self.searching = searching.Searching(self._database)
        self.actions = Actions(self._database, clock=self._clock)
        self.personal = personal.Personal(self._journal, self._database, actions=self.actions, clock=self._clock)

    # Seeing

    def counts(self) -> attention.Attention:
        """How much needs a person."""
        return attention.counts(self._database, now_ms=self._journal.now_ms())

    def attention(self) -> attention.Attention:
        """All that needs a person, the oldest first."""
        return attention.attention(self._database, now_ms=self._journal.now_ms())

    def figures(self, spans: Sequence[figures.Span]) -> tuple[figures.Figures, ...]:
        """What became of orders that were placed in each span."""
        return figures.figures(self._database, spans)

    def whole(self, redemption_id: str) -> Whole:
        """One redemption of this shop with its order's whole story. Raises NotFoundError."""
        row = self._row(redemption_id)
        attempts = self.searching.attempts(row.order_reference)
        chapters = tuple(self._chapter(row if one.id == row.id else self._row(one.id)) for one in attempts)
        own = next(chapter for chapter in chapters if chapter.redemption.id == row.id)
        is_latest = attempts[-1].id == row.id
        open_operation = next((one for one in own.operations if one.open_key is not None), None)
        amended = own.amendments[-1] if own.amendments else None
        return Whole(
            row=row,
            payment=payment_of(row),
            cart=_cart(row, amended),
            refunds=self._checkout._returns.of_order(row),
            returns=own.returns,
            attempts=attempts,
            story=story(chapters),
            open_operation=open_operation,
            resolutions=resolutions(row, open_operation) if is_latest else (),
            is_latest=is_latest,
            can_retry=is_latest and self._can_retry(own, open_operation),
            can_give_back=is_latest and _can_give_back(row),
            can_return=is_latest and _can_return(row),
        )

    def ask_provider(self, redemption_id: str) -> ProviderView:
        """What the provider has of it now; changes nothing. Raises NotFoundError for a redemption that is none."""
        row = self._row(redemption_id)
        deadline_s = self._checkout.settings.deadline_s
        try:
            evidence = self._executor.look_up(row, deadline_s=deadline_s) if self._executor.can_look_up else None
            entries: list[Entry] = []
            cursor: str | None = None
            for _ in range(_ENTRY_PAGES_MAX):
                page = self._checkout._provider.members.entries(
                    member_id=row.member_id, cursor=cursor, deadline_s=deadline_s
                )
                entries += [one for one in page.items if one.order_reference == row.order_reference]
                if not (cursor := page.next_cursor):
                    break
        except PunktgenauError as error:
            return ProviderView(error=error)
        return ProviderView(redemption=evidence, entries=tuple(entries))

    def log(self, *, before: tuple[int, str] | None = None, most: int = 50) -> tuple[Action, ...]:
        """Who did what, the newest first."""
        return self.actions.page(before=before, most=most)

    # Doing

    def retry(self, redemption_id: str, *, actor: str, reason: str = "") -> Payment:
        """Do now what is due for it anyway: the open operation, a return that waits, a repair of a shortfall.

        Raises InProgressError while somebody else is at it.
        """
        row = self._row(redemption_id)
        self._record("retry", row, actor=actor, reason=reason)
        deadline_s = self._checkout.settings.deadline_s
        try:
            claim = self._claim(row, lease_s=deadline_s)
        except LostSwapError:
            claim = None
        if claim is None:
            raise InProgressError(f"Order {row.order_reference} is being worked on by somebody else at this moment.")
        after, _ = self._executor.run(claim, deadline_s=deadline_s)
        return payment_of(after)

    def resolve(self, redemption_id: str, *, as_: Resolution, actor: str, reason: str) -> Payment:
        """Write down what a person found out about an unknown, or decided about a shortfall. `reason` is required.

        Raises StateConflictError where that is not open (any more), InProgressError while it is being asked about.
        """
        require_text(reason, field="reason")
        row = self._latest(redemption_id)
        operation = next((one for one in self._journal.operations(row.id) if one.open_key is not None), None)
        if as_ not in resolutions(row, operation):
            raise StateConflictError(f"Order {row.order_reference} is not open in this way any more ({row.state}).")
        self._record(f"resolve_{as_}", row, actor=actor, reason=reason)
        if as_ in {"give_back", "written_off", "paid_otherwise"}:
            given = self._checkout.cancel(row.order_reference, cause=as_ if as_ != "give_back" else reason)
            return given if given is not None else payment_of(row)
        claim = self._journal.claim(row.id, lease_s=self._checkout.settings.deadline_s)
        if claim is None:
            raise InProgressError(f"The provider is being asked about order {row.order_reference} at this moment.")
        changed, outcome, code = resolved(claim, as_, now_ms=self._journal.now_ms())
        try:
            after = self._journal.finish(claim, changed, outcome=outcome, code=code, reply=None, sends=0, next_at=None)
        except LostSwapError:
            after = self._journal.redemption(row.id)
        self._checkout._heard(row, after)
        return payment_of(after)

    def give_back(self, redemption_id: str, *, actor: str, reason: str) -> Payment:
        """Give all points of an order back, held or captured: the order will not happen. `reason` is required."""
        require_text(reason, field="reason")
        row = self._latest(redemption_id)
        if not _can_give_back(row):
            raise StateConflictError(f"No points of order {row.order_reference} can go back ({row.state}).")
        self._record("cancel", row, actor=actor, reason=reason)
        given = self._checkout.cancel(row.order_reference, cause=reason)
        return given if given is not None else payment_of(row)

    def preview(
        self, redemption_id: str, *, lines: Mapping[str, int], shipping_minor: int, amount_minor: int | None
    ) -> RefundPreview:
        """What a return would give back under each policy. Raises what `Checkout.preview_refund` raises."""
        row = self._latest(redemption_id)
        preview = self._checkout.preview_refund(
            row.order_reference, lines=lines, shipping_minor=shipping_minor, amount_minor=amount_minor
        )
        if preview is None:
            raise NotFoundError(f"Points are no part of order {row.order_reference}.", field="order_reference")
        return preview

    def refund(
        self,
        redemption_id: str,
        *,
        return_reference: str,
        lines: Mapping[str, int],
        shipping_minor: int,
        amount_minor: int | None,
        seen: tuple[int, int] | None,
        actor: str,
        reason: str,
    ) -> Refund:
        """Take a return in; `seen` is what the operator was shown: points, and money in the smallest unit.

        Raises AmountChangedError where that is not what would go back now: nothing is booked then.
        """
        row = self._latest(redemption_id)
        is_known = any(one.return_reference == return_reference for one in self._checkout._returns.of_order(row))
        if not is_known and seen is not None:
            split = self.preview(
                redemption_id, lines=lines, shipping_minor=shipping_minor, amount_minor=amount_minor
            ).split
            if seen != (split.points, split.money.amount_minor):
                raise AmountChangedError(
                    f"Something else of order {row.order_reference} came back meanwhile. Nothing was booked; look at "
                    "the new figures.",
                )
        self._record("refund", row, actor=actor, reason=reason, return_reference=return_reference)
        refund = self._checkout.refund(
            row.order_reference,
            return_reference=return_reference,
            lines=lines,
            shipping_minor=shipping_minor,
            amount_minor=amount_minor,
            reason=reason,
            actor=actor,
        )
        if refund is None:
            raise NotFoundError(f"Points are no part of order {row.order_reference}.", field="order_reference")
        return refund

    def money_refunded(self, redemption_id: str, *, return_reference: str, psp_reference: str, actor: str) -> Refund:
        """The money half of a return was paid. Raises NotFoundError, ReturnConflictError."""
        row = self._latest(redemption_id)
        refund = self._checkout.money_refunded(
            row.order_reference, return_reference=return_reference, psp_reference=psp_reference
        )
        detail = {"return_reference": return_reference, "psp_reference": psp_reference}
        self._record("money_refunded", row, actor=actor, reason="", **detail)
        return refund

    def refund_again(self, redemption_id: str, *, return_reference: str, actor: str, reason: str) -> Refund:
        """Ask once more for the points of a refused return; the journal records who and why. `reason` is required."""
        require_text(reason, field="reason")
        row = self._latest(redemption_id)
        return self._checkout.refund_again(
            row.order_reference, return_reference=return_reference, actor=actor, reason=reason
        )

    def pay_instead(self, redemption_id: str, *, return_reference: str, actor: str, reason: str) -> Refund:
        """Owe the worth of a refused return's points in money; recorded as above. `reason` is required."""
        require_text(reason, field="reason")
        row = self._latest(redemption_id)
        return self._checkout.pay_instead(
            row.order_reference, return_reference=return_reference, actor=actor, reason=reason
        )

    # Inside

    def _row(self, redemption_id: str) -> RedemptionRow:
        row = self.searching.row(redemption_id)
        if row is None:
            raise NotFoundError("There is no such redemption.", field="redemption_id")
        return row

    def _latest(self, redemption_id: str) -> RedemptionRow:
        """The row, if it is its order's newest attempt: older ones are history."""
        row = self._row(redemption_id)
        newest = self._journal.latest(row.order_reference)
        if newest is None or newest.id != row.id:
            raise StateConflictError(f"A newer attempt of order {row.order_reference} has taken the place of this one.")
        return row

    def _chapter(self, row: RedemptionRow) -> Chapter:
        events, amendments = heard_of(self._database, row.id)
        return Chapter(
            redemption=row,
            operations=self._journal.operations(row.id),
            returns=self._journal.books(row.id).returns,
            amendments=amendments,
            events=events,
            actions=self.actions.of_redemption(row.id),
        )

    def _can_retry(self, chapter: Chapter, open_operation: OperationRow | None) -> bool:
        row = chapter.redemption
        waits = any(one.state == "requested" for one in chapter.returns)
        to_repair = row.state == "short" and row.cause != "shortfall" and not row.release_cause
        return open_operation is not None or waits or to_repair or wished(row) is not None

    def _claim(self, row: RedemptionRow, *, lease_s: float) -> Claim | None:
        claim = self._journal.claim(row.id, lease_s=lease_s)
        if claim is None:
            claim = self._executor.next_return(row, lease_s=lease_s)
        if claim is None and (planned := wished(row)) is not None:
            claim = self._journal.begin_operation(row, planned, lease_s=lease_s)
        return claim or self._executor.repair(row, lease_s=lease_s)

    def _record(self, kind: str, row: RedemptionRow, *, actor: str, reason: str, **detail: str) -> None:
        self.actions.record(
            kind, actor=actor, reason=reason, subject=row.order_reference, redemption_id=row.id, detail=detail
        )


def _cart(row: RedemptionRow, amended: AmendmentRow | None) -> FrozenCart:
    return thaw(row.cart if amended is None else amended.cart)


def _can_give_back(row: RedemptionRow) -> bool:
    if row.release_cause is not None:
        return False
    held = row.state in {"authorized", "extending", "capturing", "authorizing", "partially_captured"}
    return held or (row.state in {"captured", "partially_reversed"} and row.captured_points > row.reversed_points)


def _can_return(row: RedemptionRow) -> bool:
    return row.release_cause is None and row.state in {"captured", "partially_reversed", "reversing", "reversed"}
