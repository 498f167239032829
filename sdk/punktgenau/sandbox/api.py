"""The routes of redemptions: from a request to the rules and back."""

from __future__ import annotations

from . import cancellation, captures, found, holds, quotes, redemptions, replies, reversals
from .answering import reply, write
from .call import Call, Reply
from .database import Work
from .idempotency import Effect
from .openapi import REDEMPTIONS, answers
from .parameters import FindQuery, RedemptionPath, WriteHeader
from .problems import Refusal
from .routes import Noun
from .schemas import (
    AuthorizeRequest,
    CancelByKeyRequest,
    CaptureRequest,
    ExtendRequest,
    QuoteRequest,
    ReversalQuoteRequest,
    ReverseRequest,
    VoidRequest,
)


def quote(call: Call, body: QuoteRequest) -> Reply:
    """What points would pay of a total now."""
    with call.work() as work:
        return reply(quotes.quote(work, body, partner_id=call.partner_id))


def authorize(call: Call, header: WriteHeader, body: AuthorizeRequest) -> Reply:
    """Hold points for an order."""
    key = header.idempotency_key
    made: list[str] = []

    def execute(work: Work) -> Effect:
        if call.meets("rate_changed"):
            raise Refusal("rate_changed", "The rate has changed; ask for the current one.", field="rate_id")
        wanted = holds.in_part(work, body) if call.meets("partial_approval") else body
        red = holds.authorize(work, wanted, partner_id=call.partner_id, key=key)
        made.append(red["id"])
        return Effect(red["id"])

    response = write(call, key, execute, status=201)
    if call.meets("expired_early"):
        with call.work() as work:
            red = redemptions.find(work, made[0]) if made else redemptions.by_key(work, key, partner_id=call.partner_id)
            holds.expire_early(work, red)
    return response


def capture(call: Call, header: WriteHeader, path: RedemptionPath, body: CaptureRequest) -> Reply:
    """Make a hold final, wholly or in part."""
    _expire_early_if_told(call, path)

    def execute(work: Work) -> Effect:
        red = redemptions.get(work, path.redemption_id, partner_id=call.partner_id)
        captures.capture(work, red, body, key=header.idempotency_key)
        return Effect(path.redemption_id)

    return write(call, header.idempotency_key, execute)


def extend(call: Call, header: WriteHeader, path: RedemptionPath, body: ExtendRequest) -> Reply:
    """Keep a hold longer."""
    _expire_early_if_told(call, path)

    def execute(work: Work) -> Effect:
        holds.extend(work, redemptions.get(work, path.redemption_id, partner_id=call.partner_id), body)
        return Effect(path.redemption_id)

    return write(call, header.idempotency_key, execute)


def void(call: Call, header: WriteHeader, path: RedemptionPath, body: VoidRequest) -> Reply:
    """Release a hold."""
    _expire_early_if_told(call, path)

    def execute(work: Work) -> Effect:
        holds.void(work, redemptions.get(work, path.redemption_id, partner_id=call.partner_id))
        return Effect(path.redemption_id)

    return write(call, header.idempotency_key, execute)


def reverse(call: Call, header: WriteHeader, path: RedemptionPath, body: ReverseRequest) -> Reply:
    """Give captured points back."""

    def execute(work: Work) -> Effect:
        red = redemptions.get(work, path.redemption_id, partner_id=call.partner_id)
        return Effect(path.redemption_id, reversals.reverse(work, red, body, key=header.idempotency_key))

    return write(call, header.idempotency_key, execute, status=201)


def quote_reversal(call: Call, path: RedemptionPath, body: ReversalQuoteRequest) -> Reply:
    """What would become of points that are given back now."""
    with call.work() as work:
        red = redemptions.get(work, path.redemption_id, partner_id=call.partner_id)
        return reply(reversals.quote(work, red, body))


def cancel_by_key(call: Call, header: WriteHeader, body: CancelByKeyRequest) -> Reply:
    """End what an authorize holds by its key, also when it never arrived."""

    def execute(work: Work) -> Effect:
        red = cancellation.cancel_by_key(
            work, partner_id=call.partner_id, key=header.idempotency_key, target_key=body.target_key
        )
        return Effect(red["id"])

    return write(call, header.idempotency_key, execute)


def get(call: Call, path: RedemptionPath) -> Reply:
    """A redemption as it is now."""
    return found.one(call, "redemption", path.redemption_id, get=redemptions.get, shown=redemptions.reply)


def find(call: Call, query: FindQuery) -> Reply:
    """The partner's redemptions that match, newest first."""
    return found.page_of(call, "redemption", query, shown=redemptions.reply, page=replies.RedemptionPage)


def _expire_early_if_told(call: Call, path: RedemptionPath) -> None:
    """The fault `expired_early`: the hold is gone before its time, just when it is needed."""
    if call.meets("expired_early"):
        with call.work() as work:
            holds.expire_early(work, redemptions.find(work, path.redemption_id))


_below = Noun("/v1/redemptions", REDEMPTIONS)
_ONE = "/<redemption:redemption_id>"
_RED = {200: replies.Redemption}
_MADE = {200: replies.Redemption, 201: replies.Redemption}
_BACK = {200: replies.Reversal, 201: replies.Reversal}
_FORESEEN = {200: replies.ReversalQuote}
ROUTES = (
    _below.post("/quote", "quote", quote, answers({200: replies.Quote}, 403, 404, 422)),
    _below.post("", "authorize", authorize, answers(_MADE, 403, 404, 409, 422)),
    _below.get("", "find", find, answers({200: replies.RedemptionPage}, 422)),
    _below.post("/cancel-by-key", "cancel_by_key", cancel_by_key, answers(_RED, 409, 422)),
    _below.get(_ONE, "get", get, answers(_RED, 404, 405, 422)),
    _below.post(f"{_ONE}/capture", "capture", capture, answers(_RED, 404, 409, 422)),
    _below.post(f"{_ONE}/extend", "extend", extend, answers(_RED, 404, 409, 422)),
    _below.post(f"{_ONE}/void", "void", void, answers(_RED, 404, 409, 422)),
    _below.post(f"{_ONE}/reversals", "reverse", reverse, answers(_BACK, 404, 409, 422)),
    _below.post(f"{_ONE}/reversals/quote", "quote_reversal", quote_reversal, answers(_FORESEEN, 404, 409, 422)),
)
