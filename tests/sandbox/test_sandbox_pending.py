"""Points that are pending first, are posted when due, and are taken back: from what, how far, and what is left over."""

from __future__ import annotations

from typing import Any

import pytest

from punktgenau.sandbox.state import sandbox_of
from punktgenau.testing import books

DAY_S = 86_400
GIVE: dict[str, Any] = {
    "member_id": "mbr_42", "order_reference": "A-1001", "accrual_reference": "earn-1", "points": 100,
    "reason": "Earned with order A-1001",
}  # fmt: skip


def give(frozen: Any, key: str = "key-g", **changes: Any) -> str:
    """Points for mbr_42, who has 42 in two lots of 17 and 25; the accrual's id."""
    made = frozen.post("/v1/accruals", {**GIVE, **changes}, key=key)
    assert made.status_code == 201, made.get_json()
    return str(made.get_json()["id"])


def post(frozen: Any, accrual_id: str, key: str = "key-p") -> Any:
    return frozen.post(f"/v1/accruals/{accrual_id}/post", {}, key=key)


def take_back(frozen: Any, accrual_id: str, points: int, reference: str = "R-1", **changes: Any) -> Any:
    body = {"points": points, "return_reference": reference, "reason": "Returned", **changes}
    return frozen.post(f"/v1/accruals/{accrual_id}/reversals", body, key=f"key-{accrual_id}-{reference}")


def taken(reply: Any) -> tuple[int, int, int, int]:
    body = reply.get_json()
    assert reply.status_code == 201, body
    return body["taken_pending"], body["taken_available"], body["taken_below_zero"], body["not_taken"]


def spend(frozen: Any, points: int, order: str = "B-1") -> Any:
    return frozen.authorize(member_id="mbr_42", points=points, order_reference=order, key=f"key-{order}", capture="now")


def pass_time(frozen: Any, seconds: int) -> None:
    frozen.clock.advance(seconds)
    frozen.token = frozen.client.post(
        "/oauth/token", data={"grant_type": "client_credentials"}, auth=("demo-shop", "demo-secret")
    ).get_json()["access_token"]


def balance(frozen: Any) -> tuple[int, int]:
    """What is available and pending."""
    body = frozen.call("GET", "/v1/members/mbr_42/balance").get_json()
    return body["available"], body["pending"]


def entries(frozen: Any, query: str = "") -> list[tuple[str, int, int, int]]:
    """Kind, points, pending points, balance; newest first."""
    items = frozen.call("GET", f"/v1/members/mbr_42/entries{query}").get_json()["items"]
    return [(one["kind"], one["points"], one["pending_points"], one["balance"]) for one in items]


def lines(frozen: Any, period: str = "2026-11") -> list[tuple[str, int, int]]:
    items = frozen.call("GET", f"/v1/statements?period={period}").get_json()["items"]
    return [(one["kind"], one["points"], one["amount_minor"]) for one in items]


@pytest.fixture(autouse=True)
def _books_balance(frozen: Any) -> Any:
    yield
    with sandbox_of(frozen.client.application).work() as work:
        assert books.findings(work) == []


def test_pending_points_are_seen_and_cannot_be_spent(frozen: Any) -> None:
    give(frozen, pending_s=14 * DAY_S)
    assert balance(frozen) == (42, 100)
    refused = spend(frozen, 43)
    assert (refused.status_code, refused.get_json()["code"]) == (422, "insufficient_points")
    assert entries(frozen)[0] == ("accrual", 0, 100, 42)
    assert lines(frozen) == []


def test_they_are_posted_when_their_time_has_come_and_not_before(frozen: Any) -> None:
    accrual_id = give(frozen, pending_s=14 * DAY_S)
    pass_time(frozen, 14 * DAY_S - 1)
    early = post(frozen, accrual_id)
    assert (early.status_code, early.get_json()["code"], early.get_json()["retryable"]) == (
        409,
        "accrual_not_due",
        True,
    )
    assert frozen.call("GET", f"/v1/accruals/{accrual_id}").get_json()["pending_in_s"] == 1
    pass_time(frozen, 1)
    # The refusal was none for good, so the same key does it now.
    done = post(frozen, accrual_id).get_json()
    assert (done["state"], done["posted_at"], done["pending_until"]) == ("posted", "2026-12-06T10:00:00Z", None)
    # 1,095 days from then: 2028 is a leap year.
    assert done["expires_at"] == "2029-12-05T10:00:00Z"
    assert balance(frozen) == (142, 0)
    assert entries(frozen)[0] == ("accrual_posted", 100, -100, 142)
    again = post(frozen, accrual_id, key="key-p2")
    assert (again.status_code, again.get_json()["sequence"]) == (200, done["sequence"])
    assert (lines(frozen), lines(frozen, "2026-12")) == ([], [("accrual", -100, -100)])


