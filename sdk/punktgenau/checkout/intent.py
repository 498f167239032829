"""The noun intent: an operation as it is written down before its first byte, and the right to send it."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256

from punktgenau.checkout.resolve import UNDONE
from punktgenau.checkout.schema import OperationRow, RedemptionRow
from punktgenau.checkout.vouchers import of_cart, rest, worth_minor
from punktgenau.provider import ProviderProfile

as_json = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode
"""How requests and replies are kept; made once, because `json.dumps` with these settings makes one per call."""


_BEGUN_ANEW = frozenset({UNDONE, "reversal_exceeds_capture"})

PAYMENT_FAILED = "payment_failed"
WITHOUT_POINTS = "without_points"
WENT_WITHOUT = frozenset({PAYMENT_FAILED, WITHOUT_POINTS})
"""Why points went back although their order may live on."""
ORDER_CANCELLED = "order_cancelled"
CAUSES = WENT_WITHOUT | {
    ORDER_CANCELLED,
    "order_gone",
    "given_up",
    "late_evidence",
    "amended",
    "written_off",
    "paid_otherwise",
}
"""Why points go back, in the engine's own words; all else are those of a shop, or of a person."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to send one operation until its lease ends; `token` fences off whoever had it before."""

    operation: OperationRow
    redemption: RedemptionRow
    token: int
    ends: float
    """The end of the lease, on this process's monotonic clock."""

    @property
    def is_first(self) -> bool:
        """Whether no byte can have gone out: each claim before this one has ended, proven to have sent nothing."""
        operation = self.operation
        unsent = operation.sends == 0 and operation.outcome in (None, "not_done")
        return unsent and self.token == operation.passes + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class NextOperation:
    """An operation to be written as intent together with the change that makes it necessary."""

    kind: str
    cause: str
    request: Mapping[str, str | int]
    state: str


def new_operation(
    row: RedemptionRow,
    planned: NextOperation,
    *,
    operation_id: str,
    fingerprint_key: bytes,
    key_of: Callable[[bytes], str],
    now_ms: int,
) -> OperationRow:
    """The row of an operation that has not been sent; its lease is set by the database's clock as it is written."""
    request = as_json(planned.request)
    return OperationRow(
        id=operation_id,
        redemption_id=row.id,
        kind=planned.kind,
        cause=planned.cause,
        # From a random id, not from order data: a reset shop with order number 1 again never meets an old key.
        key=key_of(sha256(f"{operation_id}|{planned.kind}|{planned.cause}".encode()).digest()),
        fingerprint=fingerprint(row, request, key=fingerprint_key),
        request=request,
        reply=None,
        outcome=None,
        code=None,
        sends=0,
        passes=0,
        open_key=row.id,
        next_at=now_ms,
        lease_until=0,
        lease_token=1,
        created_at=now_ms,
        finished_at=None,
    )


def fingerprint(row: RedemptionRow, request: str, *, key: bytes) -> str:
    """What is about to be sent, as a digest that only this journal can make."""
    return hmac.new(key, _sent(row, request).encode(), sha256).hexdigest()


def _sent(row: RedemptionRow, request: str) -> str:
    """What a fingerprint covers: all that decides what goes to the provider."""
    return "|".join(
        str(part)
        for part in (
            row.member_id,
            row.order_reference,
            row.points,
            row.value_minor,
            row.total_minor,
            row.currency,
            *((one.id, one.value_minor) for one in of_cart(row.cart)),
            request,
        )
    )


def abandon(row: RedemptionRow, *, cause: str) -> NextOperation:
    """Give an attempt up by its key: whatever it became, nothing of it will be held."""
    return NextOperation(kind="cancel_by_key", cause=cause, request={"target_key": row.key}, state="abandoning")


def give_up(row: RedemptionRow, *, cause: str) -> NextOperation:
    """Give an attempt up where its key cannot end it: find out what it became, then give that back."""
    return NextOperation(kind="give_up", cause=cause, request={"target_key": row.key}, state="abandoning")


def giving_up(profile: ProviderProfile, row: RedemptionRow, *, cause: str, age_s: float) -> NextOperation | None:
    """How an attempt of that age is given up; None: no way but to go on asking what became of it."""
    if profile.cancel_by_key and profile.remembers(age_s):
        return abandon(row, cause=cause)
    return give_up(row, cause=cause) if profile.lookup else None


