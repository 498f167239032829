"""The one error tree of SDK and engine: the class says what happened, `.outcome` if points moved, `.retry` what next.

PunktgenauError
├ ConfigurationError              before any call
├ InvalidArgumentError            the caller's arguments; nothing was sent
├ WebhookSignatureError           not from the provider, or too old
├ NotSentError                    refused, name not found, connect timeout: nothing happened
├ OutcomeUnknownError             a write without a proper answer; `.next_call` says how to find out
├ UnavailableError                a read got no proper answer in time: nothing done, same call again
├ UnexpectedResponseError         a read answered in the wrong shape
├ ProviderError                   the provider answered with a problem
│ ├ AuthenticationError
│ ├ NotFoundError
│ ├ RateLimitedError
│ ├ DeclinedError
│ │ ├ InsufficientPointsError
│ │ ├ MemberBlockedError
│ │ ├ NotLinkedError
│ │ ├ LimitError
│ │ └ VoucherError
│ ├ StateConflictError
│ │ ├ AlreadyCapturedError
│ │ ├ AlreadyVoidedError
│ │ ├ HoldExpiredError
│ │ ├ RedemptionEndedError
│ │ ├ LiveRedemptionError
│ │ └ ReversalExceedsCaptureError
│ └ IdempotencyConflictError
├ AmountChangedError              engine: what is due differs from what the customer saw; nothing is held
├ InProgressError                 engine: another wish for this order is still being carried out
├ CartMismatchError               engine: the cart's sums contradict each other
├ OpenTransactionError            engine: called inside the host's open transaction
└ ReturnConflictError             engine: the same return reference with other content
"""

from __future__ import annotations

from typing import Literal, Self

Outcome = Literal["not_done", "done", "unknown"]
Retry = Literal["same_key", "new_attempt", "never"]


class PunktgenauError(Exception):
    """Anything that this library raises on purpose.

    `code` is stable and listed in `punktgenau.codes`; `outcome` says whether points moved; `retry` says which call may
    follow; `remaining` is points that are still possible, where the refusal was about an amount.
    """

    default_code: str = "error"
    default_outcome: Outcome = "not_done"
    default_retry: Retry = "never"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        outcome: Outcome | None = None,
        retry: Retry | None = None,
        idempotency_key: str | None = None,
        request_id: str | None = None,
        field: str | None = None,
        remaining: int | None = None,
        redemption_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code: str = code or self.default_code
        self.outcome: Outcome = outcome or self.default_outcome
        self.retry: Retry = retry or self.default_retry
        self.idempotency_key = idempotency_key
        self.request_id = request_id
        self.field, self.remaining, self.redemption_id = field, remaining, redemption_id
        # What the transport knows besides: sends whose bytes went out, the answer's status, the server's wish to wait.
        self.sends = 0
        self.status: int | None = None
        self.answered = False
        self.retry_after_s: float | None = None
        self.lost_by: Literal["timeout", "disconnected"] | None = None

    def __str__(self) -> str:
        notes = [f"{self.code}, outcome {self.outcome}"]
        if self.remaining is not None:
            notes.append(f"{self.remaining} points remain possible")
        if self.idempotency_key:
            notes.append(f"key {self.idempotency_key}")
        if self.request_id:
            notes.append(f"request {self.request_id}")
        return f"{self.message} [{'; '.join(notes)}]"

    @property
    def brief(self) -> str:
        """What a log may say: class, code, outcome, and enough of the key to match two lines."""
        key = f", key {self.idempotency_key[:6]}…" if self.idempotency_key else ""
        return f"{type(self).__name__} {self.code}, outcome {self.outcome}{key}"

    def __reduce__(self) -> tuple[type[Self], tuple[str], dict[str, object]]:
        return type(self), (self.message,), dict(self.__dict__)


class ConfigurationError(PunktgenauError):
    """A setting is missing or contradicts another; nothing was sent."""

    default_code = "configuration"


class InvalidArgumentError(PunktgenauError, ValueError):
    """The caller's argument cannot be meant; nothing was sent. `.field` names it."""

    default_code = "invalid_argument"


class WebhookSignatureError(PunktgenauError):
    """The webhook is not from the provider, or outside the tolerated time; nothing was changed."""

    default_code = "webhook_signature"


class NotSentError(PunktgenauError):
    """The provider was not reached (refused, name not found, connect timeout, circuit open): nothing happened there."""

    default_code = "not_sent"
    default_retry = "same_key"


