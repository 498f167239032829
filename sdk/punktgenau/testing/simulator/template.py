"""An empty journal to copy, with triggers that write down every change that is committed."""

from __future__ import annotations

import sqlite3
import tempfile
from datetime import datetime
from pathlib import Path

from punktgenau import Client
from punktgenau.checkout import Checkout
from punktgenau.testing.clock import ManualClock
from punktgenau.testing.simulator.audit import LINKS
from punktgenau.testing.simulator.provider import BEGINS, PARTNER, SECRET, URL, SimulatedProvider
from punktgenau.testing.simulator.wire import StraightWire

_REDEMPTION_FIXED = (
    "id", "provider", "partner", "mode", "order_reference", "attempt", "key", "cause", "customer_id", "member_id",
    "consent_id", "wish", "points", "value_minor", "total_minor", "payable_minor", "currency", "rate_id", "cart",
    "hold_s", "created_at",
)  # fmt: skip
_REDEMPTION_MOVING = (
    "state", "version", "live_key", "provider_id", "captured_points", "reversed_points", "vouchers_back_minor",
    "release_cause", "reason",
)  # fmt: skip
_OPERATION_FIXED = ("id", "redemption_id", "kind", "cause", "key", "fingerprint", "request", "created_at")
_OPERATION_MOVING = ("outcome", "open_key", "lease_token", "sends", "passes")
_EARNING_FIXED = (
    "id", "provider", "partner", "mode", "order_reference", "kind", "customer_id", "member_id", "consent_id", "points",
    "basis", "pending_s", "claw_back", "placed_at", "offset_points", "created_at",
)  # fmt: skip
_EARNING_MOVING = (
    "state", "version", "accrual_id", "accrual_reference", "posted_at", "given_points", "points_taken", "owed_points",
    "offset_back",
)  # fmt: skip
_STEP_FIXED = ("id", "earning_id", "kind", "cause", "key", "fingerprint", "request", "created_at")


def _audit(table: str, fixed: tuple[str, ...], moving: tuple[str, ...]) -> list[str]:
    name = f"audit_{table}"
    columns = ", ".join(f"was_{column}, is_{column}" for column in moving)
    altered = " OR ".join(f"OLD.{column} IS NOT NEW.{column}" for column in fixed)
    was_is = ", ".join(f"OLD.{column}, NEW.{column}" for column in moving)
    fresh = ", ".join(f"NULL, NEW.{column}" for column in moving)
    gone = ", ".join(f"OLD.{column}, NULL" for column in moving)
    moved = " OR ".join(f"OLD.{column} IS NOT NEW.{column}" for column in moving)
    # Whoever only looks at a redemption changes nothing that is told; of an operation each change counts.
    told = f"WHEN {altered} OR {moved} " if table in ("redemption", "earning") else ""
    on, then = f"ON punktgenau_{table}", f"BEGIN INSERT INTO {name} (row_id, altered, {columns})"
    return [
        f"CREATE TABLE {name} (number INTEGER PRIMARY KEY, row_id, altered, {columns})",
        f"CREATE TRIGGER {name}_new AFTER INSERT {on} {then} VALUES (NEW.id, 0, {fresh}); END",
        f"CREATE TRIGGER {name}_changed AFTER UPDATE {on} {told}{then} VALUES (NEW.id, {altered}, {was_is}); END",
        f"CREATE TRIGGER {name}_gone AFTER DELETE {on} {then} VALUES (OLD.id, 1, {gone}); END",
    ]


class _FixedClock(ManualClock):
    def __init__(self, start: datetime) -> None:
        super().__init__(start)
        self._drawn = 0

    def random_bytes(self, length: int) -> bytes:
        self._drawn += 1
        return bytes((self._drawn + position) % 256 for position in range(length))


def empty_journal(provider: SimulatedProvider, *, with_balances: bool) -> bytes:
    """An upgraded journal with two linked customers and the triggers, as the bytes of its file.

    `with_balances`: their balances have just been asked for.
    """
    with tempfile.TemporaryDirectory(prefix="punktgenau-simulator-") as folder:
        path = Path(folder) / "journal.sqlite"
        clock = _FixedClock(BEGINS)
        wire = StraightWire(provider)
        with Client(URL, client_id=PARTNER, client_secret=SECRET, clock=clock, adapter=wire) as client:
            checkout = Checkout(client, f"sqlite:///{path}", clock=clock)
            checkout.upgrade()
            for customer, (member, consent) in LINKS.items():
                checkout.link(customer, member_id=member, consent_id=consent)
                if with_balances:
                    checkout.balance(customer)
            checkout.close()
        connection = sqlite3.connect(path)
        for statement in (
            *_audit("redemption", _REDEMPTION_FIXED, _REDEMPTION_MOVING),
            *_audit("operation", _OPERATION_FIXED, _OPERATION_MOVING),
            *_audit("earning", _EARNING_FIXED, _EARNING_MOVING),
            *_audit("earning_step", _STEP_FIXED, _OPERATION_MOVING),
        ):
            connection.execute(statement)
        connection.commit()
        # Each commit copies, and sums up, whole pages; most change a few bytes of them.
        connection.execute("PRAGMA journal_mode=DELETE")
        connection.execute("PRAGMA page_size=1024")
        connection.execute("VACUUM")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        return path.read_bytes()
