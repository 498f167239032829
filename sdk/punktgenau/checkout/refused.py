"""Returns whose points the provider refused for good: asked for once more, or paid in money instead; by a person."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from punktgenau._clock import Clock
from punktgenau.checkout.books import Books
from punktgenau.checkout.execute import Executor
from punktgenau.checkout.journal import LostSwapError
from punktgenau.checkout.refund import Refund
from punktgenau.checkout.return_journal import ReturnJournal
from punktgenau.checkout.returns import Returns
from punktgenau.checkout.schema import RedemptionRow
from punktgenau.checkout.schema_returns import ReturnRow
from punktgenau.checkout.standing import check_left, check_returnable
from punktgenau.checkout.voucher_returns import check_vouchers, vouchers_left
from punktgenau.checkout.vouchers import filled, parts_of, sum_of
from punktgenau.errors import InvalidArgumentError, NotFoundError, ReturnConflictError

_PAGE = 500
_AT_ONCE_S = 1.0


class Refused:
    """What a person may do about a refused return. Until then its points stay captured, and nothing is sent."""

    def __init__(self, journal: ReturnJournal, executor: Executor, returns: Returns, *, clock: Clock) -> None:
        self._journal = journal
        self._executor = executor
        self._returns = returns
        self._clock = clock

    def ask_again(self, row: RedemptionRow, *, reference: str, actor: str, reason: str, ends: float) -> Refund:
        """Ask for the same points once more, as an operation of its own.

        Raises NotFoundError, ReturnConflictError (it is not refused), RedemptionEndedError (all goes back anyway),
        ReversalExceedsCaptureError (the provider has given back by itself what it is about).
        """
        asked = self._refused(row, reference)
        left = max(0.1, ends - self._clock.monotonic())
        try:
            claim = self._journal.ask_again(
                asked, check=partial(_check, asked), actor=actor, reason=reason, lease_s=left
            )
        except LostSwapError as error:
            raise _settled(asked) from error
        if claim is not None:
            self._executor.run(claim, deadline_s=left)
        return self._returns.find(row, reference)

    def pay_instead(self, row: RedemptionRow, *, reference: str, actor: str, reason: str) -> Refund:
        """The points stay captured and their worth is owed in money. Raises as `ask_again`.

        So it is where not these were refused but new ones for those of them that had expired.
        """
        asked = self._known(row, reference)
        try:
            if asked.accrual_state is not None:
                self._journal.pay_new_points(asked, actor=actor, reason=reason, lease_s=_AT_ONCE_S)
            else:
                asked = self._refused(row, reference)
                self._journal.pay_instead(asked, check=partial(_check, asked), actor=actor, reason=reason)
        except LostSwapError as error:
            raise _settled(asked) from error
        return self._returns.find(row, reference)

    def settle_new_points(
        self, row: RedemptionRow, *, reference: str, given: bool, actor: str, reason: str, ends: float
    ) -> Refund:
        """What a person says of new points that were refused, or that nobody can tell about.

        Raises NotFoundError, ReturnConflictError (no person is needed).
        """
        asked = self._known(row, reference)
        left = max(0.1, ends - self._clock.monotonic())
        try:
            claim = self._journal.settle_accrual(asked, given=given, actor=actor, reason=reason, lease_s=left)
        except LostSwapError as error:
            raise ReturnConflictError(
                f"Nobody has to decide about new points of return {reference}, or somebody is just asking for them. "
                "Nothing was changed; look at it again.",
                field="return_reference",
            ) from error
        if claim is not None:
            self._executor.run(claim, deadline_s=left)
        return self._returns.find(row, reference)

    def settle_expired(
        self,
        row: RedemptionRow,
        *,
        reference: str,
        expired: int,
        vouchers_minor: int | None = None,
        actor: str,
        reason: str,
        ends: float,
    ) -> Refund:
        """What a person says of points that came back, of which nobody knows how many had expired; and of vouchers.

        Raises NotFoundError, ReturnConflictError (it is known, or does not matter), InvalidArgumentError.
        """
        asked = self._known(row, reference)
        if type(expired) is not int or not 0 <= expired <= asked.points:
            raise InvalidArgumentError(
                f"expired must be a whole number from 0 to {asked.points}, the points of return {reference}.",
                field="expired",
            )
        onto = parts_of(asked.vouchers)
        if vouchers_minor is None and not onto:
            vouchers_minor = 0
        if type(vouchers_minor) is not int or not 0 <= vouchers_minor <= sum_of(onto):
            raise InvalidArgumentError(
                f"vouchers_minor must be a whole number from 0 to {sum_of(onto)}, what went onto vouchers with return "
                f"{reference}.",
                field="vouchers_minor",
            )
        left, late = max(0.1, ends - self._clock.monotonic()), filled(onto, vouchers_minor)
        try:
            claim = self._journal.settle_expired(
                asked, expired_points=expired, onto=late, actor=actor, reason=reason, lease_s=left
            )
        except LostSwapError as error:
            raise ReturnConflictError(
                f"Nobody has to say what became of the points of return {reference}. Nothing was changed; look at it "
                "again.",
                field="return_reference",
            ) from error
        if claim is not None:
            self._executor.run(claim, deadline_s=left)
        return self._returns.find(row, reference)

    def listed(self) -> Iterator[Refund]:
        """Every refused return that nobody has settled, the oldest first."""
        return self._paged(self._journal.refused)

    def unsaid(self) -> Iterator[Refund]:
        """Every return of which nobody said how many points came back expired, although that matters; likewise."""
        return self._paged(self._journal.unsaid)

    def _paged(self, read: Callable[..., tuple[tuple[ReturnRow, str], ...]]) -> Iterator[Refund]:
        after = (0, "")
        while page := read(after=after, most=_PAGE):
            for one, _ in page:
                yield self._returns.find(self._journal.redemption(one.redemption_id), one.reference)
            after = (page[-1][0].created_at, page[-1][0].id)

    def _refused(self, row: RedemptionRow, reference: str) -> ReturnRow:
        one = self._known(row, reference)
        check_returnable(self._journal.books(row.id))
        if one.state != "declined":
            raise _settled(one)
        return one

    def _known(self, row: RedemptionRow, reference: str) -> ReturnRow:
        for one in self._journal.books(row.id).given_back:
            if one.reference == reference:
                return one
        raise NotFoundError(f"Order {row.order_reference} has no return {reference}.", field="return_reference")


def _check(asked: ReturnRow, books: Books) -> None:
    check_returnable(books)
    check_left(books, asked.points, reference=asked.reference)
    left = dict(vouchers_left(books, besides=asked.id))
    onto = parts_of(asked.vouchers)
    fits = sum(min(minor, left.get(voucher_id, 0)) for voucher_id, minor in onto)
    check_vouchers(books, fits, sum_of(onto), reference=asked.reference)


def _settled(one: ReturnRow) -> ReturnConflictError:
    return ReturnConflictError(
        f"Return {one.reference} is not refused, or just being changed by somebody else. Nothing was changed; look at "
        "it again.",
        field="return_reference",
    )
