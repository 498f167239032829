"""The control plane's other partner: who else gives out points, and where else they are redeemed."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, Response, jsonify

from . import holds, issued, members, programme, redemptions
from .control_bodies import ElsewhereBody, read
from .database import Work
from .problems import Refusal
from .schemas import AuthorizeRequest, MoneyIn
from .seed import OTHER_PARTNER, other_partner
from .state import request_work


def add_routes(routes: Blueprint) -> None:
    """What belongs below /sandbox."""
    routes.add_url_rule("/members/<member_id>/redeem-elsewhere", view_func=redeem_elsewhere, methods=["POST"])


def redeem_elsewhere(member_id: str) -> Response:
    """Redeem points at the other partner, to whom the member agrees by it."""
    body = read(ElsewhereBody)
    with request_work() as work:
        members.get(work, member_id)
        other_partner(work)
        members.give_consent(work, member_id=member_id, partner_id=OTHER_PARTNER)
        _, order = work.next_id("els")
        rate = programme.current_rate(work)
        # Points that are worth a part of a cent pay it whole.
        total = MoneyIn(amount_minor=max(1, rate.worth_minor(body.points)), currency=rate.currency)
        request = AuthorizeRequest(
            member_id=member_id, order_reference=order, total=total, points=body.points, capture="now"
        )
        red = holds.authorize(work, request, partner_id=OTHER_PARTNER, key=f"key-{order}")
        shown = redemptions.reply(work, red).model_dump()
    response = jsonify(shown)
    response.status_code = 201
    return response


def name_issuers(work: Work, member_id: str, partner_ids: Sequence[str | None]) -> None:
    """Say who gave out a member's newest lots, oldest of them first; None: the programme. Raises Refusal."""
    newest = work.all("SELECT id FROM lot WHERE member_id = ? ORDER BY id DESC LIMIT ?", member_id, len(partner_ids))
    for lot, partner_id in zip(reversed(newest), partner_ids, strict=True):
        if partner_id is None:
            continue
        if work.one("SELECT id FROM partner WHERE id = ?", partner_id) is None:
            raise Refusal("invalid_request", "issued_by: there is no such partner", field="lots")
        issued.name_issuer(work, lot_id=lot["id"], partner_id=partner_id)
