"""The provider's codes, one row each; `tests/wire/errors.json` says the same, by hand."""

from __future__ import annotations

from punktgenau import errors as e
from punktgenau._code import MAY_HAVE_MOVED, NONE_MOVED, STILL_HELD, Code, row

_REQUEST = (
    row(
        "invalid_request",
        e.ProviderError,
        "The provider does not understand the request; `field` names the part.",
        NONE_MOVED,
        "Correct the named field; this is a fault in the calling code.",
    ),
    row(
        "idempotency_key_missing",
        e.ProviderError,
        "A write reached the provider without its idempotency key.",
        NONE_MOVED,
        "Send the key with every write.",
    ),
    row(
        "unauthorized",
        e.AuthenticationError,
        "The client id or secret is wrong, or the access token has ended.",
        NONE_MOVED,
        "Check the shop's credentials at the provider.",
    ),
    row(
        "forbidden",
        e.AuthenticationError,
        "The shop may not do this at the provider.",
        NONE_MOVED,
        "Ask the provider to enable it for the shop.",
    ),
    row(
        "wrong_mode",
        e.AuthenticationError,
        "Sandbox and live were mixed up.",
        NONE_MOVED,
        "Use the address and the credentials of the same mode.",
    ),
    row(
        "not_found",
        e.NotFoundError,
        "The provider does not know this member or redemption, or not for this shop.",
        NONE_MOVED,
        "Check the id and the mode.",
    ),
    row(
        "rate_limited",
        e.RateLimitedError,
        "The provider asks for fewer calls.",
        NONE_MOVED,
        "Make the same call again a little later.",
    ),
    row(
        "idempotency_key_reused",
        e.IdempotencyConflictError,
        "The idempotency key was used before for other content.",
        "This call did nothing; the first use stands.",
        "Look up what the key did, then use a new key for other content.",
    ),
    row(
        "reference_reused",
        e.IdempotencyConflictError,
        "The return or capture reference was used before for other content.",
        "This call did nothing; the first use stands.",
        "Use a new reference for another return or capture.",
    ),
)

_MEMBER = (
    row(
        "not_linked",
        e.NotLinkedError,
        "The customer has not linked a points account with this shop.",
        NONE_MOVED,
        "Let the customer link the account.",
    ),
    row(
        "consent_revoked",
        e.NotLinkedError,
        "The member has withdrawn the consent for this shop.",
        NONE_MOVED,
        "Let the customer link the account again.",
    ),
    row(
        "insufficient_points",
        e.InsufficientPointsError,
        "The member has fewer points available than were asked for.",
        NONE_MOVED,
        "Show the balance again and let the customer choose fewer.",
    ),
    row(
        "member_blocked",
        e.MemberBlockedError,
        "The provider has blocked the member's account.",
        NONE_MOVED,
        "Let the customer pay with money and ask the provider.",
    ),
)

_LIMITS = (
    row(
        "below_minimum",
        e.LimitError,
        "Fewer points than the least that may be used at once.",
        NONE_MOVED,
        "Take more points, or none.",
    ),
    row(
        "above_maximum",
        e.LimitError,
        "More points than may be used at once.",
        NONE_MOVED,
        "Take fewer points.",
    ),
    row(
        "step_mismatch",
        e.LimitError,
        "Points can only be used in fixed steps.",
        NONE_MOVED,
        "Take a multiple of the step.",
    ),
    row(
        "share_exceeded",
        e.LimitError,
        "Points may pay only a share of the total.",
        NONE_MOVED,
        "Take fewer points.",
    ),
    row(
        "exceeds_total",
        e.LimitError,
        "The points are worth more than what is to be paid.",
        NONE_MOVED,
        "Take fewer points.",
    ),
    row(
        "hold_too_long",
        e.LimitError,
        "The provider does not hold points for so long.",
        NONE_MOVED,
        "Ask for a shorter hold.",
    ),
    row(
        "not_offered",
        e.ProviderError,
        "This provider cannot do that: hold, extend, look up, or take and give back in parts.",
        NONE_MOVED,
        "Give the client the profile of this provider.",
    ),
    row(
        "currency_not_offered",
        e.LimitError,
        "The programme does not pay in this currency.",
        NONE_MOVED,
        "Let the customer pay with money.",
    ),
    row(
        "tender_not_offered",
        e.LimitError,
        "The provider does not offer this way of paying.",
        NONE_MOVED,
        "Leave that tender out.",
    ),
    row(
        "rate_changed",
        e.DeclinedError,
        "The points' worth has changed since the quote.",
        NONE_MOVED,
        "Quote again and show the customer the new amount.",
    ),
    row(
        "value_mismatch",
        e.DeclinedError,
        "Points and value do not fit together at the provider's rate.",
        NONE_MOVED,
        "Quote again and send what was quoted.",
    ),
)

