"""A member's own page: what there is, what happened, who may use it, and the way to withdraw that."""

from __future__ import annotations

from flask import Blueprint, request, url_for
from werkzeug import Response as AnyResponse

from . import ledger, members, pages_frame, pages_rows, pages_session
from .state import request_work

SHOWN_MOVEMENTS = 50


def add_to(routes: Blueprint) -> None:
    """/account and what can be done there."""
    routes.add_url_rule("/account", view_func=account)
    routes.add_url_rule("/account/withdraw", view_func=withdraw, methods=["POST"])
    routes.add_url_rule("/sign-out", view_func=sign_out, methods=["POST"])


def account() -> AnyResponse:
    """The page of whoever is signed in."""
    member_id = pages_session.signed_in()
    if member_id is None:
        return pages_frame.go_to(url_for("pages.sign_in_page"))
    with request_work() as work:
        available_points = ledger.available_points(work, member_id)
        values: dict[str, object] = {
            "member": members.get(work, member_id),
            "available": available_points,
            "worth": pages_rows.worth(work, available_points) if available_points >= 0 else None,
            "held": ledger.held_points(work, member_id),
            "owed": ledger.owed_points(work, member_id),
            "pending": pages_rows.pending(work, member_id),
            "lots": pages_rows.open_lots(work, member_id),
            "vouchers": pages_rows.vouchers(work, member_id),
            "payouts": pages_rows.payouts(work, member_id, limit=SHOWN_MOVEMENTS),
            "consents": members.consents_of(work, member_id),
            "movements": pages_rows.movements(work, member_id=member_id, limit=SHOWN_MOVEMENTS),
        }
    return pages_frame.show("account.html", values)


def withdraw() -> AnyResponse:
    """End the consent to one partner."""
    member_id = pages_session.signed_in()
    if member_id is not None:
        with request_work() as work:
            members.withdraw_consent(work, member_id=member_id, partner_id=request.form.get("partner_id", ""))
    return pages_frame.go_to(url_for("pages.account"))


def sign_out() -> AnyResponse:
    """Somebody else may sit down."""
    pages_session.sign_out()
    return pages_frame.go_to(url_for("pages.sign_in_page"))
