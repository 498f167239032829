"""init_app: what it does, what it leaves alone, two apps in one process, and an app whose points are off."""

from __future__ import annotations

import gc
import logging
import os
import signal
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask import Flask

from _small_shop import CREDENTIALS, Provider, SmallShop, cart_of, make_small_shop
from flask_punktgenau import Punktgenau
from flask_punktgenau.cli import punktgenau as commands
from punktgenau import ConfigurationError, UnavailableError

AWAY = "http://127.0.0.1:9"


def test_init_touches_neither_network_nor_database(tmp_path: Path, provider: Provider) -> None:
    make_small_shop(tmp_path, provider=provider, provider_url=provider.url)
    assert provider.operations() == []
    assert list(tmp_path.iterdir()) == []


def test_a_second_init_is_refused_with_a_sentence() -> None:
    app = Flask("shop")
    points = Punktgenau(app)
    with pytest.raises(ConfigurationError, match="has points already"):
        points.init_app(app)
    with pytest.raises(ConfigurationError, match="has points already"):
        Punktgenau(app)


def test_the_routes_have_their_names() -> None:
    app = Flask("shop")
    Punktgenau(app)
    rules = {(rule.endpoint, rule.rule, *sorted(rule.methods & {"GET", "POST"})) for rule in app.url_map.iter_rules()}
    rules = {rule for rule in rules if not rule[1].startswith("/points/admin/")}
    assert rules - {("static", "/static/<path:filename>", "GET")} == {
        ("punktgenau.static", "/points/static/<path:filename>", "GET"),
        ("punktgenau.panel", "/points/panel", "GET"),
        ("punktgenau.quote", "/points/quote", "GET"),
        ("punktgenau.apply", "/points/apply", "POST"),
        ("punktgenau.remove", "/points/remove", "POST"),
        ("punktgenau.retry", "/points/retry", "POST"),
        ("punktgenau.without", "/points/without", "POST"),
        ("punktgenau.history", "/points/history", "GET"),
        ("punktgenau.exchange", "/points/exchange", "GET"),
        ("punktgenau.voucher", "/points/voucher", "POST"),
        ("punktgenau.payout", "/points/payout", "POST"),
        ("punktgenau.vouchers", "/points/vouchers", "GET"),
        ("punktgenau.add_voucher", "/points/vouchers/add", "POST"),
        ("punktgenau.use_voucher", "/points/vouchers/use", "POST"),
        ("punktgenau.remove_voucher", "/points/vouchers/remove", "POST"),
        ("punktgenau.healthz", "/points/healthz", "GET"),
        ("punktgenau.connect", "/points/connect", "GET"),
        ("punktgenau.callback", "/points/callback", "GET"),
        ("punktgenau.disconnect", "/points/disconnect", "POST"),
        ("punktgenau.webhook", "/points/webhook", "POST"),
    }


def test_two_apps_in_one_process_are_two_shops(make_shop: Callable[..., SmallShop], provider: Provider) -> None:
    one, other = make_shop(name="one"), make_shop(name="other")
    one.link("anna", "mbr_2500")
    other.link("anna", "mbr_42")
    visitor, stranger = one.visitor("anna"), other.visitor("anna")
    visitor.apply("427")
    stranger.apply("42")
    visitor.place("A-1")
    stranger.place("B-1")
    assert provider.states("A-1") == [("captured", 427)]
    assert provider.states("B-1") == [("captured", 42)]
    assert (one.find("B-1"), other.find("A-1")) == (None, None)


def test_one_object_serves_two_apps(provider: Provider) -> None:
    points = Punktgenau()
    apps = [Flask("one"), Flask("other")]
    for app in apps:
        app.config.update(CREDENTIALS, PUNKTGENAU_PROVIDER_URL=provider.url, TESTING=True, SECRET_KEY="x")
        points.init_app(app)
    points.customer_loader(lambda: "anna")
    points.cart_loader(lambda: cart_of(1000))
    for app in apps:
        assert "points" in app.test_client().get("/points/healthz").get_json()


