"""Vouchers and payouts by the client: one effect per key and reference, a full echo or unknown, typed refusals."""

from __future__ import annotations

from typing import Any

import pytest

from _calls import SAMPLES, assert_unknown, failure, reply
from _calls_vouchers import eur
from _canned import Canned, answer
from punktgenau import (
    Client,
    IdempotencyConflictError,
    InsufficientPointsError,
    InvalidArgumentError,
    TenderRequest,
    VoucherError,
    VoucherReturn,
)

WRITES = ("buy_voucher", "payout")


@pytest.mark.parametrize(("name", "left"), [("buy_voucher", 0), ("payout", 1500)])
def test_the_same_key_does_it_once_over_repeats(shop: Client, sandbox: Any, name: str, left: int) -> None:
    sandbox.fault(name, "status_503", times=2)
    first, again = SAMPLES[name](shop), SAMPLES[name](shop)
    assert (first.sends, first.replayed) == (3, False)
    assert (again.id, again.sends, again.replayed) == (first.id, 1, True)
    assert sandbox.member()["available"] == left


@pytest.mark.parametrize("name", WRITES)
def test_a_lost_answer_is_unknown_and_found_by_its_key(shop: Client, sandbox: Any, name: str) -> None:
    sandbox.fault(name, "reset", when="after", times=3)
    assert_unknown(failure(name, shop), name)
    if name == "payout":
        [payout] = shop.payouts.find(idempotency_key="key-payout-1")
        assert (shop.payouts.get(payout.id), shop.payouts.find(member_id="mbr_2500")) == (payout, (payout,))
    else:
        [voucher] = shop.vouchers.find(idempotency_key="key-voucher-1")
        assert (voucher.voucher_reference, voucher.left, voucher.code) == ("V-1", eur(2500), None)
        # The same call again still tells the code.
        assert SAMPLES[name](shop).code[-4:] == voucher.last_four


@pytest.mark.parametrize(
    ("name", "changes", "code"),
    [
        ("buy_voucher", {"voucher_product_id": "voucher_10"}, "idempotency_key_reused"),
        ("buy_voucher", {"idempotency_key": "key-2"}, "reference_reused"),
        ("payout", {"points": 999}, "idempotency_key_reused"),
        ("payout", {"idempotency_key": "key-2"}, "reference_reused"),
    ],
)
def test_other_content_does_nothing(shop: Client, sandbox: Any, name: str, changes: Any, code: str) -> None:
    SAMPLES[name](shop)
    before = sandbox.member()["available"]
    error = failure(name, shop, **changes)
    assert (type(error), error.code, error.outcome) == (IdempotencyConflictError, code, "not_done")
    assert sandbox.member()["available"] == before


def test_missing_keys_are_derived_from_the_references(shop: Client) -> None:
    small = {"voucher_product_id": "voucher_10", "idempotency_key": None}
    made = [SAMPLES["buy_voucher"](shop, **small, voucher_reference=name) for name in ("a", "a", "b")]
    assert made[0].id == made[1].id != made[2].id
    assert type(failure("payout", shop, idempotency_key=None)) is InsufficientPointsError


@pytest.mark.parametrize(
    ("name", "changes", "field"),
    [
        ("buy_voucher", {"member_id": "mbr_other"}, "member_id"),
        ("buy_voucher", {"voucher_product_id": "voucher_50"}, "voucher_product_id"),
        ("buy_voucher", {"voucher_reference": "V-9"}, "voucher_reference"),
        ("payout", {"points": 1}, "points"),
        ("payout", {"payout_reference": "P-9"}, "points"),
        ("payout", {"member_id": "mbr_other"}, "member_id"),
        ("payout", {"idempotency_key": "other"}, "idempotency_key"),
    ],
)
def test_an_answer_about_something_else_is_unknown(
    client: Client, server: Canned, name: str, changes: dict[str, Any], field: str
) -> None:
    server.next(answer({**reply(name), **changes}, 201))
    error = failure(name, client)
    assert_unknown(error, name)
    assert (error.code, error.field) == ("wrong_echo", field)


