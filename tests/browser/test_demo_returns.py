"""Returns in the demo shop: the customer asks and sees what comes back, the clerk confirms, the receipt says it all.

Pilz (84.35) and Köcher (18.45) are 102.80, 427 points pay 4.27 of it: 3.50 of Pilz and 0.77 of Köcher, by largest
remainder of 350.36 and 76.64.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from _demo import Demo
from _shopper import Shopper

NewShopper = Callable[..., Shopper]
RULES = [
    ["In proportion applies", "77", "€0.77", "€17.68"],
    ["Points first", "427", "€4.27", "€14.18"],
    ["Money first", "0", "€0.00", "€18.45"],
]


def shipped_order(shopper: Shopper, *, points: int | None = 427) -> str:
    shopper.fill_cart("pilz", "koecher", points=points)
    reference = shopper.place_order("card")
    shopper.press_in_drawer("ship")
    return reference


def ask_for(shopper: Shopper, reference: str, name: str) -> None:
    """Choose one article on the page for returns, look at what it gives back, ask."""
    shopper.open(f"/orders/{reference}")
    shopper.page.get_by_role("link", name="Send something back").click()
    shopper.page.get_by_label(f"Send {name} back").check()
    look = shopper.page.get_by_role("button", name="See what you get")
    # The script, which takes this button away, has run by then.
    shopper.page.wait_for_load_state()
    if look.is_visible():
        look.click()
    shopper.page.get_by_role("button", name="Ask for the return").click()
    shopper.page.wait_for_url(re.compile(rf"/orders/{reference}#returns$"))


def behind_the_counter(shopper: Shopper, reference: str) -> Page:
    """The same browser goes behind the counter, and opens the order there."""
    shopper.open("/account")
    shopper.page.get_by_role("button", name="Go behind the counter").click()
    shopper.page.get_by_role("link", name=reference).click()
    return shopper.page


def table(page: Page, name: str) -> list[list[str]]:
    rows = page.locator(f"table.{name} tbody tr").all()
    return [[" ".join(cell.inner_text().split()) for cell in row.locator("th, td").all()] for row in rows]


@pytest.mark.scenario("T41", "a return shows points and money apart, under every rule, before anybody confirms it")
def test_a_return_from_the_first_click_to_the_receipt(shopper: Shopper, demo: Demo, axe: Callable[..., None]) -> None:
    reference = shipped_order(shopper)
    shopper.open(f"/orders/{reference}/return")
    axe(shopper.page)
    shopper.page.get_by_label("Send Köcher back").check()
    expect(shopper.page.locator("#preview")).to_contain_text("1 × Köcher")
    assert table(shopper.page, "sums") == [["Goods", "€18.45"], ["77 points back", "€0.77"], ["Money back", "€17.68"]]
    axe(shopper.page)
    ask_for(shopper, reference, "Köcher")
    shopper.expect_situation("return_asked")
    assert demo.points() == (2073, 0)

    page = behind_the_counter(shopper, reference)
    assert table(page, "rules") == RULES
    axe(page)
    page.get_by_role("button", name="Confirm the return").click()
    expect(page.get_by_role("status").first).to_contain_text("Confirmed")
    assert demo.points() == (2150, 0)
    assert demo.shop_rows("SELECT state, points, value_minor, money_minor FROM returns") == [
        ("confirmed", 77, 77, 1768)
    ]
    assert demo.journal_rows("SELECT state, money_minor, psp_reference, actor FROM punktgenau_return") == [
        ("done", 1768, f"refund-{reference}-R1", "counter-1")
    ]

    expect(page.locator(".paid-by")).to_have_text(re.compile(r"427 points\s*€4\.27\s*Money\s*€98\.53"))
    shopper.open(f"/orders/{reference}")
    expect(page.locator("#returns")).to_contain_text("77 points back · €17.68 back")
    ask_for(shopper, reference, "Pilz")
    shopper.open(f"/clerk/orders/{reference}")
    page.get_by_role("button", name="Confirm the return").click()
    assert demo.points() == (2500, 0)
    assert demo.shop_rows("SELECT points, money_minor FROM returns ORDER BY reference") == [(77, 1768), (350, 8085)]
    shopper.open(f"/orders/{reference}")
    shopper.expect_situation("returned")
    shopper.open(f"/orders/{reference}/receipt")
    axe(page)
    # 102.80 at 19 %: 102.80 / 1.19 = 86.387; points leave the tax alone.
    expect(page.locator(".receipt-below section").first).to_contain_text("€86.39")
    expect(page.locator(".receipt-below section").first).to_contain_text("€16.41")
    expect(page.locator(".receipt-below section").last).to_contain_text("427 points")
    expect(page.locator(".receipt-below section").last).to_contain_text("€98.53")
    expect(page.locator(".receipt section").last).to_contain_text("€80.85")


def test_an_order_without_points_is_money_alone(shopper: Shopper, demo: Demo) -> None:
    reference = shipped_order(shopper, points=None)
    ask_for(shopper, reference, "Köcher")
    page = behind_the_counter(shopper, reference)
    page.get_by_role("button", name="Confirm the return").click()
    assert demo.shop_rows("SELECT state, points, money_minor FROM returns") == [("confirmed", 0, 1845)]
    assert demo.journal_rows("SELECT count(*) FROM punktgenau_return") == [(0,)]


@pytest.mark.scenario("T29", "points that a declined card gave back are not given back again with the goods")
def test_points_that_were_given_back_before_do_not_come_back_again(shopper: Shopper, demo: Demo) -> None:
    shopper.fill_cart("pilz", "koecher", points=427)
    reference = shopper.place_order("card_declined")
    shopper.page.locator(".pg-number").first.fill("0")
    shopper.pay_again("card")
    shopper.expect_situation("paid")
    shopper.press_in_drawer("ship")
    ask_for(shopper, reference, "Köcher")
    page = behind_the_counter(shopper, reference)
    page.get_by_role("button", name="Confirm the return").click()
    assert demo.shop_rows("SELECT state, points, money_minor FROM returns") == [("confirmed", 0, 1845)]
    assert demo.points() == (2500, 0)


@pytest.mark.scenario("T28", "the clerk confirms twice, and again after a crash in between: given back once")
def test_a_second_click_gives_nothing_back_again(shopper: Shopper, demo: Demo) -> None:
    reference = shipped_order(shopper)
    ask_for(shopper, reference, "Köcher")
    behind_the_counter(shopper, reference)
    path = f"/clerk/returns/{reference}-R1/confirm"
    token = shopper.page.locator(f"form[action='{path}'] input[name=csrf_token]").input_value()
    for _ in range(2):
        answer = shopper.page.request.post(demo.url + path, form={"csrf_token": token}, max_redirects=0)
        assert answer.status == 303
    # As if the shop had died after the provider's answer, before its own last line was written.
    demo.shop_write(
        "UPDATE returns SET state = 'confirming', points = NULL, money_minor = NULL, money_reference = NULL"
    )
    shopper.page.request.post(demo.url + path, form={"csrf_token": token}, max_redirects=0)
    assert demo.shop_rows("SELECT state, points, money_minor FROM returns") == [("confirmed", 77, 1768)]
    assert demo.points() == (2150, 0)
    assert demo.sent("reverse") == 1


def test_a_lost_answer_leaves_the_points_on_their_way(shopper: Shopper, demo: Demo) -> None:
    reference = shipped_order(shopper)
    ask_for(shopper, reference, "Köcher")
    page = behind_the_counter(shopper, reference)
    demo.fault("reverse", "reset", when="after", times=50)
    page.get_by_role("button", name="Confirm the return").click()
    expect(page.locator("#returns")).to_contain_text("The points are on their way back")
    demo.no_faults()
    demo.later(60)
    demo.recover()
    page.reload()
    expect(page.locator("#returns")).not_to_contain_text("on their way back")
    assert demo.points() == (2150, 0)


def test_what_the_clerk_refuses_stays_with_the_customer(shopper: Shopper, demo: Demo) -> None:
    reference = shipped_order(shopper)
    ask_for(shopper, reference, "Köcher")
    page = behind_the_counter(shopper, reference)
    page.get_by_role("button", name="Refuse").click()
    shopper.open(f"/orders/{reference}")
    shopper.expect_situation("shipped")
    expect(page.locator("#returns")).to_contain_text("Refused")
    assert demo.points() == (2073, 0)
    ask_for(shopper, reference, "Köcher")
    assert [row[0] for row in demo.shop_rows("SELECT state FROM returns ORDER BY reference")] == ["refused", "asked"]


def test_more_than_was_bought_cannot_be_asked_for(shopper: Shopper, demo: Demo) -> None:
    reference = shipped_order(shopper)
    page = f"/orders/{reference}/return"
    shopper.open(f"{page}?q.koecher=1")
    form = {
        field.get_attribute("name"): field.input_value()
        for field in shopper.page.locator(f"form[method=post][action='{page}'] [name]").all()
    }
    assert shopper.page.request.post(demo.url + page, form=form, max_redirects=0).status == 303
    # The same form again is the same return; a new one for the same thing, a negative or a foreign one is none.
    assert shopper.page.request.post(demo.url + page, form=form, max_redirects=0).status == 303
    for change in ({}, {"q.koecher": "-1"}, {"q.koecher": "0"}, {"q.storch": "1", "q.koecher": ""}, {"reason": "x"}):
        sent = form | {"draft": f"another {change}"[:60]} | change
        assert shopper.page.request.post(demo.url + page, form=sent, max_redirects=0).status == 422
    assert demo.shop_rows("SELECT reference FROM returns") == [(f"{reference}-R1",)]


def test_without_javascript(new_shopper: NewShopper, demo: Demo) -> None:
    shopper = new_shopper(script=False)
    shopper.fill_cart("pilz", "koecher", points=427)
    shopper.open("/checkout")
    shopper.choose("card")
    shopper.order_and_pay()
    reference = shopper.on_order()
    page = behind_the_counter(shopper, reference)
    page.get_by_role("button", name="Send the parcel").first.click()
    ask_for(shopper, reference, "Köcher")
    shopper.open(f"/clerk/orders/{reference}")
    page.get_by_role("button", name="Confirm the return").click()
    assert demo.points() == (2150, 0)


@pytest.mark.scenario(
    "S21", "customers find no counter and no back office; others find neither return nor receipt of an order"
)
def test_others_find_nothing(shopper: Shopper, new_shopper: NewShopper, demo: Demo) -> None:
    reference = shipped_order(shopper)
    ask_for(shopper, reference, "Köcher")
    for path in ("/clerk/orders", f"/clerk/orders/{reference}", "/points/admin/"):
        assert shopper.page.request.get(demo.url + path).status == 404
    token = shopper.page.locator("input[name=csrf_token]").first.input_value()
    for path in (f"/clerk/returns/{reference}-R1/confirm", f"/clerk/orders/{reference}/ship"):
        assert shopper.page.request.post(demo.url + path, form={"csrf_token": token}).status == 404
    other = new_shopper("cust_42")
    for path in (f"/orders/{reference}/return", f"/orders/{reference}/receipt"):
        assert other.page.request.get(demo.url + path).status == 404
    assert demo.points() == (2073, 0)


def keep(page: Page, name: str, count: int) -> None:
    page.get_by_label(f"How many {name} stay").fill(str(count))
    page.get_by_role("button", name="Make the order smaller").click()


@pytest.mark.scenario("T50", "an order is made smaller after its points were taken: their share and the money go back")
def test_a_clerk_takes_something_out_of_an_order(shopper: Shopper, demo: Demo, axe: Callable[..., None]) -> None:
    shopper.fill_cart("pilz", "koecher", points=427)
    reference = shopper.place_order("card")
    page = behind_the_counter(shopper, reference)
    axe(page)
    keep(page, "Köcher", 0)
    expect(page.get_by_role("status").first).to_contain_text("Changed")
    # 18.45 less; the order stays paid in the proportion it was: by 4.27 of 102.80.
    ((points, money),) = demo.shop_rows("SELECT points, money_minor FROM order_changes")
    assert points + money == 1845
    assert demo.points() == (2073 + points, 0)
    assert demo.journal_rows("SELECT reference, state, points, money_minor, psp_reference FROM punktgenau_return") == [
        ("amend-2", "done", points, money, f"refund-{reference}-amend-2")
    ]
    # Nothing less, everything, and an old page change nothing.
    keep(page, "Pilz", 1)
    expect(page.get_by_role("status").first).to_contain_text("Nothing was changed")
    keep(page, "Pilz", 0)
    expect(page.get_by_role("status").first).to_contain_text("Nothing was changed")
    assert demo.shop_rows("SELECT count(*) FROM order_changes") == [(1,)]
    page.get_by_role("button", name="Send the parcel").first.click()
    shopper.open(f"/orders/{reference}/receipt")
    expect(page.locator(".receipt-lines tfoot")).to_contain_text("€84.35")
    # What is left comes back as the order is now.
    ask_for(shopper, reference, "Pilz")
    shopper.open(f"/clerk/orders/{reference}")
    page.get_by_role("button", name="Confirm the return").click()
    assert demo.points() == (2500, 0)
    assert demo.shop_rows("SELECT points, money_minor FROM returns") == [(427 - points, 9853 - money)]