def test_the_wrong_object_for_an_app_is_named() -> None:
    app = Flask("shop")
    Punktgenau(app)
    with app.app_context(), pytest.raises(ConfigurationError, match="another Punktgenau object"):
        Punktgenau().find("A-1")


def test_without_an_app_the_error_says_what_to_do() -> None:
    points = Punktgenau()
    with pytest.raises(ConfigurationError, match="app_context"):
        points.find("A-1")
    with Flask("shop").app_context(), pytest.raises(ConfigurationError, match="init_app"):
        points.find("A-1")


class TestPointsOff:
    """What is not configured is off, says so once, and the shop sells."""

    def sells(self, small: SmallShop) -> None:
        visitor = small.visitor("anna")
        assert visitor.browser.get("/cart").status_code == 200
        assert visitor.place("A-1").status_code == 303
        assert visitor.browser.get("/orders/A-1").status_code == 200
        assert small.shop.paid == {"A-1": 5990}
        assert small.find("A-1") is None

    def reason(self, small: SmallShop) -> object:
        return small.app.test_client().get("/points/healthz").get_json()

    def test_no_provider(
        self, tmp_path: Path, provider: Provider, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        small = make_small_shop(tmp_path, provider=provider, provider_url=None)
        self.sells(small)
        assert self.reason(small) == {"points": "off", "reason": "provider_missing"}
        told = [record.getMessage() for record in caplog.records if record.name == "flask_punktgenau"]
        assert len(told) == 1
        assert "PUNKTGENAU_PROVIDER_URL, PUNKTGENAU_CLIENT_ID, PUNKTGENAU_CLIENT_SECRET" in told[0]
        # Nothing to write down, so no file was made for it.
        assert not (tmp_path / "small_shop_instance").exists()

    def test_no_database_in_production(
        self, tmp_path: Path, provider: Provider, caplog: pytest.LogCaptureFixture
    ) -> None:
        small = make_small_shop(tmp_path, provider=provider, provider_url=provider.url, TESTING=False)
        self.sells(small)
        assert self.reason(small) == {"points": "off", "reason": "database_missing"}
        assert [record.levelno for record in caplog.records].count(logging.WARNING) == 1

    def test_a_database_without_tables(
        self, tmp_path: Path, provider: Provider, caplog: pytest.LogCaptureFixture
    ) -> None:
        url = f"sqlite:///{tmp_path / 'own.sqlite'}"
        small = make_small_shop(tmp_path, provider=provider, provider_url=provider.url, PUNKTGENAU_DATABASE_URL=url)
        self.sells(small)
        assert self.reason(small) == {"points": "off", "reason": "not_upgraded"}
        assert "flask punktgenau upgrade" in caplog.text
        result = small.app.test_cli_runner().invoke(commands, ["upgrade"])
        assert result.exit_code == 0, result.output
        assert self.reason(small) == {"points": "on", "reason": None}

    def test_switched_off(self, make_shop: Callable[..., SmallShop]) -> None:
        small = make_shop(PUNKTGENAU_ENABLED="0")
        small.link()
        self.sells(small)
        assert self.reason(small) == {"points": "off", "reason": "disabled"}

    def test_switched_off_between_choosing_and_placing(
        self, make_shop: Callable[..., SmallShop], provider: Provider
    ) -> None:
        on = make_shop()
        on.link()
        off = make_shop(PUNKTGENAU_ENABLED="0")
        visitor = on.visitor("anna")
        visitor.apply("427")
        with visitor.browser.session_transaction() as kept:
            cookie = dict(kept)
        later = off.visitor("anna")
        with later.browser.session_transaction() as kept:
            kept.update(cookie)
        assert "/points/remove" in later.browser.get("/cart").text
        # The page had shown 55.63: the customer is told before being charged more, and then the shop sells.
        assert later.place("A-1").status_code == 503
        assert off.shop.paid == {}
        assert later.place("A-1").status_code == 303
        assert off.shop.paid == {"A-1": 5990}
        assert provider.redemptions() == []

    def test_what_is_begun_goes_on_when_switched_off(
        self, make_shop: Callable[..., SmallShop], provider: Provider
    ) -> None:
        on = make_shop()
        on.link()
        with on.app.app_context():
            on.points.authorize("A-1", cart_of(5990), customer_id="anna", points=427)
        off = make_shop(PUNKTGENAU_ENABLED="0")
        with off.app.app_context():
            payment = off.points.capture("A-1")
            assert payment is not None
            assert payment.state == "captured"
            with pytest.raises(UnavailableError):
                off.points.authorize("A-2", cart_of(5990), customer_id="anna", points=427)
        assert provider.states("A-1") == [("captured", 427)]

    @pytest.mark.scenario(
        "D6", "a journal that cannot be read: the cart page stands, an order's points are not guessed"
    )
    def test_a_journal_that_cannot_be_read(self, make_shop: Callable[..., SmallShop], tmp_path: Path) -> None:
        small = make_shop(PUNKTGENAU_DATABASE_URL=f"sqlite:///{tmp_path}/no/such/folder/journal.sqlite")
        assert small.visitor("anna").browser.get("/cart").status_code == 200
        assert self.reason(small) == {"points": "off", "reason": "journal_unavailable"}
        with small.app.app_context(), pytest.raises(UnavailableError):
            small.points.find("A-1")

    @pytest.mark.scenario("D6", "a journal that breaks while the shop runs: the cart page stands and says so")
    def test_a_journal_that_breaks_while_the_shop_runs(self, make_shop: Callable[..., SmallShop]) -> None:
        small = make_shop()
        small.link()
        anna, guest = small.visitor("anna"), small.visitor()
        guest.link()
        anna.apply("427")
        (Path(small.app.instance_path) / "punktgenau.sqlite").write_bytes(b"no journal any more" * 1000)
        with small.app.app_context():
            small.points.checkout.close()
        page = anna.browser.get("/cart")
        assert page.status_code == 200
        assert 'data-state="away"' in page.text
        guest.browser.post("/sign-in", data={"customer": "ben"})
        assert guest.browser.get("/cart").status_code == 200
        # How many points an order has is not guessed: it would be charged in full.
        assert anna.place("A-1").status_code == 503
        assert small.shop.paid == {}

    def test_required_makes_what_is_missing_an_error_at_start(self) -> None:
        app = Flask("shop")
        app.config["PUNKTGENAU_REQUIRED"] = "1"
        with pytest.raises(ConfigurationError, match=r"PUNKTGENAU_PROVIDER_URL.*PUNKTGENAU_DATABASE_URL"):
            Punktgenau(app)
        app.config.update(CREDENTIALS, PUNKTGENAU_PROVIDER_URL=AWAY, PUNKTGENAU_DATABASE_URL="sqlite:////tmp/x.sqlite")
        Punktgenau(app)


@pytest.mark.postgres
def test_the_journal_may_be_in_postgresql(tmp_path: Path, provider: Provider, postgres_url: str) -> None:
    small = make_small_shop(
        tmp_path, provider=provider, provider_url=provider.url, PUNKTGENAU_DATABASE_URL=postgres_url
    )
    assert small.app.test_cli_runner().invoke(commands, ["upgrade"]).exit_code == 0
    small.link()
    anna = small.visitor("anna")
    anna.apply("427")
    anna.place("A-1")
    assert provider.states("A-1") == [("captured", 427)]
    with small.app.app_context():
        small.points.checkout.close()


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.scenario("C15", "a forked process makes an engine and connections of its own; the parent's go on")
def test_a_forked_process_opens_connections_of_its_own(small: SmallShop, provider: Provider) -> None:
    with small.app.app_context():
        ours = small.points.checkout
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            # Only what the assertion needs, and no way back into the test run.
            own = small.points.checkout
            found = own.find("A-1") is None and own is not ours
            os.write(writing, b"1" if found else b"0")
            os.kill(os.getpid(), signal.SIGKILL)
        os.waitpid(child, 0)
        assert os.read(reading, 1) == b"1"
        os.close(reading)
        os.close(writing)
        assert small.points.checkout is ours
        assert ours.find("A-1") is None


def test_an_app_that_is_gone_takes_its_connections_with_it(tmp_path: Path, provider: Provider) -> None:
    small = make_small_shop(tmp_path, provider=provider, provider_url=provider.url)
    small.link()
    small.visitor("anna").browser.get("/cart")
    gone = weakref.ref(small.app.extensions["punktgenau"])
    journal = Path(small.app.instance_path) / "punktgenau.sqlite"
    del small
    gc.collect()
    assert gone() is None
    if (open_files := Path("/proc/self/fd")).exists():
        assert not [one for one in open_files.iterdir() if one.is_symlink() and one.readlink() == journal]


@pytest.mark.scenario("K12", "many threads that ask at once get the one engine of the app")
def test_many_threads_share_one_engine(small: SmallShop) -> None:
    def engine(_: int) -> int:
        with small.app.app_context():
            return id(small.points.checkout)

    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(engine, range(32)))) == 1


