"""Orders that change after they were placed: a new version, and what it makes of points and money."""

from __future__ import annotations

import json
from collections.abc import Mapping

from punktgenau._clock import Clock
from punktgenau.checkout.amended import Version, after_capture, before_capture, between_parcels
from punktgenau.checkout.amended_rewards import bound_left, bound_to_come, fits_minor, require_rewards
from punktgenau.checkout.attempt import payment_of
from punktgenau.checkout.books import Books
from punktgenau.checkout.cart import Cart
from punktgenau.checkout.execute import Executor
from punktgenau.checkout.frozen import freeze, thaw
from punktgenau.checkout.goals import POLL_S, Goals
from punktgenau.checkout.intent import deal_stands
from punktgenau.checkout.journal import CLOSED, LostSwapError
from punktgenau.checkout.order_journal import AMENDED, Amended, OrderJournal
from punktgenau.checkout.payment import Payment
from punktgenau.checkout.refund import AMENDMENT, policy_of
from punktgenau.checkout.return_journal import wanted_json
from punktgenau.checkout.returned import BackBy, returned
from punktgenau.checkout.returns import Returns
from punktgenau.checkout.schema import RedemptionRow
from punktgenau.checkout.schema_returns import AmendmentRow, ReturnRow
from punktgenau.checkout.settings import Settings
from punktgenau.checkout.standing import Standing, check_left, rate_of, so_far
from punktgenau.checkout.states import HELD, UNDER_WAY
from punktgenau.checkout.vouchers import of_cart
from punktgenau.errors import InProgressError, InvalidArgumentError, RedemptionEndedError, StateConflictError

