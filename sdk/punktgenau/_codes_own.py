"""The codes that SDK, engine and the shop's side find by themselves, one row each."""

from __future__ import annotations

from punktgenau import errors as e
from punktgenau._code import MAY_HAVE_MOVED, NONE_MOVED, STILL_HELD, Code, row

_CLASSES = (
    row("error", e.PunktgenauError, "Something went wrong.", NONE_MOVED, "See the message."),
    row(
        "configuration",
        e.ConfigurationError,
        "A setting is missing or contradicts another; `field` names it.",
        NONE_MOVED,
        "Correct the setting and start again.",
    ),
    row(
        "invalid_argument",
        e.InvalidArgumentError,
        "An argument cannot be meant; `field` names it.",
        NONE_MOVED,
        "Correct the argument; nothing was sent.",
    ),
    row(
        "webhook_signature",
        e.WebhookSignatureError,
        "The webhook is not from the provider, or too old.",
        NONE_MOVED,
        "Check the webhook secret and the clock.",
    ),
    row(
        "not_sent",
        e.NotSentError,
        "The provider could not be reached.",
        NONE_MOVED,
        "Make the same call again later.",
    ),
    row(
        "outcome_unknown",
        e.OutcomeUnknownError,
        "The provider's answer did not arrive, or not in full.",
        MAY_HAVE_MOVED,
        "Make the same call again with the same key, or look the key up.",
    ),
    row(
        "unexpected_response",
        e.UnexpectedResponseError,
        "The provider answered a read in a shape that is not known.",
        NONE_MOVED,
        "Check the provider's address and version.",
    ),
    row(
        "provider_error",
        e.ProviderError,
        "The provider refused with a code that is not known here.",
        NONE_MOVED,
        "See the message; ask the provider with the request id.",
    ),
    row(
        "declined",
        e.DeclinedError,
        "The provider declined.",
        NONE_MOVED,
        "Let the customer pay with money, or quote again.",
    ),
    row(
        "never_arrived",
        e.DeclinedError,
        "The provider shows nothing of the call, and by its own word nothing can arrive any more.",
        NONE_MOVED,
        "Make a new attempt.",
    ),
    row(
        "limit",
        e.LimitError,
        "The number of points breaks a rule of the programme or of the shop.",
        NONE_MOVED,
        "Quote again and let the customer choose within the limits.",
    ),
    row(
        "state_conflict",
        e.StateConflictError,
        "The redemption's state does not allow this step.",
        STILL_HELD,
        "Look the redemption up and go on from its state.",
    ),
)

_CALLS = (
    row(
        "circuit_open",
        e.NotSentError,
        "The provider did not answer several times, so it is not asked for a moment.",
        NONE_MOVED,
        "Make the same call again in a moment.",
    ),
    row(
        "tls_untrusted",
        e.NotSentError,
        "The provider's certificate is not trusted on this machine.",
        NONE_MOVED,
        "Check the provider's address and the CA bundle before the next call.",
    ),
    row(
        "deadline_passed",
        e.NotSentError,
        "The time for this call was over before anything was sent.",
        NONE_MOVED,
        "Make the same call again, with more time.",
    ),
    row(
        "wrong_echo",
        e.OutcomeUnknownError,
        "The provider's answer is about something else than what was asked.",
        MAY_HAVE_MOVED,
        "Do not rely on this answer; look the key up.",
    ),
    row(
        "unexpected_replay",
        e.OutcomeUnknownError,
        "The provider answered a first call as a repetition.",
        MAY_HAVE_MOVED,
        "Do not rely on this answer; look the key up.",
    ),
    row(
        "mode_mismatch",
        e.OutcomeUnknownError,
        "The provider answered from the other mode, sandbox instead of live or the other way round.",
        MAY_HAVE_MOVED,
        "Check the provider's address and the credentials, then look the key up.",
    ),
    row(
        "rate_mismatch",
        e.UnexpectedResponseError,
        "The provider's worth of the points does not follow from its own rate.",
        NONE_MOVED,
        "Let the customer pay with money and ask the provider.",
    ),
)

