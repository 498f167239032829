"""Every refusal that the provider can speak: code, status, what became of the points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Outcome = Literal["not_done", "unknown"]


@dataclass(frozen=True)
class Kind:
    """What is fixed for a code."""

    status: int
    title: str
    outcome: Outcome = "not_done"
    retryable: bool = False


KINDS: dict[str, Kind] = {
    "invalid_request": Kind(400, "The request does not fit the contract"),
    "idempotency_key_missing": Kind(400, "A write needs an Idempotency-Key"),
    "unauthorized": Kind(401, "Credentials not accepted"),
    "forbidden": Kind(403, "Not allowed"),
    "wrong_mode": Kind(403, "These credentials belong to the other mode"),
    "not_linked": Kind(403, "The member has not linked this partner"),
    "consent_revoked": Kind(403, "The member has withdrawn the consent"),
    "not_found": Kind(404, "Not found"),
    "operation_in_progress": Kind(409, "The same operation is still running", "unknown", True),
    "order_has_live_redemption": Kind(409, "This order is being paid with points already"),
    "already_captured": Kind(409, "The points have been paid"),
    "already_voided": Kind(409, "The hold has been released"),
    "hold_expired": Kind(409, "The hold has expired"),
    "redemption_ended": Kind(409, "The redemption has ended"),
    "key_cancelled": Kind(409, "This key was cancelled"),
    "not_captured": Kind(409, "Nothing was captured"),
    "capture_exceeds_hold": Kind(409, "More than is held"),
    "reversal_exceeds_capture": Kind(409, "More than was captured"),
    "accrual_not_due": Kind(409, "These points are still pending", "not_done", True),
    "accrual_reversed": Kind(409, "These points were taken back"),
    "reversal_exceeds_accrual": Kind(409, "More than was given"),
    "insufficient_points": Kind(422, "Not enough points"),
    "member_blocked": Kind(422, "The member's account is blocked"),
    "below_minimum": Kind(422, "Fewer points than the programme's minimum"),
    "above_maximum": Kind(422, "More points than the programme's maximum"),
    "step_mismatch": Kind(422, "Not a multiple of the programme's step"),
    "share_exceeded": Kind(422, "More than points may pay of this order"),
    "exceeds_total": Kind(422, "More than the order costs"),
    "hold_too_long": Kind(422, "Points cannot be held that long"),
    "currency_not_offered": Kind(422, "The programme does not pay in this currency"),
    "tender_not_offered": Kind(422, "The programme does not offer this tender"),
    "not_offered": Kind(422, "This provider does not offer that"),
    "voucher_unknown": Kind(422, "There is no such voucher"),
    "voucher_used": Kind(422, "Nothing is left of the voucher"),
    "voucher_expired": Kind(422, "The voucher is not valid any more"),
    "voucher_not_valid_here": Kind(422, "The voucher is for other shops"),
    "voucher_currency": Kind(422, "The voucher pays in another currency"),
    "voucher_held": Kind(422, "The voucher waits for another order"),
    "voucher_value": Kind(422, "Not what the voucher can pay"),
    "payout_account_missing": Kind(422, "The member has named no bank account"),
    "rate_changed": Kind(422, "The rate has changed"),
    "value_mismatch": Kind(422, "Points and value do not belong together"),
    "idempotency_key_reused": Kind(422, "The key belongs to another request"),
    "reference_reused": Kind(422, "The reference belongs to another request"),
    "rate_limited": Kind(429, "Too many requests", "not_done", True),
    "internal_error": Kind(500, "Something went wrong here", "unknown", True),
    "unavailable": Kind(503, "Not available at the moment", "unknown", True),
}


class Refusal(Exception):
    """The provider says no. Nothing was changed by the request that gets it."""

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        field: str | None = None,
        remaining_points: int | None = None,
        remaining_minor: int | None = None,
        redemption_id: str | None = None,
    ) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail
        self.field = field
        self.remaining_points = remaining_points
        self.remaining_minor = remaining_minor
        self.redemption_id = redemption_id

    @property
    def kind(self) -> Kind:
        return KINDS[self.code]

    @property
    def is_kept(self) -> bool:
        """Whether the key remembers this answer: a business refusal of a request that was executed, and for good."""
        is_refusal = self.kind.status in (409, 422) and not self.kind.retryable
        return is_refusal and self.code != "idempotency_key_reused"