def test_nothing_to_wait_for_is_posted_at_once(frozen: Any) -> None:
    accrual_id = give(frozen, pending_s=0)
    body = frozen.call("GET", f"/v1/accruals/{accrual_id}").get_json()
    assert (body["state"], body["pending_until"], body["pending_in_s"]) == ("posted", None, None)
    assert balance(frozen) == (142, 0)


@pytest.mark.parametrize("wrong", [-1, 400 * DAY_S + 1, True, "60", 1.5])
def test_how_long_they_wait_is_seconds_up_to_400_days(frozen: Any, wrong: Any) -> None:
    refused = frozen.post("/v1/accruals", {**GIVE, "pending_s": wrong}, key="key-g")
    assert (refused.status_code, refused.get_json()["field"]) == (400, "pending_s")


def test_what_is_taken_back_of_pending_points_was_never_charged(frozen: Any) -> None:
    accrual_id = give(frozen, pending_s=60)
    assert taken(take_back(frozen, accrual_id, 30)) == (30, 0, 0, 0)
    assert balance(frozen) == (42, 70)
    pass_time(frozen, 60)
    post(frozen, accrual_id)
    assert balance(frozen) == (112, 0)
    assert taken(take_back(frozen, accrual_id, 70, "R-2")) == (0, 70, 0, 0)
    assert lines(frozen) == [("accrual", -70, -70), ("accrual_reversal", 70, 70)]
    assert [one[:3] for one in entries(frozen, "?kind=earned")] == [
        ("claw_back", -70, 0), ("accrual_posted", 70, -70), ("claw_back", 0, -30), ("accrual", 0, 100),
    ]  # fmt: skip


def test_all_of_it_taken_back_ends_it(frozen: Any) -> None:
    accrual_id = give(frozen, pending_s=60)
    ended = take_back(frozen, accrual_id, 100).get_json()["accrual"]
    assert (ended["state"], ended["pending_until"], ended["reversed_points"]) == ("reversed", None, 100)
    pass_time(frozen, 60)
    refused = post(frozen, accrual_id)
    assert (refused.status_code, refused.get_json()["code"]) == (409, "accrual_reversed")
    assert balance(frozen) == (42, 0)


def test_its_own_points_go_first_then_those_that_expire_first(frozen: Any) -> None:
    accrual_id = give(frozen, points=10)
    spend(frozen, 20)  # All 17 of the first lot and 3 of the second one's 25; the accrual's own expire last.
    assert taken(take_back(frozen, accrual_id, 10)) == (0, 10, 0, 0)
    lots = frozen.client.get("/sandbox/members/mbr_42").get_json()["lots"]
    assert [lot["available_points"] for lot in lots] == [0, 22, 0]


def test_what_is_not_there_is_told_and_counts(frozen: Any) -> None:
    accrual_id = give(frozen)
    spend(frozen, 140)
    assert taken(take_back(frozen, accrual_id, 60)) == (0, 2, 0, 58)
    assert balance(frozen) == (0, 0)
    refused = take_back(frozen, accrual_id, 41, "R-2")
    assert (refused.status_code, refused.get_json()["code"]) == (409, "reversal_exceeds_accrual")
    assert refused.get_json()["remaining"]["points"] == 40
    # Only what was taken comes back to the partner.
    assert lines(frozen)[-1] == ("accrual_reversal", 2, 2)
    assert taken(take_back(frozen, accrual_id, 40, "R-3")) == (0, 0, 0, 40)
    assert entries(frozen)[0] == ("claw_back", -2, 0, 0)
    assert len(lines(frozen)) == 3


