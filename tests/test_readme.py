"""What the README shows is what there is: its diff, its test, its commands and its map."""

import difflib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from _small_shop import Provider, make_small_shop
from _world import provider_url
from punktgenau import Money
from punktgenau.checkout import Cart, Line

__all__ = ["provider_url"]
ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", README, re.S)


def blocks(language: str) -> list[str]:
    return [text for name, text in BLOCKS if name == language]


def test_the_diff_is_the_real_one():
    before, after = (
        (ROOT / "examples/your_shop" / f"{name}.py").read_text().splitlines() for name in ("before", "after")
    )
    real = difflib.unified_diff(before, after, "before.py", "after.py", lineterm="", n=2)
    assert blocks("diff") == ["\n".join(real) + "\n"]


@pytest.mark.parametrize(
    ("word", "says"), [("RequestsMock", "1 passed"), ("AdapterConformance", " not applicable in ")]
)
def test_its_tests_run(tmp_path: Path, word: str, says: str):
    (shown,) = [block for block in blocks("python") if word in block]
    file = tmp_path / "test_shown.py"
    file.write_text(shown)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", str(file)]
    # It needs none of the plugins that are installed here, which take longer to import than it takes.
    environment = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert says in done.stdout


def test_the_quick_start_runs(provider_url: str):
    (shown,) = [block for block in blocks("python") if "redemptions.authorize" in block]
    command = [
        sys.executable,
        "-W",
        "error",
        "-c",
        shown.replace("http://127.0.0.1:8600", provider_url) + "\nclient.close()",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_returns_and_changes_run_in_a_shop(tmp_path: Path, provider_url: str):
    with requests.Session() as http:
        provider = Provider(url=provider_url, http=http)
        small = make_small_shop(tmp_path, provider=provider, provider_url=provider_url)
        small.link()
    sent: list[tuple[str, Money]] = []
    noted: list[tuple[object, ...]] = []

    def send_money(order: str, amount: Money) -> str:
        sent.append((order, amount))
        return f"psp-{len(sent)}"

    around = {
        "app": small.app,
        "points": small.points,
        "session": {"clerk": "clerk 7"},
        "send_money": send_money,
        "price_of": lambda _order, _lines: Money(amount_minor=2495, currency="EUR"),
        "write_down": lambda *values: noted.append(values),
        "orders_between": lambda _since, _until: [1],
        "order_of": lambda row: row,
    }
    first, second = (block for block in blocks("python") if "@points." in block or "take_back" in block)
    exec(first, around)
    exec(second, around)
    lamp = Line(sku="lamp", quantity=2, unit_price_minor=2995, vat_rate="19")
    with small.app.app_context():
        small.points.authorize("A-1", Cart(currency="EUR", lines=[lamp]), points=427, customer_id="anna")
        small.points.capture("A-1")
        # 59.90, of which points pay 4.27: 213.5 for each lamp, so 2.13 for the first.
        around["take_back"]("A-1", {"lamp": 1}, return_reference="A-1-R1")
        assert sent == [("A-1", Money(amount_minor=2782, currency="EUR"))]
        assert noted == [("A-1", "A-1-R1", {"lamp": 1}, "done")]
        assert list(small.points.open_refunds()) == []
        around["take_back"]("A-2", {"lamp": 1}, return_reference="A-2-R1")
        assert sent[1] == ("A-2", Money(amount_minor=2495, currency="EUR"))
        # What is left costs 20.00 now: of 29.95, of which points pay 2.14, they keep 2.14 x 2000 / 2995 = 1.43.
        cheaper = Cart(currency="EUR", lines=[Line(sku="lamp", quantity=1, unit_price_minor=2000, vat_rate="19")])
        assert around["change"]("A-1", cheaper) == Money(amount_minor=1857, currency="EUR")
        assert [one[:2] for one in small.points.open_refunds()] == [("A-1", "amend-2")]
        assert around["operator"]() == "clerk 7"
        assert list(around["orders"](None, None)) == [1]


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\((?!http)([^)#]+)\)", README))))
def test_what_it_points_to_is_there(target: str):
    assert (ROOT / target).exists()


def test_the_commands_it_names_exist():
    from flask_punktgenau.cli import punktgenau

    named = set(re.findall(r"flask punktgenau ([a-z]+(?:-[a-z]+)*)\b", README)) | {"erase", "purge", "sandbox"}
    assert named == set(punktgenau.commands)


def test_the_path_of_a_hold_is_two_files():
    row = next(line for line in README.splitlines() if "how a hold is sent" in line)
    files = re.findall(r"\((sdk/[^)]+)\)", row)
    assert len(files) == 2
    first, second = ((ROOT / file).read_text() for file in files)
    assert "def authorize(" in first
    assert "def call(" in second
    assert "_adapter.send(" in second
