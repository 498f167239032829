"""`flask punktgenau doctor`: each missing or broken hook is found, named, and has the line to add."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask, session
from flask.cli import ScriptInfo

from _small_shop import Provider, SmallShop, cart_of, make_small_shop
from flask_punktgenau import Punktgenau
from flask_punktgenau.cli import punktgenau
from punktgenau.checkout import Order

WEBHOOK_SECRET = "whsec_" + "QUJD" * 8
CANARY = "sEcReT-canary"


@dataclass
class Told:
    """What the doctor said: level and fix of each finding by its code."""

    exit_code: int
    level: dict[str, str]
    fix: dict[str, str]
    orders: dict[str, list[str]]
    text: str


def ask(app: Flask, *arguments: str) -> Told:
    result = app.test_cli_runner().invoke(punktgenau, ["doctor", "--json", *arguments])
    told = json.loads(result.stdout)
    found = told["findings"]
    assert told["exit_status"] == result.exit_code
    return Told(
        exit_code=result.exit_code,
        level={one["code"]: one["level"] for one in found},
        fix={one["code"]: one["fix"] for one in found},
        orders={one["code"]: one["orders"] for one in found},
        text=result.stdout,
    )


@pytest.fixture
def complete(make_shop: Callable[..., SmallShop]) -> SmallShop:
    """A shop with everything in place, linked for `anna`."""
    small = make_shop(SESSION_COOKIE_SAMESITE="Lax", PUNKTGENAU_WEBHOOK_SECRETS=WEBHOOK_SECRET)
    small.link()
    # The provider's clock may have been moved by whoever was here before.
    moved = small.provider.control("GET", "/clock")
    assert isinstance(moved, dict)
    small.clock.shift = timedelta(seconds=moved["advanced_s"])

    @small.points.orders_loader
    def orders(since: datetime, until: datetime) -> Iterator[Order]:
        for order in small.shop.orders.values():
            assert order.placed_at is not None
            if since <= order.placed_at < until:
                yield order

    return small


def place(small: SmallShop, reference: str, *, card: str = "later", points: int = 427) -> None:
    anna = small.visitor("anna")
    anna.apply(points)
    anna.place(reference, card=card)
    small.shop.orders[reference] = replace(small.shop.orders[reference], placed_at=small.clock.now())


def later(small: SmallShop, minutes: int) -> None:
    small.clock.shift += timedelta(minutes=minutes)
    small.provider.control("POST", "/clock", {"advance_s": minutes * 60})


def test_a_shop_in_order_is_told_so(complete: SmallShop) -> None:
    place(complete, "A-1", card="good")
    later(complete, 20)
    with complete.app.app_context():
        complete.points.checkout.recover()
    told = ask(complete.app)
    assert "broken" not in told.level.values()
    assert told.exit_code == 0
    assert {name: told.level[name] for name in ("answers", "clock", "upgraded", "wal", "at_work", "looked_at")} == {
        "answers": "fine", "clock": "fine", "upgraded": "fine", "wal": "fine", "at_work": "fine", "looked_at": "fine",
    }  # fmt: skip
    # Nothing was ever heard by webhook: a warning, which counts only where that is asked for.
    assert told.level["never_heard"] == "warning"
    assert ask(complete.app, "--strict").exit_code == 1


def test_it_can_be_read(complete: SmallShop) -> None:
    place(complete, "A-1")
    complete.shop.mark("A-1", "paid")
    later(complete, 20)
    result = complete.app.test_cli_runner().invoke(punktgenau, ["doctor"])
    lines = result.output.splitlines()
    at = lines.index("  broken   1 order is paid, and its points were never captured.")
    assert lines[at + 1] == "           A-1"
    assert lines[at + 2].startswith("           > points.capture(order.reference)")
    assert "Journal" in lines
    assert lines[-1] == "1 broken, 2 warnings.", result.output


def test_what_is_not_configured_is_named(tmp_path: Path, provider: Provider) -> None:
    small = make_small_shop(tmp_path, provider=provider, provider_url=None, TESTING=False, SECRET_KEY=None)
    told = ask(small.app)
    assert told.exit_code == 2
    assert {code for code, level in told.level.items() if level == "broken"} >= {
        "provider_missing", "database_missing", "no_secret_key",
    }  # fmt: skip
    assert told.fix["provider_missing"].splitlines() == [
        "PUNKTGENAU_PROVIDER_URL=...",
        "PUNKTGENAU_CLIENT_ID=...",
        "PUNKTGENAU_CLIENT_SECRET=...",
    ]


def test_a_configuration_that_cannot_be_meant_is_a_finding(tmp_path: Path) -> None:
    def create() -> Flask:
        app = Flask("shop", instance_path=str(tmp_path))
        app.config["PUNKTGENAU_HOLD_S"] = "soon"
        Punktgenau(app)
        return app

    runner = Flask("runner").test_cli_runner()
    result = runner.invoke(punktgenau, ["doctor", "--json"], obj=ScriptInfo(create_app=create))
    (found,) = json.loads(result.stdout)["findings"]
    assert (result.exit_code, found["level"], found["fix"]) == (2, "broken", "PUNKTGENAU_HOLD_S=...")


@pytest.mark.parametrize(
    ("config", "code", "level"),
    [
        ({"SESSION_COOKIE_SAMESITE": "Strict"}, "strict_cookie", "broken"),
        ({"SESSION_COOKIE_SAMESITE": None}, "cookie_same_site", "warning"),
        ({"PUNKTGENAU_HOLDS": 600}, "unknown_key", "warning"),
        ({"PUNKTGENAU_ENABLED": False}, "disabled", "warning"),
        ({"PUNKTGENAU_WELCOME_POINTS": 50}, "welcome_per_member", "note"),
        ({"PUNKTGENAU_WEBHOOK_SECRETS": ""}, "no_secret", "warning"),
        ({"PUNKTGENAU_INLINE_RECOVERY": False}, "nobody_recovers", "broken"),
        ({"PUNKTGENAU_EXPIRED_POINTS": "new_points"}, "new_points", "fine"),
        ({"PUNKTGENAU_PROVIDER_PROFILE": "short_holds_fixed"}, "hold_too_long", "warning"),
        ({"PUNKTGENAU_CLIENT_SECRET": "another"}, "credentials", "broken"),
        ({"PUNKTGENAU_PROVIDER_URL": "http://127.0.0.1:9"}, "away", "broken"),
        ({"PUNKTGENAU_MODE": "live"}, "wrong_mode", "broken"),
        ({"PUNKTGENAU_DATABASE_URL": "sqlite:////nowhere/at/all.sqlite"}, "unreachable", "broken"),
    ],
)
def test_each_wrong_key_is_found(
    make_shop: Callable[..., SmallShop], config: dict[str, object], code: str, level: str
) -> None:
    small = make_shop(**config)
    assert ask(small.app).level[code] == level


def test_a_journal_without_tables_needs_an_upgrade(make_shop: Callable[..., SmallShop], tmp_path: Path) -> None:
    small = make_shop(PUNKTGENAU_DATABASE_URL=f"sqlite:///{tmp_path / 'new.sqlite'}")
    told = ask(small.app)
    assert (told.level["not_upgraded"], told.fix["not_upgraded"]) == ("broken", "flask punktgenau upgrade")


def test_a_journal_in_the_shops_own_file_is_noticed(make_shop: Callable[..., SmallShop], tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "shop.sqlite")
    connection.execute("CREATE TABLE orders (reference TEXT)")
    connection.close()
    small = make_shop(PUNKTGENAU_DATABASE_URL=f"sqlite:///{tmp_path / 'shop.sqlite'}")
    assert ask(small.app).level["shared_file"] == "warning"


def test_a_clock_that_is_wrong_is_noticed(complete: SmallShop) -> None:
    complete.clock.shift -= timedelta(hours=1)
    assert ask(complete.app).level["clock_skew"] == "broken"


def test_each_missing_function_is_named_with_its_line(tmp_path: Path, provider: Provider) -> None:
    app = Flask("bare", instance_path=str(tmp_path))
    app.config.update(SECRET_KEY="only for tests", TESTING=True)
    Punktgenau(app)
    told = ask(app)
    for name, level in {
        "customer_loader": "warning",
        "cart_loader": "broken",
        "order_loader": "broken",
        "orders_loader": "warning",
        "operator_loader": "note",
    }.items():
        assert told.level[f"no_{name}"] == level
        assert told.fix[f"no_{name}"].startswith(f"@points.{name}\ndef ")


def test_an_order_loader_that_needs_a_request_is_broken(complete: SmallShop) -> None:
    complete.points.order_loader(lambda reference: session[reference])
    told = ask(complete.app)
    assert told.level["order_loader_fails"] == "broken"
    assert "RuntimeError" in told.text


def test_functions_that_answer_wrongly_are_found(complete: SmallShop) -> None:
    invented = Order(reference="A-1", state="paid", cart=cart_of(100))
    complete.points.order_loader(lambda reference: invented)
    complete.points.cart_loader(lambda: {"lamp": 1})  # type: ignore[arg-type,return-value]
    complete.points.customer_loader(lambda: 7)  # type: ignore[arg-type,return-value]
    complete.points.operator_loader(lambda: "anybody")
    told = ask(complete.app)
    for code in ("order_loader_invents", "cart_loader_answer", "customer_loader_answer", "operator_open"):
        assert told.level[code] == "broken"


@pytest.mark.parametrize(
    ("order", "says"),
    [
        ("A-1", "not Order"),
        (Order(reference="A-1", state="pending", placed_at=None, cart=cart_of(100)), "when it was placed"),
        (Order(reference="A-1", state="done", cart=cart_of(100)), "none of pending"),  # type: ignore[arg-type]
        (Order(reference="A-1", state="paid"), "no cart"),
    ],
)
def test_an_orders_loader_that_gives_something_else_is_broken(complete: SmallShop, order: Order, says: str) -> None:
    complete.points.orders_loader(lambda since, until: iter([order]))
    told = ask(complete.app)
    assert told.level["orders_loader_answer"] == "broken"
    assert says in told.text


def test_loaders_that_tell_different_things_are_noticed(complete: SmallShop) -> None:
    place(complete, "A-1")
    known = complete.shop.orders["A-1"]
    complete.points.order_loader(lambda reference: replace(known, cart=cart_of(1)) if reference == "A-1" else None)
    assert ask(complete.app).level["loaders_differ"] == "broken"
    complete.points.order_loader(lambda reference: None)
    assert ask(complete.app).level["order_loader_forgets"] == "broken"


def test_functions_that_fail_are_told_how_to_end(complete: SmallShop) -> None:
    @complete.points.customer_loader
    def customer_id() -> str:
        return str(session["user"])

    @complete.points.cart_loader
    def cart() -> dict[str, int]:
        return {"lamp": 1}

    told = ask(complete.app)
    assert (told.level["customer_loader_fails"], told.level["cart_loader_answer"]) == ("warning", "broken")
    assert told.fix["customer_loader_fails"].startswith("return str(user.id) if user else None")
    assert told.fix["cart_loader_answer"].endswith('return Cart(currency="EUR", lines=[line])')


def test_a_secret_key_that_everybody_knows(complete: SmallShop) -> None:
    complete.app.secret_key = "change me"
    told = ask(complete.app)
    assert (told.exit_code, told.level["known_secret_key"]) == (0, "warning")
    assert told.fix["known_secret_key"].startswith("SECRET_KEY=")


def test_refused_returns_are_named(complete: SmallShop) -> None:
    place(complete, "A-1", card="good")
    complete.provider.control("POST", "/profile", {"name": "no_partial_reversal"})
    with complete.app.app_context():
        refund = complete.points.refund("A-1", return_reference="R-1", amount_minor=1000)
    complete.provider.control("POST", "/profile", {"name": "reference"})
    assert refund is not None
    assert refund.state == "declined"
    told = ask(complete.app)
    assert told.level["returns_refused"] == "warning"
    assert told.orders["returns_refused"] == ["A-1 (R-1)"]
    # 10.00 of 59.90, of which points were 0.71; it is told, and nothing is wrong with it.
    assert told.level["money_open"] == "note"
    assert "1 return waits for its money half" in told.text
    assert "1 return waits for a person" in complete.app.test_cli_runner().invoke(punktgenau, ["doctor"]).output


def test_a_paid_order_whose_points_were_never_captured(complete: SmallShop) -> None:
    place(complete, "A-1")
    complete.shop.mark("A-1", "paid")
    # Just paid: the capture may be on its way.
    assert "not_captured" not in ask(complete.app).level
    later(complete, 11)
    told = ask(complete.app)
    assert (told.level["not_captured"], told.orders["not_captured"]) == ("broken", ["A-1"])
    assert told.fix["not_captured"].startswith("points.capture(")
    assert told.exit_code == 2


@pytest.mark.parametrize("card", ["good", "later"])
def test_a_cancelled_order_whose_points_were_never_given_back(complete: SmallShop, card: str) -> None:
    place(complete, "A-1", card=card)
    complete.shop.mark("A-1", "cancelled")
    later(complete, 11)
    assert ask(complete.app).orders["not_released"] == ["A-1"]
    with complete.app.app_context():
        complete.points.cancel("A-1")
    assert "not_released" not in ask(complete.app).level


def test_an_order_that_was_changed_behind_its_points(complete: SmallShop) -> None:
    place(complete, "A-1", card="good")
    complete.shop.orders["A-1"] = replace(complete.shop.orders["A-1"], cart=cart_of(4990))
    later(complete, 11)
    told = ask(complete.app)
    assert told.orders["due_differs"] == ["A-1"]
    assert told.fix["due_differs"].startswith("points.amend(")


def test_points_for_an_order_that_there_is_not(complete: SmallShop) -> None:
    place(complete, "A-1")
    place(complete, "A-2")
    del complete.shop.orders["A-1"]
    later(complete, 11)
    assert ask(complete.app).orders["without_order"] == ["A-1"]


def test_only_orders_of_the_time_that_is_asked_for_are_looked_at(complete: SmallShop) -> None:
    place(complete, "A-1")
    complete.shop.mark("A-1", "paid")
    complete.shop.orders["A-1"] = replace(
        complete.shop.orders["A-1"], placed_at=complete.clock.now() - timedelta(days=3)
    )
    assert "not_captured" not in ask(complete.app, "--days", "2").level
    assert ask(complete.app, "--days", "4").orders["not_captured"] == ["A-1"]


def test_operations_that_wait_for_somebody(make_shop: Callable[..., SmallShop], provider: Provider) -> None:
    small = make_shop(PUNKTGENAU_DEADLINE_S=0.5)
    small.link()
    provider.fault("authorize", "reset", when="before", times=50)
    anna = small.visitor("anna")
    anna.apply(427)
    anna.place("A-1")
    provider.no_faults()
    later(small, 30)
    told = ask(small.app)
    assert (told.level["overdue"], told.fix["overdue"]) == ("broken", "flask punktgenau recover")


def test_a_function_that_breaks_on_the_way_leaves_the_other_sections(complete: SmallShop) -> None:
    place(complete, "A-1")
    later(complete, 11)
    known, calls = complete.shop.orders["A-1"], []

    def orders(since: datetime, until: datetime) -> Iterator[Order]:
        calls.append(since)
        if len(calls) > 1:
            raise ValueError("the shop's database went away")
        yield known

    complete.points.orders_loader(orders)
    told = ask(complete.app)
    assert told.level["not_looked_at"] == "broken"
    assert told.level["answers"] == "fine"


@pytest.mark.scenario("S15", "neither client secret nor database password is among the doctor's findings")
def test_no_secret_is_told(make_shop: Callable[..., SmallShop]) -> None:
    small = make_shop(
        PUNKTGENAU_CLIENT_SECRET=CANARY,
        PUNKTGENAU_DATABASE_URL=f"postgresql://shop:{CANARY}@127.0.0.1:9/shop",
        PUNKTGENAU_WEBHOOK_SECRETS=WEBHOOK_SECRET,
    )
    told = ask(small.app)
    assert told.exit_code == 2
    assert CANARY not in told.text
    assert WEBHOOK_SECRET not in told.text