def test_loaders_that_return_something_else_are_named(small: SmallShop) -> None:
    anna = small.visitor("anna")
    small.points.customer_loader(lambda: 7)  # type: ignore[arg-type, return-value]
    assert "customer_loader" in refusal_of(small, anna)
    small.points.customer_loader(lambda: "guest:" + "0" * 32)
    assert "customer_loader" in refusal_of(small, anna)
    small.points.customer_loader(lambda: "anna")
    small.points.cart_loader(dict)  # type: ignore[arg-type, return-value]
    assert "cart_loader" in refusal_of(small, anna)


def refusal_of(small: SmallShop, visitor: object) -> str:
    problem = small.app.test_client().get("/points/quote?points=1", headers={"Accept": "application/json"}).get_json()
    assert problem["code"] == "configuration"
    return str(problem["field"])


def test_files_may_be_kept_for_a_year_by_their_version(small: SmallShop) -> None:
    browser = small.app.test_client()
    page = small.visitor("anna").browser.get("/cart").text
    start = page.index("/points/static/punktgenau.js?v=")
    url = page[start : page.index('"', start)]
    with browser.get(url) as by_version, browser.get(url.split("?")[0]) as without:
        assert by_version.cache_control.max_age == 31_536_000
        assert "Cookie" not in by_version.headers.get("Vary", "")
        assert without.cache_control.max_age is None


