"""The routes of redemptions: from a request to the rules and back."""

from __future__ import annotations

from functools import cache

from flask import Response, g
from flask_openapi3.blueprint import APIBlueprint

from . import cancellation, captures, found, holds, quotes, redemptions, replies, reversals
from .answering import current_fault, reply, write
from .database import Work
from .idempotency import Effect
from .openapi import NEEDS_TOKEN, REDEMPTIONS, answers
from .parameters import FindQuery, RedemptionPath, WriteHeader
from .problems import Refusal
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
from .state import request_work


@cache
def redemption_routes() -> APIBlueprint:
    """Everything below /v1/redemptions; described once, however many applications use it."""
    api = APIBlueprint(
        "redemptions", __name__, url_prefix="/v1/redemptions", abp_tags=[REDEMPTIONS], abp_security=NEEDS_TOKEN
    )
    red, made = {200: replies.Redemption}, {200: replies.Redemption, 201: replies.Redemption}
    back = {200: replies.Reversal, 201: replies.Reversal}
    api.post("/quote", operation_id="quote", responses=answers({200: replies.Quote}, 403, 404, 422))(quote)
    api.post("", operation_id="authorize", responses=answers(made, 403, 404, 409, 422))(authorize)
    api.get("", operation_id="find", responses=answers({200: replies.RedemptionPage}, 422))(find)
    api.post("/cancel-by-key", operation_id="cancel_by_key", responses=answers(red, 409, 422))(cancel_by_key)
    api.get("/<redemption:redemption_id>", operation_id="get", responses=answers(red, 404, 405, 422))(get)
    for name, view in (("capture", capture), ("extend", extend), ("void", void)):
        api.post(f"/<redemption:redemption_id>/{name}", operation_id=name, responses=answers(red, 404, 409, 422))(view)
    api.post("/<redemption:redemption_id>/reversals", operation_id="reverse", responses=answers(back, 404, 409, 422))(
        reverse
    )
    api.post(
        "/<redemption:redemption_id>/reversals/quote",
        operation_id="quote_reversal",
        responses=answers({200: replies.ReversalQuote}, 404, 409, 422),
    )(quote_reversal)
    return api


def quote(body: QuoteRequest) -> Response:
    """What points would pay of a total now."""
    with request_work() as work:
        return reply(quotes.quote(work, body, partner_id=g.partner_id))


def authorize(header: WriteHeader, body: AuthorizeRequest) -> Response:
    """Hold points for an order."""
    key = header.idempotency_key
    made: list[str] = []

    def execute(work: Work) -> Effect:
        if current_fault("rate_changed"):
            raise Refusal("rate_changed", "The rate has changed; ask for the current one.", field="rate_id")
        wanted = holds.in_part(work, body) if current_fault("partial_approval") else body
        red = holds.authorize(work, wanted, partner_id=g.partner_id, key=key)
        made.append(red["id"])
        return Effect(red["id"])

    response = write("authorize", key, execute, status=201)
    if current_fault("expired_early"):
        with request_work() as work:
            red = redemptions.find(work, made[0]) if made else redemptions.by_key(work, key, partner_id=g.partner_id)
            holds.expire_early(work, red)
    return response


def capture(header: WriteHeader, path: RedemptionPath, body: CaptureRequest) -> Response:
    """Make a hold final, wholly or in part."""
    _expire_early_if_told(path)

    def execute(work: Work) -> Effect:
        red = redemptions.get(work, path.redemption_id, partner_id=g.partner_id)
        captures.capture(work, red, body, key=header.idempotency_key)
        return Effect(path.redemption_id)

    return write("capture", header.idempotency_key, execute)


def extend(header: WriteHeader, path: RedemptionPath, body: ExtendRequest) -> Response:
    """Keep a hold longer."""
    _expire_early_if_told(path)

    def execute(work: Work) -> Effect:
        holds.extend(work, redemptions.get(work, path.redemption_id, partner_id=g.partner_id), body)
        return Effect(path.redemption_id)

    return write("extend", header.idempotency_key, execute)


def void(header: WriteHeader, path: RedemptionPath, body: VoidRequest) -> Response:
    """Release a hold."""
    _expire_early_if_told(path)

    def execute(work: Work) -> Effect:
        holds.void(work, redemptions.get(work, path.redemption_id, partner_id=g.partner_id))
        return Effect(path.redemption_id)

    return write("void", header.idempotency_key, execute)


def reverse(header: WriteHeader, path: RedemptionPath, body: ReverseRequest) -> Response:
    """Give captured points back."""

    def execute(work: Work) -> Effect:
        red = redemptions.get(work, path.redemption_id, partner_id=g.partner_id)
        return Effect(path.redemption_id, reversals.reverse(work, red, body, key=header.idempotency_key))

    return write("reverse", header.idempotency_key, execute, status=201)


def quote_reversal(path: RedemptionPath, body: ReversalQuoteRequest) -> Response:
    """What would become of points that are given back now."""
    with request_work() as work:
        red = redemptions.get(work, path.redemption_id, partner_id=g.partner_id)
        return reply(reversals.quote(work, red, body))


def cancel_by_key(header: WriteHeader, body: CancelByKeyRequest) -> Response:
    """End what an authorize holds by its key, also when it never arrived."""

    def execute(work: Work) -> Effect:
        red = cancellation.cancel_by_key(
            work, partner_id=g.partner_id, key=header.idempotency_key, target_key=body.target_key
        )
        return Effect(red["id"])

    return write("cancel_by_key", header.idempotency_key, execute)


def get(path: RedemptionPath) -> Response:
    """A redemption as it is now."""
    return found.one("redemption", path.redemption_id, get=redemptions.get, shown=redemptions.reply)


def find(query: FindQuery) -> Response:
    """The partner's redemptions that match, newest first."""
    return found.page_of("redemption", query, shown=redemptions.reply, page=replies.RedemptionPage)


def _expire_early_if_told(path: RedemptionPath) -> None:
    """The fault `expired_early`: the hold is gone before its time, just when it is needed."""
    if current_fault("expired_early"):
        with request_work() as work:
            holds.expire_early(work, redemptions.find(work, path.redemption_id))
