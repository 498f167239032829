"""Vouchers of the sandbox: bought, brought along, held, taken whole, released, given back; nothing lost or doubled."""

from __future__ import annotations

from typing import Any

import pytest

from punktgenau.sandbox.state import sandbox_of

RED = "/v1/redemptions"
CODE = "GIFT-2026-WINT-ER25"


def eur(amount_minor: int) -> dict[str, Any]:
    return {"amount_minor": amount_minor, "currency": "EUR"}


def make(frozen: Any, *, code: str = CODE, **changes: Any) -> str:
    """A voucher that somebody brings along, shown to the shop; its id."""
    body = {"value_minor": 2500, "code": code, **changes}
    made = frozen.client.post("/sandbox/vouchers", json=body)
    assert made.status_code == 201, made.get_json()
    frozen.post("/v1/vouchers/look-up", {"code": code})
    return str(made.get_json()["id"])


def hold(frozen: Any, *tenders: dict[str, Any], key: str = "key-1", total: int = 5990, **changes: Any) -> Any:
    vouchers = [{"kind": "voucher", **one} for one in tenders if "points" not in one]
    points = [{"kind": "points", **one} for one in tenders if "points" in one]
    return frozen.authorize(key=key, points=None, total=eur(total), tenders=[*vouchers, *points], **changes)


def look(frozen: Any, code: str = CODE) -> dict[str, Any]:
    body: dict[str, Any] = frozen.post("/v1/vouchers/look-up", {"code": code}).get_json()
    return body


def figures(frozen: Any, code: str = CODE) -> tuple[str, int, int]:
    """State, what is left and what is held."""
    seen = look(frozen, code)
    return seen["state"], seen["left"]["amount_minor"], seen["held"]["amount_minor"]


def refusal(reply: Any) -> tuple[int, str, str | None]:
    body = reply.get_json()
    return reply.status_code, body["code"], body["field"]


def assert_books(frozen: Any) -> None:
    """Points and values: every movement cancels out, every account is what its entries say."""
    assert frozen.books_balance()
    with sandbox_of(frozen.client.application).work() as work:
        assert work.number("SELECT sum(amount_minor) FROM voucher_entry") == 0
        unbalanced = "SELECT movement FROM voucher_entry GROUP BY movement HAVING sum(amount_minor) <> 0"
        assert work.all(unbalanced) == []
        wrong = (
            "SELECT name FROM voucher_account LEFT JOIN voucher_entry ON account_id = voucher_account.id"
            " GROUP BY voucher_account.id HAVING voucher_account.amount_minor <> sum(voucher_entry.amount_minor)"
        )
        assert work.all(wrong) == []


def test_points_become_a_voucher_at_once_and_its_code_is_told_to_the_buyer_only(frozen: Any) -> None:
    body = {"member_id": "mbr_2500", "voucher_product_id": "voucher_10", "voucher_reference": "V-1"}
    first = frozen.post("/v1/vouchers", body, key="key-v")
    bought = first.get_json()
    assert (first.status_code, bought["state"], bought["points"], bought["value"]) == (201, "active", 1000, eur(1000))
    assert frozen.ask("/v1/members/mbr_2500/balance")["available"] == 1500
    entry = frozen.ask("/v1/members/mbr_2500/entries")["items"][0]
    assert (entry["kind"], entry["points"], entry["balance"]) == ("voucher", -1000, 1500)
    again = frozen.post("/v1/vouchers", body, key="key-v")
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (200, "true")
    assert again.get_json()["code"] == bought["code"] != ""
    [listed] = frozen.ask("/v1/vouchers?member_id=mbr_2500")["items"]
    assert (listed["id"], listed["code"], listed["last_four"]) == (bought["id"], None, bought["code"][-4:])
    assert look(frozen, bought["code"].lower().replace("-", " "))["id"] == bought["id"]
    assert bought["code"] not in str(frozen.client.get("/sandbox/requests").get_json())
    assert frozen.ask("/v1/vouchers?idempotency_key=key-v")["items"] == [listed]
    assert frozen.ask("/v1/vouchers?voucher_reference=V-2")["items"] == []
    assert_books(frozen)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"voucher_product_id": "voucher_50"}, (422, "insufficient_points", "voucher_product_id")),
        ({"voucher_product_id": "voucher_11"}, (422, "voucher_unknown", "voucher_product_id")),
        ({"member_id": "nobody"}, (404, "not_found", "member_id")),
        ({"code": "1234"}, (400, "invalid_request", "code")),
    ],
)
def test_what_cannot_be_bought(frozen: Any, changes: dict[str, Any], expected: tuple[int, str, str]) -> None:
    body = {"member_id": "mbr_2500", "voucher_product_id": "voucher_10", "voucher_reference": "V-1", **changes}
    assert refusal(frozen.post("/v1/vouchers", body, key="key-v")) == expected
    assert frozen.ask("/v1/members/mbr_2500/balance")["available"] == 2500


