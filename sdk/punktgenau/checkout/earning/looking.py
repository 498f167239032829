"""Looking at an earning: what it should be by now, and the one step that is missing."""

from __future__ import annotations

from collections.abc import Callable

from punktgenau._redact import logger
from punktgenau.checkout.cart import Order
from punktgenau.checkout.earning.execute import EarnExecutor
from punktgenau.checkout.earning.journal import EarnJournal
from punktgenau.checkout.earning.schema import EarningRow, NextStep
from punktgenau.checkout.earning.standing import (
    NotToldError,
    Targets,
    Word,
    basis_of_row,
    kept_of,
    targets,
    word_of,
)
from punktgenau.checkout.journal import LostSwapError
from punktgenau.checkout.order_journal import OrderJournal
from punktgenau.checkout.rows import replace
from punktgenau.errors import NotSentError, PunktgenauError
from punktgenau.provider import MembersPort

LOOK_AGAIN_MS = 60_000
LOOK_LATER_MS = 3_600_000
MISSING_ORDER_MS = 120_000
UNDER_WAY = frozenset({"accruing", "posting", "reversing", "needs_attention"})
"""With an open step; whoever finishes it says what comes next."""
OTHER_CURRENCY = "currency_not_offered"
_OVER = frozenset({"reversed", "declined"})
_STEPS_MAX = 4


