"""Earning in a shop: from its configuration to the member's account, by the calls that it makes anyway."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from _small_shop import BILL_MINOR, SmallShop, cart_of
from punktgenau import ConfigurationError
from punktgenau.checkout import Campaign, Earned

EARNS = {"PUNKTGENAU_EARN_POINTS": "1", "PUNKTGENAU_EARN_PER_MINOR": "200", "PUNKTGENAU_EARN_PENDING_S": "600"}
POINTS = BILL_MINOR // 200
MakeShop = Callable[..., SmallShop]


@pytest.fixture
def small(make_shop: MakeShop) -> SmallShop:
    """One point for each full 2 EUR, pending for ten minutes."""
    small = make_shop(**EARNS)
    small.link()
    return small


def recovered(small: SmallShop) -> None:
    with small.app.app_context():
        small.points.checkout.recover()


def earned(small: SmallShop, order: str = "A-1001") -> list[tuple[str, str, int, int]]:
    """Kind, state, points and what was taken back."""
    with small.app.app_context():
        found: tuple[Earned, ...] = small.points.earned(order)
    return [(one.kind, one.state, one.points, one.taken_back) for one in found]


def standing(small: SmallShop) -> tuple[object, object]:
    member = small.provider.member("mbr_2500")
    return member["available"], member["pending"]


def test_an_order_without_points_earns_when_it_is_paid(small: SmallShop):
    visitor = small.visitor("anna")
    assert visitor.place().status_code == 303
    assert earned(small) == [("purchase", "planned", POINTS, 0)]
    recovered(small)
    assert (earned(small), standing(small)) == ([("purchase", "pending", POINTS, 0)], (2500, POINTS))


def test_an_order_with_points_earns_on_its_money_part(small: SmallShop):
    visitor = small.visitor("anna")
    visitor.apply(427)
    visitor.place()
    recovered(small)
    assert standing(small) == (2073, (BILL_MINOR - 427) // 200)


def test_what_vouchers_pay_is_left_out_of_the_promise_once(small: SmallShop):
    visitor = small.visitor("anna")
    made = small.provider.control("POST", "/vouchers", {"value_minor": 3000})
    assert isinstance(made, dict)
    visitor.post("/points/vouchers/add", code=made["code"], next="/cart")
    # 59.90 - 30.00 = 29.90, and 25.63 beside 427 points.
    assert "You earn 14 points with this order." in visitor.browser.get("/cart").text
    visitor.apply(427)
    assert "You earn 12 points with this order." in visitor.browser.get("/cart").text
    visitor.place()
    recovered(small)
    assert standing(small) == (2073, 12)


def test_a_guest_with_a_linked_account_earns_for_this_order(small: SmallShop):
    visitor = small.visitor()
    visitor.link()
    visitor.apply(100)
    visitor.place()
    recovered(small)
    assert standing(small) == (2400, (BILL_MINOR - 100) // 200)


def test_returns_and_cancellations_take_points_back_by_the_calls_there_are(small: SmallShop):
    visitor = small.visitor("anna")
    for order in ("A-1001", "A-1002"):
        visitor.place(order)
    recovered(small)
    with small.app.app_context():
        assert small.points.refund("A-1001", return_reference="R-1", amount_minor=BILL_MINOR) is None
        small.shop.mark("A-1002", "cancelled")
        assert small.points.cancel("A-1002") is None
        assert [
            one.taken_back for one in small.points.returned("A-1001", return_reference="R-1", amount_minor=BILL_MINOR)
        ] == [0]
    recovered(small)
    assert earned(small) == [("purchase", "reversed", POINTS, POINTS)]
    assert earned(small, "A-1002") == [("purchase", "reversed", POINTS, POINTS)]
    assert standing(small) == (2500, 0)


def test_campaigns_come_from_the_shop(make_shop: MakeShop):
    small = make_shop(**EARNS)
    small.link()
    at = datetime.now(UTC)

    @small.points.campaign_loader
    def campaigns() -> list[Campaign]:
        day = timedelta(days=1)
        return [Campaign(id="c", name="Double week", starts_at=at - day, ends_at=at + day, percent=200)]

    with small.app.app_context():
        preview = small.points.preview_earned(cart_of(BILL_MINOR), customer_id="anna")
        assert preview is not None
        assert (preview.points, preview.campaigns, preview.is_linked) == (2 * POINTS, ("Double week",), True)
    small.visitor("anna").place()
    assert earned(small) == [("purchase", "planned", 2 * POINTS, 0)]


def test_a_shop_may_plan_by_itself(small: SmallShop):
    with small.app.app_context():
        assert small.points.earn("A-1", cart_of(BILL_MINOR)) == ()
        (one,) = small.points.earn("A-1", cart_of(BILL_MINOR), customer_id="anna")
    assert (one.points, one.state) == (POINTS, "planned")


def test_a_shop_without_rules_earns_nothing(make_shop: MakeShop):
    small = make_shop()
    small.link()
    small.visitor("anna").place()
    assert earned(small) == []
    with small.app.app_context():
        assert small.points.preview_earned(cart_of(BILL_MINOR), customer_id="anna") is None


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("EARN_POINTS", "-1"),
        ("EARN_POINTS", "1.5"),
        ("EARN_PER_MINOR", "0"),
        ("EARN_PENDING_S", str(401 * 86_400)),
        ("CLAW_BACK", "never"),
        ("WELCOME_POINTS", "many"),
        ("EARN_SHIPPING", "perhaps"),
    ],
)
def test_what_cannot_be_meant_is_refused_at_start(make_shop: MakeShop, key: str, value: str):
    with pytest.raises(ConfigurationError) as caught:
        make_shop(**{f"PUNKTGENAU_{key}": value})
    assert caught.value.field == f"PUNKTGENAU_{key}"


def test_where_shops_give_no_points_it_is_refused_at_start(make_shop: MakeShop):
    with pytest.raises(ConfigurationError) as caught:
        make_shop(**EARNS, PUNKTGENAU_PROVIDER_PROFILE="no_accruals")
    assert caught.value.field == "PUNKTGENAU_EARN_POINTS"


def test_without_a_provider_the_shop_sells_and_what_is_earned_waits(make_shop: MakeShop, tmp_path: Path):
    url = f"sqlite:///{tmp_path / 'journal.sqlite'}"
    away = make_shop(provider_url=None, PUNKTGENAU_DATABASE_URL=url, **EARNS)
    with away.app.app_context():
        away.points.upgrade()
        away.points.checkout.link("anna", member_id="mbr_2500", consent_id="con_1")
        away.points.earn("A-1001", cart_of(BILL_MINOR), customer_id="anna")
        away.shop.order("A-1001", state="paid", customer_id="anna")
        away.points.checkout.recover()
    assert earned(away) == [("purchase", "planned", POINTS, 0)]
