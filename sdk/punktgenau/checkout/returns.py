"""The noun return: parts of a paid order come back, and with them points and money, to the point and to the cent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial

from punktgenau._clock import Clock
from punktgenau.checkout.actions import one_line
from punktgenau.checkout.allocation import Allocation
from punktgenau.checkout.attempt import payment_of
from punktgenau.checkout.books import Books
from punktgenau.checkout.execute import Executor
from punktgenau.checkout.foreseen import already_expired
from punktgenau.checkout.intent import RELEASE, as_json
from punktgenau.checkout.invoice import Invoice, invoice_of
from punktgenau.checkout.journal import LostSwapError
from punktgenau.checkout.money_half import newly_paid_minor, require_payable
from punktgenau.checkout.previewed import under_each
from punktgenau.checkout.refund import AMENDMENT, Refund, RefundPreview, policy_of, refund_of, vouchers_back
from punktgenau.checkout.return_journal import ReturnJournal, wanted_json
from punktgenau.checkout.returned import BackBy, History, Wanted, returned, with_return
from punktgenau.checkout.schema import RedemptionRow
from punktgenau.checkout.schema_returns import ReturnRow
from punktgenau.checkout.settings import RefundPolicy, Settings
from punktgenau.checkout.standing import allocation_of, check_left, check_returnable, rate_of, so_far
from punktgenau.checkout.tenders import TAKEN
from punktgenau.checkout.voucher_returns import onto_of
from punktgenau.checkout.vouchers import Parts, of_cart, worth_minor
from punktgenau.errors import (
    AmountChangedError,
    InProgressError,
    InvalidArgumentError,
    NotFoundError,
    ReturnConflictError,
    StateConflictError,
)
from punktgenau.money import Money
from punktgenau.provider import Provider

REFERENCE_MAX = 36
"""As long as the partner API takes a return reference; it is never cut."""
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
        self._whole = not provider.profile.partial_reversal

    def refund(
        self,
        row: RedemptionRow,
        wanted: Wanted,
        *,
        reference: str,
        reason: str,
        actor: str,
        ends: float,
        seen: tuple[int, Money] | None = None,
    ) -> Refund:
        """Take a return in and give back; the same again answers as the first time. `seen`: as `Checkout.refund`.

        Raises ReturnConflictError (the reference stands for another return), InvalidArgumentError (more than is left),
        StateConflictError (nothing was captured, or a person has to look first): then nothing was booked.
        """
        reference = require_reference(reference, field="return_reference", most=REFERENCE_MAX)
        if (prefix := next(filter(reference.startswith, (AMENDMENT, RELEASE)), None)) is not None:
            raise InvalidArgumentError(
                f"References that begin with {prefix} are the engine's own; give the return another one.",
                field="return_reference",
            )
        asked_for = wanted_json(wanted.lines, wanted.shipping_minor, wanted.amount_minor)

        def plan(books: Books) -> ReturnRow:
            check_returnable(books)
            made = self._planned(books, wanted, reference=reference, reason=reason, actor=actor)
            if seen is not None and seen != (made.points, Money(amount_minor=made.money_minor, currency=row.currency)):
                raise AmountChangedError(
                    f"Something else of order {row.order_reference} came back meanwhile. Nothing was booked; look at "
                    "the new figures.",
                )
            return made

        for _ in range(_ROUNDS_MAX):
            left = max(0.1, ends - self._clock.monotonic())
            try:
                known, claim = self._journal.request_return(row.id, reference=reference, plan=plan, lease_s=left)
            except LostSwapError:
                known_by = self._journal.with_return(row.order_reference, reference)
                row = known_by or self._journal.latest(row.order_reference) or row
                continue
            if wanted_json(**json.loads(known.wanted)) != asked_for:
                raise ReturnConflictError(
                    f"Return {reference} of order {row.order_reference} was asked for with other content. The first "
                    "one stands, this one did nothing; give it a reference of its own.",
                    field="return_reference",
                )
            if claim is None and known.state in {"requested", "reversing"}:
                # Somebody is sending it, or an earlier call has left it open.
                claim = self._journal.claim(row.id, lease_s=left)
            if claim is not None:
                self._executor.run(claim, deadline_s=left)
            return self.find(row, reference)
        raise InProgressError(
            f"Order {row.order_reference} is being changed by others. Nothing was booked; try the same return again.",
        )

    def preview(self, row: RedemptionRow, wanted: Wanted, *, ends: float) -> RefundPreview:
        """What a return would give back, under each policy, as RefundPreview; raises what `refund` raises."""
        books = self._journal.books(row.id)
        check_returnable(books)
        allocation, history, with_it = _with(books, wanted)
        policy = policy_of(row.refund_policy)
        before, after = (returned(allocation, at, policy=self.by(policy)) for at in (history, with_it))
        onto = onto_of(books, allocation, (before, after), whole=self._whole)
        policies = under_each(
            allocation, (history, with_it), own=policy, by=self.by, parcels=so_far(books).parcels, currency=row.currency
        )
        check_left(books, policies[policy].points)
        left_s = max(0.1, ends - self._clock.monotonic())
        expired = already_expired(self._provider, books.redemption, policies[policy].points, deadline_s=left_s)
        return RefundPreview(
            order_reference=row.order_reference,
            policy=policy,
            policies=policies,
            already_expired=expired,
            vouchers=vouchers_back(books.redemption, onto),
        )

    def find(self, row: RedemptionRow, reference: str) -> Refund:
        """One return. Raises NotFoundError."""
        for refund in self.of_order(row):
            if refund.return_reference == reference:
                return refund
        raise NotFoundError(f"Order {row.order_reference} has no return {reference}.", field="return_reference")

    def of_order(self, row: RedemptionRow) -> tuple[Refund, ...]:
        """Every return of an order, the oldest first."""
        books = self._journal.books(row.id)
        return tuple(refund_of(books.redemption, one) for one in books.given_back)

    def invoice(self, row: RedemptionRow) -> Invoice:
        """The receipt of an order as it is now; points that never paid, or were released, are not on it.

        Raises OutcomeUnknownError while nobody knows.
        """
        books = self._journal.books(row.id)
        row = books.redemption
        pays = (told := payment_of(row)).due != told.total or row.captured_points > 0
        missing = books.missing if row.state == "short" and row.captured_points else (0, 0)
        vouchers = of_cart(books.cart) if told.agreed_vouchers or row.state in TAKEN else ()
        allocation = allocation_of(books, with_points=pays, with_vouchers=bool(vouchers), missing=missing)
        return invoice_of(
            row.order_reference,
            allocation,
            missing_minor=missing[1],
            vouchers_minor=worth_minor(vouchers),
            vouchers_back_minor=books.vouchers_back_minor,
            rate=rate_of(row),
            tax_mode="discount" if row.tax_mode == "discount" else "tender",
            returns=tuple(refund_of(row, one) for one in books.of_version),
            earlier=tuple(refund_of(row, one) for one in books.of_earlier_versions),
            given_back=books.back_unsettled if allocation.points and row.state != "short" else (0, 0),
        )

    def money_refunded(
        self, row: RedemptionRow, *, reference: str, psp_reference: str, amount: Money | None = None
    ) -> Refund:
        """The money half of a return was paid, or a part of it. Raises as `Checkout.money_refunded`."""
        psp_reference = require_reference(psp_reference, field="psp_reference", most=255)
        require_payable(amount, currency=row.currency)
        for one in self._journal.books(row.id).given_back:
            if one.reference == reference:
                plan = partial(newly_paid_minor, amount_minor=None if amount is None else amount.amount_minor)
                self._journal.money_refunded(one, psp_reference=psp_reference, plan=plan)
                return self.find(row, reference)
        raise NotFoundError(f"Order {row.order_reference} has no return {reference}.", field="return_reference")

    def owing_money(self) -> Iterator[tuple[str, str, Money]]:
        """Order reference, return reference and what is still to be paid in money, the oldest first."""
        after = (0, "")
        while page := self._journal.owing_money(after=after, most=_PAGE):
            for row, order_reference, currency in page:
                yield order_reference, row.reference, Money(amount_minor=row.owed_minor, currency=currency)
            after = (page[-1][0].created_at, page[-1][0].id)

    def _planned(self, books: Books, wanted: Wanted, *, reference: str, reason: str, actor: str) -> ReturnRow:
        row = books.redemption
        policy = policy_of(row.refund_policy)
        allocation, history, with_it = _with(books, wanted)
        after = returned(allocation, with_it, policy=self.by(policy))
        before = returned(allocation, history, policy=self.by(policy))
        step = after.since(before)
        onto = onto_of(books, allocation, (before, after), whole=self._whole, reference=reference)
        check_left(books, step.points, reference=reference)
        return self.planned(
            books,
            reference=reference,
            wanted=wanted_json(wanted.lines, wanted.shipping_minor, wanted.amount_minor),
            goods_minor=step.goods_minor,
            other_minor=step.other_minor,
            value_minor=step.value_minor,
            money_minor=step.money_minor,
            points=step.points,
            worth_minor=step.worth_minor,
            carry_minor=after.carry_minor,
            reason=reason,
            actor=actor,
            parcels=so_far(books).parcels,
            onto=onto,
        )

    def planned(
        self,
        books: Books,
        *,
        reference: str,
        wanted: str,
        goods_minor: int,
        other_minor: int,
        value_minor: int,
        money_minor: int,
        points: int,
        worth_minor: int,
        carry_minor: int,
        reason: str,
        actor: str,
        parcels: int | None = None,
        onto: Parts = (),
    ) -> ReturnRow:
        """A return that is not written yet; where no points go back and nothing of vouchers, it is done as written."""
        now_ms, asks = self._journal.now_ms(), bool(points or onto)
        return ReturnRow(
            id=self._journal.fresh_id(),
            redemption_id=books.redemption.id,
            number=books.last_number + 1,
            reference=reference,
            wanted=wanted,
            policy=books.redemption.refund_policy,
            goods_minor=goods_minor,
            other_minor=other_minor,
            value_minor=value_minor,
            money_minor=money_minor,
            points=points,
            worth_minor=worth_minor,
            carry_minor=carry_minor,
            state="requested" if asks else "done",
            operation_id=None,
            restored_points=None if points else 0,
            expired_points=None if points else 0,
            converted_points=None if points else 0,
            expired_rule=self._settings.expired_rule,
            expired_minor=0,
            instead_minor=0,
            reason=one_line(reason),
            actor=one_line(actor),
            psp_reference=None,
            money_refunded_at=None,
            refunded_minor=0,
            created_at=now_ms,
            finished_at=None if asks else now_ms,
            parcels=parcels,
            vouchers=as_json(onto) if onto else None,
        )

    def by(self, policy: RefundPolicy) -> BackBy:
        """How this provider gives back under a policy; None: as a whole or not at all."""
        return None if self._whole else policy


def _with(books: Books, wanted: Wanted) -> tuple[Allocation, History, History]:
    """Who pays which line, and what came back of that before a return and with it. Raises as `refund`."""
    at = so_far(books)
    try:
        return at.allocation, at.history, with_return(at.allocation, at.history, wanted, parcels=at.parcels)
    except StateConflictError as error:
        if not at.is_leaving:
            raise
        raise InProgressError(
            f"A parcel of order {books.redemption.order_reference} is just being captured, and only what is captured "
            "can come back. Nothing was booked; try the same return again.",
        ) from error


def require_reference(value: str, *, field: str, most: int) -> str:
    """A reference as it was given. Raises InvalidArgumentError."""
    if not isinstance(value, str) or not 1 <= len(value) <= most or not value.isprintable():
        raise InvalidArgumentError(f"{field} must be a text of 1 to {most} printable characters.", field=field)
    return value
