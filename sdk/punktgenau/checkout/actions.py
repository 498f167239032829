"""The noun action: what a person did to the books by hand, and why; append-only."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, select, tuple_
from sqlalchemy.sql import ClauseElement

from punktgenau._clock import Clock
from punktgenau.checkout.database import Database, Transaction, Value
from punktgenau.checkout.moments import moment, now_ms
from punktgenau.checkout.rows import row_of
from punktgenau.checkout.schema_returns import ActionRow, action
from punktgenau.checkout.statements import insert_own, own
from punktgenau.errors import InvalidArgumentError
from punktgenau.money import Money

TEXT_MAX = 200
Beside = Callable[[Transaction], None]
"""Writes down who does something, in the transaction that does it: neither stands without the other."""
_a = action.c
_ADD = insert_own(action)
_OF_REDEMPTION = (
    select(action).where(_a.redemption_id == bindparam("redemption_id")).order_by(_a.created_at, _a.id).limit(500)
)
_PAGE = (
    select(action)
    .where(own(action), tuple_(_a.created_at, _a.id) < tuple_(bindparam("before_at"), bindparam("before_id")))
    .order_by(_a.created_at.desc(), _a.id.desc())
    .limit(bindparam("most"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What `actor` did or asked for; `subject` names what it was about, `detail` its figures."""

    id: str
    kind: str
    actor: str
    reason: str
    subject: str
    redemption_id: str | None
    detail: Mapping[str, str | int | None]
    at: datetime

    @property
    def value(self) -> Money | None:
        """What its points were worth, where that is among its figures."""
        minor, currency = self.detail.get("value_minor"), self.detail.get("currency")
        if isinstance(minor, int) and isinstance(currency, str):
            return Money(amount_minor=minor, currency=currency)
        return None


class Actions:
    """Writes down who did what, before it is done or in the commit that does it; and reads it."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def record(
        self,
        kind: str,
        *,
        actor: str,
        reason: str,
        subject: str,
        redemption_id: str | None = None,
        detail: Mapping[str, str | int | None] | None = None,
    ) -> None:
        """Write an action down. Raises InvalidArgumentError for an empty or unprintable actor or reason."""
        with self._database.transaction() as tx:
            self.record_in(
                tx,
                kind,
                actor=actor,
                reason=reason,
                subject=subject,
                redemption_id=redemption_id,
                detail=detail,
            )

    def record_in(
        self,
        tx: Transaction,
        kind: str,
        *,
        actor: str,
        reason: str,
        subject: str,
        redemption_id: str | None = None,
        detail: Mapping[str, str | int | None] | None = None,
    ) -> None:
        """The same, in the commit that does what it tells of."""
        values: dict[str, Value] = {
            "id": self._clock.random_bytes(16).hex(),
            "kind": kind,
            "actor": require_text(actor, field="actor"),
            "reason": require_text(reason, field="reason", least=0),
            "subject": subject[:TEXT_MAX],
            "redemption_id": redemption_id,
            "detail": json.dumps(dict(detail or {}), sort_keys=True, separators=(",", ":")),
            "created_at": now_ms(self._clock),
        }
        tx.run(_ADD, values)

    def of_redemption(self, redemption_id: str) -> tuple[Action, ...]:
        """What was done to one redemption, the oldest first."""
        with self._database.transaction(write=False) as tx:
            return _actions(tx.all(_OF_REDEMPTION, {"redemption_id": redemption_id}))

    def page(self, *, before: tuple[int, str] | None = None, most: int = 50) -> tuple[Action, ...]:
        """What was done, the newest first; `before` is the last one of the page before (milliseconds, id)."""
        before_at, before_id = before or (2**62, "")
        with self._database.transaction(write=False) as tx:
            return _actions(tx.all(_PAGE, {"before_at": before_at, "before_id": before_id, "most": most}))

    def found(self, statement: ClauseElement, values: Mapping[str, Value]) -> tuple[Action, ...]:
        """What a statement over the table finds."""
        with self._database.transaction(write=False) as tx:
            return _actions(tx.all(statement, dict(values)))


def one_line(text: str) -> str:
    """The beginning of a text, as far as it can be printed."""
    return "".join(sign for sign in text[:200] if sign.isprintable())


def require_text(text: str, *, field: str, least: int = 1) -> str:
    """A line that a person wrote. Raises InvalidArgumentError where it is empty, too long or not printable."""
    line = " ".join(text.split()) if isinstance(text, str) else ""
    if not least <= len(line) <= TEXT_MAX or not (line.isprintable() or not line):
        raise InvalidArgumentError(f"{field} must be {least} to {TEXT_MAX} printable characters.", field=field)
    return line


def _actions(rows: list[tuple[Value, ...]]) -> tuple[Action, ...]:
    return tuple(_action(row_of(ActionRow, row)) for row in rows)


def _action(row: ActionRow) -> Action:
    return Action(
        id=row.id,
        kind=row.kind,
        actor=row.actor,
        reason=row.reason,
        subject=row.subject,
        redemption_id=row.redemption_id,
        detail=json.loads(row.detail),
        at=moment(row.created_at),
    )