def test_below_zero_is_owed_and_settled_by_what_comes_in(frozen: Any) -> None:
    accrual_id = give(frozen)
    red = spend(frozen, 140).get_json()
    assert taken(take_back(frozen, accrual_id, 100, below_zero=True)) == (0, 2, 98, 0)
    assert balance(frozen) == (-98, 0)
    assert lines(frozen)[-1] == ("accrual_reversal", 100, 100)
    refused = spend(frozen, 1, "B-2")
    assert (refused.status_code, refused.get_json()["remaining"]["points"]) == (422, 0)
    quoted = frozen.call(
        "POST", "/v1/redemptions/quote", {"member_id": "mbr_42", "total": {"amount_minor": 100, "currency": "EUR"}}
    ).get_json()
    assert (quoted["points"], quoted["available"]) == (0, -98)

    give(frozen, key="key-g2", accrual_reference="earn-2", points=30)
    assert balance(frozen) == (-68, 0)
    assert entries(frozen)[:2] == [("owed_settled", 0, 0, -68), ("accrual", 30, 0, -68)]
    frozen.post(f"/v1/redemptions/{red['id']}/reversals", {"points": 70, "return_reference": "R-9"}, key="key-r")
    assert balance(frozen) == (2, 0)
    assert entries(frozen)[:2] == [("owed_settled", 0, 0, 2), ("reversal", 70, 0, 2)]
    newest = frozen.call("GET", "/v1/members/mbr_42/entries?limit=1").get_json()["items"][0]
    assert newest["reason"] == "68 points settled what was owed"


def test_who_owes_has_nothing_more_to_take_and_can_owe_more(frozen: Any) -> None:
    accrual_id = give(frozen)
    spend(frozen, 142)
    assert taken(take_back(frozen, accrual_id, 30, below_zero=True)) == (0, 0, 30, 0)
    assert taken(take_back(frozen, accrual_id, 30, "R-2")) == (0, 0, 0, 30)
    assert taken(take_back(frozen, accrual_id, 40, "R-3", below_zero=True)) == (0, 0, 40, 0)
    assert balance(frozen) == (-70, 0)
    assert frozen.client.get("/sandbox/members/mbr_42").get_json()["owed"] == 70


def test_a_hold_that_ends_settles_what_is_owed(frozen: Any) -> None:
    accrual_id = give(frozen)
    red = frozen.authorize(member_id="mbr_42", points=142, order_reference="B-1", key="key-h").get_json()
    assert taken(take_back(frozen, accrual_id, 100, below_zero=True)) == (0, 0, 100, 0)
    assert balance(frozen) == (-100, 0)
    frozen.post(f"/v1/redemptions/{red['id']}/void", {}, key="key-v")
    assert balance(frozen) == (42, 0)


def test_points_that_wait_settle_nothing_before_they_are_posted(frozen: Any) -> None:
    accrual_id = give(frozen)
    spend(frozen, 142)
    take_back(frozen, accrual_id, 100, below_zero=True)
    other = give(frozen, key="key-g2", accrual_reference="earn-2", pending_s=60)
    assert balance(frozen) == (-100, 100)
    pass_time(frozen, 60)
    post(frozen, other)
    assert balance(frozen) == (0, 0)


def test_a_return_takes_back_once(frozen: Any) -> None:
    accrual_id = give(frozen)
    first, again = take_back(frozen, accrual_id, 60), take_back(frozen, accrual_id, 60)
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (200, "true")
    assert again.get_json() == first.get_json()
    body = {"points": 10, "return_reference": "R-1", "reason": "Returned"}
    other = frozen.post(f"/v1/accruals/{accrual_id}/reversals", body, key="key-other")
    assert (other.status_code, other.get_json()["code"]) == (422, "reference_reused")
    # What was taken back of one accrual says nothing about another one.
    second = give(frozen, key="key-g2", accrual_reference="earn-2")
    assert taken(take_back(frozen, second, 60)) == (0, 60, 0, 0)


def test_it_needs_neither_consent_nor_an_open_account(frozen: Any) -> None:
    accrual_id, waiting = give(frozen), give(frozen, key="key-g2", accrual_reference="earn-2", pending_s=60)
    frozen.client.post("/sandbox/members/mbr_42/withdraw-consent")
    frozen.client.post("/sandbox/members", json={"id": "mbr_42", "state": "blocked", "consent": False})
    assert taken(take_back(frozen, accrual_id, 60)) == (0, 60, 0, 0)
    pass_time(frozen, 60)
    assert post(frozen, waiting).status_code == 200


