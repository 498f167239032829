"""The token endpoint: client credentials for the partner, and the code that a member's consent gave."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote_plus

from pydantic import BaseModel

from . import oauth, replies
from .answering import reply
from .call import Call, Reply
from .openapi import ACCESS, Responses, problem
from .routes import Route
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


def token(call: Call) -> Reply:
    """A partner's access token, or what a member's code stands for."""
    with call.work() as work:
        partner_id = oauth.check_partner(work, *_credentials(call))
        grant_type = _one(call, "grant_type")
        if grant_type == "client_credentials":
            body: BaseModel = replies.PartnerToken(
                access_token=oauth.issue_partner_token(work, partner_id),
                token_type="Bearer",
                expires_in=oauth.PARTNER_TOKEN_S,
                mode=call.provider.mode,
            )
        elif grant_type == "authorization_code":
            row = oauth.redeem_code(
                work,
                partner_id=partner_id,
                code=_one(call, "code"),
                redirect_uri=_one(call, "redirect_uri"),
                verifier=_one(call, "code_verifier"),
            )
            body = replies.MemberToken(
                access_token=new_token("mat"),
                token_type="Bearer",
                expires_in=oauth.CODE_S,
                scope=row["scope"],
                member_id=row["member_id"],
                consent_id=row["consent_id"],
                mode=call.provider.mode,
            )
        else:
            detail = "Known: client_credentials, authorization_code."
            raise oauth.OAuthRefusal("unsupported_grant_type", "invalid_request", detail, field="grant_type")
    call.partner_id = partner_id
    return reply(body).saying("Cache-Control", "no-store")


def _credentials(call: Call) -> tuple[str, str]:
    """Client id and secret, from the Authorization header or the form, but not from both."""
    basic = call.request.authorization
    if basic is not None and basic.type == "basic":
        # Form-encoded before they are joined: RFC 6749, 2.3.1.
        return unquote_plus(basic.username or ""), unquote_plus(basic.password or "")
    return call.form.get("client_id", ""), call.form.get("client_secret", "")


def _one(call: Call, name: str) -> str:
    values = call.form.getlist(name)
    if len(values) != 1 or not values[0]:
        raise oauth.OAuthRefusal("invalid_request", "invalid_request", f"{name} is needed, once.", field=name)
    return values[0]


_RESPONSES: Responses = {
    "200": replies.Token,
    **{str(status): problem(status, model=replies.TokenProblem) for status in (400, 401, 403, 404, 429, 500, 503)},
}
ROUTES = (
    Route(
        method="POST",
        rule="/oauth/token",
        operation="token",
        handler=token,
        tag=ACCESS,
        responses=_RESPONSES,
        security=[{"partner_credentials": []}],
        extensions={
            "requestBody": {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": _FORM}}}
        },
    ),
)
