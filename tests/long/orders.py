"""The shop's own orders, in a database of its own kind, as a shop keeps them that knows nothing of journals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import create_engine, event, text

from punktgenau.checkout import Order
from punktgenau.checkout.cart import OrderState

_TABLE = """CREATE TABLE IF NOT EXISTS orders (
    reference VARCHAR(36) PRIMARY KEY, worker INTEGER NOT NULL, customer_id VARCHAR(40) NOT NULL,
    member_id VARCHAR(40) NOT NULL, wish INTEGER NOT NULL, total_minor INTEGER NOT NULL, state VARCHAR(12) NOT NULL,
    points INTEGER NOT NULL, value_minor INTEGER NOT NULL, due_minor INTEGER NOT NULL)"""
_COLUMNS = "reference, worker, customer_id, member_id, wish, total_minor, state, points, value_minor, due_minor"
_STATE: Mapping[str, OrderState] = {
    "pending": "pending",
    "paid": "paid",
    # Written before the points are asked back, so that whoever finds it after a crash asks again.
    "cancelling": "cancelled",
    "cancelled": "cancelled",
}


@dataclass(frozen=True, slots=True)
class ShopOrder:
    """One order; points, value_minor and due_minor are what the shop charged by, 0 until it is paid."""

    reference: str
    worker: int
    customer_id: str
    member_id: str
    wish: int
    total_minor: int
    state: str
    points: int = 0
    value_minor: int = 0
    due_minor: int = 0


class Orders:
    """The table of orders; every change is one committed statement that names the state it replaces."""

    def __init__(self, url: str) -> None:
        self._engine = create_engine(url, pool_pre_ping=True)
        if self._engine.dialect.name == "sqlite":

            @event.listens_for(self._engine, "connect")
            def _prepare(connection: object, record: object) -> None:
                cursor = connection.cursor()  # type: ignore[attr-defined]
                cursor.execute("PRAGMA journal_mode=WAL")
                cursor.execute("PRAGMA busy_timeout=10000")
                cursor.close()

    def create(self) -> None:
        """Make the table."""
        self._change(_TABLE)

    def place(self, order: ShopOrder) -> None:
        """Write a new order."""
        names = _COLUMNS.split(", ")
        values = {name: getattr(order, name) for name in names}
        self._change(f"INSERT INTO orders ({_COLUMNS}) VALUES ({', '.join(f':{name}' for name in names)})", **values)

    def settle(self, reference: str, *, points: int, value_minor: int, due_minor: int) -> bool:
        """The money is there, and these points count; False: the order is no longer pending."""
        changed = self._change(
            "UPDATE orders SET state = 'paid', points = :points, value_minor = :value_minor, due_minor = :due_minor"
            " WHERE reference = :reference AND state = 'pending'",
            reference=reference,
            points=points,
            value_minor=value_minor,
            due_minor=due_minor,
        )
        return changed == 1

    def move(self, reference: str, *, seen: str, state: str) -> bool:
        """From one state to another; False: it is not as seen."""
        changed = self._change(
            "UPDATE orders SET state = :state WHERE reference = :reference AND state = :seen",
            reference=reference,
            state=state,
            seen=seen,
        )
        return changed == 1

    def in_state(self, state: str, *, worker: int | None = None, most: int = 100_000) -> list[ShopOrder]:
        """Orders in a state, of one worker or of all."""
        mine = "" if worker is None else " AND worker = :worker"
        return self._read(
            f"SELECT {_COLUMNS} FROM orders WHERE state = :state{mine} ORDER BY reference LIMIT :most",
            state=state,
            worker=worker,
            most=most,
        )

    def any_in(self, state: str, *, after: str) -> ShopOrder | None:
        """One order in a state, the first whose reference follows `after`."""
        found = self._read(
            f"SELECT {_COLUMNS} FROM orders WHERE state = :state AND reference > :after ORDER BY reference LIMIT 1",
            state=state,
            after=after,
        )
        return found[0] if found else None

    def load(self, reference: str) -> Order | None:
        """The order loader of the checkout."""
        found = self._read(f"SELECT {_COLUMNS} FROM orders WHERE reference = :reference", reference=reference)
        return Order(reference=reference, state=_STATE[found[0].state]) if found else None

    def next_number(self, worker: int) -> int:
        """How many orders this worker has placed."""
        with self._engine.connect() as connection:
            return int(
                connection.execute(
                    text("SELECT count(*) FROM orders WHERE worker = :worker"), {"worker": worker}
                ).scalar_one()
            )

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def _change(self, statement: str, **values: str | int) -> int:
        with self._engine.begin() as connection:
            return connection.execute(text(statement), values).rowcount

    def _read(self, statement: str, **values: str | int | None) -> list[ShopOrder]:
        with self._engine.connect() as connection:
            return [ShopOrder(*row) for row in connection.execute(text(statement), values)]
