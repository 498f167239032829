"""Orders that change after they were placed: a new version, and what it makes of points and money."""

from __future__ import annotations

from punktgenau._clock import Clock
from punktgenau.checkout.amended import Version, after_capture, before_capture
from punktgenau.checkout.attempt import payment_of
from punktgenau.checkout.cart import Cart
from punktgenau.checkout.execute import Executor
from punktgenau.checkout.frozen import freeze
from punktgenau.checkout.goals import POLL_S, Goals
from punktgenau.checkout.intent import deal_stands
from punktgenau.checkout.journal import CLOSED, LostSwapError
from punktgenau.checkout.order_journal import AMENDED, Amended, OrderJournal
from punktgenau.checkout.payment import Payment
from punktgenau.checkout.refund import policy_of
from punktgenau.checkout.return_journal import REVERSIBLE, Books, wanted_json
from punktgenau.checkout.returned import returned
from punktgenau.checkout.returns import Returns
from punktgenau.checkout.rules import payable_minor
from punktgenau.checkout.schema import RedemptionRow
from punktgenau.checkout.schema_returns import AmendmentRow, ReturnRow
from punktgenau.checkout.settings import Settings
from punktgenau.checkout.standing import rate_of, so_far
from punktgenau.errors import InProgressError, InvalidArgumentError, RedemptionEndedError, StateConflictError

_UNDER_WAY = frozenset({"authorizing", "extending", "capturing", "reversing"})


class Amending:
    """Takes a changed order in; the same order again answers as the first time."""

    def __init__(
        self,
        journal: OrderJournal,
        executor: Executor,
        goals: Goals,
        returns: Returns,
        *,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._journal = journal
        self._executor = executor
        self._goals = goals
        self._returns = returns
        self._settings = settings
        self._clock = clock

    def amend(self, row: RedemptionRow, cart: Cart, *, reason: str, actor: str, ends: float) -> Payment:
        """The order as it is now; what it makes of its points. Raises as `Checkout.amend`."""
        if cart.currency != row.currency:
            raise InvalidArgumentError(
                f"Order {row.order_reference} is paid in {row.currency}; it cannot be changed to {cart.currency}.",
                field="currency",
            )
        frozen = freeze(cart, self._settings.rules)

        def stands(books: Books) -> bool:
            return frozen == (books.redemption.cart if books.amendment is None else books.amendment.cart)

        def plan(books: Books) -> Amended | None:
            return None if stands(books) else self._planned(books, cart, frozen, reason=reason, actor=actor)

        if stands(books := self._journal.books(row.id)) and books.redemption.state != "authorized":
            return payment_of(books.redemption)
        while True:
            left = max(0.1, ends - self._clock.monotonic())
            try:
                row, claim = self._journal.amend(row.id, plan=plan, lease_s=left)
            except (LostSwapError, _UnderWayError):
                row = self._settled(row, ends=ends)
                continue
            if claim is not None:
                row, _ = self._executor.run(claim, deadline_s=left)
            if row.state == "authorized" and row.release_cause == AMENDED:
                row = self._goals.release(row, cause=AMENDED, ends=ends)
            return payment_of(row)

    def _settled(self, row: RedemptionRow, *, ends: float) -> RedemptionRow:
        """The row once what is under way has ended. Raises InProgressError where that takes too long."""
        left = ends - self._clock.monotonic()
        if left <= POLL_S:
            raise InProgressError(
                f"The points of order {row.order_reference} are just being changed ({row.state}). Nothing was amended; "
                "try the same again.",
                idempotency_key=row.key,
            )
        claim = self._journal.claim(row.id, lease_s=left)
        if claim is None:
            self._clock.sleep(POLL_S)
            return self._journal.redemption(row.id)
        row, _ = self._executor.run(claim, deadline_s=left)
        if row.state in _UNDER_WAY:
            self._clock.sleep(POLL_S)
        return row

    def _planned(self, books: Books, cart: Cart, frozen: str, *, reason: str, actor: str) -> Amended:
        row = books.redemption
        _check_state(row)
        number = 2 if books.amendment is None else books.amendment.version + 1
        payable, fits = cart.payable.amount_minor, sum(payable_minor(cart, self._settings.rules))
        back: ReturnRow | None = None
        if row.state in REVERSIBLE or row.state == "reversed":
            policy = self._returns.by(policy_of(row.refund_policy))
            allocation, history = so_far(books)
            state = returned(allocation, history, policy=policy)
            made = after_capture(allocation, state, policy=policy, payable_minor=payable, fits_minor=fits)
            back = self._back(books, made, number, reason=reason, actor=actor)
        elif row.state == "authorized" or deal_stands(row):
            made = before_capture(
                points=row.points,
                value_minor=row.value_minor,
                rate=rate_of(row),
                payable_minor=payable,
                fits_minor=fits,
                money_minimum_minor=self._settings.min_money_minor,
            )
        else:
            made = Version(points=0, value_minor=0)
        version = AmendmentRow(
            redemption_id=row.id,
            version=number,
            cart=frozen,
            points=made.points,
            value_minor=made.value_minor,
            total_minor=cart.total.amount_minor,
            payable_minor=payable,
            after_number=len(books.returns) + (back is not None),
            reason=reason,
            actor=actor,
            created_at=self._journal.now_ms(),
        )
        return Amended(version, back)

    def _back(self, books: Books, made: Version, number: int, *, reason: str, actor: str) -> ReturnRow | None:
        if made.back_points == 0 and made.money_minor == 0:
            return None
        goods_minor = made.back_worth_minor + made.money_minor
        return self._returns.row_of(
            books,
            reference=f"amend-{number}",
            wanted=wanted_json({}, 0, goods_minor),
            goods_minor=goods_minor,
            other_minor=0,
            value_minor=made.back_worth_minor,
            money_minor=made.money_minor,
            points=made.back_points,
            worth_minor=made.back_worth_minor,
            carry_minor=0,
            reason=reason,
            actor=actor,
        )


class _UnderWayError(Exception):
    """Something else is being done with these points."""


def _check_state(row: RedemptionRow) -> None:
    if row.state in _UNDER_WAY:
        raise _UnderWayError
    if row.release_cause is not None and row.state not in CLOSED:
        raise RedemptionEndedError(
            f"The points of order {row.order_reference} are going back ({row.release_cause}). Nothing was amended."
        )
    if row.state == "partially_captured":
        raise StateConflictError(
            f"A part of order {row.order_reference} is shipped and paid. Nothing was amended; capture the rest, or "
            "cancel, and return what does not ship.",
            code="already_captured",
        )
    if row.state in {"short", "needs_attention", "voiding", "abandoning"}:
        raise StateConflictError(
            f"The points of order {row.order_reference} have to be resolved first ({row.state}). Nothing was amended."
        )
