"""Access: the partner's token, and the code that tells a partner which member has agreed."""

from __future__ import annotations

import re
import sqlite3
from datetime import timedelta
from urllib.parse import urlsplit

from . import members
from .clock import stamp
from .database import Work
from .problems import Refusal
from .tokens import challenge_of, digest, new_token, same

PARTNER_TOKEN_S = 3600
CODE_S = 60
CALLBACK_PATH = "/points/callback"


class OAuthRefusal(Refusal):
    """A refusal of the token endpoint, with the word that RFC 6749 has for it."""

    def __init__(self, error: str, code: str, detail: str, *, field: str | None = None) -> None:
        super().__init__(code, detail, field=field)
        self.error = error


def check_partner(work: Work, client_id: str, client_secret: str) -> str:
    """The partner with these credentials. Raises OAuthRefusal."""
    row = work.one("SELECT * FROM partner WHERE id = ?", client_id)
    expected = row["secret_digest"] if row else digest("")
    if not same(digest(client_secret), expected) or row is None:
        raise OAuthRefusal("invalid_client", "unauthorized", "Client id or secret is wrong, or the token has ended.")
    return str(row["id"])


def issue_partner_token(work: Work, partner_id: str) -> str:
    """A new access token for a partner."""
    token = new_token("pat")
    expires_at = stamp(work.now + timedelta(seconds=PARTNER_TOKEN_S))
    work.run("INSERT INTO token VALUES (?, ?, ?)", digest(token), partner_id, expires_at)
    work.run("DELETE FROM token WHERE expires_at <= ?", work.at)
    return token


def partner_of_token(work: Work, token: str) -> str:
    """Whose token this is. Raises Refusal unauthorized."""
    row = work.one("SELECT * FROM token WHERE digest = ? AND expires_at > ?", digest(token), work.at)
    if row is None:
        raise Refusal("unauthorized", "The token is unknown or has ended.")
    return str(row["partner_id"])


def is_allowed_redirect(redirect_uri: str) -> bool:
    """Whether the browser may be sent there: a loopback address of the demo whose path ends in /points/callback."""
    if not re.fullmatch(r"[!-\[\]-~]+", redirect_uri):
        # Blanks, control characters, backslashes: browsers read them in ways of their own.
        return False
    try:
        parts = urlsplit(redirect_uri)
        _ = parts.port
    except ValueError:
        return False
    return (
        parts.scheme in ("http", "https")
        and parts.hostname in ("127.0.0.1", "localhost", "::1")
        and parts.path.endswith(CALLBACK_PATH)
        and not parts.fragment
        and parts.username is None
    )


def issue_code(
    work: Work, *, partner_id: str, member_id: str, redirect_uri: str, challenge: str, scope: str = members.SCOPE
) -> str:
    """Write down that the member has agreed, and give the code that proves it to the partner, once, for a minute.

    The consent is given in the same transaction. `challenge` is the S256 challenge of the partner's verifier.
    """
    consent_id = members.give_consent(work, member_id=member_id, partner_id=partner_id, scope=scope)
    code = new_token("cod")
    work.run(
        "INSERT INTO code VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL)",
        digest(code), partner_id, member_id, consent_id, redirect_uri, challenge, scope,
        stamp(work.now + timedelta(seconds=CODE_S)),
    )  # fmt: skip
    return code


def redeem_code(work: Work, *, partner_id: str, code: str, redirect_uri: str, verifier: str) -> sqlite3.Row:
    """The code's row: member_id, consent_id, scope. Works once. Raises OAuthRefusal."""
    row = work.one("SELECT * FROM code WHERE digest = ? AND partner_id = ?", digest(code), partner_id)
    is_good = (
        row is not None
        and row["used_at"] is None
        and row["expires_at"] > work.at
        and row["redirect_uri"] == redirect_uri
        and same(row["challenge"], challenge_of(verifier))
    )
    if row is None or not is_good:
        detail = "The code is unknown, used, too old, or was asked for differently."
        raise OAuthRefusal("invalid_grant", "invalid_request", detail, field="code")
    try:
        members.consenting(work, member_id=row["member_id"], partner_id=partner_id)
    except Refusal as refusal:
        raise OAuthRefusal("invalid_grant", refusal.code, refusal.detail, field=refusal.field) from None
    work.run("UPDATE code SET used_at = ? WHERE digest = ?", work.at, row["digest"])
    return row
