"""The calls about vouchers and payouts once, as the wire samples have them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from punktgenau import Client, Money, TenderRequest, VoucherReturn

Call = Callable[..., Any]


def eur(amount_minor: int) -> Money:
    """Euro cents."""
    return Money(amount_minor=amount_minor, currency="EUR")


TENDERS = (
    TenderRequest(kind="voucher", voucher_id="vou_0001", value=eur(2500)),
    TenderRequest(kind="voucher", code="GIFT-2026-TENN-ER10", value=eur(1000)),
    TenderRequest(points=427, value=eur(427)),
)


def _authorize(client: Client, **more: Any) -> Any:
    arguments: dict[str, Any] = {
        "member_id": "mbr_2500",
        "order_reference": "A-1001",
        "total": eur(5990),
        "tenders": TENDERS,
        "rate_id": "rate_eur_1",
        "hold_s": 7200,
        "idempotency_key": "key-authorize-A-1001",
        **more,
    }
    return client.redemptions.authorize(**arguments)


def _reverse(client: Client, **more: Any) -> Any:
    arguments: dict[str, Any] = {
        "redemption_id": "red_0001",
        "points": 0,
        "vouchers": [VoucherReturn(voucher_id="vou_0001", value=eur(1000))],
        "return_reference": "R-1",
        "idempotency_key": "key-reverse-R-1",
        **more,
    }
    return client.redemptions.reverse(**arguments)


def _buy(client: Client, **more: Any) -> Any:
    arguments: dict[str, Any] = {
        "member_id": "mbr_2500",
        "voucher_product_id": "voucher_25",
        "voucher_reference": "V-1",
        "idempotency_key": "key-voucher-1",
        **more,
    }
    return client.vouchers.buy(**arguments)


def _payout(client: Client, **more: Any) -> Any:
    arguments: dict[str, Any] = {
        "member_id": "mbr_2500",
        "points": 1000,
        "payout_reference": "P-1",
        "idempotency_key": "key-payout-1",
        **more,
    }
    return client.payouts.request(**arguments)


VOUCHER_SAMPLES: dict[str, Call] = {
    "authorize_with_vouchers": _authorize,
    "buy_voucher": _buy,
    "find_payouts": lambda client, **more: client.payouts.find(**{"payout_reference": "P-1", **more}),
    "get_payout": lambda client, **more: client.payouts.get(**{"payout_id": "pay_0001", **more}),
    "get_voucher": lambda client, **more: client.vouchers.get(**{"voucher_id": "vou_0001", **more}),
    "look_up_voucher": lambda client, **more: client.vouchers.look_up(**{"code": "GIFT-2026-WINT-ER25", **more}),
    "payout": _payout,
    "reverse_with_vouchers": _reverse,
    "voucher_products": lambda client, **more: client.vouchers.products(**more),
    "vouchers": lambda client, **more: client.vouchers.list(**{"member_id": "mbr_2500", **more}),
}
VOUCHER_WRITES = ("buy_voucher", "payout")
VOUCHER_NEXT_CALLS = {
    "buy_voucher": "vouchers.find(idempotency_key='key-voucher-1')",
    "payout": "payouts.find(idempotency_key='key-payout-1')",
}
