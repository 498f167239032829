"""What a shop asks a member for: read once, checked, then carried through the pages under a signature."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from datetime import timedelta
from urllib.parse import urlencode, urlsplit

from flask import current_app
from itsdangerous import BadSignature, URLSafeSerializer
from werkzeug.datastructures import MultiDict

from . import members, oauth
from .clock import moment
from .database import Work

MAX_STATE_LENGTH = 512
GOOD_FOR = timedelta(minutes=30)
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")


class CannotAnswer(Exception):
    """There is nowhere safe to send the browser: the person is told here. `text_key` says why."""

    def __init__(self, text_key: str) -> None:
        super().__init__(text_key)
        self.text_key = text_key


class SendBack(Exception):
    """The shop gets an answer of RFC 6749 instead of a page."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.address = address


@dataclass(frozen=True)
class ConsentRequest:
    """A shop's request. `member_id` is set once somebody has signed in for it."""

    partner_id: str
    redirect_uri: str
    state: str
    challenge: str
    scope: str
    asked_at: str
    member_id: str | None = None

    @property
    def shop_address(self) -> str:
        """Where the browser will be sent back to, as people read it."""
        return urlsplit(self.redirect_uri).netloc

    def back(self, **answer: str) -> str:
        """The shop's address with this answer and its own state."""
        return _with_query(self.redirect_uri, {**answer, "state": self.state})

    def sealed(self) -> str:
        """The request in a form that a browser may carry and cannot change."""
        return str(_serializer().dumps(asdict(self)))


def unsealed(work: Work, sealed: str) -> ConsentRequest:
    """The request that `sealed` carries. Raises CannotAnswer: changed on the way, or too old."""
    try:
        asked = ConsentRequest(**_serializer().loads(sealed))
    except BadSignature:
        raise CannotAnswer("problem.unknown_request") from None
    if moment(asked.asked_at) + GOOD_FOR <= work.now:
        raise CannotAnswer("problem.old_request")
    return asked


def read(work: Work, args: MultiDict[str, str]) -> ConsentRequest:
    """What the address asks for. Raises CannotAnswer for a stranger or a strange way back, SendBack for the rest."""
    partner_id = _single(args, "client_id")
    if partner_id is None or work.one("SELECT id FROM partner WHERE id = ?", partner_id) is None:
        raise CannotAnswer("problem.unknown_shop")
    redirect_uri = _single(args, "redirect_uri")
    if redirect_uri is None or not oauth.is_allowed_redirect(redirect_uri):
        raise CannotAnswer("problem.strange_redirect")
    refused = _first_error(args)
    if refused is not None:
        error, description = refused
        state = {name: value for name, value in (("state", args.get("state")),) if value}
        answer = {"error": error, "error_description": description, **state}
        raise SendBack(_with_query(redirect_uri, answer))
    return ConsentRequest(
        partner_id=partner_id,
        redirect_uri=redirect_uri,
        state=args["state"],
        challenge=args["code_challenge"],
        scope=members.SCOPE,
        asked_at=work.at,
    )


def _first_error(args: MultiDict[str, str]) -> tuple[str, str] | None:
    """The word of RFC 6749 and a sentence for the shop's developer; None: nothing is wrong."""
    for name in ("response_type", "scope", "state", "code_challenge", "code_challenge_method"):
        if len(args.getlist(name)) > 1:
            return "invalid_request", f"{name} is there more than once."
    response_type = args.get("response_type")
    if not response_type:
        return "invalid_request", "response_type is missing."
    if response_type != "code":
        return "unsupported_response_type", "The only response_type is code."
    if not 1 <= len(args.get("state", "")) <= MAX_STATE_LENGTH:
        return "invalid_request", f"state is needed, with at most {MAX_STATE_LENGTH} characters."
    if not _CHALLENGE.fullmatch(args.get("code_challenge", "")) or args.get("code_challenge_method") != "S256":
        return "invalid_request", "A code_challenge is needed (RFC 7636), with code_challenge_method S256."
    # Nobody here enforces half of it, so nobody is asked to agree to half of it.
    if set(args.get("scope", members.SCOPE).split()) != set(members.SCOPE.split()):
        return "invalid_scope", f"The only scope is '{members.SCOPE}'."
    return None


def _single(args: MultiDict[str, str], name: str) -> str | None:
    values = args.getlist(name)
    return values[0] if len(values) == 1 else None


def _with_query(address: str, answer: dict[str, str]) -> str:
    separator = "&" if urlsplit(address).query else "?"
    return f"{address}{separator}{urlencode(answer)}"


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.secret_key or "", salt="consent-request")
