"""Who sits at the browser, and that a form comes from the page that was shown there."""

from __future__ import annotations

import secrets

from flask import Flask, Request, g, request, session
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface

from . import members, tokens
from .state import request_work

SESSION_COOKIE = "punktgenau_sandbox"
_CSRF = "csrf"
_MEMBER = "member_id"
_OF_PARTNERS = ("/v1/", "/oauth/token")


class StaleForm(Exception):
    """A form without the token of this browser: sent by somebody else, or too old."""


class _OfPages(SecureCookieSessionInterface):
    """Partners have no browser: their requests open no session, which costs more than most of them do."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        return None if request.path.startswith(_OF_PARTNERS) else super().open_session(app, request)


def set_up(app: Flask) -> None:
    """Give the application a session. It ends with the process."""
    app.session_interface = _OfPages()
    app.secret_key = secrets.token_bytes(32)
    # Cookies do not know ports: a shop on the same host has its own.
    app.config.update(SESSION_COOKIE_NAME=SESSION_COOKIE, SESSION_COOKIE_SAMESITE="Lax")


def csrf_token() -> str:
    """What every form of this browser carries."""
    if _CSRF not in session:
        session[_CSRF] = secrets.token_urlsafe(24)
    token: str = session[_CSRF]
    return token


def check_form() -> None:
    """Raises StaleForm when a form does not carry this browser's token."""
    if request.method == "POST":
        sent, expected = request.form.get("csrf_token", ""), session.get(_CSRF)
        if not isinstance(expected, str) or not tokens.same(sent, expected):
            raise StaleForm


def recall_member() -> None:
    """Find out who is signed in, once per request."""
    member_id = session.get(_MEMBER)
    if isinstance(member_id, str):
        with request_work() as work:
            g.member_id = member_id if members.find(work, member_id) is not None else None


def sign_in(member_id: str) -> None:
    """Remember who sits there. There is no password to check."""
    session[_MEMBER] = member_id


def sign_out() -> None:
    """Forget who sat there."""
    session.pop(_MEMBER, None)


def signed_in() -> str | None:
    """The member who sits there, if there is still such a member."""
    member_id: str | None = g.get(_MEMBER)
    return member_id