def test_the_configured_profile_decides_how_points_are_taken(
    make_shop: Callable[..., SmallShop], provider: Provider
) -> None:
    small = make_shop(PUNKTGENAU_PROVIDER_PROFILE="no_holds")
    small.link()
    anna = small.visitor("anna")
    anna.apply("427")
    anna.place("A-1", card="later")
    # Nobody paid yet: at a provider without holds the points have left all the same.
    assert provider.states("A-1") == [("captured", 427)]


def test_a_shop_whose_provider_is_not_configured_any_more_still_finds_its_rows(
    make_shop: Callable[..., SmallShop], tmp_path: Path
) -> None:
    journal = {"PUNKTGENAU_DATABASE_URL": f"sqlite:///{tmp_path / 'profile.sqlite'}"}
    configured = make_shop(PUNKTGENAU_PROVIDER_PROFILE="no_holds", **journal)
    with configured.app.app_context():
        configured.points.upgrade()
    configured.link()
    anna = configured.visitor("anna")
    anna.apply("427")
    anna.place("A-1", card="later")
    alone = make_shop(
        provider_url=None, PUNKTGENAU_CLIENT_ID="demo-shop", PUNKTGENAU_PROVIDER_PROFILE="no_holds", **journal
    )
    payment = alone.find("A-1")
    assert payment is not None
    assert payment.points == 427
