"""The description of the API: complete, committed, and true under fire."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from flask import Flask
from schemathesis.schemas import BaseSchema

import punktgenau.sandbox
from _hostile import FEW
from punktgenau.sandbox import create_app

COMMITTED = Path(punktgenau.sandbox.__file__).with_name("openapi.json")
BASIC = "Basic " + base64.b64encode(b"demo-shop:demo-secret").decode()

# Made when the test runs: the cases take seconds to make, and every process of a run collects all tests.
later = schemathesis.pytest.from_fixture("api")


@pytest.fixture(scope="module")
def app() -> Flask:
    return create_app()


@pytest.fixture(scope="module")
def api(app: Flask) -> BaseSchema:
    made = schemathesis.openapi.from_wsgi("/openapi.json", app)
    # Every default check is on. One expects more statuses than by default: 422 is how a rule of the programme refuses a
    # request that fits the schema (too many points, another currency, a rate that is not known).
    made.config.checks.positive_data_acceptance.expected_statuses.append("422")
    return made


@pytest.fixture(scope="module")
def bearer(app: Flask) -> str:
    form = {"grant_type": "client_credentials"}
    reply = app.test_client().post("/oauth/token", data=form, headers={"Authorization": BASIC})
    return f"Bearer {reply.get_json()['access_token']}"


def whole(value: Any) -> Any:
    """JSON Schema takes 10.0 for an integer; the contract does not, and another test says so."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: whole(inner) for name, inner in value.items()}
    return [whole(inner) for inner in value] if isinstance(value, list) else value


@pytest.fixture
def named(request: pytest.FixtureRequest) -> None:
    """Schemathesis tells there which operation it is at, under a name that pytest has given up."""
    request.node._nodeid = request.node.nodeid


@later.parametrize()
@FEW
@pytest.mark.usefixtures("named")
def test_no_request_gets_an_undescribed_answer(case: schemathesis.Case, bearer: str) -> None:
    case.body = whole(case.body)
    credentials = BASIC if case.operation.path == "/oauth/token" else bearer
    case.call_and_validate(headers={"Authorization": credentials})


def test_the_books_balance_after_the_fire(app: Flask) -> None:
    assert app.test_client().get("/sandbox/entries").get_json()["sum"] == 0


def test_committed_description_is_the_served_one(app: Flask) -> None:
    served = app.test_client().get("/openapi.json").get_json()
    if os.environ.get("WRITE_OPENAPI"):
        COMMITTED.write_text(json.dumps(served, indent=1, ensure_ascii=False) + "\n")
    assert json.loads(COMMITTED.read_text()) == served, "run the test once with WRITE_OPENAPI=1 and commit the file"


def test_it_says_3_1_and_names_every_operation() -> None:
    described = json.loads(COMMITTED.read_text())
    assert described["openapi"] == "3.1.0"
    names = {operation["operationId"] for path in described["paths"].values() for operation in path.values()}
    assert names == {
        "token", "member", "balance", "entries", "events", "quote", "authorize", "find", "get", "capture", "extend",
        "void", "reverse", "quote_reversal", "cancel_by_key", "statement", "statement_csv",
        "issued", "issued_csv",
        "accrue", "post_accrual", "reverse_accrual", "get_accrual", "find_accruals",
        "voucher_products", "buy_voucher", "look_up_voucher", "get_voucher", "vouchers",
        "payout", "get_payout", "find_payouts",
    }  # fmt: skip
