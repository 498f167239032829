"""The shop in one file, without and with points: both sell, and the difference stays small enough to read."""

from __future__ import annotations

import difflib
import importlib.util
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient

from _small_shop import CREDENTIALS, Provider, hidden
from flask_punktgenau.cli import punktgenau

FOLDER = Path(__file__).parents[2] / "examples" / "your_shop"
CART_MINOR = 4990 + 725
GOOD_CARD, BAD_CARD = "4111", "5111"


@pytest.fixture
def load(tmp_path: Path, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Flask]:
    """load("before"): that file as an app, with data of its own."""
    monkeypatch.setenv("SHOP_DATABASE", str(tmp_path / "shop.sqlite"))
    monkeypatch.setenv("PUNKTGENAU_PROVIDER_URL", provider.url)
    monkeypatch.setenv("PUNKTGENAU_DATABASE_URL", f"sqlite:///{tmp_path / 'journal.sqlite'}")
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)

    def load(name: str) -> Flask:
        spec = importlib.util.spec_from_file_location(f"your_shop_{name}", FOLDER / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, spec.name, module)
        spec.loader.exec_module(module)
        app = module.app
        assert isinstance(app, Flask)
        if name == "after":
            assert app.test_cli_runner().invoke(punktgenau, ["upgrade"]).exit_code == 0
        return app

    return load


def fill_cart(app: Flask) -> FlaskClient:
    browser = app.test_client()
    browser.get("/sign-in/anna")
    for sku in ("lamp", "pot"):
        browser.post("/cart", data={"sku": sku})
    assert "57.15 EUR" in browser.get("/").text
    return browser


def place(browser: FlaskClient, card: str) -> str:
    """Place the order; its reference."""
    answer = browser.post("/orders", data={"card": card})
    assert answer.status_code == 303, answer.text
    assert answer.location is not None
    return answer.location.removeprefix("/orders/")


def use_points(browser: FlaskClient, provider: Provider, points: int) -> None:
    """Link the account at the provider, and choose a number on the cart page."""
    there = browser.get("/points/connect?next=/").location
    assert there is not None
    query = {"state": parse_qs(urlsplit(there).query)["state"][0], "code": provider.agree(there)}
    assert browser.get("/points/callback", query_string=query).location == "/"
    token = hidden(browser.get("/").text, "punktgenau_csrf")
    browser.post("/points/apply", data={"points": points, "next": "/", "punktgenau_csrf": token})


def order_of(tmp_path: Path, reference: str) -> tuple[str, int]:
    """State and charged amount, from the shop's own database."""
    connection = sqlite3.connect(tmp_path / "shop.sqlite")
    try:
        row = connection.execute("SELECT state, charged_minor FROM orders WHERE reference = ?", (reference,)).fetchone()
    finally:
        connection.close()
    return str(row[0]), int(row[1])


@pytest.mark.parametrize("name", ["before", "after"])
def test_both_sell(load: Callable[[str], Flask], tmp_path: Path, provider: Provider, name: str) -> None:
    browser = fill_cart(load(name))
    reference = place(browser, BAD_CARD)
    assert order_of(tmp_path, reference) == ("pending", 0)
    browser.post(f"/orders/{reference}/pay", data={"card": GOOD_CARD})
    assert order_of(tmp_path, reference) == ("paid", CART_MINOR)
    assert browser.get(f"/orders/{reference}").status_code == 200
    assert browser.get("/orders/another").status_code == 404
    assert provider.redemptions() == []


def test_points_pay_a_part_and_come_back_when_the_order_is_cancelled(
    load: Callable[[str], Flask], tmp_path: Path, provider: Provider
) -> None:
    browser = fill_cart(load("after"))
    use_points(browser, provider, 427)
    assert "€52.88" in browser.get("/").text
    reference = place(browser, GOOD_CARD)
    assert order_of(tmp_path, reference) == ("paid", 5288)
    assert provider.states(reference) == [("captured", 427)]
    assert "427" in browser.get(f"/orders/{reference}").text
    browser.post(f"/orders/{reference}/cancel")
    assert provider.states(reference) == [("reversed", 427)]
    assert provider.available() == 2500


def test_a_declined_card_and_then_a_good_one(load: Callable[[str], Flask], tmp_path: Path, provider: Provider) -> None:
    browser = fill_cart(load("after"))
    use_points(browser, provider, 427)
    reference = place(browser, BAD_CARD)
    assert provider.available() == 2500
    browser.post(f"/orders/{reference}/pay", data={"card": GOOD_CARD})
    assert order_of(tmp_path, reference) == ("paid", 5288)
    assert provider.states(reference) == [("captured", 427), ("voided", 427)]


