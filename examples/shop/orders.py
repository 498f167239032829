"""Orders and their lines: the rows, and the few steps an order can take. Every step is safe to repeat."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast

from . import catalogue, clock, sums
from .cart import ShopCart
from .catalogue import Article
from .database import connect, transaction
from .sums import Sums

OrderState = Literal["pending", "paid", "cancelled"]

# What a clerk's list may show, and which orders those are.
LISTS = {
    "all": "1",
    "returns": "reference IN (SELECT order_reference FROM returns WHERE state IN ('asked', 'confirming'))",
    # Where something is left to send.
    "to_ship": "state = 'paid' AND shipped_at IS NULL AND EXISTS (SELECT 1 FROM order_lines"
    " WHERE order_reference = orders.reference AND quantity > (SELECT coalesce(sum(return_lines.quantity), 0)"
    " FROM return_lines JOIN returns ON returns.reference = return_reference"
    " WHERE returns.order_reference = orders.reference AND returns.state = 'confirmed'"
    " AND return_lines.sku = order_lines.sku))",
}

# A change that was begun is finished first: the points engine may know of it already.
_NOT_CHANGING = "NOT EXISTS (SELECT 1 FROM changing WHERE order_reference = orders.reference)"


@dataclass(frozen=True, kw_only=True)
class Address:
    name: str
    email: str
    street: str
    postcode: str
    city: str


@dataclass(frozen=True, kw_only=True)
class OrderLine:
    sku: str
    quantity: int
    unit_price_minor: int
    vat_rate: str
    points_allowed: bool
    reward_points: int = 0

    @property
    def total_minor(self) -> int:
        return self.unit_price_minor * self.quantity

    @property
    def price_minor(self) -> int:
        """As an article names it."""
        return self.unit_price_minor

    @property
    def copayment_minor(self) -> int:
        """What a reward article cost besides its points."""
        return self.unit_price_minor - self.reward_points

    @property
    def article(self) -> Article | None:
        """For picture and link; None when it is no longer sold."""
        return catalogue.find(self.sku)


@dataclass(frozen=True, kw_only=True)
class Order:
    reference: str
    owner: str
    customer_id: str | None
    state: OrderState
    language: str
    address: Address
    lines: tuple[OrderLine, ...]
    sums: Sums
    placed_at: datetime
    paid_at: datetime | None
    shipped_at: datetime | None
    cancelled_at: datetime | None

    @property
    def total_minor(self) -> int:
        return self.sums.total_minor

    @property
    def can_cancel(self) -> bool:
        return self.state != "cancelled" and self.shipped_at is None

    @property
    def can_ship(self) -> bool:
        return self.state == "paid" and self.shipped_at is None


def place(cart: ShopCart, address: Address, *, draft: str, owner: str, customer_id: str | None, language: str) -> Order:
    """Write the order down, unpaid. The same draft again gives the order that is already there."""
    placed_at = clock.now().isoformat()
    with transaction() as connection:
        existing = by_draft(draft, owner=owner)
        if existing:
            return existing
        (number,) = connection.execute("SELECT coalesce(max(number), 1000) + 1 FROM orders").fetchone()
        reference = f"A-{number}"
        connection.execute(
            "INSERT INTO orders (number, reference, owner, customer_id, draft, state, language,"
            " name, email, street, postcode, city, shipping_minor, shipping_vat_rate, total_minor, placed_at)"
            " VALUES (?, ?, ?, ?, ?, 'pending', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (number, reference, owner, customer_id, draft, language,
             address.name, address.email, address.street, address.postcode, address.city,
             cart.sums.shipping_minor, cart.sums.shipping_vat_rate, cart.sums.total_minor, placed_at),
        )  # fmt: skip
        connection.executemany(
            "INSERT INTO order_lines VALUES (?, ?, ?, ?, ?, ?)",
            [
                (reference, line.article.sku, line.quantity, line.article.price_minor, line.vat_rate,
                 line.article.points_allowed)
                for line in cart.lines
            ],
        )  # fmt: skip
        connection.executemany(
            "INSERT INTO reward_lines VALUES (?, ?, ?)",
            [(reference, line.sku, line.reward_points) for line in cart.lines if line.reward_points],
        )
    order = find(reference)
    assert order is not None
    return order


def find(reference: str) -> Order | None:
    """Any order by its reference. A page for a customer asks `find_own`."""
    return _one("SELECT * FROM orders WHERE reference = ?", reference)


def find_own(reference: str, *, owner: str) -> Order | None:
    return _one("SELECT * FROM orders WHERE reference = ? AND owner = ?", reference, owner)


def by_draft(draft: str, *, owner: str) -> Order | None:
    return _one("SELECT * FROM orders WHERE draft = ? AND owner = ?", draft, owner)


def list_own(*, owner: str) -> tuple[Order, ...]:
    """Newest first."""
    rows = connect().execute("SELECT * FROM orders WHERE owner = ? ORDER BY number DESC", (owner,))
    return tuple(map(_order, rows.fetchall()))


def list_all(show: str, *, before: int | None, most: int) -> tuple[Order, ...]:
    """Everybody's orders, newest first, from below a number on. A page for customers asks `list_own`."""
    rows = connect().execute(
        f"SELECT * FROM orders WHERE {LISTS[show]} AND (? IS NULL OR number < ?) ORDER BY number DESC LIMIT ?",
        (before, before, most),
    )
    return tuple(map(_order, rows.fetchall()))


