"""Three weeks of trade at the press of a button: real orders in all states, books that agree, once."""

from __future__ import annotations

import subprocess
import sys

from playwright.sync_api import expect

from _demo import Demo
from _shopper import Shopper
from _source import ROOT

ORDERS = 60


def fill(demo: Demo) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "examples.shop.fill", "--orders", str(ORDERS)]
    return subprocess.run(command, cwd=ROOT, env=demo.environment, capture_output=True, text=True, timeout=120)


def test_a_shop_is_filled_once_and_its_books_agree_with_the_provider(shopper: Shopper, demo: Demo) -> None:
    done = fill(demo)
    assert done.returncode == 0, done.stderr
    assert demo.shop_rows("SELECT count(*) FROM orders") == [(ORDERS,)]
    assert {state for _, state in demo.orders()} == {"pending", "paid", "cancelled"}
    assert {"captured", "voided", "reversed", "authorized"} <= {state for _, state, _ in demo.journal()}
    # Each attempt is at the provider what it is in the journal, but for holds whose end nobody has looked at yet.
    recovered = subprocess.run(demo.command("recover"), cwd=ROOT, env=demo.environment, capture_output=True, text=True)
    assert "still open 0" in recovered.stdout, recovered.stderr
    theirs = sorted(row for row in demo.ledger() if row[1] != "expired")
    ours = sorted(
        (reference, state, points)
        for reference, state, points in demo.journal()
        if state not in ("expired", "declined", "short")
    )
    assert [row for row in ours if row not in theirs] == []
    assert subprocess.run(demo.command("doctor"), cwd=ROOT, env=demo.environment, capture_output=True).returncode == 0
    assert "filled already" in fill(demo).stdout
    assert demo.shop_rows("SELECT count(*) FROM orders") == [(ORDERS,)]
    # Nobody signs in as one of those who are only there to fill the shop.
    shopper.open("/account")
    expect(shopper.page.locator(".person")).to_have_count(3)
    assert demo.points() == (2500, 0)
