"""A member's own page: what there is, what happened, who may use it, and the way to withdraw that."""

from __future__ import annotations

from flask import Blueprint, Response, request
from werkzeug import Response as AnyResponse

from . import ledger, lots, members, overview, pages, programme
from .state import request_work

SHOWN_MOVEMENTS = 50


def add_to(routes: Blueprint) -> None:
    """/account and what can be done there."""
    routes.add_url_rule("/account", view_func=account)
    routes.add_url_rule("/account/withdraw", view_func=withdraw, methods=["POST"])
    routes.add_url_rule("/sign-out", view_func=sign_out, methods=["POST"])


def account() -> AnyResponse:
    """The page of whoever is signed in."""
    member_id = pages.signed_in()
    if member_id is None:
        return pages.go_to("pages.sign_in_page")
    with request_work() as work:
        rate = programme.current_rate(work)
        available_points = ledger.available_points(work, member_id)
        return pages.show(
            "account.html",
            member=members.get(work, member_id),
            available=available_points,
            worth_minor=rate.worth_minor(available_points),
            currency=rate.currency,
            held=ledger.held_points(work, member_id),
            lots=[lot for lot in lots.of_member(work, member_id) if lot["available_points"]],
            consents=members.consents_of(work, member_id),
            movements=overview.member_entries(work, member_id=member_id, limit=SHOWN_MOVEMENTS),
        )


def withdraw() -> AnyResponse:
    """End the consent to one partner."""
    member_id = pages.signed_in()
    if member_id is not None:
        with request_work() as work:
            members.withdraw_consent(work, member_id=member_id, partner_id=request.form.get("partner_id", ""))
    return pages.go_to("pages.account")


def sign_out() -> Response | AnyResponse:
    """Somebody else may sit down."""
    pages.sign_out()
    return pages.go_to("pages.sign_in_page")