class OutcomeUnknownError(PunktgenauError):
    """A write got no proper answer, so points may or may not have moved.

    The same call with the same key is safe; `next_call` names the look-up that finds out.
    """

    default_code = "outcome_unknown"
    default_outcome = "unknown"
    default_retry = "same_key"
    look_up: str | None = None

    @property
    def next_call(self) -> str:
        """The call that tells what became of the points: by the redemption's id where it has one, else by the key."""
        return self.look_up or f"redemptions.find(idempotency_key={self.idempotency_key!r})"


class UnavailableError(PunktgenauError):
    """A read got no proper answer in time; nothing was changed, the same call may be made again."""

    default_code = "unavailable"
    default_retry = "same_key"


class UnexpectedResponseError(PunktgenauError):
    """A read was answered in a shape that the contract does not know; nothing was changed."""

    default_code = "unexpected_response"


class ProviderError(PunktgenauError):
    """The provider answered, and its answer is a problem."""

    default_code = "provider_error"


class AuthenticationError(ProviderError):
    """The provider does not accept the shop's credentials, or not for this."""

    default_code = "unauthorized"


class NotFoundError(ProviderError):
    """The provider does not know this member or redemption, or not for this shop."""

    default_code = "not_found"


class RateLimitedError(ProviderError):
    """The provider asked to slow down, and waiting would have passed the deadline."""

    default_code = "rate_limited"
    default_retry = "same_key"


class DeclinedError(ProviderError):
    """The provider said no, for a business reason; no points moved."""

    default_code = "declined"
    default_retry = "new_attempt"


class InsufficientPointsError(DeclinedError):
    """The member has fewer points available; `.remaining` says how many."""

    default_code = "insufficient_points"


class MemberBlockedError(DeclinedError):
    """The provider has blocked this member's account."""

    default_code = "member_blocked"


class NotLinkedError(DeclinedError):
    """The member has not consented, or has withdrawn the consent."""

    default_code = "not_linked"


class LimitError(DeclinedError):
    """The number of points breaks a rule of the programme or of the shop; `.field` and `.code` say which."""

    default_code = "limit"


class VoucherError(DeclinedError):
    """A voucher cannot pay here, now, or as much; `.code` says why, `.field` which one."""

    default_code = "voucher_unknown"


class StateConflictError(ProviderError):
    """The redemption is in a state that does not allow this step."""

    default_code = "state_conflict"


class AlreadyCapturedError(StateConflictError):
    """The hold was captured before; release it by a reversal."""

    default_code = "already_captured"


class AlreadyVoidedError(StateConflictError):
    """The hold was voided before; the points are back."""

    default_code = "already_voided"
    default_retry = "new_attempt"


class HoldExpiredError(StateConflictError):
    """The hold has ended by time; the points are back."""

    default_code = "hold_expired"
    default_retry = "new_attempt"


class RedemptionEndedError(StateConflictError):
    """This redemption, or its key, has ended for good; a new attempt is needed."""

    default_code = "redemption_ended"
    default_retry = "new_attempt"


class LiveRedemptionError(StateConflictError):
    """The order has a live redemption already; `.redemption_id` names it."""

    default_code = "order_has_live_redemption"


class ReversalExceedsCaptureError(StateConflictError):
    """More would be given back than was captured; `.remaining` says how many points can still be."""

    default_code = "reversal_exceeds_capture"


class IdempotencyConflictError(ProviderError):
    """The key or reference was used for other content; the first use stands, this one did nothing."""

    default_code = "idempotency_key_reused"


class AmountChangedError(PunktgenauError):
    """What is due differs from what the customer saw; nothing is held, show the customer again."""

    default_code = "amount_changed"
    default_retry = "new_attempt"


class InProgressError(PunktgenauError):
    """Another wish for this order is still being carried out; try the same call again later."""

    default_code = "in_progress"
    default_retry = "same_key"


class CartMismatchError(PunktgenauError, ValueError):
    """The cart's own sums contradict each other; nothing was sent."""

    default_code = "cart_mismatch"


class OpenTransactionError(PunktgenauError):
    """Called while the host holds an open transaction with pending writes; nothing was sent."""

    default_code = "open_transaction"


class ReturnConflictError(PunktgenauError):
    """The return reference was used for other content; the first return stands, this one did nothing."""

    default_code = "return_conflict"
