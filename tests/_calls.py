"""Every call of the client once, as the wire samples have it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from _calls_vouchers import VOUCHER_NEXT_CALLS, VOUCHER_SAMPLES, VOUCHER_WRITES
from punktgenau import Client, Money, NotSentError, OutcomeUnknownError, PunktgenauError, RedemptionLine

WIRE = Path(__file__).resolve().parent / "wire"
Call = Callable[..., Any]


def eur(amount_minor: int) -> Money:
    """Euro cents."""
    return Money(amount_minor=amount_minor, currency="EUR")


RED = {"redemption_id": "red_0001"}
LINES = (
    RedemptionLine(id="lamp", sku="lamp", quantity=2, amount_minor=5500, vat_rate="19"),
    RedemptionLine(id="shipping", sku="shipping", quantity=1, amount_minor=490, vat_rate="19"),
)


def authorize(client: Client, **more: Any) -> Any:
    """427 points for order A-1001 of 59.90 EUR."""
    arguments: dict[str, Any] = {
        "member_id": "mbr_2500",
        "order_reference": "A-1001",
        "total": eur(5990),
        "points": 427,
        "value": eur(427),
        "rate_id": "rate_eur_1",
        "lines": LINES,
        "idempotency_key": "key-authorize-A-1001",
        **more,
    }
    return client.redemptions.authorize(**arguments)


def capture(client: Client, **more: Any) -> Any:
    """All of it."""
    arguments = {**RED, "points": 427, "value": eur(427), "idempotency_key": "key-capture-1", **more}
    return client.redemptions.capture(**arguments)


def accrue(client: Client, **more: Any) -> Any:
    """100 new points for order A-1001."""
    arguments = {
        "member_id": "mbr_2500",
        "points": 100,
        "order_reference": "A-1001",
        "accrual_reference": "new-R-1",
        "reason": "New points for expired ones, order A-1001",
        "idempotency_key": "key-accrue-1",
        **more,
    }
    return client.accruals.create(**arguments)


def claw_back(client: Client, **more: Any) -> Any:
    """40 of the points that were given come back with return R-1."""
    arguments = {
        "accrual_id": "acc_0001",
        "points": 40,
        "return_reference": "R-1",
        "reason": "Returned, order A-1001",
        "idempotency_key": "key-claw-back-R-1",
        **more,
    }
    return client.accruals.reverse(**arguments)


PENDING = {
    "accrual_reference": "earn-A-1001",
    "reason": "Earned with order A-1001",
    "pending_s": 14 * 86_400,
    "idempotency_key": "key-accrue-2",
}
SAMPLES: dict[str, Call] = {
    "accrue": accrue,
    "accrue_pending": lambda client, **more: accrue(client, **{**PENDING, **more}),
    "authorize": lambda client, **more: authorize(client, **{"hold_s": 7200, **more}),
    "authorize_one_step": lambda client, **more: authorize(client, capture="now", **more),
    "authorize_replayed": lambda client, **more: authorize(client, **{"hold_s": 7200, **more}),
    "balance": lambda client, **more: client.members.balance(member_id="mbr_2500", **more),
    "cancel_by_key": lambda client, **more: client.redemptions.cancel_by_key(
        **{"target_key": "key-authorize-A-1001", "idempotency_key": "key-cancel-1", **more}
    ),
    "cancel_by_key_tombstone": lambda client, **more: client.redemptions.cancel_by_key(
        **{"target_key": "key-never-arrived", "idempotency_key": "key-cancel-2", **more}
    ),
    "capture": capture,
    "capture_in_part": lambda client, **more: capture(
        client,
        **{
            "points": 200,
            "value": eur(200),
            "final": False,
            "capture_reference": "S-1",
            "idempotency_key": "key-capture-S-1",
            **more,
        },
    ),
    "entries": lambda client, **more: client.members.entries(member_id="mbr_2500", **more),
    "entries_filtered": lambda client, **more: client.members.entries(
        **{
            "member_id": "mbr_2500",
            "kinds": ("earned", "given_back"),
            "since": date(2026, 11, 1),
            "until": date(2026, 11, 30),
            "limit": 10,
            **more,
        }
    ),
    "extend": lambda client, **more: client.redemptions.extend(
        **{**RED, "hold_s": 86_400, "idempotency_key": "key-extend-1", **more}
    ),
    "find": lambda client, **more: client.redemptions.find(order_reference="A-1001", **more),
    "find_by_key": lambda client, **more: client.redemptions.find(idempotency_key="key-authorize-A-1001", **more),
    "find_nothing": lambda client, **more: client.redemptions.find(order_reference="A-9999", **more),
    "find_accruals": lambda client, **more: client.accruals.find(order_reference="A-1001", **more),
    "find_accruals_by_key": lambda client, **more: client.accruals.find(idempotency_key="key-accrue-1", **more),
    "get_accrual": lambda client, **more: client.accruals.get(**{"accrual_id": "acc_0001", **more}),
    "get": lambda client, **more: client.redemptions.get(**{**RED, **more}),
    "identify": lambda client, **more: client.members.identify(
        **{
            "code": "cod_7Qm1",
            "redirect_uri": "https://shop.example/points/callback",
            "code_verifier": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
            **more,
        }
    ),
    "member": lambda client, **more: client.members.get(member_id="mbr_2500", **more),
    "post_accrual": lambda client, **more: client.accruals.post(
        **{"accrual_id": "acc_0001", "idempotency_key": "key-post-1", **more}
    ),
    "quote": lambda client, **more: client.redemptions.quote(
        **{"member_id": "mbr_2500", "total": eur(5990), "points": 427, **more}
    ),
    "quote_reversal": lambda client, **more: client.redemptions.quote_reversal(**{**RED, "points": 100, **more}),
    "reverse": lambda client, **more: client.redemptions.reverse(
        **{
            **RED,
            "points": 100,
            "value": eur(100),
            "return_reference": "R-1",
            "idempotency_key": "key-reverse-R-1",
            **more,
        },
    ),
    "reverse_accrual": claw_back,
    "reverse_accrual_posted": lambda client, **more: claw_back(
        client,
        **{
            "points": 100,
            "return_reference": "R-2",
            "below_zero": True,
            "idempotency_key": "key-claw-back-R-2",
            **more,
        },
    ),
    "statement": lambda client, **more: client.statements.page(**{"period": "2026-11", **more}),
    "issued": lambda client, **more: client.statements.issued_page(**{"period": "2026-11", **more}),
    "void": lambda client, **more: client.redemptions.void(**{**RED, "idempotency_key": "key-void-1", **more}),
    **VOUCHER_SAMPLES,
}
ACCRUAL_WRITES = ("accrue", "post_accrual", "reverse_accrual")
WRITES = ("authorize", "capture", "extend", "void", "reverse", "cancel_by_key", *ACCRUAL_WRITES, *VOUCHER_WRITES)
READS = ("balance", "get", "find", "quote")
NEXT_CALLS = {
    "authorize": "redemptions.find(idempotency_key='key-authorize-A-1001')",
    "capture": "redemptions.get('red_0001')",
    "extend": "redemptions.get('red_0001')",
    "void": "redemptions.get('red_0001')",
    "reverse": "redemptions.get('red_0001')",
    "cancel_by_key": "redemptions.find(idempotency_key='key-authorize-A-1001')",
    "accrue": "accruals.find(idempotency_key='key-accrue-1')",
    "post_accrual": "accruals.get('acc_0001')",
    "reverse_accrual": "accruals.get('acc_0001')",
    **VOUCHER_NEXT_CALLS,
}
"""What finds out about each write that got no answer."""


def sample(name: str) -> dict[str, Any]:
    """The sample of that name, whole."""
    content: dict[str, Any] = json.loads((WIRE / f"{name}.json").read_text("utf-8"))
    return content


def reply(name: str) -> dict[str, Any]:
    """The reply's body of the sample of that name."""
    body: dict[str, Any] = sample(name)["reply"]["body"]
    return body


