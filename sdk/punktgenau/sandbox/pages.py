"""The pages for people: how they are answered, protected and found. What is on them is in the pages_*.py beside."""

from __future__ import annotations

import secrets
from typing import Any

from flask import Blueprint, Flask, Response, g, make_response, redirect, render_template, request, session, url_for
from werkzeug import Response as AnyResponse
from werkzeug.exceptions import HTTPException

from . import members, tokens
from .consent_request import CannotAnswer, SendBack
from .control import only_from_here
from .problems import Refusal
from .state import request_work, sandbox
from .texts import LANGUAGES, current_language

SESSION_COOKIE = "punktgenau_sandbox"
_CSRF = "csrf"
_MEMBER = "member_id"
POLICY = "default-src 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'"
_HEADERS = {
    "Content-Security-Policy": f"{POLICY}; form-action 'self'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


class StaleForm(Exception):
    """A form without the token of this browser: sent by somebody else, or too old."""


def register_pages(app: Flask) -> None:
    """Put the pages into the application, with a session of their own."""
    from . import pages_account, pages_consent, pages_dashboard

    app.secret_key = secrets.token_bytes(32)
    # Cookies do not know ports: a shop on the same host has its own.
    app.config.update(SESSION_COOKIE_NAME=SESSION_COOKIE, SESSION_COOKIE_SAMESITE="Lax")
    pages = Blueprint("pages", __name__)
    pages.before_request(only_from_here)
    pages.before_request(_recall_member)
    pages.before_request(_check_form)
    pages.after_request(_protect)
    pages.context_processor(_everywhere)
    pages.register_error_handler(Refusal, _refused)
    pages.register_error_handler(CannotAnswer, _cannot_answer)
    pages.register_error_handler(SendBack, _send_back)
    pages.register_error_handler(StaleForm, _stale_form)
    pages.register_error_handler(HTTPException, _http_problem)
    pages_consent.add_to(pages)
    pages_account.add_to(pages)
    pages_dashboard.add_to(pages)
    app.register_blueprint(pages)


def show(template: str, *, status: int = 200, **values: Any) -> Response:
    """A page."""
    return make_response(render_template(template, **values), status)


def go_to(endpoint: str, **values: Any) -> AnyResponse:
    """The answer to a form: the browser fetches the page that comes next."""
    return redirect(url_for(endpoint, **values), 303)


def csrf_token() -> str:
    """What every form of this browser carries."""
    if _CSRF not in session:
        session[_CSRF] = secrets.token_urlsafe(24)
    token: str = session[_CSRF]
    return token


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


def _recall_member() -> None:
    member_id = session.get(_MEMBER)
    if isinstance(member_id, str):
        with request_work() as work:
            g.member_id = member_id if members.find(work, member_id) is not None else None


def _check_form() -> None:
    if request.method == "POST":
        sent, expected = request.form.get("csrf_token", ""), session.get(_CSRF)
        if not isinstance(expected, str) or not tokens.same(sent, expected):
            raise StaleForm


def _protect(response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def _everywhere() -> dict[str, object]:
    language = current_language()
    return {
        "language": language,
        "languages": LANGUAGES.values(),
        "t": language.text,
        "csrf_token": csrf_token,
        "signed_in": signed_in(),
        "mode": sandbox().mode,
        "in_language": _in_language,
    }


def _in_language(code: str) -> str:
    """This page in another language; after a form, the way in."""
    if request.method != "GET" or request.endpoint is None:
        return f"/?lang={code}"
    kept = {name: values for name, values in request.args.lists() if name not in ("lang", "ui_locales", "part")}
    return url_for(request.endpoint, **{**kept, **(request.view_args or {}), "lang": code})


def _problem_page(text_key: str, status: int) -> Response:
    return show("problem.html", status=status, key=text_key)


def _refused(refusal: Refusal) -> Response:
    known = {"forbidden": "problem.not_from_here", "not_found": "problem.not_found"}
    return _problem_page(known.get(refusal.code, "problem.refused"), refusal.kind.status)


def _cannot_answer(error: CannotAnswer) -> Response:
    return _problem_page(error.text_key, 400)


def _send_back(error: SendBack) -> AnyResponse:
    return redirect(error.address, 303)


def _stale_form(error: StaleForm) -> Response:
    return _problem_page("problem.stale_form", 400)


def _http_problem(error: HTTPException) -> Response:
    return _problem_page("problem.not_found" if error.code == 404 else "problem.refused", error.code or 500)
