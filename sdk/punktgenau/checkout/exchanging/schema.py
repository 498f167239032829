"""The journal's table and row of points that become a voucher or money. Times are milliseconds."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, UniqueConstraint, literal_column

from punktgenau.checkout.schema import PREFIX, metadata

exchange = Table(
    f"{PREFIX}exchange",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("provider", String(64), nullable=False),
    Column("partner", String(64), nullable=False),
    Column("mode", String(16), nullable=False),
    # voucher, payout
    Column("kind", String(16), nullable=False),
    Column("customer_id", String(255), nullable=False),
    Column("member_id", String(64), nullable=False),
    # What the page called it, so that a form that is sent twice is one wish.
    Column("form", String(64), nullable=False),
    # From the random row id: under it, and under the key, the provider knows it. A voucher's code is never kept.
    Column("reference", String(36), nullable=False),
    Column("key", String(255), nullable=False, unique=True),
    Column("fingerprint", String(64), nullable=False),
    Column("product_id", String(64)),
    Column("points", BigInteger, nullable=False),
    # sending, declined, needs_attention; a voucher then is done, a payout requested, paid or rejected.
    Column("state", String(16), nullable=False),
    Column("provider_id", String(64)),
    Column("value_minor", BigInteger),
    Column("currency", String(3)),
    # Of a voucher its last four signs, of a payout the account as its owner knows it.
    Column("hint", String(64)),
    # As of an operation: NULL until the first answer; "unknown" until there is evidence; then done or not_done.
    Column("outcome", String(8)),
    Column("code", String(64)),
    Column("reason", String(200), nullable=False),
    Column("sends", Integer, nullable=False),
    Column("passes", Integer, nullable=False),
    Column("next_at", BigInteger),
    Column("lease_until", BigInteger, nullable=False),
    Column("lease_token", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    UniqueConstraint("provider", "partner", "mode", "customer_id", "form", name=f"{PREFIX}exchange_form"),
)
_IS_DUE = exchange.c.next_at.is_not(None)
Index(f"{PREFIX}exchange_due", exchange.c.next_at, sqlite_where=_IS_DUE, postgresql_where=_IS_DUE)
Index(f"{PREFIX}exchange_customer", exchange.c.customer_id, exchange.c.created_at)
Index(f"{PREFIX}exchange_provider_id", exchange.c.provider_id)
Index(f"{PREFIX}exchange_reference", exchange.c.reference)
Index(f"{PREFIX}exchange_member", exchange.c.member_id, exchange.c.created_at)
NEEDS_A_PERSON = exchange.c.state == literal_column("'needs_attention'")
Index(
    f"{PREFIX}exchange_attention",
    exchange.c.created_at,
    sqlite_where=NEEDS_A_PERSON,
    postgresql_where=NEEDS_A_PERSON,
)


@dataclass(frozen=True, slots=True)
class ExchangeRow:
    """Points that become something else; fields in the order of the columns."""

    id: str
    provider: str
    partner: str
    mode: str
    kind: str
    customer_id: str
    member_id: str
    form: str
    reference: str
    key: str
    fingerprint: str
    product_id: str | None
    points: int
    state: str
    provider_id: str | None
    value_minor: int | None
    currency: str | None
    hint: str | None
    outcome: str | None
    code: str | None
    reason: str
    sends: int
    passes: int
    next_at: int | None
    lease_until: int
    lease_token: int
    created_at: int
    updated_at: int


@dataclass(frozen=True, slots=True)
class ExchangeClaim:
    """The right to make the call of one exchange until its lease ends; `token` fences off whoever had it before."""

    operation: ExchangeRow
    token: int
    ends: float
    """The end of the lease, on this process's monotonic clock."""

    @property
    def is_first(self) -> bool:
        """Whether no byte can have gone out."""
        row = self.operation
        return row.sends == 0 and row.outcome in (None, "not_done") and self.token == row.passes + 1
