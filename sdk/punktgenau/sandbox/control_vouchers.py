"""The control plane for vouchers and payouts: what the provider's other shops, its bank and its staff would do."""

from __future__ import annotations

import json
from datetime import timedelta

from flask import Response, jsonify

from . import payouts, voucher_values, vouchers
from .control_bodies import NoBody, PayoutBody, VoucherBody, read
from .database import Work
from .problems import Refusal
from .seed import DEMO_PARTNER
from .state import request_work


def list_vouchers() -> Response:
    """Every voucher with its code, newest first: nobody but a developer reads this."""
    with request_work() as work:
        rows = work.all("SELECT * FROM voucher ORDER BY number DESC LIMIT 200")
        return jsonify({"items": [_shown(work, row["id"]) for row in rows], "now": work.at})


def make_voucher() -> Response:
    """Make a voucher that somebody can bring along."""
    body = read(VoucherBody)
    if (body.voucher_product_id is None) == (body.value_minor is None):
        raise Refusal("invalid_request", "value_minor: give either it or a product", field="value_minor")
    with request_work() as work:
        made = vouchers.issue(work, _wanted(work, body))
        shown = _shown(work, made["id"])
    response = jsonify(shown)
    response.status_code = 201
    return response


def withdraw_voucher(voucher_id: str) -> Response:
    """Make a voucher void."""
    read(NoBody)
    with request_work() as work:
        vouchers.withdraw(work, voucher_id)
        return jsonify(_shown(work, voucher_id))


def list_payouts() -> Response:
    """Every payout, newest first."""
    with request_work() as work:
        rows = work.all("SELECT * FROM payout ORDER BY number DESC LIMIT 200")
        return jsonify({"items": [payouts.reply(work, row).model_dump() for row in rows], "now": work.at})


def decide_payout(payout_id: str) -> Response:
    """Pay it, or say why not; the points are back then."""
    body = read(PayoutBody)
    with request_work() as work:
        row = payouts.decide(work, payout_id, body.state, reason=body.reason)
        return jsonify(payouts.reply(work, row).model_dump())


def _wanted(work: Work, body: VoucherBody) -> vouchers.Made:
    code, until = body.code or vouchers.new_code(), work.now + timedelta(seconds=body.valid_s)
    partners = None if body.partners is None else json.dumps(body.partners)
    if body.voucher_product_id is None:
        return vouchers.Made(
            code=code, value_minor=body.value_minor or 0, currency=body.currency, residual=body.residual,
            partners=partners or json.dumps([DEMO_PARTNER]), expires_at=until, member_id=body.member_id,
        )  # fmt: skip
    product = work.one("SELECT * FROM voucher_product WHERE id = ?", body.voucher_product_id)
    if product is None:
        raise Refusal("invalid_request", "voucher_product_id: there is no such product", field="voucher_product_id")
    return vouchers.Made(
        code=code, value_minor=product["value_minor"], currency=product["currency"], residual=product["residual"],
        partners=partners or product["partners"], expires_at=until, product_id=product["id"],
        member_id=body.member_id,
    )  # fmt: skip


def _shown(work: Work, voucher_id: str) -> dict[str, object]:
    row = vouchers.get(work, voucher_id)
    shown = vouchers.reply(work, row, partner_id=row["partner_id"] or "", with_code=True)
    figures = voucher_values.figures(work, voucher_id)
    return {**shown.model_dump(), "member_id": row["member_id"], "lost": figures.lost, "expired": figures.expired}