def test_a_reference_buys_once_whatever_the_key(frozen: Any) -> None:
    body = {"member_id": "mbr_2500", "voucher_product_id": "voucher_10", "voucher_reference": "V-1"}
    frozen.post("/v1/vouchers", body, key="key-1")
    assert refusal(frozen.post("/v1/vouchers", body, key="key-2"))[1] == "reference_reused"
    assert frozen.ask("/v1/members/mbr_2500/balance")["available"] == 1500


def test_several_vouchers_and_points_pay_one_order_and_a_keeper_keeps_its_rest(frozen: Any) -> None:
    keeps, lost = make(frozen), make(frozen, code="LOSE-2026", value_minor=1000, residual="lost")
    made = hold(
        frozen,
        {"voucher_id": keeps, "value": eur(2000)},
        {"voucher_id": lost, "value": eur(700)},
        {"points": 427},
    )
    red = made.get_json()
    assert (made.status_code, red["points"], red["value"], red["held_points"]) == (201, 427, eur(427), 427)
    assert [one["kind"] for one in red["tenders"]] == ["points", "voucher", "voucher"]
    assert figures(frozen) == ("active", 500, 2000)
    assert figures(frozen, "LOSE-2026") == ("active", 300, 700)
    taken = frozen.post(f"{RED}/{red['id']}/capture", {}, key="key-c").get_json()
    assert (taken["state"], taken["captured_points"]) == ("captured", 427)
    assert [one["captured_value"] for one in taken["tenders"][1:]] == [eur(2000), eur(700)]
    assert figures(frozen) == ("active", 500, 0)
    # 3.00 EUR of the ten were left over, and are gone.
    assert figures(frozen, "LOSE-2026") == ("used", 0, 0)
    lines = frozen.ask("/v1/statements?period=2026-11")["items"]
    assert [(one["kind"], one["points"], one["amount_minor"], one["voucher_id"]) for one in lines] == [
        ("capture", 427, 427, None),
        ("voucher", 0, 2000, keeps),
        ("voucher", 0, 700, lost),
    ]
    assert_books(frozen)


def test_a_voucher_pays_alone_and_a_capture_in_part_takes_it_whole(frozen: Any) -> None:
    only = make(frozen)
    red = hold(frozen, {"voucher_id": only}, total=2000).get_json()
    # Nothing was said about how much: as much as the order costs.
    assert (red["points"], red["tenders"][0]["value"], red["state"]) == (0, eur(2000), "authorized")
    assert red["expires_in_s"] == 7200
    taken = frozen.post(f"{RED}/{red['id']}/capture", {}, key="key-c").get_json()
    assert (taken["state"], taken["tenders"][0]["captured_value"]) == ("captured", eur(2000))
    both = hold(frozen, {"voucher_id": only, "value": eur(500)}, {"points": 300}, key="key-2", order_reference="A-2")
    red_id = both.get_json()["id"]
    part = {"points": 100, "final": False, "capture_reference": "S-1"}
    partly = frozen.post(f"{RED}/{red_id}/capture", part, key="key-3").get_json()
    assert (partly["state"], partly["captured_points"], partly["held_points"]) == ("partially_captured", 100, 200)
    assert partly["tenders"][1]["captured_value"] == eur(500)
    whole = frozen.post(f"{RED}/{red_id}/capture", {}, key="key-4").get_json()
    assert (whole["state"], whole["tenders"][1]["captured_value"]) == ("captured", eur(500))
    assert_books(frozen)


@pytest.mark.parametrize("ending", ["void", "expire", "cancel"])
def test_whatever_ends_a_hold_releases_all(frozen: Any, ending: str) -> None:
    voucher = make(frozen, residual="lost")
    red = hold(frozen, {"voucher_id": voucher, "value": eur(2400)}, {"points": 100}).get_json()
    if ending == "void":
        frozen.post(f"{RED}/{red['id']}/void", {}, key="key-e")
    elif ending == "cancel":
        frozen.post(f"{RED}/cancel-by-key", {"target_key": "key-1"}, key="key-e")
    else:
        frozen.client.post("/sandbox/clock", json={"advance_s": 7200})
        frozen.token = frozen.client.post(
            "/oauth/token", data={"grant_type": "client_credentials"}, auth=("demo-shop", "demo-secret")
        ).get_json()["access_token"]
    now = frozen.ask(f"{RED}/{red['id']}")
    assert now["state"] == {"void": "voided", "expire": "expired", "cancel": "cancelled"}[ending]
    assert now["tenders"][1]["released_value"] == eur(2400)
    assert figures(frozen) == ("active", 2500, 0)
    assert_books(frozen)


