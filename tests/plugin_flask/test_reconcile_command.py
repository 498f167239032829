"""`flask punktgenau reconcile`: what it says, what it exits with, and that only a person repairs."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
import requests
from click.testing import Result

from _small_shop import Provider, SmallShop
from flask_punktgenau.cli import punktgenau
from punktgenau.checkout import Order
from punktgenau.checkout.goals import Goals


@pytest.fixture
def small(make_shop: Callable[..., SmallShop]) -> SmallShop:
    """A shop with one order paid with 427 points."""
    made = make_shop()

    @made.points.orders_loader
    def orders(since: datetime, until: datetime) -> Iterator[Order]:
        return iter(list(made.shop.orders.values()) if since.date() == made.clock.now().date() else [])

    made.link()
    anna = made.visitor("anna")
    anna.apply("427")
    anna.place("A-1")
    return made


def run(small: SmallShop, *arguments: str) -> Result:
    return small.app.test_cli_runner().invoke(punktgenau, ["reconcile", *arguments])


def statement(small: SmallShop, provider: Provider, tmp_path: Path) -> Path:
    """What the provider gives out as a file."""
    with requests.Session() as http:
        http.trust_env = False
        token = http.post(
            f"{provider.url}/oauth/token", data={"grant_type": "client_credentials"}, auth=("demo-shop", "demo-secret")
        ).json()["access_token"]
        reply = http.get(
            f"{provider.url}/v1/statements/{small.clock.now():%Y-%m}.csv",
            headers={"Authorization": f"Bearer {token}"},
            stream=True,
        )
        assert (reply.status_code, reply.headers["Transfer-Encoding"]) == (200, "chunked")
        file = tmp_path / "statement.csv"
        file.write_bytes(reply.content)
    return file


def test_books_that_agree(small: SmallShop, provider: Provider, tmp_path: Path) -> None:
    file = statement(small, provider, tmp_path)
    for arguments in ((), ("--period", f"{small.clock.now():%Y-%m}"), ("--file", str(file))):
        result = run(small, *arguments)
        assert result.exit_code == 0, result.output
        assert "1 lines of the statement compared, 1 bookings in the journal, 1 orders; 1 agree." in result.stdout
        assert "No differences." in result.stdout
        assert "Matching" in result.stderr or "Reading the statement" in result.stderr


def test_what_differs_is_listed_and_repaired_by_a_person(small: SmallShop, provider: Provider) -> None:
    small.shop.mark("A-1", "cancelled")
    result = run(small)
    assert result.exit_code == 1
    assert "cancelled order, points never given back" in result.stdout
    assert "proposed: give the points back" in result.stdout
    assert provider.states("A-1") == [("captured", 427)]

    [found] = json.loads(run(small, "--format", "json").stdout)["differences"]
    assert (found["kind"], found["order_reference"], found["here_points"]) == ("not_released", "A-1", 427)

    assert run(small, "--repair", found["id"]).exit_code == 2
    done = run(small, "--repair", found["id"], "--by", "kim", "--because", "cancelled by telephone")
    assert (done.exit_code, done.stdout) == (0, f"{found['id']} repaired: now reversed, 0 points\n")
    assert provider.states("A-1") == [("reversed", 427)]

    again = run(small, "--repair", found["id"], "--by", "lee", "--because", "once more")
    assert "was repaired before by kim: cancelled by telephone. Nothing was done now." in again.stdout
    assert run(small).exit_code == 0


def test_what_has_moved_on_is_not_repaired(small: SmallShop, provider: Provider) -> None:
    small.shop.mark("A-1", "cancelled")
    [found] = json.loads(run(small, "--format", "json").stdout)["differences"]
    small.shop.mark("A-1", "paid")
    done = run(small, "--repair", found["id"], "--by", "kim", "--because", "on the list")
    assert (done.exit_code, done.stdout) == (1, f"{found['id']} open: nothing was done: the order is paid by now\n")
    assert provider.states("A-1") == [("captured", 427)]


def test_a_repair_that_died_is_named(small: SmallShop, monkeypatch: pytest.MonkeyPatch) -> None:
    small.shop.mark("A-1", "cancelled")
    [found] = json.loads(run(small, "--format", "json").stdout)["differences"]

    def die(*arguments: object, **more: object) -> None:
        raise SystemExit(137)

    with monkeypatch.context() as patch:
        patch.setattr(Goals, "release", die)
        assert run(small, "--repair", found["id"], "--by", "kim", "--because", "cancelled").exit_code == 137
    result = run(small)
    assert result.exit_code == 1
    assert found["id"] in result.stdout
    assert "its repair was begun by kim and has not ended" in result.stdout
    assert "1 of them under repair: repair it again to carry it on, or dismiss it." in result.stdout
    told = json.loads(run(small, "--format", "json").stdout)
    assert (told["open"], told["repairing"], told["differences"][0]["state"]) == (1, 1, "repairing")
    assert [row["id"] for row in csv.DictReader(run(small, "--format", "csv").stdout.splitlines())] == [found["id"]]
    done = run(small, "--repair", found["id"], "--by", "lee", "--because", "cancelled")
    assert (done.exit_code, done.stdout) == (0, f"{found['id']} repaired: now reversed, 0 points\n")
    assert run(small).exit_code == 0


def test_a_file_is_of_the_month_in_utc(small: SmallShop, provider: Provider, tmp_path: Path) -> None:
    file = statement(small, provider, tmp_path)
    text = file.read_text()
    stamp = text.splitlines()[1].split(",")[3]
    file.write_text(text.replace(stamp, "2026-11-01T00:30:00+02:00", 1))
    assert run(small, "--file", str(file)).stdout.startswith("2026-10: ")


def test_a_file_with_formulas_and_strangers(small: SmallShop, provider: Provider, tmp_path: Path) -> None:
    file = statement(small, provider, tmp_path)
    head, line, total = file.read_text().splitlines()
    key = dict(zip(head.split(","), line.split(","), strict=True))["idempotency_key"]
    formula = line.replace("A-1", '"=HYPERLINK(""http://x"")"').replace(key, "k-x").replace("red_", "x_")
    formula = formula.replace("stl_", "evil_").replace(",1,capture", ",2,capture")
    broken = line.replace(",427,427,", ",=1+1,427,")
    other = line.replace("demo-shop", "other-shop").replace("stl_", "other_")
    file.write_text("\r\n".join([head, line, formula, broken, other, total]) + "\r\n")
    result = run(small, "--file", str(file))
    assert result.exit_code == 1
    assert "Line 4 could not be read: points: not a whole number" in result.stdout
    assert "could not be read: belongs to another partner" in result.stdout
    # It is about the whole, not about the last line.
    assert "\nThe file is not complete or was changed" in result.stdout
    assert "could not be read: The file" not in result.stdout
    assert "only on the statement" in result.stdout
    rows = list(csv.DictReader(run(small, "--file", str(file), "--format", "csv").stdout.splitlines()))
    assert [row["order_reference"] for row in rows] == ['\'=HYPERLINK("http://x")']
    assert provider.operations().count("reverse") == 0


def test_what_cannot_be_done_has_its_own_exit_status(small: SmallShop, provider: Provider, tmp_path: Path) -> None:
    page = tmp_path / "page.csv"
    page.write_text("<!doctype html>\n")
    for arguments, said in (
        (("--file", str(page)), "is not a statement"),
        (("--period", "2026-13"), "period must be a month"),
        (("--repair", "nonsense", "--by", "kim", "--because", "why"), "There is no difference nonsense"),
        (("--by", "kim"), "belong to --repair"),
        (("--file", str(tmp_path / "none.csv")), "does not exist"),
    ):
        result = run(small, *arguments)
        assert (result.exit_code, said in result.output) == (2, True), result.output
    provider.fault("statement", "status_503", times=50)
    result = run(small)
    provider.no_faults()
    assert result.exit_code == 2
