"""A journal and a statement of any size that agree, but for 40 planted differences; written past the engine."""

from __future__ import annotations

import csv
import hashlib
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Table

from punktgenau import Client, SystemClock
from punktgenau.checkout import Checkout, Order
from punktgenau.checkout.schema import operation, redemption

PERIOD = "2026-10"
SINCE = datetime(2026, 10, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 5, 12, tzinfo=UTC)
HEAD = (
    "id", "sequence", "kind", "at", "points", "amount_minor", "currency", "redemption_id", "idempotency_key",
    "order_reference", "capture_reference", "return_reference", "corrects", "partner_id", "reason",
)  # fmt: skip
PLANTED = {
    "only_there": 8,
    "only_here": 8,
    "amount": 6,
    "period": 4,
    "not_captured": 4,
    "not_released": 4,
    "double": 6,
}
"""How many of each kind; 40."""
EVERY = 5
"""One of so many orders has a return, so a statement has 1.2 lines per order."""


def stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class Books:
    """What was written, and which orders have what planted."""

    orders: int
    step: timedelta
    planted: dict[str, set[str]] = field(default_factory=dict)
    lines: int = 0
    state_of: dict[str, str] = field(default_factory=dict)

    def plant(self, kind: str, reference: str) -> None:
        self.planted.setdefault(kind, set()).add(reference)

    def at(self, number: int) -> datetime:
        # Three days after the month begins, and until three days before it ends: not near any edge.
        return SINCE + timedelta(days=3) + self.step * number

    def orders_placed(self, since: datetime, until: datetime) -> Iterator[Order]:
        first = SINCE + timedelta(days=3)
        start = max(0, -((first - since) // self.step)) if since > first else 0
        for number in range(max(0, start - 1), self.orders):
            at = self.at(number)
            if at >= until:
                return
            if at >= since:
                yield self.order(f"A-{number}")

    def order(self, reference: str) -> Order:
        return Order(reference=reference, state=self.state_of.get(reference, "paid"), placed_at=None)  # type: ignore[arg-type]


def key_of(number: int) -> str:
    return "pk_" + hashlib.sha256(str(number).encode()).hexdigest()[:32]


def make(folder: Path, *, lines: int) -> tuple[Books, Checkout, Path]:
    """Journal (SQLite) and statement (CSV) in this folder, about so many lines; and the engine on that journal."""
    orders = lines * EVERY // (EVERY + 1)
    books = Books(orders, timedelta(days=25) / orders)
    checkout = _engine(folder, books)
    checkout.upgrade()
    spots = iter(range(orders // 50, orders, orders // 50))
    plants = {next(spots): (kind, nth) for kind, count in PLANTED.items() for nth in range(count)}
    file = folder / f"statement-{PERIOD}.csv"
    with sqlite3.connect(folder / "journal.sqlite") as journal, file.open("w", newline="") as text:
        journal.execute("PRAGMA synchronous=OFF")
        writer = csv.writer(text)
        writer.writerow(HEAD)
        totals = [0, 0, 0]
        redemptions: list[tuple[object, ...]] = []
        operations: list[tuple[object, ...]] = []

        def flush() -> None:
            for table, rows in ((redemption, redemptions), (operation, operations)):
                if rows:
                    marks = ", ".join("?" * len(table.columns))
                    names = ", ".join(column.name for column in table.columns)
                    journal.executemany(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", rows)
                rows.clear()

        for number in range(orders):
            told = _one(books, number, plants.get(number), redemptions, operations)
            for line in told:
                totals[0] += 1
                totals[1] += int(str(line["points"]))
                totals[2] += int(str(line["amount_minor"]))
                whole = {"id": f"stl_{totals[0]:08d}", "sequence": totals[0], **line}
                writer.writerow([whole.get(name, "") for name in HEAD])
            if len(redemptions) >= 5_000:
                flush()
        flush()
        end = {"kind": "total", "sequence": totals[0], "points": totals[1], "amount_minor": totals[2]}
        end |= {"currency": "EUR", "at": stamp(NOW), "partner_id": "demo-shop"}
        writer.writerow([end.get(name, "") for name in HEAD])
    books.lines = totals[0]
    kept = {"state_of": books.state_of, "planted": {kind: sorted(orders) for kind, orders in books.planted.items()}}
    (folder / "books.json").write_text(json.dumps(kept))
    return books, checkout, file


def opened(folder: Path, *, lines: int) -> tuple[Checkout, Path, dict[str, set[str]]]:
    """What `make` has left in this folder, with what was planted."""
    kept = json.loads((folder / "books.json").read_text())
    orders = lines * EVERY // (EVERY + 1)
    books = Books(orders, timedelta(days=25) / orders, state_of=kept["state_of"])
    planted = {kind: set(references) for kind, references in kept["planted"].items()}
    return _engine(folder, books), folder / f"statement-{PERIOD}.csv", planted


class _StoppedClock(SystemClock):
    def now(self) -> datetime:
        return NOW


def _engine(folder: Path, books: Books) -> Checkout:
    client = Client("http://127.0.0.1:9", client_id="demo-shop", client_secret="demo-secret")
    url = f"sqlite:///{folder / 'journal.sqlite'}"
    return Checkout(client, url, orders_loader=books.orders_placed, clock=_StoppedClock())


def _one(
    books: Books,
    number: int,
    plant: tuple[str, int] | None,
    redemptions: list[tuple[object, ...]],
    operations: list[tuple[object, ...]],
) -> list[dict[str, object]]:
    """One order: its rows in the journal, and its lines on the statement."""
    at, points, reference = books.at(number), 100 + number % 900, f"A-{number}"
    kind, nth = plant or ("", 0)
    if plant:
        books.plant(kind, reference)
    captured, state = points, "captured"
    if kind == "not_captured" or (kind == "only_there" and nth >= 4):
        captured, state = 0, "authorized" if kind == "not_captured" else "voided"
    if kind == "not_released":
        books.state_of[reference] = "cancelled"
    if kind == "only_there" and nth >= 4:
        books.state_of[reference] = "cancelled"
    given = 10 if number % EVERY == 0 and not plant else 0
    if kind == "double" and nth == 0:
        given = 10
    row = _redemption(number, at, points=points, captured=captured, given=given, state=state)
    redemptions.append(_values(redemption, row))
    common: dict[str, object] = {
        "redemption_id": row["provider_id"], "idempotency_key": row["key"], "order_reference": reference,
        "currency": "EUR", "partner_id": "demo-shop", "reason": f"Order {reference}",
    }  # fmt: skip
    told: list[dict[str, object]] = []
    takes = {"kind": "capture", "at": stamp(at), "points": points, "amount_minor": points, **common}
    if captured:
        moved = timedelta(days=-90) if kind == "period" and nth >= 2 else timedelta()
        operations.append(_operation(number, "capture", at + moved, f'{{"points":{points}}}'))
    if kind == "only_there" and nth < 4:
        theirs = {"redemption_id": f"red_x{nth}", "idempotency_key": f"k-{nth}", "order_reference": f"X-{nth}"}
        told.append({**takes, **theirs})
        books.planted["only_there"].discard(reference)
        books.plant("only_there", f"X-{nth}")
    if kind == "amount":
        takes |= {"points": points - 1} if nth < 3 else {"amount_minor": points - 1}
    if kind == "period" and nth < 2:
        takes |= {"at": stamp(at + timedelta(days=60))}
    if (captured or (kind == "only_there" and nth >= 4)) and kind != "only_here":
        told.append(takes)
    if given:
        back = {**takes, "kind": "reversal", "points": -given, "amount_minor": -given, "return_reference": "R-1"}
        operations.append(
            _operation(
                number, "reverse", at + timedelta(minutes=1),
                f'{{"points":{given},"return_reference":"R-1","value_minor":{given}}}',
            )
        )  # fmt: skip
        told.append(back)
        if kind == "double":
            told.append(back)
    elif kind == "double":
        again = {**takes, "redemption_id": f"red_y{nth}", "idempotency_key": f"y-{nth}"} if nth >= 4 else takes
        told.append(again)
    return told


def _redemption(number: int, at: datetime, *, points: int, captured: int, given: int, state: str) -> dict[str, object]:
    return {
        "id": f"{number:032x}", "provider": "reference", "partner": "demo-shop", "mode": "",
        "order_reference": f"A-{number}", "attempt": 1, "key": key_of(number),
        "live_key": None if state == "voided" else f"live-{number}",
        "cause": "placed", "state": "partially_reversed" if given else state, "version": 3, "customer_id": "anna",
        "member_id": "mbr_1", "consent_id": "con_1", "wish": str(points), "points": points, "value_minor": points,
        "total_minor": 5000, "payable_minor": 5000, "currency": "EUR", "rate_id": "rate_eur_1", "rate_points": 1,
        "rate_amount_minor": 1, "rate_rounding": "down", "cart": "{}", "hold_s": 7200,
        "provider_id": f"red_{number:08d}", "hold_until": None, "captured_points": captured,
        "captured_minor": captured, "reversed_points": given,
        "reversed_minor": given, "release_cause": None, "reason": "", "check_at": None, "lease_until": 0,
        "lease_token": 0, "created_at": _ms(at), "updated_at": _ms(at), "refund_policy": "proportional",
        "tax_mode": "tender",
    }  # fmt: skip


def _operation(number: int, kind: str, at: datetime, request: str) -> tuple[object, ...]:
    row = {
        "id": hashlib.md5(f"{number}{kind}".encode()).hexdigest(), "redemption_id": f"{number:032x}", "kind": kind,
        "cause": "paid" if kind == "capture" else "return 1", "key": f"op-{kind}-{number}", "fingerprint": "",
        "request": request, "reply": None, "outcome": "done", "code": None, "sends": 1, "passes": 1, "open_key": None,
        "next_at": None, "lease_until": 0, "lease_token": 1, "created_at": _ms(at), "finished_at": _ms(at),
    }  # fmt: skip
    return _values(operation, row)


def _values(table: Table, row: dict[str, Any]) -> tuple[object, ...]:
    """By column; of columns that are none of this test's business, nothing."""
    nothing = {column.name: None if column.nullable else 0 for column in table.columns}
    return tuple({**nothing, **row}[column.name] for column in table.columns)


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def planted_count() -> int:
    return sum(PLANTED.values())
