"""What an operation says to the provider, and what of its answer the journal keeps."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Protocol

from punktgenau.checkout.intent import Claim, as_json
from punktgenau.checkout.resolve import LEAST_SETTLE_S, NOT_SENT, SETTLING, Kind, Moved, Verdict, back_off_s
from punktgenau.checkout.schema import RedemptionRow
from punktgenau.checkout.vouchers import of_cart, parts_of, sum_of
from punktgenau.errors import PunktgenauError
from punktgenau.money import Money
from punktgenau.provider import (
    Provider,
    ProviderProfile,
    Redemption,
    RedemptionLine,
    Reversal,
    TenderRequest,
    VoucherReturn,
)

Reply = Mapping[str, str | int | None] | None
RETRY_AFTER_MOST_S = 900
"""A provider's wish to wait is followed so far, and no further: nobody may put off what is open for days."""


def send(provider: Provider, kind: Kind, claim: Claim, *, deadline_s: float) -> tuple[Redemption, Reversal | None]:
    """Make the call of one claimed operation: the redemption as the provider has it now, and what was given back.

    Raises what the port raises.
    """
    operation, row, calls = claim.operation, claim.redemption, provider.redemptions
    request = json.loads(operation.request)
    if kind == "authorize":
        held = calls.authorize(
            member_id=row.member_id,
            order_reference=row.order_reference,
            total=Money(amount_minor=row.total_minor, currency=row.currency),
            tenders=tenders_of(row),
            rate_id=row.rate_id,
            lines=[RedemptionLine(**line) for line in json.loads(row.cart)["lines"]],
            hold_s=min(row.hold_s, provider.profile.longest_hold_s) or None,
            capture="now" if request.get("capture") else None,
            attempt=row.attempt,
            idempotency_key=operation.key,
            deadline_s=deadline_s,
        )
        return held, None
    if kind == "cancel_by_key":
        target_key = request["target_key"]
        return calls.cancel_by_key(target_key=target_key, idempotency_key=operation.key, deadline_s=deadline_s), None
    provider_id = row.provider_id
    if provider_id is None:
        raise AssertionError(f"{kind} needs a redemption that the provider has confirmed")
    if kind == "capture":
        return calls.capture(
            provider_id,
            points=request["points"] or None,
            value=Money(amount_minor=request.get("value_minor", row.value_minor), currency=row.currency)
            if request["points"]
            else None,
            final=not request.get("more_to_come"),
            capture_reference=request.get("capture_reference"),
            idempotency_key=operation.key,
            deadline_s=deadline_s,
        ), None
    if kind == "extend":
        hold_s = request["hold_s"]
        return calls.extend(provider_id, hold_s=hold_s, idempotency_key=operation.key, deadline_s=deadline_s), None
    if kind == "void":
        return calls.void(provider_id, idempotency_key=operation.key, deadline_s=deadline_s), None
    reversal = calls.reverse(
        provider_id,
        points=request["points"],
        value=Money(amount_minor=request["value_minor"], currency=row.currency) if request["points"] else None,
        vouchers=returns_of(row, request) or None,
        return_reference=request["return_reference"],
        idempotency_key=operation.key,
        deadline_s=deadline_s,
    )
    now = reversal.redemption.model_copy(update={"replayed": reversal.replayed, "sends": reversal.sends})
    return now, reversal


def tenders_of(row: RedemptionRow) -> tuple[TenderRequest, ...]:
    """With what an attempt pays: vouchers first, then points."""
    vouchers = voucher_tenders(row)
    return (*vouchers, TenderRequest(points=row.points, value=value_of(row))) if row.points else vouchers


def voucher_tenders(row: RedemptionRow) -> tuple[TenderRequest, ...]:
    """The vouchers of an attempt, as they are asked for."""
    return tuple(
        TenderRequest(
            kind="voucher", voucher_id=one.id, value=Money(amount_minor=one.value_minor, currency=row.currency)
        )
        for one in of_cart(row.cart)
    )