def test_an_answer_that_is_lost_leaves_the_choice_to_the_customer(
    load: Callable[[str], Flask], tmp_path: Path, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUNKTGENAU_DEADLINE_S", "0.5")
    browser = fill_cart(load("after"))
    use_points(browser, provider, 427)
    provider.fault("authorize", "reset", when="after", times=50)
    answer = browser.post("/orders", data={"card": GOOD_CARD})
    assert answer.status_code == 503
    reference = hidden(answer.text, "order_reference")
    assert order_of(tmp_path, reference) == ("pending", 0)
    provider.no_faults()
    token = hidden(answer.text, "punktgenau_csrf")
    answer = browser.post("/points/retry", data={"order_reference": reference, "punktgenau_csrf": token})
    assert answer.location == f"/orders/{reference}"
    browser.post(f"/orders/{reference}/pay", data={"card": GOOD_CARD})
    assert order_of(tmp_path, reference) == ("paid", 5288)
    assert provider.states(reference) == [("captured", 427)]


def test_the_difference_is_what_it_says_to_be() -> None:
    before, after = ((FOLDER / f"{name}.py").read_text("utf-8").splitlines() for name in ("before", "after"))
    changes = list(difflib.ndiff(before, after))
    added = [line for line in changes if line.startswith("+ ") and line.strip("+ ")]
    removed = [line for line in changes if line.startswith("- ")]
    assert len(added) <= 45
    assert len(removed) <= 6


@pytest.mark.parametrize("card", [GOOD_CARD, BAD_CARD])
@pytest.mark.scenario("K1", "a second tab pays the same order while the first one's card is asked: charged once")
def test_two_tabs_pay_one_order_at_once(
    load: Callable[[str], Flask], tmp_path: Path, provider: Provider, card: str
) -> None:
    app = load("after")
    browser = fill_cart(app)
    use_points(browser, provider, 427)
    reference = place(browser, BAD_CARD)
    tab = app.test_client()
    tab.get("/sign-in/anna")
    shop = sys.modules[app.import_name]
    charged: list[int] = []

    def charge(number: str, amount_minor: int) -> bool:
        charged.append(amount_minor)
        if len(charged) == 1:
            assert tab.post(f"/orders/{reference}/pay", data={"card": GOOD_CARD}).status_code == 303
            assert tab.post(f"/orders/{reference}/cancel").status_code == 303
        return number.startswith("4")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shop, "charge", charge)
        browser.post(f"/orders/{reference}/pay", data={"card": card})
    assert charged == [5288]
    if card == GOOD_CARD:
        assert order_of(tmp_path, reference) == ("paid", 5288)
        assert provider.states(reference) == [("captured", 427), ("voided", 427)]
    else:
        assert order_of(tmp_path, reference) == ("pending", 0)
        assert provider.states(reference) == [("voided", 427), ("voided", 427)]
        assert provider.available() == 2500


@pytest.mark.parametrize("name", ["before", "after"])
@pytest.mark.scenario("K1", "two tabs order the same cart at once: one order, one hold, charged once")
def test_two_tabs_order_the_same_cart(
    load: Callable[[str], Flask], tmp_path: Path, provider: Provider, name: str
) -> None:
    app = load(name)
    browser = fill_cart(app)
    if name == "after":
        use_points(browser, provider, 427)
    kept = browser.get_cookie("session")
    assert kept is not None
    first = place(browser, GOOD_CARD)
    # The other tab's form left before the first one's answer came: with the same cookie.
    browser.set_cookie("session", kept.value)
    assert place(browser, GOOD_CARD) == first
    connection = sqlite3.connect(tmp_path / "shop.sqlite")
    orders = connection.execute("SELECT reference, state, charged_minor FROM orders").fetchall()
    connection.close()
    assert orders == [(first, "paid", CART_MINOR if name == "before" else 5288)]
    assert len(provider.redemptions()) == (0 if name == "before" else 1)


def test_the_same_things_may_be_ordered_twice(load: Callable[[str], Flask], tmp_path: Path) -> None:
    app = load("before")
    browser = fill_cart(app)
    first = place(browser, GOOD_CARD)
    for sku in ("lamp", "pot"):
        browser.post("/cart", data={"sku": sku})
    second = place(browser, GOOD_CARD)
    assert [order_of(tmp_path, reference) for reference in (first, second)] == [("paid", CART_MINOR)] * 2
    assert first != second


@pytest.mark.scenario("S2", "pay, cancel and look at somebody else's order: 404, and its points stay held")
def test_somebody_elses_order_keeps_its_points(load: Callable[[str], Flask], provider: Provider) -> None:
    app = load("after")
    browser = fill_cart(app)
    use_points(browser, provider, 427)
    shop = sys.modules[app.import_name]
    stranger, guest, asked = app.test_client(), app.test_client(), []
    stranger.get("/sign-in/berta")

    def charge(number: str, amount_minor: int) -> bool:
        """While Anna's card is asked, her points are held, and others know her order's reference."""
        (held,) = provider.redemptions()
        path = f"/orders/{held['order_reference']}"
        for other in (stranger, guest):
            asked.append(other.post(f"{path}/pay", data={"card": GOOD_CARD}).status_code)
            asked.append(other.post(f"{path}/cancel").status_code)
            asked.append(other.get(path).status_code)
        assert [one["state"] for one in provider.redemptions()] == ["authorized"]
        return True

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shop, "charge", charge)
        reference = place(browser, GOOD_CARD)
    assert asked == [404] * 6
    assert provider.states(reference) == [("captured", 427)]
