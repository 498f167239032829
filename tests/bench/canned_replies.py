"""What a provider of each kind answers, about 1,000 bytes each, and what may go wrong. Standard library only."""

from __future__ import annotations

import json
from pathlib import Path

FAULTS = (
    "500", "503, Retry-After 3600", "429", "409", "closed without an answer", "reset", "stale connection",
    "truncated body", "HTML with 200", "nothing with 200", "other JSON with 200", "one byte a second", "silence",
)  # fmt: skip
REPLY_BYTES = 1_000
WIRE = Path(__file__).resolve().parent.parent / "wire" / "authorize.json"
AUTHORIZED = json.loads(WIRE.read_text("utf-8"))["reply"]["body"]
TOKEN = {"access_token": "pat_bench", "token_type": "Bearer", "expires_in": 36_000, "mode": "sandbox"}

STRIPE = {
    "id": "cbtxn_1", "object": "customer_balance_transaction", "amount": -427, "created": 1_780_000_000,
    "currency": "eur", "customer": "cus_1", "ending_balance": -427, "livemode": False, "metadata": {"order": "A-1001"},
    "type": "adjustment", "invoice": None, "credit_note": None, "description": "",
}  # fmt: skip
SQUARE = {
    "id": "a8f43ebe", "status": "ISSUED", "loyalty_account_id": "5adcb100", "reward_tier_id": "e1b39225",
    "points": 427, "created_at": "2026-05-01T21:49:54Z", "updated_at": "2026-05-01T21:49:54Z", "order_id": "",
}  # fmt: skip
ADYEN = {"pspReference": "993617894903480A", "resultCode": "Authorised", "merchantReference": "A-1001", "note": ""}
VOUCHERIFY = {
    "points": -427, "total": 54_000, "balance": 48_213, "type": "loyalty_card", "object": "balance",
    "operation_type": "MANUAL", "related_object": {"type": "voucher", "id": "v_1"}, "note": "",
}  # fmt: skip
MOLLIE = {
    "resource": "payment", "id": "tr_7UhSN1zuXS", "mode": "test", "status": "open", "method": None,
    "createdAt": "2026-03-20T13:13:37+00:00", "amount": {"value": "4.27", "currency": "EUR"},
    "metadata": {"order": "A-1001"}, "profileId": "pfl_1", "description": "", "_links": {},
}  # fmt: skip
GOCARDLESS = {
    "id": "PM123", "created_at": "2026-01-01T12:00:00.000Z", "amount": 427, "charge_date": "2026-05-21",
    "currency": "EUR", "status": "pending_submission", "amount_refunded": 0, "metadata": {"order": "A-1001"},
    "links": {"mandate": "MD123", "creditor": "CR123"}, "description": "",
}  # fmt: skip
CHECKOUT_COM = {"action_id": "act_1", "reference": "A-1001", "metadata": {"note": ""}, "_links": {}}
PAYPAL = {
    "id": "5O190127TN364715T", "status": "CREATED", "intent": "CAPTURE", "create_time": "2026-01-01T12:00:00Z",
    "links": [], "purchase_units": [{"reference_id": "A-1001", "amount": {"currency_code": "EUR", "value": "4.27"}}],
    "note": "",
}  # fmt: skip
BRAINTREE = (
    '<?xml version="1.0" encoding="UTF-8"?><transaction><id>abc123</id><status>authorized</status><type>sale</type>'
    "<currency-iso-code>EUR</currency-iso-code><amount>4.27</amount><order-id>A-1001</order-id>"
    '<created-at type="datetime">2026-11-22T03:55:15Z</created-at><customer><id>c1</id></customer><custom-fields/>'
    '<refund-ids type="array"/><status-history type="array"/><channel>%s</channel></transaction>'
)


def _long(body: dict[str, object], *path: str) -> bytes:
    """JSON, with one of its texts as long as it takes."""
    inner = body
    for name in path[:-1]:
        inner = inner[name]  # type: ignore[assignment]
    inner[path[-1]] = "x" * (REPLY_BYTES - len(json.dumps(body)))
    return json.dumps(body).encode()


# By the beginning of the path: status, content type, body.
BY_PATH: dict[str, tuple[int, str, bytes]] = {
    "/v1/customers/": (200, "application/json", _long(STRIPE, "description")),
    "/v2/loyalty/": (200, "application/json", _long({"reward": SQUARE}, "reward", "order_id")),
    "/v72/": (200, "application/json", _long(ADYEN, "note")),
    "/v1/loyalties/": (200, "application/json", _long(VOUCHERIFY, "note")),
    "/v2/payments": (201, "application/json", _long(MOLLIE, "description")),
    "/payments/": (202, "application/json", _long(CHECKOUT_COM, "metadata", "note")),
    "/payments": (201, "application/json", _long({"payments": GOCARDLESS}, "payments", "description")),
    "/v2/checkout/orders": (201, "application/json", _long(PAYPAL, "note")),
    "/v1/oauth2/token": (
        200,
        "application/json",
        b'{"access_token": "t", "token_type": "Bearer", "expires_in": 1000000}',
    ),
    "/merchants/": (201, "application/xml", (BRAINTREE % ("x" * (REPLY_BYTES - len(BRAINTREE)))).encode()),
    "/oauth/token": (200, "application/json", json.dumps(TOKEN).encode()),
    "/plain": (200, "application/json", _long({**AUTHORIZED, "note": ""}, "note")),
}


def redemption(body: bytes, key: str, *, member_id: str = "mbr_2500") -> bytes:
    """The answer to an authorize of the reference contract: it echoes what it was asked."""
    asked = json.loads(body)
    points = sum(tender["points"] for tender in asked["tenders"])
    value = {"amount_minor": points, "currency": asked["total"]["currency"]}
    whole = {"points": points, "value": value, "held_points": points}
    reply = {
        **AUTHORIZED, **whole, "member_id": asked["member_id"], "order_reference": asked["order_reference"],
        "idempotency_key": key, "total": asked["total"], "tenders": [{**AUTHORIZED["tenders"][0], **whole}],
    }  # fmt: skip
    return json.dumps(reply).encode()
