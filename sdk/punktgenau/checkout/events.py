"""The noun event, in the journal: heard once, joined with the attempt that it is about, kept until it is followed up.

An event changes no state. It makes somebody ask the provider, whose answer counts.
"""

from __future__ import annotations

from typing import Literal

from sqlalchemy import bindparam, insert, select, update

from punktgenau._clock import Clock
from punktgenau.checkout.database import Database, DuplicateError, Transaction
from punktgenau.checkout.earning.schema import earning_step
from punktgenau.checkout.exchanging.statements import MIND
from punktgenau.checkout.moments import now_ms
from punktgenau.checkout.rows import replace, row_of
from punktgenau.checkout.schema import EventRow, RedemptionRow, event, link, operation, redemption, values_of
from punktgenau.events import Event

EventState = Literal["matched", "early", "unmatched", "repeated"]
EARLY_AGAIN_MS = 60_000
EARLY_MS = 3_600_000
"""An event that belongs to nothing for so long is kept apart."""
KNOWN_IDS_ONLY = frozenset({"authorizing", "abandoning", "abandoned", "declined"})
"""States in which it is news that the provider holds something."""

_e, _r = event.c, redemption.c
_THIS = (_e.provider == bindparam("provider"), _e.partner == bindparam("partner"), _e.id == bindparam("id"))
_ADD = insert(event).values({column.name: bindparam(column.name) for column in event.columns})
_WAITING = select(event).where(_e.check_at <= bindparam("at")).order_by(_e.check_at).limit(bindparam("most"))
_TAKE = update(event).where(*_THIS, _e.check_at == bindparam("seen_at")).values(check_at=bindparam("check_at"))
_FOLLOW_UP = (
    update(event)
    .where(*_THIS)
    .values({name: bindparam(name) for name in ("state", "reason", "redemption_id", "check_at")})
)
_BY_KEY = select(redemption).where(_r.key == bindparam("key"))
_ACCRUED = select(operation.c.redemption_id).where(operation.c.key == bindparam("key"))
_EARNED = select(earning_step.c.id).where(earning_step.c.key == bindparam("key"))
_BY_PROVIDER_ID = (
    select(redemption)
    .where(
        _r.provider_id == bindparam("provider_id"),
        _r.provider == bindparam("provider"),
        _r.partner == bindparam("partner"),
    )
    .limit(1)
)
_FORGET_BALANCE = update(link).where(link.c.member_id == bindparam("member_id")).values(balance=None, balance_at=0)
_FAR = 2**62