def test_a_return_puts_value_back_and_both_caps_hold(frozen: Any) -> None:
    voucher = make(frozen, residual="lost")
    red_id = hold(frozen, {"voucher_id": voucher, "value": eur(2000)}, {"points": 100}).get_json()["id"]
    frozen.post(f"{RED}/{red_id}/capture", {}, key="key-c")
    back = {"points": 0, "return_reference": "R-1", "vouchers": [{"voucher_id": voucher, "value": eur(1500)}]}
    made = frozen.post(f"{RED}/{red_id}/reversals", back, key="key-r")
    assert (made.status_code, made.get_json()["redemption"]["state"]) == (201, "partially_reversed")
    assert figures(frozen) == ("active", 1500, 0)
    more = {"points": 100, "return_reference": "R-2", "vouchers": [{"voucher_id": voucher, "value": eur(501)}]}
    assert refusal(frozen.post(f"{RED}/{red_id}/reversals", more, key="key-r2")) == (
        409,
        "reversal_exceeds_capture",
        "vouchers.0.value",
    )
    other = {"points": 0, "return_reference": "R-3", "vouchers": [{"voucher_id": "vou_9", "value": eur(1)}]}
    assert refusal(frozen.post(f"{RED}/{red_id}/reversals", other, key="key-r3"))[2] == "vouchers.0.voucher_id"
    nothing = {"points": 0, "return_reference": "R-4"}
    assert refusal(frozen.post(f"{RED}/{red_id}/reversals", nothing, key="key-r4"))[:2] == (400, "invalid_request")
    more["vouchers"][0]["value"] = eur(500)
    whole = frozen.post(f"{RED}/{red_id}/reversals", more, key="key-r5").get_json()
    assert whole["redemption"]["state"] == "reversed"
    assert whole["redemption"]["tenders"][1]["reversed_value"] == eur(2000)
    # What was lost at the capture stays lost: 25 of which 20 were used.
    assert figures(frozen) == ("active", 2000, 0)
    assert_books(frozen)


def test_what_comes_back_too_late_is_told(frozen: Any) -> None:
    voucher = make(frozen, valid_s=60)
    red_id = hold(frozen, {"voucher_id": voucher, "value": eur(2000)}).get_json()["id"]
    frozen.clock.advance(60)
    # Its time is over and 5 EUR of it are gone; what is held can still be taken.
    assert figures(frozen) == ("active", 0, 2000)
    assert frozen.post(f"{RED}/{red_id}/capture", {}, key="key-c").status_code == 200
    back = {"points": 0, "return_reference": "R-1", "vouchers": [{"voucher_id": voucher, "value": eur(800)}]}
    made = frozen.post(f"{RED}/{red_id}/reversals", back, key="key-r").get_json()
    assert made["vouchers"] == [
        {"voucher_id": voucher, "value": eur(800), "already_expired_value": eur(800)},
    ]
    assert figures(frozen) == ("expired", 0, 0)
    assert_books(frozen)


@pytest.mark.scenario("B1", "a voucher that is used, held, over, elsewhere's or another currency's is refused by name")
@pytest.mark.parametrize(
    ("made", "tender", "expected"),
    [
        ({}, {"voucher_id": "vou_0099"}, ("voucher_unknown", "tenders.0.voucher_id")),
        ({}, {"code": "NO-SUCH-CODE"}, ("voucher_unknown", "tenders.0.code")),
        ({"partners": ["other-shop"]}, {"code": CODE}, ("voucher_not_valid_here", "tenders.0.code")),
        ({"currency": "CHF"}, {"code": CODE}, ("voucher_currency", "tenders.0.value.currency")),
        ({}, {"code": CODE, "value": {"amount_minor": 1, "currency": "CHF"}}, ("voucher_currency", "tenders.0.value")),
        ({}, {"code": CODE, "value": eur(2501)}, ("voucher_value", "tenders.0.value")),
        ({}, {"code": CODE, "value": eur(0)}, ("voucher_value", "tenders.0.value")),
    ],
)
def test_vouchers_that_cannot_pay(
    frozen: Any, made: dict[str, Any], tender: dict[str, Any], expected: tuple[str, str]
) -> None:
    make(frozen, **made)
    reply = hold(frozen, tender, {"points": 100})
    assert refusal(reply) == (422, *expected)
    assert CODE not in reply.get_data(as_text=True).replace("-", "") + reply.get_data(as_text=True)
    # All or nothing: no points are held either.
    assert frozen.ask("/v1/members/mbr_2500/balance")["held"] == 0
    assert_books(frozen)


