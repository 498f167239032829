"""The journal's table of differences: what a statement, the journal and the shop's orders do not agree about."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import BigInteger, Column, ForeignKey, Index, String, Table, literal_column

from punktgenau.checkout.schema import PREFIX, metadata, operation, redemption

difference = Table(
    f"{PREFIX}difference",
    metadata,
    # Made from what it is about, so that the next run finds this row and proposes nothing twice.
    Column("id", String(32), primary_key=True),
    Column("provider", String(64), nullable=False),
    Column("partner", String(64), nullable=False),
    Column("mode", String(16), nullable=False),
    Column("period", String(7), nullable=False),
    Column("kind", String(16), nullable=False),
    # waiting (may stand on the next statement), open, repairing, repaired, dismissed, settled (it is no more).
    Column("state", String(12), nullable=False),
    Column("order_reference", String(64), nullable=False),
    Column("order_state", String(16), nullable=False),
    Column("redemption_id", String(32), ForeignKey(redemption.c.id)),
    Column("provider_id", String(64), nullable=False),
    Column("line_id", String(64), nullable=False),
    Column("operation_id", String(32), nullable=False),
    # What the statement says, and what the journal says; NULL: nothing.
    Column("there_points", BigInteger),
    Column("there_minor", BigInteger),
    Column("there_at", BigInteger),
    Column("here_points", BigInteger),
    Column("here_minor", BigInteger),
    Column("here_at", BigInteger),
    Column("currency", String(3), nullable=False),
    Column("proposal", String(16), nullable=False),
    Column("note", String(200), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Column("actor", String(200), nullable=False),
    Column("reason", String(200), nullable=False),
    Column("result", String(200), nullable=False),
    Column("done_at", BigInteger),
    # The journal's, where it has another than the statement; NULL: they are the same.
    Column("here_currency", String(3)),
)
_LISTED = difference.c
Index(
    f"{PREFIX}difference_listed",
    _LISTED.provider,
    _LISTED.partner,
    _LISTED.mode,
    _LISTED.state,
    _LISTED.period,
    _LISTED.id,
)
# What was booked in a period is found by its time, however long the journal is.
_IS_DONE = operation.c.outcome == literal_column("'done'")
Index(
    f"{PREFIX}operation_done",
    operation.c.finished_at,
    operation.c.id,
    sqlite_where=_IS_DONE,
    postgresql_where=_IS_DONE,
)


@dataclass(frozen=True, slots=True)
class DifferenceRow:
    """One difference; fields in the order of the columns after the shop's identity."""

    id: str
    period: str
    kind: str
    state: str
    order_reference: str
    order_state: str
    redemption_id: str | None
    provider_id: str
    line_id: str
    operation_id: str
    there_points: int | None
    there_minor: int | None
    there_at: int | None
    here_points: int | None
    here_minor: int | None
    here_at: int | None
    currency: str
    proposal: str
    note: str
    created_at: int
    seen_at: int
    actor: str = ""
    reason: str = ""
    result: str = ""
    done_at: int | None = None
    here_currency: str | None = None
