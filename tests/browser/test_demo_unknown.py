"""The answer about holding points is lost: the page, both ways on, recovery, and what the books say afterwards."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from _demo import Demo
from _shopper import Shopper
from _source import ROOT

NewShopper = Callable[..., Shopper]
SAID = {
    "de-DE": ("Wir konnten Ihre Punkte noch nicht bestätigen. Es gehen keine verloren.", "Erneut versuchen",
              "Ohne Punkte fortfahren"),
    "en-GB": ("We could not confirm your points yet. None are lost.", "Try again", "Go on without points"),
    "zh-CN": ("我们暂时无法确认您的积分。积分不会丢失。", "重试", "不使用积分继续"),
}  # fmt: skip


def place_with_a_lost_answer(shopper: Shopper) -> str:
    """The engine asks three times in one call, so three answers have to be lost."""
    shopper.fill_cart("pilz", "karo", points=427)
    shopper.demo.fault("authorize", "reset", times=3)
    reference = shopper.place_order("card")
    shopper.expect_situation("unconfirmed")
    return reference


@pytest.mark.parametrize("locale", SAID)
def test_the_page_says_in_three_languages_that_nothing_is_lost(
    new_shopper: NewShopper, demo: Demo, locale: str
) -> None:
    shopper = new_shopper(locale=locale)
    reference = place_with_a_lost_answer(shopper)
    sentence, again, without = SAID[locale]
    expect(shopper.box.get_by_text(sentence)).to_be_visible()
    expect(shopper.box.get_by_role("button", name=again)).to_be_visible()
    expect(shopper.box.get_by_role("button", name=without)).to_be_visible()
    # Nothing can be paid on a guess, nothing was, and the cart became this order.
    expect(shopper.page.locator("form.pay")).to_have_count(0)
    assert demo.ledger() == [(reference, "authorized", 427)]
    assert demo.journal() == [(reference, "authorizing", 427)]
    assert demo.payments() == [("card", "stopped", None)]
    assert demo.journal_rows("SELECT outcome, sends FROM punktgenau_operation") == [("unknown", 3)]


def test_the_drawer_loses_the_answer(shopper: Shopper, demo: Demo) -> None:
    shopper.fill_cart("pilz", points=427)
    shopper.open("/cart")
    shopper.press_in_drawer("lose_answer")
    reference = shopper.place_order("card")
    shopper.expect_situation("unconfirmed")
    shopper.page.locator("[data-drawer] summary").click()
    asked = shopper.page.locator(".drawer-books tr", has_text=reference).filter(has_text="no answer")
    expect(asked).to_have_count(3)
    assert demo.points() == (2073, 427)


@pytest.mark.scenario("N6", "answer lost after the hold: 'try again' finds the one hold, and the order ships once")
def test_try_again_finds_the_one_hold(shopper: Shopper, demo: Demo) -> None:
    reference = place_with_a_lost_answer(shopper)
    shopper.box.get_by_role("button", name="Try again").click()
    expect(shopper.page.get_by_role("button", name="Pay €88.45")).to_be_visible()
    assert demo.ledger() == [(reference, "authorized", 427)]
    shopper.pay_again("card")
    shopper.expect_situation("paid")
    assert demo.open_operations() == 0
    # What the order earns, and a welcome; of its points there is nothing left to do.
    done = demo.recover()
    assert (done.finished, done.still_open) == (2, 0)
    assert demo.ledger() == [(reference, "captured", 427)]
    assert demo.journal() == [(reference, "captured", 427)]
    assert demo.payments()[-1] == ("card", "accepted", 8845)

    token = shopper.page.locator("form[action='/demo/ship'] input[name=csrf_token]").get_attribute("value")
    shopper.press_in_drawer("ship")
    shopper.expect_situation("shipped")
    (((shipped_at,),)) = demo.shop_rows("SELECT shipped_at FROM orders")
    # The same form once more, by hand: the parcel has left.
    again = shopper.page.request.post(
        f"{demo.url}/demo/ship", form={"csrf_token": token or "", "order_reference": reference}
    )
    assert again.ok
    assert demo.shop_rows("SELECT shipped_at FROM orders") == [(shipped_at,)]


def test_go_on_without_points_is_charged_in_full_and_nothing_stays_held(shopper: Shopper, demo: Demo) -> None:
    reference = place_with_a_lost_answer(shopper)
    shopper.box.get_by_role("button", name="Go on without points").click()
    expect(shopper.page.get_by_role("button", name="Pay €92.72")).to_be_visible()
    shopper.pay_again("card")
    shopper.expect_situation("paid")
    assert demo.points() == (2500, 0)
    assert demo.ledger() == [(reference, "cancelled", 427)]
    assert demo.journal() == [(reference, "abandoned", 427)]
    assert demo.open_operations() == 0
    assert demo.payments()[-1] == ("card", "accepted", 9272)


@pytest.mark.scenario("C4", "'go on without points' in a silence: charged in full, and recovery gives the hold back")
def test_without_points_while_the_provider_stays_silent(shopper: Shopper, demo: Demo) -> None:
    reference = place_with_a_lost_answer(shopper)
    demo.fault("cancel_by_key", "reset", when="before", times=6)
    shopper.box.get_by_role("button", name="Go on without points").click()
    shopper.pay_again("card")
    shopper.expect_situation("paid")
    assert demo.journal() == [(reference, "abandoning", 427)]
    assert demo.points() == (2073, 427)
    # The cancellation; besides, what the order earns and a welcome.
    done = demo.recover()
    assert (done.finished, done.still_open) == (3, 0)
    assert demo.points() == (2500, 0)
    assert demo.journal() == [(reference, "abandoned", 427)]
    shopper.press_in_drawer("ship")
    shopper.expect_situation("shipped")


@pytest.mark.scenario("C5", "nobody clicks: the worker finds the hold, and the order's page goes on with it")
def test_the_worker_resolves_it_when_nobody_clicks(shopper: Shopper, demo: Demo) -> None:
    reference = place_with_a_lost_answer(shopper)
    demo.later(60)
    command = [*demo.command("worker"), "--every", "0.1"]
    with subprocess.Popen(command, cwd=ROOT, env=demo.environment, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        said = [worker.stdout.readline(), worker.stdout.readline()]
        worker.terminate()
        said += worker.stdout.readlines()
        assert worker.wait(20) == 0
    assert said[0] == "The worker is at work.\n"
    assert said[1].startswith("finished 1, still open 0")
    assert said[-1] == "The worker has ended.\n"
    assert demo.journal() == [(reference, "authorized", 427)]
    shopper.open(f"/orders/{reference}")
    shopper.expect_situation("unpaid")
    shopper.pay_again("card")
    shopper.expect_situation("paid")
    assert demo.ledger() == [(reference, "captured", 427)]


@pytest.mark.scenario("N7", "the answer is lost and nothing was held: trying again holds once")
def test_the_request_never_arrived(shopper: Shopper, demo: Demo) -> None:
    shopper.fill_cart("pilz", "karo", points=427)
    demo.fault("authorize", "reset", when="before", times=3)
    reference = shopper.place_order("card")
    shopper.expect_situation("unconfirmed")
    assert demo.ledger() == []
    shopper.box.get_by_role("button", name="Try again").click()
    shopper.expect_situation("unpaid")
    assert demo.ledger() == [(reference, "authorized", 427)]


def test_wholly_by_points_goes_on_after_trying_again(shopper: Shopper, demo: Demo) -> None:
    shopper.fill_cart("koecher", points=2335)
    demo.fault("authorize", "reset", times=3)
    shopper.open("/checkout")
    shopper.order_and_pay()
    reference = shopper.on_order()
    shopper.box.get_by_role("button", name="Try again").click()
    expect(shopper.page.locator("input[name=method]").first).to_be_hidden()
    shopper.page.get_by_role("button", name="Pay with points").click()
    shopper.expect_situation("paid")
    assert demo.ledger() == [(reference, "captured", 2335)]
    assert demo.payments() == [("none", "stopped", None), ("none", "accepted", 0)]


@pytest.mark.scenario("T30", "cancelled while nobody knows: whatever was held is given back")
def test_cancel_while_nobody_knows(shopper: Shopper, demo: Demo) -> None:
    reference = place_with_a_lost_answer(shopper)
    shopper.page.get_by_role("button", name="Cancel order").click()
    shopper.expect_situation("cancelled")
    assert demo.points() == (2500, 0)
    assert demo.ledger() == [(reference, "cancelled", 427)]
    assert demo.journal() == [(reference, "abandoned", 427)]


@pytest.mark.scenario("C8", "the capture's answer is lost: paid, not shipped, captured once by recovery, then shipped")
def test_nothing_is_shipped_before_the_points_are_captured(shopper: Shopper, demo: Demo) -> None:
    shopper.fill_cart("pilz", points=427)
    demo.fault("capture", "reset", times=3)
    reference = shopper.place_order("card")
    shopper.expect_situation("paid")
    assert demo.journal() == [(reference, "capturing", 427)]
    shopper.press_in_drawer("ship")
    expect(shopper.page.locator(".drawer-said")).to_contain_text("Not yet")
    shopper.expect_situation("paid")
    demo.recover()
    assert demo.journal() == [(reference, "captured", 427)]
    assert demo.ledger() == [(reference, "captured", 427)]
    shopper.press_in_drawer("ship")
    shopper.expect_situation("shipped")


@pytest.mark.scenario("S2", "somebody else's order does not exist, and its points stay as they are")
def test_somebody_elses_order_is_not_found(
    new_shopper: NewShopper, demo: Demo, allow_console: Callable[[str], None]
) -> None:
    allow_console("404")
    shopper = new_shopper()
    reference = place_with_a_lost_answer(shopper)
    stranger = new_shopper("cust_42")
    stranger.open(f"/orders/{reference}")
    expect(stranger.page.get_by_role("heading", level=1)).to_have_text("There is no such page")
    stranger.add("karo")
    token = stranger.page.locator("input[name=punktgenau_csrf]").first.get_attribute("value") or ""
    for way in ("retry", "without"):
        answer = stranger.page.request.post(
            f"{demo.url}/points/{way}",
            form={"punktgenau_csrf": token, "order_reference": reference},
            headers={"Origin": demo.url},
        )
        assert answer.status == 404
    stranger.open("/orders")
    expect(stranger.page.get_by_text(re.compile(reference))).to_have_count(0)
    assert demo.journal() == [(reference, "authorizing", 427)]
