"""Points that came back expired and are given anew, as the back office tells of them; a refusal is settled there.

One lamp for 59.90 paid with 427 points; 20.00 of it back: 142 points (427 x 2000 / 5990 = 142.57, rounded down).
"""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from _office_shop import OPERATOR
from _small_shop import SmallShop, Visitor, cart_of
from flask_punktgenau import Punktgenau
from punktgenau import ConfigurationError
from punktgenau.checkout.office import Office


@pytest.fixture
def more_config() -> dict[str, str]:
    return {"PUNKTGENAU_EXPIRED_POINTS": "new_points"}


@pytest.fixture
def shop(open_shop: SmallShop) -> SmallShop:
    """A shop that gives new points, and a member whose points have expired since they paid with them."""
    small, sandbox = open_shop, open_shop.provider
    now = sandbox.control("GET", "/clock")["now"]  # type: ignore[index]
    until = (datetime.fromisoformat(now) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    sandbox.control("POST", "/members", {"id": "mbr_soon", "lots": [{"points": 427, "expires_at": until}]})
    small.link("anna", "mbr_soon")
    small.shop.order("A-1", state="paid", customer_id="anna")
    with small.app.app_context():
        small.points.authorize("A-1", cart_of(5990), points=427, customer_id="anna")
        small.points.capture("A-1")
    sandbox.control("POST", "/clock", {"advance_s": 2 * 86_400})
    return small


def block(shop: SmallShop, state: str) -> None:
    shop.provider.control("POST", "/members", {"id": "mbr_soon", "state": state})


def page_of(mira: Visitor, shop: SmallShop) -> str:
    with shop.app.app_context():
        (found,) = Office(shop.points.checkout).searching.attempts("A-1")
    return f"/points/admin/redemptions/{found.id}"


def read(mira: Visitor, path: str) -> str:
    return mira.browser.get(path).text.replace("\xa0", " ")


WORDS = {
    "en": ("142 points credited in the place of expired ones", "New for expired ones: 142 points, credited"),
    "de": ("142 Punkte neu für verfallene gutgeschrieben", "Neu für verfallene: 142 Punkte, gutgeschrieben"),
    "zh": ("已存入 142 积分 以替代过期积分", "补发过期积分：142 积分，已存入"),
}


@pytest.mark.parametrize("language", WORDS)
def test_the_story_tells_of_new_points(shop: SmallShop, mira: Visitor, language: str) -> None:
    mira.browser.environ_base["HTTP_ACCEPT_LANGUAGE"] = language
    with shop.app.app_context():
        refund = shop.points.refund("A-1", return_reference="R-1", amount_minor=2000)
    assert refund is not None
    assert (refund.new_points, refund.new_points_state) == (142, "posted")
    page = read(mira, page_of(mira, shop))
    for words in WORDS[language]:
        assert words in page
    assert "story.accrue" not in page
    csv = mira.browser.get("/points/admin/redemptions.csv").text
    heads, row = (line.split(",") for line in csv.strip("\ufeff\r\n").splitlines())
    assert dict(zip(heads, row, strict=True))["new_points"] == "142"


def test_refused_new_points_are_listed_and_settled(shop: SmallShop, mira: Visitor) -> None:
    mira.browser.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    block(shop, "blocked")
    with shop.app.app_context():
        refund = shop.points.refund("A-1", return_reference="R-1", amount_minor=2000)
    assert refund is not None
    assert refund.new_points_state == "declined"
    waiting = read(mira, "/points/admin/attention")
    assert "New points that were not given" in waiting
    assert "R-1" in waiting
    one = page_of(mira, shop)
    assert "The customer has them" in read(mira, one)
    # Who is in a hurry sees it first, with what to do.
    assert "1 matter needs a person</a>" in read(mira, "/points/admin/")
    assert "needs a person</a></p>" not in read(mira, "/points/admin/?q=A-1")
    assert "What is to be done" in read(mira, one)
    assert "ask once more, say that the customer has them, or pay their worth in money." in read(mira, one)
    said = {"return_reference": "R-1", "as": "not_given"}
    assert mira.post(f"{one}/settle", **said).status_code == 409
    block(shop, "active")
    assert mira.post(f"{one}/settle", **said, reason="unblocked").status_code == 303
    assert "New for expired ones: 142 points, credited" in read(mira, one)
    assert "New points that were not given" not in read(mira, "/points/admin/attention")
    assert "were not given." not in read(mira, one)
    assert "needs a person</a></p>" not in read(mira, "/points/admin/")
    assert shop.provider.available("mbr_soon") == 142
    assert mira.post(f"{one}/settle", **said, reason="again").status_code == 409
    with shop.app.app_context():
        (action,) = Office(shop.points.checkout).log()
    assert (action.kind, action.actor, action.reason) == ("new_points_again", OPERATOR, "unblocked")


def test_what_the_customer_has_is_written_down_with_a_name(shop: SmallShop, mira: Visitor) -> None:
    block(shop, "blocked")
    with shop.app.app_context():
        shop.points.refund("A-1", return_reference="R-1", amount_minor=2000)
    one = page_of(mira, shop)
    said = {"return_reference": "R-1", "as": "given", "reason": "credited by their service"}
    assert mira.post(f"{one}/settle", **said).status_code == 303
    with shop.app.app_context():
        (refund,) = shop.points.refunds("A-1")
        (action,) = Office(shop.points.checkout).log()
    assert (refund.new_points_state, action.kind, action.actor) == ("posted", "new_points_given", OPERATOR)
    assert shop.provider.available("mbr_soon") == 0


def test_what_is_not_given_may_be_paid_in_money(shop: SmallShop, mira: Visitor) -> None:
    mira.browser.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    block(shop, "blocked")
    with shop.app.app_context():
        shop.points.refund("A-1", return_reference="R-1", amount_minor=2000)
        shop.points.money_refunded("A-1", return_reference="R-1", psp_reference="psp_1")
    one = page_of(mira, shop)
    assert "Pay €1.42 instead" in read(mira, one)
    assert (
        mira.post(f"{one}/settle", return_reference="R-1", reason="blocked for good", **{"as": "money"}).status_code
        == 303
    )
    assert "€1.42 to pay back" in read(mira, one)
    with shop.app.app_context():
        (action,) = Office(shop.points.checkout).log()
    assert (action.kind, action.actor, action.reason) == ("settle_return", OPERATOR, "blocked for good")


def test_new_points_that_wait_are_asked_for_at_once(shop: SmallShop, mira: Visitor) -> None:
    mira.browser.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    shop.provider.fault("accrue", "reset", when="after", times=20)
    with shop.app.app_context():
        shop.points.refund("A-1", return_reference="R-1", amount_minor=2000)
    one = page_of(mira, shop)
    assert '<button class="pga-button" name="as" value="now">Try now</button>' in read(mira, one)
    said = {"return_reference": "R-1", "as": "now", "reason": "the customer asks"}
    shop.provider.no_faults()
    assert mira.post(f"{one}/settle", **said).status_code == 303
    assert "New for expired ones: 142 points, credited" in read(mira, one)
    # Under the same key: what was lost on its way back was not given twice.
    assert shop.provider.available("mbr_soon") == 142
    with shop.app.app_context():
        (action,) = Office(shop.points.checkout).log()
    assert (action.kind, action.actor, action.reason) == ("retry", OPERATOR, "the customer asks")
    refused = mira.post(f"{one}/settle", **said)
    assert refused.status_code == 409
    assert "New points of return R-1 wait for nothing" in refused.text


def test_nothing_is_erased_while_new_points_are_not_given(shop: SmallShop) -> None:
    block(shop, "blocked")
    with shop.app.app_context():
        shop.points.refund("A-1", return_reference="R-1", amount_minor=2000)
        shop.points.money_refunded("A-1", return_reference="R-1", psp_reference="psp_1")
        office = Office(shop.points.checkout)
        with pytest.raises(Exception, match="open"):
            office.personal.erase("anna", actor="clerk", return_days=0)
        (told,) = office.personal.export("anna").returns
    assert told["new_points"] == 142


def test_where_shops_give_no_points_the_app_is_not_made(shop: SmallShop) -> None:
    config = {
        "PUNKTGENAU_PROVIDER_URL": shop.provider.url,
        "PUNKTGENAU_CLIENT_ID": "demo-shop",
        "PUNKTGENAU_CLIENT_SECRET": "demo-secret",
        "PUNKTGENAU_PROVIDER_PROFILE": "no_accruals",
        "PUNKTGENAU_EXPIRED_POINTS": "new_points",
    }
    app = type(shop.app)("fresh")
    app.config.update(config)
    with pytest.raises(ConfigurationError) as caught:
        Punktgenau().init_app(app)
    assert caught.value.field == "PUNKTGENAU_EXPIRED_POINTS"