def capture_of(row: RedemptionRow) -> NextOperation:
    """Take what is held; of an order that was amended since, fewer, and the rest is released."""
    planned, (points, value_minor) = _capture_of(row), row.taking
    if row.captured_points or points != row.points:
        rest = {"points": points - row.captured_points, "value_minor": value_minor - row.captured_minor}
        planned = replace(planned, request=rest)
    return planned


def _capture_of(row: RedemptionRow) -> NextOperation:
    return NextOperation(kind="capture", cause="paid", request={"points": row.points}, state="capturing")


def ask_by_void() -> NextOperation:
    """Find out about a hold whose time has passed, where nothing can be looked up: end it, should it still be there."""
    return NextOperation(kind="void", cause="ended", request={}, state="voiding")


def extend_until(row: RedemptionRow, until_ms: int, *, hold_s: int) -> NextOperation:
    """Let a hold last until then, `hold_s` seconds from now."""
    return NextOperation(kind="extend", cause=f"until {until_ms}", request={"hold_s": hold_s}, state="extending")


def anew(planned: NextOperation, seen: RedemptionRow, before: Iterable[OperationRow]) -> NextOperation | None:
    """The same as an operation of its own, with another key, where the one `before` is proven to have done nothing.

    None: there is no such proof, so nothing is begun anew. By the operations and not by the row, which may have been
    extended or looked up since.
    """
    same = next((one for one in before if (one.kind, one.cause) == (planned.kind, planned.cause)), None)
    if same is None or same.open_key is not None or same.code not in _BEGUN_ANEW:
        return None
    return replace(planned, cause=f"{planned.cause} {seen.version}")


def wished(row: RedemptionRow) -> NextOperation | None:
    """What a row needs now, if anything: take what is paid; or void what is held, reverse what was captured."""
    if row.release_cause is None and row.state == "partially_captured" and row.captured_points >= row.taking[0]:
        # The order was changed since, and points pay nothing more of it.
        return NextOperation(kind="void", cause="rest", request={}, state="voiding")
    if row.release_cause is None:
        is_paid = row.paid_at is not None and row.state in {"authorized", "partially_captured"}
        return capture_of(row) if is_paid else None
    if row.state in {"authorized", "partially_captured"}:
        return NextOperation(kind="void", cause="release", request={}, state="voiding")
    if row.state in {"captured", "partially_reversed"}:
        points, value_minor = row.left_to_reverse
        onto = rest(of_cart(row.cart), row.vouchers_gone)
        if points == 0 and not onto:
            return None
        request: dict[str, str | int] = {
            "points": points,
            "value_minor": value_minor,
            "return_reference": release_reference(row.id),
        }
        if onto:
            request["vouchers"] = as_json(onto)
        return NextOperation(
            kind="reverse",
            cause="release",
            request=request,
            state="reversing",
        )
    return None


RELEASE = "release-"
"""How the return reference begins under which an order's rest goes back; none of the shop's may."""


def release_reference(redemption_id: str) -> str:
    """The return reference under which all that is left of an order goes back."""
    return f"{RELEASE}{redemption_id[:20]}"


def deal_stands(row: RedemptionRow) -> bool:
    """Whether what was agreed still holds although nothing is held: its hold ended, and nobody wished that.

    Then its due stays, and a capture takes the same points anew. It ends with a wish to give back.
    """
    return row.state in {"expired", "voided"} and row.release_cause is None


def is_repairable(short: RedemptionRow) -> bool:
    """Whether all of its points may be taken anew; where parts are paid, a person settles which are missing."""
    is_short = short.state == "short" and short.cause != "shortfall" and short.live_key is not None
    return is_short and not short.release_cause and not short.captured_points


def ended_short(row: RedemptionRow) -> str:
    """What a shortfall is once its order is gone: nothing is held, and nothing is short any more."""
    if row.captured_points:
        # Of a hold that was captured in parts only the rest is gone.
        return taken_state(row)
    return "declined" if row.cause == "shortfall" else "expired"


def taken_state(row: RedemptionRow) -> str:
    """What a row is of which nothing is held, and something was captured."""
    if not (row.reversed_points or row.vouchers_back_minor):
        return "captured"
    are_vouchers_back = row.vouchers_back_minor >= worth_minor(of_cart(row.cart))
    is_all = row.reversed_points >= row.captured_points and are_vouchers_back
    return "reversed" if is_all else "partially_reversed"
