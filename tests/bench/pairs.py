"""An intent and its result, as the journal writes them, and the same statements on the bare driver."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from bench.stub import CART, POINTS
from punktgenau.checkout import Checkout
from punktgenau.checkout.database import Transaction
from punktgenau.checkout.journal import Journal
from punktgenau.checkout.schema import RedemptionRow

Statement = tuple[str, dict[str, Any], dict[str, str]]
LEASE_S = 4.0


def fresh() -> str:
    """An id that nobody has."""
    return os.urandom(16).hex()


def journal_pair(checkout: Checkout) -> Callable[[], object]:
    """One intent of an authorize, and its result: two commits of the journal."""
    journal = checkout._journal
    sample = _sample(checkout)

    def pair() -> object:
        return _pair(journal, sample, fresh())

    return pair


def _sample(checkout: Checkout) -> RedemptionRow:
    reference = f"S-{fresh()[:16]}"
    checkout.authorize(reference, CART, customer_id="customer-0", points=POINTS)
    row = checkout._journal.latest(reference)
    assert row is not None
    return row


def _pair(journal: Journal, sample: RedemptionRow, made: str) -> RedemptionRow:
    attempt = replace(
        sample,
        id=made,
        order_reference=f"B-{made}",
        live_key=f"B-{made}",
        key="",
        state="authorizing",
        version=1,
        provider_id=None,
        hold_until=None,
    )
    claim = journal.begin_attempt(attempt, {}, lease_s=LEASE_S)
    held = replace(claim.redemption, state="authorized", provider_id=f"red_{made}", hold_until=sample.hold_until)
    reply = {"id": f"red_{made}", "state": "authorized", "points": POINTS}
    return journal.finish(claim, held, outcome="done", code=None, reply=reply, sends=1, next_at=None)


def driver_pair(checkout: Checkout, connection: Any) -> Callable[[], object]:
    """The statements that one such pair ran, on one connection of the driver, with ids of its own each time."""
    commits = _recorded(checkout)
    is_sqlite = isinstance(connection, sqlite3.Connection)

    def pair() -> object:
        ids = {"redemption": fresh(), "operation": fresh()}
        cursor = connection.cursor()
        for statements in commits:
            if is_sqlite:
                cursor.execute("BEGIN IMMEDIATE")
            for text, values, names in statements:
                cursor.execute(text, {**values, **{name: form.format(**ids) for name, form in names.items()}})
                if text.startswith("SELECT"):
                    cursor.fetchone()
                elif cursor.rowcount != 1 and "link" not in text:
                    raise AssertionError(f"{cursor.rowcount} rows by {text}")
            connection.commit()
        return None

    return pair


def _recorded(checkout: Checkout) -> list[list[Statement]]:
    """Texts and values by commit; which values name the pair, and how."""
    ran: list[tuple[Transaction, str, dict[str, Any]]] = []
    run = Transaction.run

    def watched(tx: Transaction, statement: Any, values: Mapping[str, Any]) -> int:
        text, defaults = tx._database.compiled(statement)
        ran.append((tx, text, {**defaults, **tx._database.identity, "now_ms": tx._now_ms, **values}))
        return run(tx, statement, values)

    made = fresh()
    with patch.object(Transaction, "run", watched):
        row = _pair(checkout._journal, _sample(checkout), made)
    began = next(index for index, (_, _, values) in enumerate(ran) if values.get("order_reference") == f"B-{made}")
    ran = ran[began:]
    operation = next(str(values["id"]) for _, text, values in ran if "operation" in text and "id" in values)
    spelled = {
        made: "{redemption}",
        f"B-{made}": "B-{redemption}",
        f"red_{made}": "red_{redemption}",
        operation: "{operation}",
        row.key: "pg_{operation}",
    }
    commits: dict[int, list[Statement]] = {}
    for tx, text, values in ran:
        names = {name: spelled[value] for name, value in values.items() if value in spelled}
        commits.setdefault(id(tx), []).append((text, _used(text, values), names))
    for statements in commits.values():
        for _, values, names in statements:
            for name in set(names) - set(values):
                del names[name]
    return list(commits.values())


def _used(text: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Only what the statement names."""
    return {name: value for name, value in values.items() if f":{name}" in text or f"%({name})s" in text}
