"""Parcels, amended orders and refused returns as an operator sees them; points and cents by hand.

Two lamps of 24.95 and shipping of 4.90, 427 points: a lamp is 194 points and 23.01, the first parcel 232 points, the
second 195 (see test_refunds and test_shipments).
"""

import pytest

from _office_shop import OPERATOR, paid, text_of
from _small_shop import SmallShop, Visitor
from _world import CART, World
from punktgenau import Money
from punktgenau.checkout import Cart, Checkout, Line
from punktgenau.checkout.office import Office

WHO = {"actor": "clerk 7", "reason": "the customer called"}


def placed(world: World, checkout: Checkout, *, capture: bool) -> str:
    world.order("A-1", "paid")
    checkout.balance("anna", max_age_s=0)
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    if capture:
        checkout.capture("A-1")
    return Office(checkout).searching.attempts("A-1")[-1].id


def euro(amount_minor: int) -> Money:
    return Money(amount_minor=amount_minor, currency="EUR")


def test_the_story_of_parcels(world: World, checkout: Checkout, office: Office) -> None:
    redemption_id = placed(world, checkout, capture=False)
    for parcel in ("S-1", "S-2"):
        world.advance(60)
        checkout.capture("A-1", lines={"lamp": 1}, shipment_reference=parcel)
        whole = office.whole(redemption_id)
        assert (whole.can_return, whole.can_give_back) == (True, True)
        # The shipping leaves with the first parcel; a lamp with each.
        here, to_come = ({"lamp": 1}, {"lamp": 1}) if parcel == "S-1" else ({"lamp": 2}, {})
        assert (whole.units_left, whole.units_to_come) == ({**here, "shipping": 1}, to_come)
    told = [(one.kind, one.points, one.reference, one.units) for one in whole.story[2:]]
    assert told == [
        ("shipment", 232, "S-1", {"lamp": 1}),
        ("capture.done", 232, "S-1", None),
        ("shipment", 195, "S-2", {"lamp": 1}),
        ("capture.done", 195, "S-2", None),
    ]


@pytest.mark.parametrize("as_", ["done", "not_done"])
def test_what_a_person_found_out_about_a_parcel(world: World, checkout: Checkout, office: Office, as_: str) -> None:
    redemption_id = placed(world, checkout, capture=False)
    for operation in ("capture", "get", "find"):
        world.provider.fault(operation, "reset", when="after" if as_ == "done" else "before", times=500)
    checkout.capture("A-1", lines={"lamp": 1}, shipment_reference="S-1")
    world.clock.advance(2 * 86_400)
    checkout.recover()
    world.provider.heal()
    payment = office.resolve(redemption_id, as_=as_, **WHO)  # type: ignore[arg-type]
    assert payment.state == ("partially_captured" if as_ == "done" else "authorized")
    if as_ == "not_done":
        # The parcel left all the same, so its points are asked for again, under another key.
        assert office.whole(redemption_id).can_retry
        assert office.retry(redemption_id, actor="clerk 7").state == "partially_captured"
    assert world.provider.points() == (2073, 195)
    payment = checkout.capture("A-1", lines={"lamp": 1}, shipment_reference="S-2")
    assert payment is not None
    assert payment.state == "captured"
    assert world.provider.points() == (2073, 0)


def test_the_story_of_an_amended_order(world: World, checkout: Checkout, office: Office) -> None:
    redemption_id = placed(world, checkout, capture=True)
    lamp = Line(sku="lamp", quantity=1, unit_price_minor=2495, vat_rate="19")
    world.advance(60)
    smaller = Cart(currency="EUR", lines=[lamp], shipping_minor=490, shipping_vat_rate="19")
    checkout.amend("A-1", smaller, reason="one is broken", actor="clerk 7")
    story = {one.kind: one for one in office.whole(redemption_id).story}
    amended, returned = story["amended"], story["return"]
    assert (amended.version, amended.points, amended.money, amended.actor) == (2, 233, euro(2985), "clerk 7")
    assert (returned.reference, returned.points, returned.money) == ("amend-2", 194, euro(2301))


def refused(world: World, checkout: Checkout) -> str:
    redemption_id = placed(world, checkout, capture=True)
    world.provider.play("no_partial_reversal")
    checkout.refund("A-1", return_reference="R-1", lines={"lamp": 1})
    return redemption_id


