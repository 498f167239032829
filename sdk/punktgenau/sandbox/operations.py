"""Which operation of the contract a request is, by the name that faults and people use."""

from __future__ import annotations

from flask import Request
from werkzeug.routing import BaseConverter

from .faults import Operation

_BY_ENDPOINT: dict[str, Operation] = {
    "oauth_token.token": "token",
    "members.member": "member",
    "members.balance": "balance",
    "members.entries": "entries",
    "events.list_events": "events",
    "statements.statement": "statement",
    "statements.as_csv": "statement_csv",
    "statements.issued_points": "issued",
    "statements.issued_as_csv": "issued_csv",
    "redemptions.quote": "quote",
    "redemptions.authorize": "authorize",
    "redemptions.find": "find",
    "redemptions.cancel_by_key": "cancel_by_key",
    "redemptions.get": "get",
    "redemptions.capture": "capture",
    "redemptions.extend": "extend",
    "redemptions.void": "void",
    "redemptions.reverse": "reverse",
    "redemptions.quote_reversal": "quote_reversal",
    "accruals.accrue": "accrue",
    "accruals.post": "post_accrual",
    "accruals.reverse": "reverse_accrual",
    "accruals.get": "get_accrual",
    "accruals.find": "find_accruals",
    "voucher_products.products": "voucher_products",
    "vouchers.buy": "buy_voucher",
    "vouchers.look_up": "look_up_voucher",
    "vouchers.find": "vouchers",
    "vouchers.get": "get_voucher",
    "payouts.request_payout": "payout",
    "payouts.get": "get_payout",
    "payouts.find": "find_payouts",
}


class RedemptionId(BaseConverter):
    """Anything in the place of an id that is not the name of another resource."""

    regex = r"(?!(?:quote|cancel-by-key)$)[^/]+"


class VoucherId(BaseConverter):
    """The same, below vouchers."""

    regex = r"(?!look-up$)[^/]+"


def operation_of(request: Request) -> Operation | None:
    """The operation, or None for everything that is not the partner API."""
    operation = _BY_ENDPOINT.get(request.endpoint or "")
    if operation == "token" and request.form.get("grant_type") == "authorization_code":
        return "identify"
    return operation
