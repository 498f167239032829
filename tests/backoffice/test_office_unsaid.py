"""Points that are back, and nobody said how many of them had expired: the back office lists them, and takes the answer.

One lamp for 59.90 paid with 427 points; 20.00 of it back: 142 points (427 x 2000 / 5990 = 142.57, rounded down).
"""

import pytest
import sqlalchemy

from _small_shop import SmallShop, Visitor, cart_of
from punktgenau.checkout.office import Office

WORDS = {
    "en": ("Points of which nobody knows whether they had expired", "Points that had expired", "R-1 had expired"),
    "de": ("Punkte, von denen niemand weiß, ob sie verfallen waren", "Verfallene Punkte", "R-1 verfallen waren"),
    "zh": ("不知是否已过期的积分", "已过期的积分", "R-1 中已过期"),
}


@pytest.fixture
def more_config() -> dict[str, str]:
    return {"PUNKTGENAU_EXPIRED_POINTS": "money"}


@pytest.mark.parametrize("language", WORDS)
def test_it_is_listed_and_written_down(shop: SmallShop, mira: Visitor, language: str) -> None:
    shop.shop.order("A-1", state="paid", customer_id="anna")
    with shop.app.app_context():
        shop.points.authorize("A-1", cart_of(5990), points=427, customer_id="anna")
        shop.points.capture("A-1")
        shop.points.refund("A-1", return_reference="R-1", amount_minor=2000)
        office = Office(shop.points.checkout)
        # As a look-up would have left it.
        with office._database.engine.begin() as journal:
            journal.execute(
                sqlalchemy.text(
                    "UPDATE punktgenau_return SET restored_points = NULL, expired_points = NULL,"
                    " converted_points = NULL"
                )
            )
        one = f"/points/admin/redemptions/{office.searching.attempts('A-1')[0].id}"
    mira.browser.environ_base["HTTP_ACCEPT_LANGUAGE"] = language
    listed, asked, done = WORDS[language]
    assert listed in mira.browser.get("/points/admin/attention").text
    page = mira.browser.get(one).text
    assert asked in page
    assert 'name="expired"' in page
    said = {"return_reference": "R-1", "as": "expired", "reason": "asked their desk"}
    for entered in ("", "-1", "143", "many", "1.5"):
        refused = mira.post(f"{one}/settle", **said, expired=entered)
        assert refused.status_code in {400, 409, 422}, entered
    assert mira.post(f"{one}/settle", **said, expired="42").status_code == 303
    with shop.app.app_context():
        (given,) = shop.points.refunds("A-1")
    assert (given.restored, given.already_expired, given.expired_money.amount_minor) == (100, 42, 42)
    assert listed not in mira.browser.get("/points/admin/attention").text
    assert 'name="expired"' not in mira.browser.get(one).text
    assert done in mira.browser.get("/points/admin/log").text


def test_of_vouchers_the_amount_is_asked_for(shop: SmallShop, mira: Visitor) -> None:
    shop.shop.order("A-1", state="paid", customer_id="anna")
    with shop.app.app_context():
        checkout = shop.points.checkout
        code = shop.provider.control("POST", "/vouchers", {"value_minor": 2500})["code"]  # type: ignore[index,call-overload]
        voucher = checkout.look_up_voucher(str(code))
        checkout.authorize("A-1", cart_of(5990), customer_id="anna", points=0, vouchers=[voucher])
        checkout.capture("A-1")
        # floor(2500 x 2000 / 5990) = 834, and 11.66 in money.
        checkout.refund("A-1", return_reference="R-1", amount_minor=2000)
        office = Office(checkout)
        with office._database.engine.begin() as journal:
            unsaid = "UPDATE punktgenau_return SET restored_points = NULL, vouchers_expired = NULL"
            journal.execute(sqlalchemy.text(unsaid))
        one = f"/points/admin/redemptions/{office.searching.attempts('A-1')[0].id}"
    assert 'name="expired_vouchers"' in mira.browser.get(one).text
    said = {"return_reference": "R-1", "as": "expired", "reason": "asked their desk", "expired": "0"}
    for entered in ({}, {"expired_vouchers": "8.35"}, {"expired_vouchers": "some"}):
        assert mira.post(f"{one}/settle", **said, **entered).status_code in {400, 409, 422}, entered
    assert mira.post(f"{one}/settle", **said, expired_vouchers="8.34").status_code == 303
    with shop.app.app_context():
        (given,) = shop.points.refunds("A-1")
    assert (given.expired_money.amount_minor, given.money_due.amount_minor) == (834, 834 + 1166)
