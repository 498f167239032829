"""The journal's tables and rows of what comes after the payment: returns, amended orders, who did what."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    and_,
    literal_column,
)
from sqlalchemy.sql import ColumnElement

from punktgenau.checkout.schema import PREFIX, metadata, redemption

returns = Table(
    f"{PREFIX}return",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("redemption_id", String(32), ForeignKey(redemption.c.id), nullable=False),
    # In the order in which they were committed: what came back so far decides what this one gives back.
    Column("number", Integer, nullable=False),
    Column("reference", String(36), nullable=False),
    Column("wanted", Text, nullable=False),
    # Frozen as it was asked for: what this return gives back, and to whom.
    Column("policy", String(16), nullable=False),
    Column("goods_minor", BigInteger, nullable=False),
    Column("other_minor", BigInteger, nullable=False),
    Column("value_minor", BigInteger, nullable=False),
    Column("money_minor", BigInteger, nullable=False),
    Column("points", BigInteger, nullable=False),
    # What the points that go back are worth, in whole points: less than the value where part of a point is owed, more
    # where what was owed before is part of it.
    Column("worth_minor", BigInteger, nullable=False),
    # What is owed of a point after this return; not a part of it.
    Column("carry_minor", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),
    Column("operation_id", String(32), unique=True),
    # What the provider said about the points; NULL where only a look-up proved the reversal.
    Column("restored_points", BigInteger),
    Column("expired_points", BigInteger),
    Column("converted_points", BigInteger),
    # "money": points that came back already expired are paid out at the order's rate, `expired_minor` of it;
    # "accrue": they are given anew, `new_points` of them.
    Column("expired_rule", String(8), nullable=False),
    Column("expired_minor", BigInteger, nullable=False),
    # What points that the provider refused to take back are paid with instead.
    Column("instead_minor", BigInteger, nullable=False, server_default="0"),
    Column("reason", String(200), nullable=False),
    Column("actor", String(200), nullable=False),
    Column("psp_reference", String(255)),
    # When the money half was closed; NULL while it is owed, or where there is none. More may become owed later; what
    # was paid, and as what, stands in `payout`, its last reference and the sum here as well.
    Column("money_refunded_at", BigInteger),
    Column("refunded_minor", BigInteger, nullable=False, server_default="0"),
    Column("created_at", BigInteger, nullable=False),
    Column("finished_at", BigInteger),
    # So many parcels of its version had left when it was asked for; NULL: all that there was to leave.
    Column("parcels", Integer),
    # What goes back onto vouchers with it, as JSON: id and minor units of each.
    Column("vouchers", Text),
    # What of these came back expired, likewise; NULL: nobody said.
    Column("vouchers_expired", Text),
    Column("new_points", BigInteger, nullable=False, server_default="0"),
    # accruing, posted, declined, needs_attention; NULL: none are given anew.
    Column("accrual_state", String(16)),
    Column("accrual_id", String(64)),
    UniqueConstraint("redemption_id", "number", name=f"{PREFIX}return_number"),
    UniqueConstraint("redemption_id", "reference", name=f"{PREFIX}return_once"),
)
MONEY_MINOR = returns.c.money_minor + returns.c.expired_minor + returns.c.instead_minor
"""What a return pays in money in all."""
OWED_MINOR = MONEY_MINOR - returns.c.refunded_minor
_NOTHING: ColumnElement[int] = literal_column("0")
# Not bound: PostgreSQL's general plan for every value could not use the index then.
OWES_MONEY = and_(returns.c.money_refunded_at.is_(None), MONEY_MINOR > _NOTHING)
Index(
    f"{PREFIX}return_money",
    returns.c.created_at,
    sqlite_where=OWES_MONEY,
    postgresql_where=OWES_MONEY,
)

_REFUSED = returns.c.state == literal_column("'declined'")
Index(f"{PREFIX}return_refused", returns.c.created_at, sqlite_where=_REFUSED, postgresql_where=_REFUSED)

NOT_GIVEN = returns.c.accrual_state.in_([literal_column("'declined'"), literal_column("'needs_attention'")])
Index(f"{PREFIX}return_not_given", returns.c.created_at, sqlite_where=NOT_GIVEN, postgresql_where=NOT_GIVEN)

# Only a look-up has proved that the points are back, and the shop makes up for those that had expired.
UNSAID = and_(
    returns.c.state == literal_column("'done'"),
    returns.c.restored_points.is_(None),
    returns.c.expired_rule.in_([literal_column("'money'"), literal_column("'accrue'")]),
)
Index(f"{PREFIX}return_unsaid", returns.c.created_at, sqlite_where=UNSAID, postgresql_where=UNSAID)

payout = Table(
    f"{PREFIX}payout",
    metadata,
    Column("return_id", String(32), ForeignKey(returns.c.id), primary_key=True),
    # Each payment counts once, however often and in whatever order it is told.
    Column("psp_reference", String(255), primary_key=True),
    Column("amount_minor", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

shipment = Table(
    f"{PREFIX}shipment",
    metadata,
    Column("redemption_id", String(32), ForeignKey(redemption.c.id), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("reference", String(36), nullable=False),
    # The units that are shipped with it, by line.
    Column("lines", Text, nullable=False),
    # What is captured with it: the difference of two cumulative states.
    Column("points", BigInteger, nullable=False),
    Column("worth_minor", BigInteger, nullable=False),
    # Nothing is left to be captured after it.
    Column("is_last", Integer, nullable=False),
    # requested, capturing, done: in this order.
    Column("state", String(16), nullable=False),
    Column("operation_id", String(32), unique=True),
    Column("created_at", BigInteger, nullable=False),
    UniqueConstraint("redemption_id", "reference", name=f"{PREFIX}shipment_once"),
)

amendment = Table(
    f"{PREFIX}amendment",
    metadata,
    Column("redemption_id", String(32), ForeignKey(redemption.c.id), primary_key=True),
    # The order as it was placed is version 1 and stands in the redemption.
    Column("version", Integer, primary_key=True),
    Column("cart", Text, nullable=False),
    # What the points pay of this version: its whole, of which nothing has come back yet.
    Column("points", BigInteger, nullable=False),
    Column("value_minor", BigInteger, nullable=False),
    Column("total_minor", BigInteger, nullable=False),
    Column("payable_minor", BigInteger, nullable=False),
    # Returns up to this number belong to the versions before.
    Column("after_number", Integer, nullable=False),
    Column("reason", String(200), nullable=False),
    Column("actor", String(200), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    # Units by line that had left before it and were kept, where parcels were still to come; NULL: none, or all had.
    Column("shipped", Text),
    # What had been captured for those.
    Column("taken_points", BigInteger, nullable=False, server_default="0"),
    Column("taken_minor", BigInteger, nullable=False, server_default="0"),
    # Shipments up to this number belong to the versions before.
    Column("after_shipment", Integer, nullable=False, server_default="0"),
)

action = Table(
    f"{PREFIX}action",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("provider", String(64), nullable=False),
    Column("partner", String(64), nullable=False),
    Column("mode", String(16), nullable=False),
    Column("redemption_id", String(32), ForeignKey(redemption.c.id)),
    Column("subject", String(200), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("actor", String(200), nullable=False),
    Column("reason", String(200), nullable=False),
    Column("detail", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)
Index(f"{PREFIX}action_redemption", action.c.redemption_id, action.c.created_at)
Index(f"{PREFIX}action_latest", action.c.provider, action.c.partner, action.c.mode, action.c.created_at)


@dataclass(frozen=True, slots=True)
class ReturnRow:
    """One return; fields in the order of the columns."""

    id: str
    redemption_id: str
    number: int
    reference: str
    wanted: str
    policy: str
    goods_minor: int
    other_minor: int
    value_minor: int
    money_minor: int
    points: int
    worth_minor: int
    carry_minor: int
    state: str
    operation_id: str | None
    restored_points: int | None
    expired_points: int | None
    converted_points: int | None
    expired_rule: str
    expired_minor: int
    instead_minor: int
    reason: str
    actor: str
    psp_reference: str | None
    money_refunded_at: int | None
    refunded_minor: int
    created_at: int
    finished_at: int | None
    parcels: int | None = None
    vouchers: str | None = None
    vouchers_expired: str | None = None
    new_points: int = 0
    accrual_state: str | None = None
    accrual_id: str | None = None

    @property
    def owed_minor(self) -> int:
        """What is still to be paid in money."""
        return self.money_minor + self.expired_minor + self.instead_minor - self.refunded_minor


@dataclass(frozen=True, slots=True)
class PayoutRow:
    """One payment of a return's money half; fields in the order of the columns."""

    return_id: str
    psp_reference: str
    amount_minor: int
    created_at: int


@dataclass(frozen=True, slots=True)
class ShipmentRow:
    """One shipment of an order whose points are captured in parts; fields in the order of the columns."""

    redemption_id: str
    number: int
    reference: str
    lines: str
    points: int
    worth_minor: int
    is_last: int
    state: str
    operation_id: str | None
    created_at: int


@dataclass(frozen=True, slots=True)
class AmendmentRow:
    """An order as it was changed after it was placed; fields in the order of the columns."""

    redemption_id: str
    version: int
    cart: str
    points: int
    value_minor: int
    total_minor: int
    payable_minor: int
    after_number: int
    reason: str
    actor: str
    created_at: int
    shipped: str | None = None
    taken_points: int = 0
    taken_minor: int = 0
    after_shipment: int = 0


@dataclass(frozen=True, slots=True)
class ActionRow:
    """What somebody did to the books by hand; fields in the order of the columns."""

    id: str
    provider: str
    partner: str
    mode: str
    redemption_id: str | None
    subject: str
    kind: str
    actor: str
    reason: str
    detail: str
    created_at: int