def test_a_redemption_with_other_vouchers_is_not_the_one_asked_for(client: Client, server: Canned) -> None:
    body = reply("authorize_with_vouchers")
    for wrong in (
        body["tenders"][:2],
        [*body["tenders"][:2], {**body["tenders"][2], "value": {"amount_minor": 999, "currency": "EUR"}}],
    ):
        server.next(answer({**body, "tenders": wrong}, 201))
        error = failure("authorize_with_vouchers", client)
        assert (error.code, error.field) == ("wrong_echo", "tenders")


def test_a_reversal_of_other_vouchers_is_not_the_one_asked_for(client: Client, server: Canned) -> None:
    server.next(answer({**reply("reverse_with_vouchers"), "vouchers": []}, 201))
    assert failure("reverse_with_vouchers", client).field == "vouchers"


@pytest.mark.parametrize(
    "wrong",
    [
        TenderRequest(kind="voucher"),
        TenderRequest(kind="voucher", voucher_id="vou_1", code="ABCD"),
        TenderRequest(kind="voucher", voucher_id="vou_1", points=5),
        TenderRequest(kind="voucher", code="ab"),
        TenderRequest(kind="points"),
    ],
)
def test_tenders_that_cannot_be_meant_are_not_sent(client: Client, server: Canned, wrong: TenderRequest) -> None:
    with pytest.raises(InvalidArgumentError):
        client.redemptions.authorize(member_id="m", order_reference="A", total=eur(100), tenders=[wrong])
    assert server.seen == []


def test_returns_that_cannot_be_meant_are_not_sent(client: Client, server: Canned) -> None:
    for points, vouchers in ((0, None), (0, []), (-1, [VoucherReturn(voucher_id="v", value=eur(1))]), (0, ["v"])):
        with pytest.raises(InvalidArgumentError):
            client.redemptions.reverse("red_1", points=points, vouchers=vouchers, return_reference="R")  # type: ignore[arg-type]
    for call in (client.vouchers.find, client.payouts.find):
        with pytest.raises(InvalidArgumentError):
            call()
    assert server.seen == []


def test_every_refusal_of_a_voucher_has_its_class_and_field(shop: Client) -> None:
    with pytest.raises(VoucherError) as unknown:
        shop.vouchers.look_up(code="NOBODY-KNOWS-THIS")
    assert (unknown.value.code, unknown.value.outcome, unknown.value.retry) == (
        "voucher_unknown",
        "not_done",
        "new_attempt",
    )
    with pytest.raises(VoucherError) as other:
        SAMPLES["authorize_with_vouchers"](shop)
    assert (other.value.code, other.value.field) == ("voucher_unknown", "tenders.0.voucher_id")


def test_a_voucher_pays_by_itself_and_comes_back(shop: Client) -> None:
    bought = SAMPLES["buy_voucher"](shop)
    asked = [TenderRequest(kind="voucher", code=bought.code, value=eur(2000))]
    held = shop.redemptions.authorize(member_id="mbr_2500", order_reference="A-1", total=eur(2000), tenders=asked)
    assert (held.points, held.is_holding, held.has_captured) == (0, True, False)
    taken = shop.redemptions.capture(held.id)
    assert (taken.state, taken.is_holding, taken.has_captured) == ("captured", False, True)
    back = shop.redemptions.reverse(
        held.id, points=0, vouchers=[VoucherReturn(voucher_id=bought.id, value=eur(2000))], return_reference="R-1"
    )
    assert (back.points, back.redemption.state) == (0, "reversed")
    again = shop.redemptions.authorize(
        member_id="mbr_2500", order_reference="A-2", total=eur(2000), tenders=asked, attempt=1
    )
    assert shop.redemptions.void(again.id).state == "voided"
    assert [(one.state, one.left) for one in shop.vouchers.list(member_id="mbr_2500")] == [("active", eur(2000))]