_INPUT = (
    row(
        "points_missing",
        e.InvalidArgumentError,
        "No number of points was given.",
        NONE_MOVED,
        "Ask for a whole number of points, or all.",
    ),
    row(
        "points_not_whole",
        e.InvalidArgumentError,
        "The number of points is not a whole number in plain digits.",
        NONE_MOVED,
        "Ask for a whole number of points, or all.",
    ),
    row(
        "points_negative",
        e.InvalidArgumentError,
        "The number of points is below zero.",
        NONE_MOVED,
        "Ask for at least one point.",
    ),
    row(
        "points_zero",
        e.InvalidArgumentError,
        "The number of points is zero.",
        NONE_MOVED,
        "Ask for at least one point, or remove the points.",
    ),
    row(
        "points_too_large",
        e.InvalidArgumentError,
        "The number of points is larger than any account.",
        NONE_MOVED,
        "Ask for a smaller number, or all.",
    ),
    row(
        "form_expired",
        e.InvalidArgumentError,
        "The form is too old or came from another page.",
        NONE_MOVED,
        "Load the page again and repeat.",
    ),
    row(
        "callback_invalid",
        e.InvalidArgumentError,
        "The way back from the provider does not belong to this browser session.",
        NONE_MOVED,
        "Start linking the account again.",
    ),
    row(
        "consent_denied",
        e.NotLinkedError,
        "The customer did not agree to link the account.",
        NONE_MOVED,
        "Go on without points, or start linking again.",
    ),
)

_RULES = (
    row(
        "articles_excluded",
        e.LimitError,
        "Points may not pay some articles in this cart.",
        NONE_MOVED,
        "Take fewer points.",
    ),
    row(
        "money_minimum",
        e.LimitError,
        "What would be left to pay is less than a card takes.",
        NONE_MOVED,
        "Take one of the two numbers of points that are offered.",
    ),
    row(
        "worthless",
        e.LimitError,
        "So few points are worth less than the smallest coin.",
        NONE_MOVED,
        "Take more points.",
    ),
    row(
        "points_off",
        e.ConfigurationError,
        "Points are switched off in this shop.",
        NONE_MOVED,
        "Let the customer pay with money.",
    ),
)

_ENGINE = (
    row(
        "amount_changed",
        e.AmountChangedError,
        "What is due differs from what the customer saw.",
        "Nothing is held.",
        "Show the customer the new amount and ask again.",
    ),
    row(
        "journal_unavailable",
        e.UnavailableError,
        "The journal's database cannot be used at the moment.",
        "Nothing new was begun; what was begun before goes on.",
        "Make the same call again; check the journal's database.",
    ),
    row(
        "in_progress",
        e.InProgressError,
        "An earlier wish for this order is still being carried out.",
        STILL_HELD,
        "Make the same call again in a moment.",
    ),
    row(
        "cart_mismatch",
        e.CartMismatchError,
        "The cart's sums contradict each other; the message names both.",
        NONE_MOVED,
        "Correct how the cart is built.",
    ),
    row(
        "open_transaction",
        e.OpenTransactionError,
        "The shop's database session has pending writes.",
        NONE_MOVED,
        "Commit first, or call before the order is added.",
    ),
    row(
        "return_conflict",
        e.ReturnConflictError,
        "The return reference was used before for other content.",
        "This call did nothing; the first return stands.",
        "Use a new reference for another return.",
    ),
    row(
        "not_shipped",
        e.StateConflictError,
        "A return is about units, or an amount, of which the points are not captured yet: they have not left the shop.",
        NONE_MOVED,
        "Return what has left; take the rest off the order by `amend`.",
    ),
    row(
        "already_shipped",
        e.StateConflictError,
        "An order was changed so that units are missing that have left the shop.",
        NONE_MOVED,
        "Keep them in the order, or take them back by `refund`.",
    ),
)

OWN_CODES: tuple[Code, ...] = _CLASSES + _CALLS + _INPUT + _RULES + _ENGINE
