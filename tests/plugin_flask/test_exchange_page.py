"""Points for a voucher or for money, from the customer's page: done once, the code told and kept nowhere."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape

import pytest

from _small_shop import Provider, SmallShop, Visitor, hidden


def shown(page: str) -> str:
    """What a person reads: the text, without tags, blanks as one."""
    body = re.sub(r"<(script|style|head).*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def form_of(visitor: Visitor, wanted: str = "product=voucher_10") -> str:
    return hidden(visitor.browser.get(f"/points/exchange?{wanted}").text, "form")


def buy(visitor: Visitor, form: str, *, product: str = "voucher_10", points: object = 1000):  # type: ignore[no-untyped-def]
    return visitor.post("/points/voucher", form=form, product=product, points=points)


def code_on(page: str) -> str:
    found = re.search(r'class="pg-code">([0-9A-Z-]+)<', page)
    assert found is not None, page
    return found[1]


def test_the_page_says_what_it_costs_and_what_is_left_over(anna: Visitor) -> None:
    page = shown(anna.browser.get("/points/exchange").text)
    assert "Available 2,500 Worth €25.00" in page
    assert "€10.00 for 1,000 points What an order leaves over is lost. Choose" in page
    assert "€50.00 for 5,000 points What an order leaves over stays on it. 2,500 points more are needed." in page
    assert 'href="/points/exchange"' in anna.browser.get("/points/history").text


@pytest.mark.scenario("S15", "a voucher's code is in the answer to its form, and in no session, log or later page")
def test_a_voucher_is_bought_once_and_its_code_shown_once(
    anna: Visitor, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.NOTSET)
    form = form_of(anna)
    answer = buy(anna, form)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    code = code_on(answer.text)
    assert "Your voucher over €10.00" in shown(answer.text)
    assert "It pays in this shop as well" in shown(answer.text)
    assert provider.available() == 1500
    # The same page loaded again is the same wish.
    again = buy(anna, form)
    assert (code_on(again.text), provider.available()) == (code, 1500)
    later = anna.browser.get("/points/exchange").text
    assert "€10.00 left, good until" in shown(later)
    with anna.browser.session_transaction() as kept:
        session = str(dict(kept))
    for text in (later, session, caplog.text, anna.browser.get("/points/history").text):
        assert code not in text
        assert code.replace("-", "") not in text


def test_money_is_asked_for_and_what_became_of_it_is_shown(anna: Visitor, provider: Provider, small: SmallShop) -> None:
    answer = anna.post("/points/payout", form=form_of(anna), points="500")
    assert (answer.status_code, answer.location) == (303, "/points/exchange")
    assert provider.available() == 2000
    page = shown(anna.browser.get("/points/exchange").text)
    assert "€5.00 for 500 points DE… 4711 On its way" in page
    listed = provider.control("GET", "/payouts")
    assert isinstance(listed, dict)
    provider.control(
        "POST", f"/payouts/{listed['items'][0]['id']}", {"state": "rejected", "reason": "The account is closed"}
    )
    small.clock.shift = timedelta(days=1)
    with small.app.app_context():
        small.points.checkout.recover(due_only=True)
    page = shown(anna.browser.get("/points/exchange").text)
    assert "Not possible; the points are back. The account is closed" in page
    assert provider.available() == 2500


@pytest.mark.parametrize(
    ("path", "data", "status", "said"),
    [
        ("/points/payout", {"points": "2501"}, 409, "Fewer points are available in your account."),
        ("/points/payout", {"points": "1.5"}, 409, "digits"),
        ("/points/payout", {"points": "all"}, 409, "digits"),
        ("/points/payout", {"points": ""}, 409, "points"),
        ("/points/voucher", {"product": "voucher_50", "points": "5000"}, 409, "Fewer points are available"),
        ("/points/voucher", {"product": "voucher_10", "points": "1"}, 409, "has changed"),
        ("/points/voucher", {"product": "<b>", "points": "1000"}, 409, "does not know this voucher"),
        ("/points/voucher", {"product": "", "points": "1000"}, 409, "can’t use this entry"),
    ],
)
def test_what_does_not_work_is_said_and_nothing_has_left(
    anna: Visitor, provider: Provider, path: str, data: dict[str, str], status: int, said: str
) -> None:
    answer = anna.post(path, form=form_of(anna), **data)
    assert answer.status_code == status
    assert said in shown(answer.text), shown(answer.text)
    assert provider.available() == 2500


def test_a_form_that_was_made_up_does_nothing(anna: Visitor, provider: Provider) -> None:
    for form in ("", "x", "../../etc", "f" * 65):
        assert buy(anna, form).status_code == 409
    assert (
        anna.browser.post(
            "/points/voucher", data={"form": "f" * 16, "product": "voucher_10", "points": 1000}
        ).status_code
        == 400
    )
    assert provider.available() == 2500


def test_a_lost_answer_is_told_as_unknown_and_the_form_stays_the_same(anna: Visitor, provider: Provider) -> None:
    form = form_of(anna)
    provider.fault("buy_voucher", "reset", when="after", times=9)
    answer = buy(anna, form)
    assert "we could not confirm yet what became of them. None are lost" in shown(answer.text)
    assert "pg-code" not in answer.text
    assert hidden(answer.text, "form") == form
    provider.no_faults()
    assert code_on(buy(anna, form).text)
    assert provider.available() == 1500


def test_what_is_unknown_is_told_where_the_provider_is_away_altogether(anna: Visitor, provider: Provider) -> None:
    form = form_of(anna)
    provider.fault("buy_voucher", "reset", when="after", times=9)
    provider.fault("vouchers", "status_503", times=9)
    page = shown(buy(anna, form).text)
    assert "1,000 points: we could not confirm yet what became of them. None are lost" in page
    assert "not affected" not in page
    assert "Get this voucher" not in page


def test_who_is_not_linked_is_shown_the_way(small: SmallShop, provider: Provider) -> None:
    ben = small.visitor("ben")
    page = ben.browser.get("/points/exchange").text
    assert "Link points account" in page
    assert buy(ben, "f" * 16).status_code == 409
    assert provider.available() == 2500


def test_nobody_sees_what_somebody_else_has(small: SmallShop, anna: Visitor) -> None:
    buy(anna, form_of(anna))
    small.link("ben", member_id="mbr_42")
    page = shown(small.visitor("ben").browser.get("/points/exchange").text)
    assert "Your vouchers" not in page
    assert "Available 42" in page


def test_where_the_provider_is_away_the_page_says_so(small: SmallShop, anna: Visitor, provider: Provider) -> None:
    anna.browser.get("/points/exchange")
    provider.fault("voucher_products", "status_503", times=9)
    answer = anna.browser.get("/points/exchange")
    assert answer.status_code == 200
    assert "This can't be shown right now. Your points are not affected." in shown(answer.text)


def test_a_provider_that_offers_neither_has_no_such_page_on_offer(make_shop: Callable[..., SmallShop]) -> None:
    small = make_shop(PUNKTGENAU_PROVIDER_PROFILE="points_only")
    small.link()
    anna = small.visitor("anna")
    assert "/points/exchange" not in anna.browser.get("/points/history").text


@pytest.mark.parametrize(
    ("language", "title"), [("de", "Gutscheine und Geld für Punkte"), ("zh", "积分换代金券或现金")]
)
def test_it_speaks_the_customers_language(anna: Visitor, language: str, title: str) -> None:
    page = anna.browser.get("/points/exchange", headers={"Accept-Language": language}).text
    assert title in page
    assert "Get this voucher" not in page


def test_what_cannot_be_undone_is_said_once_more_before_it_is_done(anna: Visitor, provider: Provider) -> None:
    page = anna.browser.get("/points/exchange?product=voucher_10&next=/cart").text
    said = shown(page)
    assert (
        "1,000 points for a voucher over €10.00 The points leave your account at once, and this can’t be undone."
        in said
    )
    assert "What an order leaves over is lost. Stays in your account 1,500 points Get this voucher" in said
    assert 'href="/points/exchange?next=/cart"' in page
    said = shown(anna.browser.get("/points/exchange?points=427").text)
    assert "427 points for €4.27 The points leave your account at once, and this can’t be undone." in said
    assert "Stays in your account 2,073 points Ask for the money" in said
    assert provider.available() == 2500


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("points=2501", "Fewer points are available in your account."),
        ("points=1.5", "digits"),
        ("points=all", "digits"),
        ("points=", "points"),
        ("product=voucher_50", "Fewer points are available"),
        ("product=%3Cb%3E", "does not know this voucher"),
    ],
)
def test_what_does_not_work_is_said_at_the_first_step(anna: Visitor, query: str, said: str) -> None:
    answer = anna.browser.get(f"/points/exchange?{query}")
    assert answer.status_code == 409
    assert said in shown(answer.text)
    assert 'name="form"' not in answer.text


def test_the_page_says_whether_vouchers_count_here(make_shop: Callable[..., SmallShop], anna: Visitor) -> None:
    said = shown(anna.browser.get("/points/exchange").text)
    assert "Vouchers pay at the checkout of this shop, before points do" in said
    assert "2,500 points are worth €25.00." in said
    small = make_shop(PUNKTGENAU_VOUCHERS="0")
    said = shown(small.visitor("anna").browser.get("/points/exchange").text)
    assert "The checkout of this shop takes no vouchers." in said
