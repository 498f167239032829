"""The noun return: parts of a paid order come back, and with them points and money, to the point and to the cent."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import get_args

from punktgenau._clock import Clock
from punktgenau.checkout.allocation import Allocation
from punktgenau.checkout.execute import Executor
from punktgenau.checkout.frozen import thaw
from punktgenau.checkout.journal import CLOSED, LostSwapError
from punktgenau.checkout.refund import Refund, RefundPreview, RefundState, Split
from punktgenau.checkout.return_journal import Books, ReturnJournal, wanted_json
from punktgenau.checkout.returned import BackBy, History, Returned, Wanted, returned, with_return
from punktgenau.checkout.schema import RedemptionRow
from punktgenau.checkout.schema_returns import ReturnRow
from punktgenau.checkout.settings import RefundPolicy, Settings
from punktgenau.errors import (
    InProgressError,
    InvalidArgumentError,
    NotFoundError,
    RedemptionEndedError,
    ReturnConflictError,
    StateConflictError,
)
from punktgenau.money import Money
from punktgenau.provider import Provider

REFERENCE_MAX = 36
"""As long as the partner API takes a return reference; it is never cut."""
_RETURNABLE = frozenset({"captured", "partially_reversed", "reversing", "capturing", "reversed"})
"""Also where all points are back: what is left of the goods is money then."""
_ROUNDS_MAX = 20
_PAGE = 500


class Returns:
    """Takes returns in, once per reference, and gives back what they are worth."""

    def __init__(
        self, provider: Provider, journal: ReturnJournal, executor: Executor, *, settings: Settings, clock: Clock
    ) -> None:
        self._provider = provider
        self._journal = journal
        self._executor = executor
        self._settings = settings
        self._clock = clock

    def refund(
        self, row: RedemptionRow, wanted: Wanted, *, reference: str, reason: str, actor: str, ends: float
    ) -> Refund:
        """Take a return in and give back; the same again answers as the first time.

        Raises ReturnConflictError (the reference stands for another return), InvalidArgumentError (more than is left),
        StateConflictError (nothing was captured, or a person has to look first): then nothing was booked.
        """
        reference = _text(reference, field="return_reference", most=REFERENCE_MAX)
        asked_for = wanted_json(wanted.lines, wanted.shipping_minor, wanted.amount_minor)

        def plan(books: Books) -> ReturnRow:
            _check_state(books.redemption)
            return self._planned(books, wanted, reference=reference, reason=reason, actor=actor)

        for _ in range(_ROUNDS_MAX):
            left = max(0.1, ends - self._clock.monotonic())
            try:
                known, claim = self._journal.request_return(row.id, reference=reference, plan=plan, lease_s=left)
            except LostSwapError:
                continue
            if known.wanted != asked_for:
                raise ReturnConflictError(
                    f"Return {reference} of order {row.order_reference} was asked for with other content. The first "
                    "one stands, this one did nothing; give it a reference of its own.",
                    field="return_reference",
                )
            if claim is None and known.state in {"requested", "reversing"}:
                # Asked for before: somebody is sending it, or an earlier call has left it open.
                claim = self._journal.claim(row.id, lease_s=left)
            if claim is not None:
                self._executor.run(claim, deadline_s=left)
            return self.find(row, reference)
        raise InProgressError(
            f"Order {row.order_reference} is being changed by others. Nothing was booked; try the same return again.",
        )

    def preview(self, row: RedemptionRow, wanted: Wanted) -> RefundPreview:
        """What a return would give back, under each policy; books nothing. Raises what `refund` raises."""
        books = self._journal.books(row.id)
        _check_state(books.redemption)
        allocation, history = _so_far(books)
        after = with_return(allocation, history, wanted)
        policies: dict[RefundPolicy, Split] = {}
        for policy in get_args(RefundPolicy):
            by = self._by(policy)
            step = returned(allocation, after, policy=by).since(returned(allocation, history, policy=by))
            policies[policy] = _split(step, returned(allocation, after, policy=by).carry_minor, row.currency)
        return RefundPreview(order_reference=row.order_reference, policy=_policy(row.refund_policy), policies=policies)

    def find(self, row: RedemptionRow, reference: str) -> Refund:
        """One return. Raises NotFoundError."""
        for refund in self.of_order(row):
            if refund.return_reference == reference:
                return refund
        raise NotFoundError(f"Order {row.order_reference} has no return {reference}.", field="return_reference")

    def of_order(self, row: RedemptionRow) -> tuple[Refund, ...]:
        """Every return of an order, the oldest first."""
        books = self._journal.books(row.id)
        return tuple(_refund(books.redemption, one) for one in books.returns)

    def money_refunded(self, row: RedemptionRow, *, reference: str, psp_reference: str) -> Refund:
        """The money half of a return was paid. Raises NotFoundError; ReturnConflictError where it was paid before."""
        psp_reference = _text(psp_reference, field="psp_reference", most=255)
        for one in self._journal.books(row.id).returns:
            if one.reference != reference:
                continue
            closed = self._journal.money_refunded(one, psp_reference=psp_reference)
            if closed.psp_reference != psp_reference:
                raise ReturnConflictError(
                    f"The money of return {reference} was paid before, as {closed.psp_reference}. Nothing was changed; "
                    "look whether it was paid twice.",
                    field="psp_reference",
                )
            return self.find(row, reference)
        raise NotFoundError(f"Order {row.order_reference} has no return {reference}.", field="return_reference")

    def owing_money(self) -> Iterator[tuple[str, str, Money]]:
        """Order reference, return reference and what is still to be paid in money, the oldest first."""
        seen: set[str] = set()
        since_ms = 0
        while True:
            page = self._journal.owing_money(since_ms=since_ms, most=_PAGE)
            fresh = [one for one in page if one[0].id not in seen]
            for row, order_reference, currency in fresh:
                owed_minor = row.money_minor + row.expired_minor
                yield order_reference, row.reference, Money(amount_minor=owed_minor, currency=currency)
            if not fresh:
                return
            since_ms = page[-1][0].created_at
            seen = {one[0].id for one in page if one[0].created_at == since_ms}

    def _planned(self, books: Books, wanted: Wanted, *, reference: str, reason: str, actor: str) -> ReturnRow:
        row = books.redemption
        policy = _policy(row.refund_policy)
        allocation, history = _so_far(books)
        after = returned(allocation, with_return(allocation, history, wanted), policy=self._by(policy))
        step = after.since(returned(allocation, history, policy=self._by(policy)))
        promised = sum(one.points for one in books.returns if one.state in {"requested", "reversing"})
        left = row.captured_points - row.reversed_points - promised
        if row.state != "capturing" and step.points > left:
            raise AssertionError(f"a return gives back {step.points} points, {left} are left")
        now_ms = self._journal.now_ms()
        return ReturnRow(
            id=self._journal.fresh_id(),
            redemption_id=row.id,
            number=len(books.returns) + 1,
            reference=reference,
            wanted=wanted_json(wanted.lines, wanted.shipping_minor, wanted.amount_minor),
            policy=policy,
            goods_minor=step.goods_minor,
            other_minor=step.other_minor,
            value_minor=step.value_minor,
            money_minor=step.money_minor,
            points=step.points,
            worth_minor=step.worth_minor,
            carry_minor=after.carry_minor,
            state="requested" if step.points else "done",
            operation_id=None,
            restored_points=None if step.points else 0,
            expired_points=None if step.points else 0,
            converted_points=None if step.points else 0,
            expired_rule=self._settings.expired_points,
            expired_minor=0,
            reason=_line(reason),
            actor=_line(actor),
            psp_reference=None,
            money_refunded_at=None,
            created_at=now_ms,
            finished_at=None if step.points else now_ms,
        )

    def _by(self, policy: RefundPolicy) -> BackBy:
        return policy if self._provider.profile.partial_reversal else None


def _so_far(books: Books) -> tuple[Allocation, History]:
    """Who paid which line of the order as it is now, and what came back of that."""
    row, changed = books.redemption, books.amendment
    frozen = thaw(row.cart if changed is None else changed.cart)
    allocation = frozen.allocation(
        points=row.points if changed is None else changed.points,
        value_minor=row.value_minor if changed is None else changed.value_minor,
        currency=row.currency,
    )
    history: History = {}
    for one in books.returns:
        if changed is None or one.number > changed.after_number:
            history = with_return(allocation, history, Wanted(**json.loads(one.wanted)))
    return allocation, history


def _check_state(row: RedemptionRow) -> None:
    if row.release_cause is not None:
        raise RedemptionEndedError(
            f"Order {row.order_reference} was cancelled ({row.release_cause}); all of its points go back by that. "
            "Nothing else was booked.",
        )
    if row.state in _RETURNABLE:
        return
    if row.state in CLOSED or row.state in {"authorizing", "authorized", "extending", "voiding", "abandoning"}:
        raise StateConflictError(
            f"Points have paid nothing of order {row.order_reference} ({row.state}), so none can come back. Nothing "
            "was booked; capture them first, or void them.",
            code="not_captured",
        )
    raise StateConflictError(
        f"The points of order {row.order_reference} need a person first ({row.state}). Nothing was booked.",
    )


def _refund(row: RedemptionRow, one: ReturnRow) -> Refund:
    state: RefundState = "done"
    if one.state == "declined":
        state = "declined"
    elif one.state != "done":
        state = "needs_attention" if row.state == "needs_attention" else "reversing"
    money = _money_of(row.currency)
    return Refund(
        state=state,
        order_reference=row.order_reference,
        return_reference=one.reference,
        policy=_policy(one.policy),
        points=one.points,
        points_value=money(one.value_minor),
        money=money(one.money_minor),
        other=money(one.other_minor),
        goods=money(one.goods_minor),
        carry=money(one.carry_minor),
        restored=one.restored_points,
        already_expired=one.expired_points,
        converted=one.converted_points,
        expired_money=money(one.expired_minor),
        reason=one.reason,
        actor=one.actor,
        asked_at=_moment(one.created_at),
        psp_reference=one.psp_reference,
        money_refunded_at=None if one.money_refunded_at is None else _moment(one.money_refunded_at),
    )


def _split(step: Returned, carry_minor: int, currency: str) -> Split:
    money = _money_of(currency)
    return Split(
        points=step.points,
        points_value=money(step.value_minor),
        money=money(step.money_minor),
        other=money(step.other_minor),
        goods=money(step.goods_minor),
        carry=money(carry_minor),
    )


def _money_of(currency: str) -> Callable[[int], Money]:
    return lambda amount_minor: Money(amount_minor=amount_minor, currency=currency)


def _moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)


def _policy(text: str) -> RefundPolicy:
    for policy in get_args(RefundPolicy):
        if policy == text:
            known: RefundPolicy = policy
            return known
    raise AssertionError(f"unknown refund policy {text!r}")


def _text(value: str, *, field: str, most: int) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= most or not value.isprintable():
        raise InvalidArgumentError(f"{field} must be a text of 1 to {most} printable characters.", field=field)
    return value


def _line(text: str) -> str:
    return "".join(sign for sign in text[:200] if sign.isprintable())
