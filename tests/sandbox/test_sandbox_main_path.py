"""427 points through a real connection: held, paid, given back. All figures computed by hand."""

from __future__ import annotations

from typing import Any

RED = "/v1/redemptions"


def test_hold_takes_from_what_is_available(shop: Any) -> None:
    reply = shop.authorize()
    assert reply.status_code == 201
    red = reply.json()
    assert (red["state"], red["points"], red["value"]) == ("authorized", 427, {"amount_minor": 427, "currency": "EUR"})
    assert (red["held_points"], red["captured_points"], red["released_points"]) == (427, 0, 0)
    assert red["expires_in_s"] == 7200
    assert shop.balance() == (2073, 427)


def test_capture_then_two_returns_give_everything_back(shop: Any) -> None:
    red_id = shop.authorize().json()["id"]
    captured = shop.post(f"{RED}/{red_id}/capture", {}, key="key-2").json()
    assert (captured["state"], captured["captured_points"], captured["expires_at"]) == ("captured", 427, None)
    assert shop.balance() == (2073, 0)

    first = shop.post(f"{RED}/{red_id}/reversals", {"points": 100, "return_reference": "R-1"}, key="key-3")
    assert first.status_code == 201
    assert (first.json()["restored"], first.json()["value"]["amount_minor"]) == (100, 100)
    assert first.json()["redemption"]["state"] == "partially_reversed"
    assert shop.balance() == (2173, 0)

    too_much = shop.post(f"{RED}/{red_id}/reversals", {"points": 328, "return_reference": "R-2"}, key="key-4")
    assert (too_much.status_code, too_much.json()["code"]) == (409, "reversal_exceeds_capture")
    assert too_much.json()["remaining"] == {"points": 327, "value": {"amount_minor": 327, "currency": "EUR"}}

    rest = shop.post(f"{RED}/{red_id}/reversals", {"points": 327, "return_reference": "R-3"}, key="key-5").json()
    assert rest["redemption"]["state"] == "reversed"
    assert shop.balance() == (2500, 0)


def test_void_gives_the_whole_hold_back(shop: Any) -> None:
    red_id = shop.authorize().json()["id"]
    red = shop.post(f"{RED}/{red_id}/void", {}, key="key-2").json()
    assert (red["state"], red["released_points"], red["held_points"]) == ("voided", 427, 0)
    assert shop.balance() == (2500, 0)


def test_hold_ends_by_the_clock_and_is_seen_so_everywhere(shop: Any) -> None:
    red_id = shop.authorize().json()["id"]
    shop.advance(7100)
    assert shop.get(f"{RED}/{red_id}").json()["state"] == "authorized"
    shop.advance(100)
    assert shop.balance() == (2500, 0)
    assert shop.get(f"{RED}/{red_id}").json()["state"] == "expired"
    late = shop.post(f"{RED}/{red_id}/capture", {}, key="key-2")
    assert (late.status_code, late.json()["code"]) == (409, "hold_expired")
    assert shop.authorize(key="key-3").status_code == 201


def test_extend_moves_the_end_and_never_brings_it_forward(shop: Any) -> None:
    red_id = shop.authorize(hold_s=7200).json()["id"]
    shorter = shop.post(f"{RED}/{red_id}/extend", {"hold_s": 300}, key="key-2").json()
    assert 7190 <= shorter["expires_in_s"] <= 7200
    longer = shop.post(f"{RED}/{red_id}/extend", {"hold_s": 86_400}, key="key-3").json()
    assert longer["expires_in_s"] == 86_400


def test_find_by_order_and_by_key_newest_first(shop: Any) -> None:
    first = shop.authorize().json()["id"]
    shop.post(f"{RED}/{first}/void", {}, key="key-2")
    second = shop.authorize(key="key-3").json()["id"]
    by_order = shop.get(f"{RED}?order_reference=A-1001").json()
    assert [red["id"] for red in by_order["items"]] == [second, first]
    assert [red["id"] for red in shop.get(f"{RED}?idempotency_key=key-1").json()["items"]] == [first]
    assert shop.get(f"{RED}?order_reference=A-9999").json()["items"] == []
    page = shop.get(f"{RED}?order_reference=A-1001&limit=1").json()
    rest = shop.get(f"{RED}?order_reference=A-1001&limit=1&cursor={page['next_cursor']}").json()
    assert [red["id"] for red in page["items"] + rest["items"]] == [second, first]
    assert rest["next_cursor"] is None


def test_member_reads_every_movement_with_its_reason(shop: Any) -> None:
    red_id = shop.authorize(order_reference="A-7").json()["id"]
    shop.post(f"{RED}/{red_id}/capture", {"points": 400}, key="key-2")
    shop.post(f"{RED}/{red_id}/reversals", {"points": 1, "return_reference": "R-1"}, key="key-3")
    items = shop.get("/v1/members/mbr_2500/entries").json()["items"]
    told = [(item["kind"], item["points"], item["balance"]) for item in items]
    assert told == [
        ("reversal", 1, 2101),
        ("release", 27, 2100),
        ("capture", 0, 2073),
        ("hold", -427, 2073),
        ("opening", 1487, 2500),
        ("opening", 700, 1013),
        ("opening", 313, 313),
    ]
    assert all(item["reason"] for item in items)
    assert [item["sequence"] for item in items] == [7, 6, 5, 4, 3, 2, 1]
    page = shop.get("/v1/members/mbr_2500/entries?limit=3").json()
    rest = shop.get(f"/v1/members/mbr_2500/entries?limit=100&cursor={page['next_cursor']}").json()
    assert page["items"] + rest["items"] == items


def test_every_change_is_an_event_in_order(shop: Any) -> None:
    start = shop.get("/v1/events?after=0").json()["items"]
    after = start[-1]["sequence"] if start else 0
    red_id = shop.authorize().json()["id"]
    shop.post(f"{RED}/{red_id}/capture", {"points": 200, "final": False, "capture_reference": "S-1"}, key="key-2")
    shop.post(f"{RED}/{red_id}/capture", {}, key="key-3")
    shop.post(f"{RED}/{red_id}/reversals", {"points": 427, "return_reference": "R-1"}, key="key-4")
    events = shop.get(f"/v1/events?after={after}").json()["items"]
    assert [(event["type"], event["data"]["redemption_sequence"]) for event in events] == [
        ("redemption.authorized", 1),
        ("redemption.partially_captured", 2),
        ("redemption.captured", 3),
        ("redemption.reversed", 4),
    ]
    assert len({event["id"] for event in events}) == 4


def test_one_connection_serves_many_requests(shop: Any) -> None:
    for _ in range(3):
        shop.get("/v1/members/mbr_2500")
    pools = shop.http.get_adapter(shop.url).poolmanager.pools
    assert [pools[key].num_connections for key in list(pools.keys())] == [1]