def test_points_that_were_paid_in_money_are_told_and_exported(world: World, checkout: Checkout, office: Office) -> None:
    redemption_id = refused(world, checkout)
    office.pay_instead(redemption_id, return_reference="R-1", **WHO)
    (told,) = [one for one in office.whole(redemption_id).story if one.kind == "return"]
    assert (told.money, told.money_instead, told.expired_money) == (euro(2301), euro(194), None)
    (exported,) = office.personal.export("anna").returns
    assert (exported["money_minor"], exported["money_instead_minor"], exported["expired_money_minor"]) == (2301, 194, 0)


def refused_in_shop(shop: SmallShop) -> str:
    """An order of one lamp for 59.90; of 20.00, 142 points were refused: 427 x 2000 / 5990 = 142.57, rounded down."""
    redemption_id = paid(shop)
    shop.provider.control("POST", "/profile", {"name": "no_partial_reversal"})
    with shop.app.app_context():
        shop.points.checkout.refund("A-1", return_reference="R-1", amount_minor=2000, reason="scratched")
    return redemption_id


REFUSED = {
    "en": "The provider does not take these points back (not_offered). It can be asked again when that has changed, or",
    "de": "Der Punkteanbieter nimmt diese Punkte nicht zurück (not_offered). Wenn sich das geändert hat, kann er",
    "zh": "积分方不接受退回这些积分（not_offered）。情况有变后可以重新请求，也可改以现金支付其价值。",
}
WORDS = {
    "en": (
        "Ask once more",
        "Pay €1.42 instead",
        "€1.42 in money instead of its points.",
        "Its money is still to be paid",
    ),
    "de": (
        "Noch einmal anfragen",
        "Stattdessen 1,42 € zahlen",
        "1,42 € in Geld statt ihrer Punkte.",
        "noch zurückzuzahlen",
    ),
    "zh": ("再次请求", "改付 €1.42", "以现金支付 €1.42，代替其积分。", "相应款项仍待退还"),
}


@pytest.mark.parametrize("language", WORDS)
def test_a_refused_return_is_settled_by_the_pages(shop: SmallShop, mira: Visitor, language: str) -> None:
    one = f"/points/admin/redemptions/{refused_in_shop(shop)}"
    again, instead, note, settled = WORDS[language]
    mira.browser.environ_base["HTTP_ACCEPT_LANGUAGE"] = language
    waits = text_of(mira.browser, "/points/admin/attention")
    assert "R-1" in waits
    # Not why the goods came back, but why their points did not.
    refused, money = waits.split('id="refused"')[1].split('id="money"')
    assert REFUSED[language] in refused
    assert "scratched" not in refused
    # What the shop gave as the reason stands in its own words.
    assert ("„scratched“" if language == "de" else "“scratched”") in money
    # One return whose points were refused, and its money half.
    assert '<b class="pga-count">2</b>' in waits
    page = text_of(mira.browser, one).replace("\xa0", " ")
    assert again in page
    assert instead in page
    assert REFUSED[language] in page
    assert "<script" not in page
    assert mira.post(f"{one}/settle", **{"return_reference": "R-1", "as": "money"}).status_code == 409
    operations = len(shop.provider.operations())
    for nothing in ({}, {"as": ""}, {"as": "garbled"}):
        said = {"return_reference": "R-1", "reason": "x", **nothing}
        assert mira.post(f"{one}/settle", **said).status_code == 409
    assert len(shop.provider.operations()) == operations
    answer = mira.post(f"{one}/settle", **{"return_reference": "R-1", "as": "money", "reason": "account <i>closed"})
    assert (answer.status_code, answer.location) == (303, f"{one}?done=settle_due")
    page = text_of(mira.browser, f"{one}?done=settle_due").replace("\xa0", " ")
    assert settled in page
    assert note in page
    assert again not in page
    assert "account &lt;i&gt;closed" in page
    assert OPERATOR in page
    # Settled is settled, and the log tells who did it, once.
    assert mira.post(f"{one}/settle", **{"return_reference": "R-1", "as": "again", "reason": "x"}).status_code == 409
    with shop.app.app_context():
        (action,) = Office(shop.points.checkout).log()
    assert (action.kind, action.actor, action.reason) == ("settle_return", OPERATOR, "account <i>closed")


