"""A journal of orders that earned points, and a provider's list of what was redeemed of them; any size, sums known."""

from __future__ import annotations

import csv
import sqlite3
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from punktgenau import Client, SystemClock
from punktgenau.checkout import Checkout
from punktgenau.checkout.earning.reckon import Basis, EarnLine
from punktgenau.checkout.earning.schema import EarningRow, earning
from punktgenau.checkout.rows import values_of

PERIOD = "2026-10"
SINCE = datetime(2026, 10, 1, tzinfo=UTC)
HEAD = (
    "id", "sequence", "kind", "at", "points", "amount_minor", "currency", "accrual_id", "accrual_reference",
    "order_reference", "redeemed_before", "redeemed_at", "partner_id",
)  # fmt: skip
# 119 euros at 19 percent and 42.80 at 7; with a point for each euro 161 in all, 118 and 43 of them.
LINES = (
    EarnLine(id="lamp", sku="lamp", quantity=1, vat_rate="19", amount_minor=11_900, money_minor=11_900),
    EarnLine(id="book", sku="book", quantity=4, vat_rate="7", amount_minor=4_280, money_minor=4_280),
)
BASIS = Basis(points=1, per_minor=100, shipping=False, currency="EUR", lines=LINES).text()
AT_19, AT_7 = 118, 43
PARTS = (100, 61)
"""An order's points are redeemed in two parts."""
EVERY = 50
"""One of so many orders is none that the journal knows."""


@dataclass(frozen=True)
class Expected:
    """What a report has to come to: points by rate, and those of unknown origin."""

    lines: int
    at_19: int
    at_7: int
    unknown: int


def expected(orders: int) -> Expected:
    strangers = len(range(0, orders, EVERY))
    known = orders - strangers
    return Expected(len(PARTS) * orders, known * AT_19, known * AT_7, strangers * sum(PARTS))


def opened(folder: Path) -> Checkout:
    """The engine on the journal in this folder; there is no provider to ask."""
    client = Client("http://127.0.0.1:9", client_id="demo-shop", client_secret="demo-secret")
    return Checkout(client, f"sqlite:///{folder / 'journal.sqlite'}", clock=SystemClock())


def listed(folder: Path) -> Path:
    """The provider's list in this folder."""
    return folder / f"issued-{PERIOD}.csv"


def make(folder: Path, *, orders: int) -> None:
    """Write both, past the engine."""
    checkout = opened(folder)
    checkout.upgrade()
    checkout.close()
    names = ", ".join(column.name for column in earning.columns)
    add = f"INSERT INTO {earning.name} ({names}) VALUES ({', '.join('?' * len(earning.columns))})"
    with sqlite3.connect(folder / "journal.sqlite") as journal, listed(folder).open("w", newline="") as file:
        journal.execute("PRAGMA synchronous=OFF")
        journal.executemany(add, (_row(number) for number in range(orders) if number % EVERY))
        writer = csv.writer(file)
        writer.writerow(HEAD)
        sequence, step = 0, timedelta(days=30) / (orders * len(PARTS))
        # The second part of an order comes long after its first one, so nothing is in the order of the report.
        for before, points in ((0, PARTS[0]), (PARTS[0], PARTS[1])):
            for number in range(orders):
                sequence += 1
                at = f"{SINCE + step * sequence:%Y-%m-%dT%H:%M:%SZ}"
                writer.writerow((
                    f"iss_{sequence:08d}", sequence, "redeemed", at, points, points, "EUR", f"acc_{number}",
                    f"earn-{number}", f"A-{number}", before, "Demo books", "demo-shop",
                ))  # fmt: skip
        whole = orders * sum(PARTS)
        writer.writerow(("", sequence, "total", "", whole, whole, "EUR", "", "", "", "", "", "demo-shop"))


_FIRST = EarningRow(
    id="", provider="reference", partner="demo-shop", mode="", order_reference="", kind="purchase", number=1,
    customer_id="anna", member_id="mbr_1", consent_id="con_1", accrual_reference="", points=161, basis=BASIS,
    pending_s=0, claw_back="to_zero", placed_at=int(SINCE.timestamp() * 1000), state="posted", version=3,
    accrual_id="acc", pending_until=None, posted_at=0, given_points=161, points_taken=0, owed_points=0,
    offset_points=0, offset_back=0, cancelled=None, reason="", check_at=None, lease_until=0, lease_token=0,
    created_at=0, updated_at=0,
)  # fmt: skip


def _row(number: int) -> tuple[object, ...]:
    row = replace(
        _FIRST, id=f"{number:032x}", order_reference=f"A-{number}", accrual_reference=f"earn-{number}",
        accrual_id=f"acc_{number}",
    )  # fmt: skip
    return tuple(values_of(row)[column.name] for column in earning.columns)