_STATES = (
    row(
        "order_has_live_redemption",
        e.LiveRedemptionError,
        "The order is being paid with points already.",
        "This call held nothing; the points of the live redemption stay as they are.",
        "Go on with the live redemption, or end it first.",
    ),
    row(
        "already_captured",
        e.AlreadyCapturedError,
        "The points were captured before.",
        "The points are captured; this call changed nothing.",
        "Give them back by a reversal where that was meant.",
    ),
    row(
        "already_voided",
        e.AlreadyVoidedError,
        "The hold was released before.",
        "The points are back with the member.",
        "Hold them anew, as a new attempt.",
    ),
    row(
        "hold_expired",
        e.HoldExpiredError,
        "The hold has ended by time.",
        "The points are back with the member.",
        "Hold them anew, as a new attempt.",
    ),
    row(
        "redemption_ended",
        e.RedemptionEndedError,
        "This redemption has ended for good.",
        "Nothing is held by it any more.",
        "Hold the points anew, as a new attempt.",
    ),
    row(
        "key_cancelled",
        e.RedemptionEndedError,
        "The idempotency key was cancelled; nothing can happen under it any more.",
        "Nothing is held under it.",
        "Hold the points anew, as a new attempt.",
    ),
    row(
        "not_captured",
        e.StateConflictError,
        "Nothing was captured, so nothing can be given back.",
        STILL_HELD,
        "Void the hold instead.",
    ),
    row(
        "capture_exceeds_hold",
        e.StateConflictError,
        "More points than are held.",
        STILL_HELD,
        "Capture at most what remains held.",
    ),
    row(
        "reversal_exceeds_capture",
        e.ReversalExceedsCaptureError,
        "More points than are left to give back.",
        STILL_HELD,
        "Give back at most what remains.",
    ),
    row(
        "accrual_not_due",
        e.StateConflictError,
        "The points that were given are still pending.",
        "They stay pending; this call changed nothing.",
        "Post them when their time has come.",
        retry="same_key",
    ),
    row(
        "accrual_reversed",
        e.StateConflictError,
        "The points that were given have all been taken back.",
        "Nothing of them is left to be posted.",
        "Leave it at that.",
    ),
    row(
        "reversal_exceeds_accrual",
        e.StateConflictError,
        "More points than are left to take back.",
        STILL_HELD,
        "Take back at most what remains.",
    ),
)

_UNKNOWN = (
    row(
        "operation_in_progress",
        e.OutcomeUnknownError,
        "The provider is still working on the same call.",
        MAY_HAVE_MOVED,
        "Make the same call again with the same key.",
    ),
    row(
        "internal_error",
        e.OutcomeUnknownError,
        "The provider failed while it worked on the call.",
        MAY_HAVE_MOVED,
        "Make the same call again with the same key, or look the key up.",
    ),
    row(
        "unavailable",
        e.OutcomeUnknownError,
        "The provider cannot answer at the moment.",
        "A read moved nothing; after a write the points may or may not have moved, none are lost.",
        "Make the same call again, a write with the same key.",
    ),
)

WIRE_CODES: tuple[Code, ...] = _REQUEST + _MEMBER + _LIMITS + _STATES + _UNKNOWN