def count_to_ship() -> int:
    (count,) = connect().execute(f"SELECT count(*) FROM orders WHERE {LISTS['to_ship']}").fetchone()
    return int(count)


def number_of(reference: str) -> int:
    return int(reference.removeprefix("A-"))


def placed_between(since: datetime, until: datetime) -> Iterator[Order]:
    rows = connect().execute(
        "SELECT * FROM orders WHERE placed_at >= ? AND placed_at < ? ORDER BY number",
        (since.isoformat(), until.isoformat()),
    )
    return map(_order, rows.fetchall())


def mark_paid(reference: str) -> bool:
    """True when this call did it, or it was so already; False for an order that was cancelled meanwhile."""
    connect().execute(
        "UPDATE orders SET state = 'paid', paid_at = ? WHERE reference = ? AND state = 'pending'",
        (clock.now().isoformat(), reference),
    )
    return _state(reference) == "paid"


def mark_cancelled(reference: str) -> bool:
    """True when the order is cancelled now; False when it has left the house."""
    connect().execute(
        "UPDATE orders SET state = 'cancelled', cancelled_at = ?"
        f" WHERE reference = ? AND state != 'cancelled' AND shipped_at IS NULL AND {_NOT_CHANGING}",
        (clock.now().isoformat(), reference),
    )
    return _state(reference) == "cancelled"


def mark_shipped(reference: str) -> bool:
    """True for exactly one caller, however many ask: a parcel leaves once."""
    changed = connect().execute(
        "UPDATE orders SET shipped_at = ? WHERE reference = ? AND state = 'paid' AND shipped_at IS NULL"
        f" AND {_NOT_CHANGING}",
        (clock.now().isoformat(), reference),
    )
    return changed.rowcount == 1


def _state(reference: str) -> str | None:
    row = connect().execute("SELECT state FROM orders WHERE reference = ?", (reference,)).fetchone()
    return row["state"] if row else None


def _one(statement: str, *values: str) -> Order | None:
    row = connect().execute(statement, values).fetchone()
    return _order(row) if row else None


def _order(row: sqlite3.Row) -> Order:
    lines = tuple(
        OrderLine(
            sku=line["sku"],
            quantity=line["quantity"],
            unit_price_minor=line["unit_price_minor"],
            vat_rate=line["vat_rate"],
            points_allowed=bool(line["points_allowed"]),
            reward_points=line["reward_points"] or 0,
        )
        for line in connect().execute(
            "SELECT order_lines.*, reward_points FROM order_lines LEFT JOIN reward_lines USING (order_reference, sku)"
            " WHERE order_reference = ? ORDER BY order_lines.rowid",
            (row["reference"],),
        )
    )
    return Order(
        reference=row["reference"],
        owner=row["owner"],
        customer_id=row["customer_id"],
        state=cast(OrderState, row["state"]),
        language=row["language"],
        address=Address(
            name=row["name"], email=row["email"], street=row["street"], postcode=row["postcode"], city=row["city"]
        ),
        lines=lines,
        sums=sums.of(lines, shipping_minor=row["shipping_minor"], shipping_vat_rate=row["shipping_vat_rate"]),
        placed_at=datetime.fromisoformat(row["placed_at"]),
        paid_at=_time(row["paid_at"]),
        shipped_at=_time(row["shipped_at"]),
        cancelled_at=_time(row["cancelled_at"]),
    )


def _time(stored: str | None) -> datetime | None:
    return datetime.fromisoformat(stored) if stored else None