class Looking:
    """Takes an earning to what it should be, one step at a time."""

    def __init__(
        self,
        journal: EarnJournal,
        orders: OrderJournal,
        executor: EarnExecutor,
        members: MembersPort,
        *,
        deadline_s: float,
    ) -> None:
        self._journal = journal
        self._orders = orders
        self._executor = executor
        self._members = members
        self._deadline_s = deadline_s

    def look_at(
        self, row: EarningRow, *, order_loader: Callable[[str], Order | None] | None, deadline_s: float
    ) -> tuple[EarningRow, PunktgenauError | None]:
        """Do the step that is missing, if one is; the row as it stands then, and why a call failed."""
        now_ms = self._journal.now_ms()
        if row.state in UNDER_WAY:
            # Its own step finds out what it is by now; what waits for that stays due until then.
            self._journal.free_check(row, check_at=now_ms + LOOK_AGAIN_MS)
            return row, None
        try:
            row, planned, check_at = self._planned(row, order_loader, now_ms=now_ms)
            if planned is not None:
                return self._executor.run(self._journal.begin(row, planned, lease_s=deadline_s), deadline_s=deadline_s)
        except NotSentError as error:
            # The provider is away, so nothing can be given either.
            check_at = now_ms + LOOK_AGAIN_MS
            self._journal.free_check(row, check_at=check_at)
            return row, error
        except LostSwapError:
            # Something came back meanwhile, or somebody else is at it: whoever looks next reads it anew.
            return row, None
        except NotToldError:
            logger.exception("the order loader failed; what the order earns is left alone")
            check_at = now_ms + LOOK_AGAIN_MS
        self._journal.free_check(row, check_at=check_at)
        return row, None

    def _planned(
        self, row: EarningRow, order_loader: Callable[[str], Order | None] | None, *, now_ms: int
    ) -> tuple[EarningRow, NextStep | None, int | None]:
        """The row, the step that is missing, and when to look again where none is.

        Raises NotToldError, LostSwapError.
        """
        redemption = self._orders.latest(row.order_reference)
        word = word_of(row, redemption, order_loader)
        basis = basis_of_row(row)
        kept = kept_of(self._orders, row, basis, self._journal.returns(row.id))
        is_never = row.state == "planned" and word == "missing"
        if is_never and now_ms - row.created_at <= MISSING_ORDER_MS:
            word, is_never = "wait", False
        gone = word == "cancelled" or kept.is_cancelled or is_never
        wish = targets(row, 0 if gone else kept.points(row, basis))
        if wish.offset_back > row.offset_back:
            more = wish.offset_back - row.offset_back
            owing = replace(row, offset_back=wish.offset_back, owed_points=row.owed_points + more)
            row = self._journal.change(row, owing)
        if row.state in _OVER:
            return row, None, None
        if row.points == 0:
            # All of it was set off; until points would be posted the order may be cancelled without a word.
            until = max(row.created_at + row.pending_s * 1000, now_ms + LOOK_LATER_MS if word == "wait" else 0)
            return row, None, until if until > now_ms and not gone else None
        if row.state == "planned":
            return self._first(row, wish, word, why="order_gone" if gone else "returned", now_ms=now_ms)
        if wish.taken > row.points_taken:
            return row, claw_back(row, wish.taken - row.points_taken, cancelled=gone), None
        if row.state == "posted":
            return row, None, None
        until = row.pending_until or now_ms
        if until > now_ms:
            return row, None, until
        if word == "wait":
            # Not paid (any more), and not cancelled either.
            return row, None, now_ms + LOOK_LATER_MS
        return row, NextStep(kind="post", request={}, state="posting", points_taken=row.points_taken), None

    def _is_other_currency(self, row: EarningRow) -> bool:
        """Whether the programme reckons in another currency than the order: so much money is not so many points there.

        Raises NotSentError where the provider is away.
        """
        if self._orders.latest(row.order_reference) is not None:
            # Points were asked for, so it is the same.
            return False
        try:
            balance = self._members.balance(member_id=row.member_id, deadline_s=self._deadline_s)
        except NotSentError:
            raise
        except PunktgenauError as error:
            # A consent that was withdrawn, above all: points may be given all the same.
            logger.info("the programme's currency is not known: %s", error.code)
            return False
        return balance.rate.currency != basis_of_row(row).currency

    def _first(
        self, row: EarningRow, wish: Targets, word: Word, *, why: str, now_ms: int
    ) -> tuple[EarningRow, NextStep | None, int | None]:
        """What becomes of an earning of which the provider does not know yet."""
        if wish.taken >= row.points:
            # It is never given, and nobody has to be asked.
            gone = replace(row, state="reversed", points_taken=row.points, reason=why, check_at=None)
            return self._journal.change(row, gone), None, None
        if word == "wait":
            return row, None, now_ms + max(LOOK_AGAIN_MS, min(LOOK_LATER_MS, now_ms - row.created_at))
        given_at = row.created_at + row.pending_s * 1000
        if not self._executor.profile.accrual_pending and given_at > now_ms:
            # Where points cannot be pending they are given once the order cannot come back any more.
            return row, None, given_at
        if self._is_other_currency(row):
            other = replace(row, state="reversed", points_taken=row.points, reason=OTHER_CURRENCY, check_at=None)
            return self._journal.change(row, other), None, None
        left_s = max(0, -(-(given_at - now_ms) // 1000))
        request: dict[str, str | int] = {
            "points": row.points - wish.taken,
            "reason": reason_of(row),
            "pending_s": left_s if self._executor.profile.accrual_pending else 0,
        }
        return row, NextStep(kind="accrue", request=request, state="accruing", points_taken=wish.taken), None


def claw_back(row: EarningRow, points: int, *, cancelled: bool) -> NextStep:
    """Take so many points back."""
    what = "cancelled" if cancelled else "returned"
    request: dict[str, str | int] = {
        "points": points,
        "reason": f"Order {row.order_reference}: {what}, so its points are taken back",
        "below_zero": int(row.claw_back == "below_zero"),
    }
    return NextStep(kind="claw_back", request=request, state="reversing", points_taken=row.points_taken)


def reason_of(row: EarningRow) -> str:
    """Why points are given, as the member reads it."""
    if row.kind == "welcome":
        return f"Order {row.order_reference}: welcome points"
    names = [plus.name for plus in basis_of_row(row).campaigns]
    reason = f"Order {row.order_reference}: points earned"
    told = f"{reason} ({', '.join(names)})" if names else reason
    return told if len(told) <= 200 else reason