def test_money_that_becomes_owed_after_a_payment_waits_for_a_person(shop: SmallShop, mira: Visitor) -> None:
    one = f"/points/admin/redemptions/{refused_in_shop(shop)}"
    mira.browser.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    with shop.app.app_context():
        shop.points.money_refunded("A-1", return_reference="R-1", psp_reference="psp_1")
    assert 'id="money"' not in text_of(mira.browser, "/points/admin/attention")
    said = {"return_reference": "R-1", "as": "money", "reason": "account closed"}
    assert mira.post(f"{one}/settle", **said).location == f"{one}?done=settle_due"
    assert "€1.42" in text_of(mira.browser, "/points/admin/attention").split('id="money"')[1]
    paid_as = {"return_reference": "R-1", "psp_reference": "bank-142", "owed": "142"}
    assert mira.post(f"{one}/money", **paid_as).status_code == 303
    page = text_of(mira.browser, one)
    # Of the 20.00, 1.42 were to come back in points.
    assert "€18.58 of return R-1 paid back, as psp_1" in page
    assert "€1.42 of return R-1 paid back, as bank-142" in page
    assert 'id="money"' not in text_of(mira.browser, "/points/admin/attention")


def test_a_refused_return_is_asked_for_again_by_the_pages(shop: SmallShop, mira: Visitor) -> None:
    one = f"/points/admin/redemptions/{refused_in_shop(shop)}"
    shop.provider.control("POST", "/profile", {"name": "reference"})
    fields = {"return_reference": "R-1", "as": "again", "reason": "they mended it"}
    assert mira.post(f"{one}/settle", **fields).status_code == 303
    page = text_of(mira.browser, one)
    assert "Ask once more" not in page
    assert "they mended it" in page
    with shop.app.app_context():
        (returned,) = shop.points.checkout.refunds("A-1")
        assert (returned.state, returned.points) == ("done", 142)
        (action,) = Office(shop.points.checkout).log()
    assert (action.kind, action.actor, action.reason) == ("retry", OPERATOR, "they mended it")
    # One that is not there.
    assert mira.post(f"{one}/settle", **(fields | {"return_reference": "R-7"})).status_code == 409


@pytest.mark.parametrize(
    ("language", "words"), [("en", "not sent yet"), ("de", "noch nicht verschickt"), ("zh", "尚未发货")]
)
def test_a_parcel_comes_back_by_the_pages_before_the_next_one_leaves(
    shop: SmallShop, mira: Visitor, language: str, words: str
) -> None:
    cup = Line(sku="cup", quantity=1, unit_price_minor=500, vat_rate="19")
    with shop.app.app_context():
        made = shop.points.checkout
        shop.shop.cart = Cart(currency="EUR", lines=[*CART.lines, cup])
        shop.shop.order("A-1", state="pending", customer_id="anna")
        made.balance("anna", max_age_s=0)
        made.authorize("A-1", shop.shop.cart, customer_id="anna", points=549)
        made.capture("A-1", lines={"lamp": 1}, shipment_reference="S-1")
        one = f"/points/admin/redemptions/{Office(made).searching.attempts('A-1')[-1].id}"
    mira.browser.environ_base["HTTP_ACCEPT_LANGUAGE"] = language
    page = text_of(mira.browser, f"{one}/return").replace("\xa0", " ")
    # One of two lamps has left, and no cup.
    assert page.count(words) == 2
    assert f"1 × {words}" in page
    assert "line.lamp" in page
    assert "line.cup" not in page
    # Of 549 points 499 pay the lamps; half of that is 249.5.
    said = {"line.lamp": "1", "reference": "R-1", "seen_points": "249", "seen_money": "2246", "reason": "too small"}
    for sent in ({**said, "line.lamp": "2"}, {**said, "line.cup": "1"}):
        assert mira.post(f"{one}/return", **sent).status_code == 409
    answer = mira.post(f"{one}/return", **said)
    assert (answer.status_code, answer.location) == (303, f"{one}?done=refund")
    with shop.app.app_context():
        assert [(back.points, back.money) for back in made.refunds("A-1")] == [(249, euro(2246))]


def test_no_return_is_offered_where_everything_came_back(shop: SmallShop, mira: Visitor) -> None:
    one = f"/points/admin/redemptions/{paid(shop)}"
    for reference, amount_minor, is_offered in (("R-1", 5989, True), ("R-2", 1, False)):
        with shop.app.app_context():
            shop.points.checkout.refund("A-1", return_reference=reference, amount_minor=amount_minor)
        assert ("Take a return in" in text_of(mira.browser, one)) == is_offered