_WAITED_FOR = UNDER_WAY - {"voiding", "abandoning"}
"""What ends by itself, without taking the order's points back."""
_TAKEN = frozenset({"captured", "partially_reversed", "reversed"})


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
            return frozen == books.cart

        def plan(books: Books) -> Amended | None:
            return None if stands(books) else self._planned(books, cart, frozen, reason=reason, actor=actor)

        if stands(books := self._journal.books(row.id)) and books.redemption.state not in HELD:
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
            elif row.state == "partially_captured":
                row = self._goals.settle(row, ends=ends)
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
        if row.state in _WAITED_FOR:
            self._clock.sleep(POLL_S)
        return row

    def _planned(self, books: Books, cart: Cart, frozen: str, *, reason: str, actor: str) -> Amended:
        row = books.redemption
        _check_state(row)
        number = books.version + 1
        payable, fits = cart.payable.amount_minor, fits_minor(cart, rate_of(row), self._settings.rules)
        back: ReturnRow | None = None
        shipped: dict[str, int] | None = None
        policy = self._returns.by(policy_of(row.refund_policy))
        at = so_far(books)
        if row.state in {"authorized", "partially_captured"} and at.parcels is not None:
            if at.is_leaving:
                raise _UnderWayError
            shipped = at.units_here()
            made = self._between_parcels(books, at, shipped, frozen, payable_minor=payable, policy=policy)
            back = self._back(books, made, number, reason=reason, actor=actor)
        elif row.is_without_points or (row.state in _TAKEN and row.release_cause is None):
            state = returned(at.allocation, at.history, policy=policy)
            here, left = bound_left(at), at.allocation.points - state.points
            require_rewards(row, cart.reward_points, has=here, left=left)
            kept = min(cart.reward_points, left)
            made = after_capture(
                at.allocation,
                state,
                policy=policy,
                payable_minor=payable,
                fits_minor=fits,
                kept_points=kept,
                gone_points=max(0, min(here, left) - kept),
            )
            back = self._back(books, made, number, reason=reason, actor=actor)
        elif row.state == "authorized" or deal_stands(row):
            _require_none_waits(books)
            # From what was placed, so that changing back and forth loses nothing.
            has = thaw(row.cart).reward_points
            require_rewards(row, cart.reward_points, has=has, left=row.points)
            made = before_capture(
                points=row.points,
                value_minor=row.value_minor,
                rate=rate_of(row),
                payable_minor=payable,
                fits_minor=fits,
                money_minimum_minor=self._settings.min_money_minor,
                kept_points=cart.reward_points,
                gone_points=max(0, has - cart.reward_points),
            )
        else:
            require_rewards(row, cart.reward_points, has=thaw(books.cart).reward_points, left=0)
            made = Version(points=0, value_minor=0)
        version = AmendmentRow(
            redemption_id=row.id,
            version=number,
            cart=frozen,
            points=made.points,
            value_minor=made.value_minor,
            total_minor=cart.total.amount_minor,
            payable_minor=payable,
            after_number=books.last_number + (back is not None),
            reason=reason,
            actor=actor,
            created_at=self._journal.now_ms(),
            shipped=None if shipped is None else json.dumps(shipped, sort_keys=True),
            taken_points=made.taken[0],
            taken_minor=made.taken[1],
            after_shipment=len(books.shipments),
        )
        return Amended(version, back)

    def _between_parcels(
        self,
        books: Books,
        at: Standing,
        shipped: Mapping[str, int],
        frozen: str,
        *,
        payable_minor: int,
        policy: BackBy,
    ) -> Version:
        """What has left stays as it is; what is held is reckoned anew. Raises StateConflictError."""
        row, cart = books.redemption, thaw(frozen)
        ordered = {line.id: line.quantity for line in cart.lines}
        for line_id, quantity in shipped.items():
            if ordered.get(line_id, 0) < quantity:
                raise StateConflictError(
                    f"{quantity} units of line {line_id!r} have left and were not returned. Nothing was amended; take "
                    "them back by `refund`.",
                    code="already_shipped",
                    field="lines",
                )
        back = returned(at.allocation, at.history, policy=policy)
        needs = sum(line.bound_points for line in cart.split(shipped)[1])
        held_points = row.points - row.captured_points
        to_come = min(bound_to_come(books), held_points)
        require_rewards(row, needs, has=to_come, left=held_points)
        came = (sum(one.points for one in books.returns), sum(one.worth_minor for one in books.returns))
        return between_parcels(
            # What a return has promised comes back, whether or not it has by now.
            taken=(row.captured_points - came[0], row.captured_minor - came[1]),
            held=(held_points, row.value_minor - row.captured_minor),
            money_minor=sum(line.money_minor for line in at.allocation.lines) - back.money_minor,
            policy=policy,
            rate=rate_of(row),
            payable_minor=payable_minor,
            fits_minor=cart.payable_in_part(shipped, rate_of(row)),
            money_minimum_minor=self._settings.min_money_minor,
            kept_points=min(needs, held_points),
            gone_points=max(0, to_come - needs),
        )

    def _back(self, books: Books, made: Version, number: int, *, reason: str, actor: str) -> ReturnRow | None:
        if made.back_points == 0 and made.money_minor == 0:
            return None
        reference = f"{AMENDMENT}{number}"
        check_left(books, made.back_points, reference=reference)
        goods_minor = made.back_worth_minor + made.money_minor
        return self._returns.planned(
            books,
            reference=reference,
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


def _require_none_waits(books: Books) -> None:
    """Raises InProgressError where a return waits for points that are still held: it is of the order as it was."""
    for one in books.returns:
        if one.state == "requested":
            raise InProgressError(
                f"Return {one.reference} of order {books.redemption.order_reference} waits until its points are "
                "captured. Nothing was amended; capture them first, then try the same again.",
                idempotency_key=books.redemption.key,
            )


def _check_state(row: RedemptionRow) -> None:
    if row.state in _WAITED_FOR:
        raise _UnderWayError
    if row.release_cause is not None and row.state not in CLOSED:
        raise RedemptionEndedError(
            f"The points of order {row.order_reference} are going back ({row.release_cause}). Nothing was amended."
        )
    if row.state == "voiding" and row.captured_points:
        # The rest of a hold of which an earlier change left nothing to capture.
        raise _UnderWayError
    if row.state in {"short", "needs_attention", "voiding", "abandoning"}:
        raise StateConflictError(
            f"The points of order {row.order_reference} have to be resolved first ({row.state}). Nothing was amended."
        )
    if of_cart(row.cart) and row.amended_payable_minor is None:
        raise StateConflictError(
            f"Order {row.order_reference} is paid with vouchers, so it is not changed. Nothing was amended; return "
            "parts of it, or cancel it and place it anew.",
            code="not_amendable",
        )