def key_of(name: str) -> str | None:
    """The idempotency key that the sample's request carries."""
    key: str | None = sample(name)["request"]["headers"].get("Idempotency-Key")
    return key


def failure(name: str, client: Client, **more: Any) -> PunktgenauError:
    """The error of a call that has to raise one of ours."""
    with pytest.raises(PunktgenauError) as caught:
        SAMPLES[name](client, **more)
    return caught.value


def assert_not_sent(error: PunktgenauError, name: str) -> None:
    """Certain: nothing of this call left."""
    assert type(error) is NotSentError
    assert (error.outcome, error.retry, error.sends) == ("not_done", "same_key", 0)
    assert error.idempotency_key == key_of(name)


def assert_unknown(
    error: PunktgenauError, name: str, redemption_id: str = "red_0001", accrual_id: str = "acc_0001"
) -> None:
    """Nobody knows, and the error has what it takes to find out."""
    assert type(error) is OutcomeUnknownError
    assert (error.outcome, error.retry) == ("unknown", "same_key")
    assert error.idempotency_key == key_of(name)
    next_call = NEXT_CALLS[name].replace("red_0001", redemption_id).replace("acc_0001", accrual_id)
    assert error.next_call == next_call
    assert next_call in str(error)
    assert error.sends >= 1
