"""The token endpoint: client credentials for the partner, and the code that a member's consent gave."""

from __future__ import annotations

from functools import cache
from typing import Any
from urllib.parse import unquote_plus

from flask import Response, g, request
from flask_openapi3.blueprint import APIBlueprint
from pydantic import BaseModel

from . import oauth, replies
from .answering import reply
from .openapi import ACCESS, Responses, problem
from .state import request_work, sandbox
from .tokens import new_token

_TEXT = {"type": "string", "minLength": 1, "maxLength": 512}
_FORM: dict[str, Any] = {
    "oneOf": [
        {
            "title": "For the partner",
            "type": "object",
            "properties": {"grant_type": {"const": "client_credentials"}},
            "required": ["grant_type"],
        },
        {
            "title": "For a member's code",
            "type": "object",
            "properties": {
                "grant_type": {"const": "authorization_code"},
                "code": _TEXT,
                "redirect_uri": _TEXT,
                "code_verifier": {"type": "string", "pattern": "^[A-Za-z0-9._~-]{43,128}$"},
            },
            "required": ["grant_type", "code", "redirect_uri", "code_verifier"],
        },
    ]
}


@cache
def token_routes() -> APIBlueprint:
    """/oauth/token."""
    api = APIBlueprint(
        "oauth_token", __name__, url_prefix="/oauth", abp_tags=[ACCESS], abp_security=[{"partner_credentials": []}]
    )
    described: Responses = {"200": replies.Token}
    for status in (400, 401, 403, 404, 429, 500, 503):
        described[str(status)] = problem(status, model=replies.TokenProblem)
    body = {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": _FORM}}}
    api.post("/token", operation_id="token", responses=described, openapi_extensions={"requestBody": body})(token)
    return api


def token() -> Response:
    """A partner's access token, or what a member's code stands for."""
    with request_work() as work:
        partner_id = oauth.check_partner(work, *_credentials())
        grant_type = _one("grant_type")
        if grant_type == "client_credentials":
            body: BaseModel = replies.PartnerToken(
                access_token=oauth.issue_partner_token(work, partner_id),
                token_type="Bearer",
                expires_in=oauth.PARTNER_TOKEN_S,
                mode=sandbox().mode,
            )
        elif grant_type == "authorization_code":
            row = oauth.redeem_code(
                work,
                partner_id=partner_id,
                code=_one("code"),
                redirect_uri=_one("redirect_uri"),
                verifier=_one("code_verifier"),
            )
            body = replies.MemberToken(
                access_token=new_token("mat"),
                token_type="Bearer",
                expires_in=oauth.CODE_S,
                scope=row["scope"],
                member_id=row["member_id"],
                consent_id=row["consent_id"],
                mode=sandbox().mode,
            )
        else:
            detail = "Known: client_credentials, authorization_code."
            raise oauth.OAuthRefusal("unsupported_grant_type", "invalid_request", detail, field="grant_type")
    g.partner_id = partner_id
    response = reply(body)
    response.headers["Cache-Control"] = "no-store"
    return response


def _credentials() -> tuple[str, str]:
    """Client id and secret, from the Authorization header or the form, but not from both."""
    basic = request.authorization
    if basic is not None and basic.type == "basic":
        # Form-encoded before they are joined: RFC 6749, 2.3.1.
        return unquote_plus(basic.username or ""), unquote_plus(basic.password or "")
    return request.form.get("client_id", ""), request.form.get("client_secret", "")


def _one(name: str) -> str:
    values = request.form.getlist(name)
    if len(values) != 1 or not values[0]:
        raise oauth.OAuthRefusal("invalid_request", "invalid_request", f"{name} is needed, once.", field=name)
    return values[0]
