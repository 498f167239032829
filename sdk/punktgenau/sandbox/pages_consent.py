"""The way of a member from a shop to the consent and back: sign in, read who asks for what, agree or decline."""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, Response, redirect, request, url_for
from werkzeug import Response as AnyResponse

from . import consent_request, members, oauth, pages_frame, pages_rows, pages_session
from .consent_request import CannotAnswer, ConsentRequest
from .database import Work
from .state import request_work

OFFERED_MEMBERS = 6
# Policies name hosts; this one follows the answer of a form wherever it is sent on, and that is a shop on this machine.
_MAY_LEAVE = "; form-action 'self' " + " ".join(
    f"{scheme}://{host}:*" for scheme in ("http", "https") for host in ("127.0.0.1", "localhost")
)


def add_to(routes: Blueprint) -> None:
    """/oauth/authorize, /sign-in, /oauth/consent."""
    routes.add_url_rule("/oauth/authorize", view_func=authorize)
    routes.add_url_rule("/sign-in", view_func=sign_in_page)
    routes.add_url_rule("/sign-in", view_func=sign_in, methods=["POST"])
    routes.add_url_rule("/oauth/consent", view_func=consent)
    routes.add_url_rule("/oauth/consent", view_func=decide, methods=["POST"])


def authorize() -> Response:
    """Where a shop sends the browser."""
    with request_work() as work:
        asked = consent_request.read(work, request.args)
        return _sign_in_page(work, asked)


def sign_in_page() -> Response:
    """Signing in without a shop, to see one's own page."""
    with request_work() as work:
        return _sign_in_page(work, None)


def sign_in() -> AnyResponse:
    """Take the member at their word."""
    member_id = request.form.get("member_id", "").strip()
    with request_work() as work:
        sealed = request.form.get("asked")
        asked = consent_request.unsealed(work, sealed) if sealed else None
        if members.find(work, member_id) is None:
            return _sign_in_page(work, asked, unknown=member_id, status=422)
    pages_session.sign_in(member_id)
    if asked is None:
        return pages_frame.go_to(url_for("pages.account"))
    return pages_frame.go_to(url_for("pages.consent", asked=replace(asked, member_id=member_id).sealed()))


def consent() -> Response:
    """Who asks, for what, until when, and how to withdraw."""
    with request_work() as work:
        asked = consent_request.unsealed(work, request.args.get("asked", ""))
        member_id = _member_of(asked)
        values: dict[str, object] = {
            "asked": asked,
            "partner": _partner(work, asked),
            "member": members.get(work, member_id),
            "standing": members.find_consent(work, member_id=member_id, partner_id=asked.partner_id),
        }
    return _may_leave(pages_frame.show("consent.html", values), asked)


def decide() -> AnyResponse:
    """Agree or decline; both lead back to the shop."""
    with request_work() as work:
        asked = consent_request.unsealed(work, request.form.get("asked", ""))
        if request.form.get("decision") != "agree":
            return redirect(asked.back(error="access_denied"), 303)
        code = oauth.issue_code(
            work,
            partner_id=asked.partner_id,
            member_id=_member_of(asked),
            redirect_uri=asked.redirect_uri,
            challenge=asked.challenge,
            scope=asked.scope,
        )
    return redirect(asked.back(code=code), 303)


def _sign_in_page(
    work: Work, asked: ConsentRequest | None, *, unknown: str | None = None, status: int = 200
) -> Response:
    values: dict[str, object] = {
        "asked": asked,
        "partner": _partner(work, asked) if asked else None,
        "offered": pages_rows.all_members(work, limit=OFFERED_MEMBERS),
        "unknown": unknown,
    }
    page = pages_frame.show("sign_in.html", values, status=status)
    return _may_leave(page, asked) if asked else page


def _member_of(asked: ConsentRequest) -> str:
    """Who signed in for this request and still sits there. Raises CannotAnswer."""
    if asked.member_id is None or asked.member_id != pages_session.signed_in():
        raise CannotAnswer("problem.other_member")
    return asked.member_id


def _partner(work: Work, asked: ConsentRequest) -> str:
    row = work.one("SELECT display_name FROM partner WHERE id = ?", asked.partner_id)
    if row is None:
        raise CannotAnswer("problem.unknown_shop")
    return str(row["display_name"])


def _may_leave(page: Response, asked: ConsentRequest) -> Response:
    # A policy cannot name an IPv6 address.
    leaving = "" if asked.shop_address.startswith("[") else _MAY_LEAVE
    page.headers["Content-Security-Policy"] = pages_frame.POLICY + leaving
    return page