def returns_of(row: RedemptionRow, request: Mapping[str, str | int]) -> list[VoucherReturn]:
    """What a reversal puts back onto vouchers."""
    return [
        VoucherReturn(voucher_id=voucher_id, value=Money(amount_minor=minor, currency=row.currency))
        for voucher_id, minor in parts_of(request.get("vouchers"))
    ]


def value_of(row: RedemptionRow) -> Money:
    """What the points of an attempt are worth."""
    return Money(amount_minor=row.value_minor, currency=row.currency)


def reply_of(evidence: Redemption | None, given_back: Reversal | None) -> Reply:
    """The fields of a reply that the journal keeps; no names, no tokens, no bodies."""
    if evidence is None:
        return None
    kept: dict[str, str | int | None] = {
        "id": evidence.id,
        "state": evidence.state,
        "points": evidence.points,
        "value_minor": evidence.value.amount_minor,
        "captured_points": evidence.captured_points,
        "reversed_points": evidence.reversed_points,
        "sequence": evidence.sequence,
        "replayed": int(evidence.replayed),
    }
    if given_back is not None:
        kept |= {
            "restored_points": given_back.restored,
            "expired_points": given_back.already_expired,
            "converted_points": given_back.converted,
        }
        if given_back.vouchers:
            expired = [(one.voucher_id, one.already_expired_value.amount_minor) for one in given_back.vouchers]
            kept["vouchers_expired"] = as_json([part for part in expired if part[1]])
    return kept


def wished_wait_ms(failure: PunktgenauError | None) -> int:
    """How long the provider wishes not to be asked again (`Retry-After`), in milliseconds."""
    if failure is None or failure.retry_after_s is None:
        return 0
    return int(1000 * min(failure.retry_after_s, RETRY_AFTER_MOST_S))


class Waiting(Protocol):
    """An operation that stays open, as far as its next look is concerned."""

    @property
    def code(self) -> str | None:
        """What was heard last."""
        ...

    @property
    def passes(self) -> int:
        """How often it was taken up."""
        ...

    @property
    def next_at(self) -> int | None:
        """When it was due."""
        ...


class Claimed(Protocol):
    """The right to send one of these."""

    @property
    def operation(self) -> Waiting:
        """The operation."""
        ...


def due_at(claim: Claimed, verdict: Verdict, sends: int, profile: ProviderProfile, now_ms: int) -> int:
    """When an operation that stays open is due again; asking for it more often does not put its settling off."""
    operation = claim.operation
    if verdict.code != SETTLING:
        return now_ms + back_off_s(operation.passes, away=not sends and verdict.code == NOT_SENT) * 1000
    if operation.code != SETTLING:
        return max(now_ms + max(LEAST_SETTLE_S, profile.settle_s) * 1000, operation.next_at or 0)
    return at if (at := operation.next_at or 0) > now_ms else now_ms + back_off_s(operation.passes) * 1000


def is_booked(claim: Claim, verdict: Verdict, evidence: Redemption) -> bool:
    """Whether a return is proven by the refusal of its reference, whatever else came back besides: it is only ours."""
    operation = claim.operation
    if verdict.code != "reference_reused" or not operation.cause.startswith("return"):
        return False
    request = json.loads(operation.request)
    onto_minor = sum_of(parts_of(request.get("vouchers")))
    is_back = evidence.reversed_points >= int(request["points"]) and evidence.reversed_vouchers_minor >= onto_minor
    return operation.kind == "reverse" and is_back


def moved_after(claim: Claim) -> Moved:
    """What of a redemption is captured, or given back, in all once a capture or a reversal is done."""
    row, request = claim.redemption, json.loads(claim.operation.request)
    if claim.operation.kind == "reverse":
        onto = sum(one.value.amount_minor for one in returns_of(row, request))
        return Moved(
            reversed_points=row.reversed_points + int(request["points"]),
            reversed_vouchers_minor=row.vouchers_back_minor + onto if onto else None,
        )
    if claim.operation.kind == "capture":
        return Moved(captured_points=row.captured_points + int(request["points"]))
    return Moved()
