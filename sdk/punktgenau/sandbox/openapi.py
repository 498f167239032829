"""The words of the API's description: what every operation answers, OpenAPI 3.1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_openapi3.models.info import Info
from flask_openapi3.models.tag import Tag
from pydantic import BaseModel

from .replies import Problem

INFO = Info(
    title="Punktgenau reference partner API",
    version="1.0.0",
    description="What a points provider offers to a shop. Sandbox: nothing here is worth anything.",
)
MEMBERS = Tag(name="members", description="Who a member is and what there is to spend")
REDEMPTIONS = Tag(name="redemptions", description="Hold, take and give back points")
ACCRUALS = Tag(name="accruals", description="Give points, take them back")
VOUCHERS = Tag(name="vouchers", description="Points as vouchers; vouchers that somebody brought along")
PAYOUTS = Tag(name="payouts", description="Points as money on the bank account")
STATEMENTS = Tag(name="statements", description="What is settled between provider and partner")
EVENTS = Tag(name="events", description="What happened")
ACCESS = Tag(name="access", description="Tokens and consent")
SECURITY_SCHEMES: dict[str, Any] = {
    "partner": {
        "type": "oauth2",
        "flows": {"clientCredentials": {"tokenUrl": "/oauth/token", "scopes": {}}},
    },
    "partner_credentials": {"type": "http", "scheme": "basic"},
}
NEEDS_TOKEN: list[dict[str, list[Any]]] = [{"partner": []}]

Responses = dict[str | int, type[BaseModel] | dict[Any, Any] | None]

_STATUSES = {
    400: "The request does not fit the contract; nothing was done",
    401: "Credentials not accepted; nothing was done",
    403: "Not allowed, or the member has not agreed; nothing was done",
    404: "Not found; nothing was done",
    405: "The place of something else; nothing was done",
    409: "The present state does not allow it; nothing was done",
    422: "Refused by a rule; nothing was done",
    429: "Too many requests; nothing was done",
    500: "Something went wrong; what became of the request is unknown",
    503: "Not available; what became of the request is unknown",
}


def problem(status: int, *, model: type[Problem] = Problem) -> dict[str, Any]:
    """How a refusal with this status is described."""
    schema: dict[str, Any] = {"$ref": "#/components/schemas/Problem"}
    if model is not Problem:
        # Only what an operation names as its reply becomes a component; this one is written out.
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}", mode="serialization")
        schema.pop("$defs", None)
    headers: dict[str, Any] = {}
    if status == 429:
        headers = {"Retry-After": {"description": "Seconds to wait", "schema": {"type": "string"}}}
    if status == 401:
        headers = {"WWW-Authenticate": {"description": "How to sign in", "schema": {"type": "string"}}}
    content = {"application/problem+json": {"schema": schema}}
    described: dict[str, Any] = {"description": _STATUSES[status], "content": content}
    return {**described, "headers": headers} if headers else described


def answers(replies: Mapping[int, type[BaseModel]], *refusals: int) -> Responses:
    """The replies by status, and the refusals besides those that every operation has."""
    described: Responses = {str(status): reply for status, reply in replies.items()}
    for status in sorted({400, 401, 429, 500, 503, *refusals}):
        described[str(status)] = problem(status)
    return described