class Events:
    """The events of one journal."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def hear(self, told: Event, *, provider: str, partner: str) -> EventState:
        """Write an event down and make due what it is about, in one commit.

        Raises UnavailableError when the journal does not take it: then the provider has to say it again.
        """
        heard = _row_of(told, provider=provider, partner=partner, now_ms=self._now_ms())
        try:
            with self._database.transaction() as tx:
                if told.type == "consent.revoked":
                    heard = _consent_revoked(tx, heard, told.member_id)
                else:
                    heard = self._joined(tx, heard)
                tx.run(_ADD, values_of(heard))
        except DuplicateError:
            return "repeated"
        return "matched" if heard.state == "matched" else "early" if heard.state == "early" else "unmatched"

    def waiting(self, *, most: int, due_only: bool) -> tuple[EventRow, ...]:
        """Events to be followed up, the longest waiting first."""
        with self._database.transaction(write=False) as tx:
            rows = tx.all(_WAITING, {"at": self._now_ms() if due_only else _FAR, "most": most})
        return tuple(row_of(EventRow, row) for row in rows)

    def take(self, seen: EventRow, *, lease_s: float) -> EventRow | None:
        """Take an event, so that nobody else follows it up meanwhile, and join it if it was early; None: too late."""
        with self._database.transaction() as tx:
            until = self._now_ms() + int(lease_s * 1000)
            if tx.run(_TAKE, values_of(seen) | {"seen_at": seen.check_at, "check_at": until}) != 1:
                return None
            if seen.state != "early":
                return replace(seen, check_at=until)
            joined = self._joined(tx, seen)
            tx.run(_FOLLOW_UP, values_of(joined))
        return joined

    def done(self, row: EventRow, *, check_at: int | None = None) -> None:
        """The event was followed up; or not yet, and somebody shall at `check_at`."""
        with self._database.transaction() as tx:
            tx.run(_FOLLOW_UP, values_of(replace(row, check_at=check_at)))

    def _joined(self, tx: Transaction, row: EventRow) -> EventRow:
        """The event with what it belongs to, due at once where it is news."""
        now = self._now_ms()
        if row.type.startswith("accrual.") and row.key is not None:
            given = tx.one(_ACCRUED, {"key": row.key})
            if given is not None:
                # Its own operation finds out, under its own key.
                return replace(row, state="matched", reason="", redemption_id=str(given[0]), check_at=None)
            if tx.one(_EARNED, {"key": row.key}) is not None:
                # Likewise: what an order earns is told by its own steps.
                return replace(row, state="matched", reason="", check_at=None)
        if row.type.startswith("payout.") and row.provider_id is not None:
            # What became of it is asked for when somebody next recovers.
            known = tx.run(MIND, {"provider_id": row.provider_id, "state": "requested"}) > 0
            return replace(row, state="matched" if known else "unmatched", reason="unknown_type", check_at=None)
        if not row.type.startswith("redemption.") or (row.key is None and row.provider_id is None):
            return replace(row, state="unmatched", reason="unknown_type", check_at=None)
        found = tx.one(_BY_KEY, {"key": row.key}) if row.key is not None else None
        if found is None and row.provider_id is not None:
            found = tx.one(_BY_PROVIDER_ID, values_of(row))
        if found is None and now - row.received_at >= EARLY_MS:
            return replace(row, state="unmatched", reason="unknown_redemption", check_at=None)
        if found is None:
            # Those that belong to nobody must not crowd out the others: 1, 2, 4 ... minutes.
            again = now + max(EARLY_AGAIN_MS, now - row.received_at)
            return replace(row, state="early", check_at=min(again, row.received_at + EARLY_MS))
        about = row_of(RedemptionRow, found)
        if _contradicts(row, about):
            return replace(row, state="unmatched", reason="contradicts", check_at=None)
        due = now if is_news(row, about) else None
        return replace(row, state="matched", reason="", redemption_id=about.id, check_at=due)

    def _now_ms(self) -> int:
        return now_ms(self._clock)


def is_news(heard: EventRow, about: RedemptionRow) -> bool:
    """Whether an event says what the journal does not know already; if it does not, nobody needs to be asked."""
    if heard.said == "authorized":
        return about.state in KNOWN_IDS_ONLY
    return heard.said != about.state or about.state in {"partially_captured", "partially_reversed"}


def _row_of(told: Event, *, provider: str, partner: str, now_ms: int) -> EventRow:
    return EventRow(
        provider=provider,
        partner=partner,
        id=told.id,
        type=told.type,
        key=told.idempotency_key,
        provider_id=told.redemption_id or told.payout_id,
        order_reference=told.order_reference,
        said=told.state or told.type.removeprefix("redemption.")[:24],
        state="early",
        reason="",
        redemption_id=None,
        received_at=now_ms,
        check_at=now_ms,
    )


def _consent_revoked(tx: Transaction, row: EventRow, member_id: str | None) -> EventRow:
    """The balance that was seen last is nobody's business any more."""
    if member_id is None or tx.run(_FORGET_BALANCE, {"member_id": member_id}) == 0:
        return replace(row, state="unmatched", reason="unknown_member", check_at=None)
    return replace(row, state="matched", check_at=None)


def _contradicts(row: EventRow, about: RedemptionRow) -> bool:
    """A genuine event that names one redemption and describes another belongs to none."""
    said = (
        (row.key, about.key),
        (row.provider_id, about.provider_id),
        (row.order_reference, about.order_reference),
        (row.provider, about.provider),
        (row.partner, about.partner),
    )
    return any(theirs is not None and ours is not None and theirs != ours for theirs, ours in said)