def test_somebody_elses_accrual_is_not_found(frozen: Any) -> None:
    for tail, body in (("post", {}), ("reversals", {"points": 1, "return_reference": "R-1", "reason": "x"})):
        refused = frozen.post(f"/v1/accruals/acc_9999/{tail}", body, key=f"key-{tail}")
        assert (refused.status_code, refused.get_json()["code"]) == (404, "not_found")


def test_every_cent_comes_back_with_the_last_point(frozen: Any) -> None:
    rate = {"id": "rate_3", "points": 3, "amount_minor": 2, "currency": "EUR"}
    frozen.client.post("/sandbox/programme", json={"rate": rate})
    accrual_id = give(frozen, points=10, pending_s=60)
    # 10 points at 2 cents for 3 are 6 cents; of these the first 4 points have 2, the first 7 have 4.
    values = [take_back(frozen, accrual_id, 4).get_json()["value"]["amount_minor"]]
    pass_time(frozen, 60)
    post(frozen, accrual_id)
    values += [take_back(frozen, accrual_id, 3, f"R-{n}").get_json()["value"]["amount_minor"] for n in (2, 3)]
    assert values == [2, 2, 2]
    assert lines(frozen) == [("accrual", -6, -4), ("accrual_reversal", 3, 2), ("accrual_reversal", 3, 2)]


def test_a_provider_that_posts_at_once_says_so(frozen: Any) -> None:
    frozen.client.post("/sandbox/profile", json={"name": "reference", "accrual_pending": False})
    refused = frozen.post("/v1/accruals", {**GIVE, "pending_s": 60}, key="key-g")
    assert (refused.status_code, refused.get_json()["code"], refused.get_json()["field"]) == (
        422, "not_offered", "pending_s",
    )  # fmt: skip
    assert taken(take_back(frozen, give(frozen, key="key-g2"), 60)) == (0, 60, 0, 0)


@pytest.mark.parametrize(
    ("query", "kinds"),
    [
        ("?kind=spent", ["capture", "hold"]),
        ("?kind=given_back", ["reversal"]),
        ("?kind=expired", ["expiry"]),
        ("?kind=other", ["opening", "opening"]),
        ("?kind=expired&kind=given_back", ["expiry", "reversal"]),
        ("?since=2027-01-22&until=2027-01-22", ["expiry"]),
        ("?until=2026-11-22&kind=earned", ["accrual"]),
        ("?since=2026-11-23&until=2027-01-21", []),
    ],
)
def test_entries_are_found_by_group_and_day(frozen: Any, query: str, kinds: list[str]) -> None:
    give(frozen)
    red = spend(frozen, 10).get_json()
    frozen.post(f"/v1/redemptions/{red['id']}/reversals", {"points": 10, "return_reference": "R-1"}, key="key-r")
    pass_time(frozen, 61 * DAY_S + DAY_S // 2)  # The first lot ends on 22 January at 22:00.
    found = [one[0] for one in entries(frozen, query)]
    assert sorted(found) == sorted(kinds)


def test_a_page_of_a_group_goes_on_with_the_same_filter(frozen: Any) -> None:
    for number in range(3):
        give(frozen, key=f"key-{number}", accrual_reference=f"earn-{number}", points=1)
        spend(frozen, 1, f"B-{number}")
    page = frozen.call("GET", "/v1/members/mbr_42/entries?kind=earned&limit=2").get_json()
    rest = frozen.call("GET", f"/v1/members/mbr_42/entries?kind=earned&cursor={page['next_cursor']}").get_json()
    assert ([one["kind"] for one in page["items"] + rest["items"]], rest["next_cursor"]) == (["accrual"] * 3, None)


@pytest.mark.parametrize("query", ["kind=all", "since=2026-02-30", "since=20261122", "until=1", "kind="])
def test_a_filter_that_cannot_be_meant_is_refused(frozen: Any, query: str) -> None:
    assert frozen.call("GET", f"/v1/members/mbr_42/entries?{query}").status_code == 400