def test_used_expired_withdrawn_and_held(frozen: Any) -> None:
    used = make(frozen)
    red = hold(frozen, {"voucher_id": used}).get_json()
    frozen.post(f"{RED}/{red['id']}/capture", {}, key="key-c")
    assert refusal(hold(frozen, {"code": CODE}, key="k2", order_reference="A-2"))[1] == "voucher_used"
    void = make(frozen, code="VOID-2026")
    frozen.client.post(f"/sandbox/vouchers/{void}/withdraw")
    assert figures(frozen, "VOID-2026") == ("void", 0, 0)
    assert refusal(hold(frozen, {"voucher_id": void}, key="k3", order_reference="A-3"))[1] == "voucher_expired"
    over = make(frozen, code="OVER-2026", valid_s=60)
    frozen.clock.advance(60)
    assert refusal(hold(frozen, {"voucher_id": over}, key="k4", order_reference="A-4"))[1] == "voucher_expired"
    assert_books(frozen)


@pytest.mark.parametrize(("residual", "second"), [("lost", "voucher_held"), ("keeps", None)])
def test_one_voucher_in_two_carts_at_once(frozen: Any, residual: str, second: str | None) -> None:
    make(frozen, residual=residual)
    assert hold(frozen, {"code": CODE, "value": eur(2000)}).status_code == 201
    reply = hold(frozen, {"code": CODE, "value": eur(500)}, key="k2", order_reference="A-2")
    assert (refusal(reply)[1] if second else reply.status_code) == (second or 201)
    third = hold(frozen, {"code": CODE, "value": eur(1)}, key="k3", order_reference="A-3")
    assert refusal(third)[1] == "voucher_held"
    assert_books(frozen)


def test_one_voucher_twice_in_one_order(frozen: Any) -> None:
    voucher = make(frozen)
    reply = hold(frozen, {"voucher_id": voucher, "value": eur(100)}, {"code": CODE, "value": eur(100)})
    assert refusal(reply) == (422, "voucher_held", "tenders.1.code")


def test_together_they_pay_no_more_than_the_order_costs(frozen: Any) -> None:
    make(frozen)
    reply = hold(frozen, {"code": CODE, "value": eur(2500)}, {"points": 501}, total=3000)
    assert refusal(reply)[1] == "exceeds_total"
    assert hold(frozen, {"code": CODE, "value": eur(2500)}, {"points": 500}, total=3000, key="k2").status_code == 201


def test_an_id_is_taken_only_from_whom_the_code_was_shown(frozen: Any) -> None:
    made = frozen.client.post("/sandbox/vouchers", json={"value_minor": 2500, "code": CODE}).get_json()
    assert refusal(hold(frozen, {"voucher_id": made["id"]}))[1] == "voucher_unknown"
    look(frozen)
    assert hold(frozen, {"voucher_id": made["id"]}, key="k2").status_code == 201


def test_in_one_step_and_replayed(frozen: Any) -> None:
    make(frozen)
    first = hold(frozen, {"code": CODE, "value": eur(1000)}, {"points": 50}, capture="now")
    again = hold(frozen, {"code": CODE, "value": eur(1000)}, {"points": 50}, capture="now")
    assert (first.get_json()["state"], again.headers["Idempotency-Replayed"]) == ("captured", "true")
    assert again.get_json() == first.get_json()
    assert figures(frozen) == ("active", 1500, 0)
    assert_books(frozen)


def test_a_provider_without_vouchers_says_so(frozen: Any) -> None:
    make(frozen)
    frozen.client.post("/sandbox/profile", json={"name": "points_only"})
    assert frozen.call("GET", "/v1/voucher-products").get_json()["code"] == "not_offered"
    assert refusal(hold(frozen, {"code": CODE})) == (422, "not_offered", "tenders.0.kind")


def seen_by_id(frozen: Any, voucher_id: str) -> Any:
    return frozen.call("GET", f"/v1/vouchers/{voucher_id}")


def test_one_voucher_is_seen_by_whoever_may_name_it(frozen: Any) -> None:
    made = frozen.client.post("/sandbox/vouchers", json={"value_minor": 2500, "code": CODE}).get_json()
    unknown = (422, "voucher_unknown", "voucher_id")
    assert refusal(seen_by_id(frozen, made["id"])) == unknown
    assert look(frozen)["id"] == made["id"]
    reply = seen_by_id(frozen, made["id"])
    assert (reply.status_code, reply.get_json()) == (200, look(frozen))
    assert CODE.replace("-", "") not in reply.get_data(as_text=True).replace("-", "")
    assert refusal(seen_by_id(frozen, "vou_0099")) == unknown


def test_a_members_own_is_seen_as_long_as_the_link_stands(frozen: Any) -> None:
    own = {"value_minor": 2500, "code": CODE, "member_id": "mbr_2500"}
    made = frozen.client.post("/sandbox/vouchers", json=own).get_json()
    assert seen_by_id(frozen, made["id"]).status_code == 200
    frozen.client.post("/sandbox/members/mbr_2500/withdraw-consent")
    assert refusal(seen_by_id(frozen, made["id"]))[1] == "voucher_unknown"
