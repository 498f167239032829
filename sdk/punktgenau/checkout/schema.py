"""The journal's tables. Times are milliseconds since 1970 in UTC, amounts the smallest unit.

What is read from them: `rows`.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    literal_column,
)

from punktgenau.checkout.rows import EventRow, LinkRow, OperationRow, RedemptionRow, values_of

__all__ = [
    "PREFIX",
    "VERSION_TABLE",
    "EventRow",
    "LinkRow",
    "OperationRow",
    "RedemptionRow",
    "event",
    "include_name",
    "link",
    "meta",
    "metadata",
    "operation",
    "redemption",
    "tender",
    "values_of",
]

PREFIX = "punktgenau_"
VERSION_TABLE = f"{PREFIX}schema_version"
metadata = MetaData()

redemption = Table(
    f"{PREFIX}redemption",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("provider", String(64), nullable=False),
    Column("partner", String(64), nullable=False),
    Column("mode", String(16), nullable=False),
    Column("order_reference", String(36), nullable=False),
    Column("attempt", Integer, nullable=False),
    # The authorize's idempotency key: under it the provider knows this attempt.
    Column("key", String(255), nullable=False, unique=True),
    # One live row per order: the same text for every attempt of an order, NULL once the attempt is proven closed.
    Column("live_key", String(200), unique=True),
    # Why there is this attempt: placed, or shortfall (the points of the attempt before it are held and taken anew).
    Column("cause", String(16), nullable=False),
    Column("state", String(24), nullable=False),
    Column("version", Integer, nullable=False),
    Column("customer_id", String(255), nullable=False),
    Column("member_id", String(64), nullable=False),
    Column("consent_id", String(64), nullable=False),
    Column("wish", String(20), nullable=False),
    Column("points", BigInteger, nullable=False),
    Column("value_minor", BigInteger, nullable=False),
    Column("total_minor", BigInteger, nullable=False),
    Column("payable_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("rate_id", String(64), nullable=False),
    Column("rate_points", BigInteger, nullable=False),
    Column("rate_amount_minor", BigInteger, nullable=False),
    Column("rate_rounding", String(8), nullable=False),
    Column("cart", Text, nullable=False),
    Column("hold_s", Integer, nullable=False),
    Column("provider_id", String(64)),
    Column("hold_until", BigInteger),
    Column("captured_points", BigInteger, nullable=False),
    Column("reversed_points", BigInteger, nullable=False),
    Column("reversed_minor", BigInteger, nullable=False),
    Column("release_cause", String(200)),
    Column("reason", String(200), nullable=False),
    # When somebody should look at a row without an open operation; NULL: never again.
    Column("check_at", BigInteger),
    Column("lease_until", BigInteger, nullable=False),
    Column("lease_token", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    # Declared when the order is placed, whatever the shop decides for others later.
    Column("refund_policy", String(16), nullable=False, server_default="proportional"),
    Column("tax_mode", String(8), nullable=False, server_default="tender"),
    Column("captured_minor", BigInteger, nullable=False, server_default="0"),
    # The newest amendment, as far as it decides what is captured and due; NULL: the order is as it was placed.
    Column("amended_points", BigInteger),
    Column("amended_minor", BigInteger),
    Column("amended_payable_minor", BigInteger),
    # Captured points that never go back, because their worth was paid in money instead.
    Column("kept_points", BigInteger, nullable=False, server_default="0"),
    Column("kept_minor", BigInteger, nullable=False, server_default="0"),
    # When the shop said that the order is paid while a hold was just being made longer; NULL: captured at once, or not.
    Column("paid_at", BigInteger),
    # Of what was captured: what pays nothing of the newest version, because it came back before that, or with it.
    Column("settled_points", BigInteger, nullable=False, server_default="0"),
    Column("settled_minor", BigInteger, nullable=False, server_default="0"),
    # What points should have paid of the newest version and the shop bears, because a person has decided so.
    Column("written_off_minor", BigInteger, nullable=False, server_default="0"),
    # What went back onto vouchers that pay it; which these are stands in the frozen cart.
    Column("vouchers_back_minor", BigInteger, nullable=False, server_default="0"),
    # Of each by its id, as JSON: what went back onto it, and what never will because it was paid in money instead.
    Column("vouchers_gone", Text),
    UniqueConstraint("provider", "partner", "mode", "order_reference", "attempt", name=f"{PREFIX}redemption_attempt"),
)
Index(
    f"{PREFIX}redemption_check",
    redemption.c.check_at,
    sqlite_where=redemption.c.check_at.is_not(None),
    postgresql_where=redemption.c.check_at.is_not(None),
)
_NEEDS_A_PERSON = redemption.c.state.in_([literal_column("'short'"), literal_column("'needs_attention'")])
Index(
    f"{PREFIX}redemption_attention",
    redemption.c.state,
    sqlite_where=_NEEDS_A_PERSON,
    postgresql_where=_NEEDS_A_PERSON,
)
Index(f"{PREFIX}redemption_customer", redemption.c.customer_id, redemption.c.created_at)
Index(f"{PREFIX}redemption_provider_id", redemption.c.provider_id)

tender = Table(
    f"{PREFIX}tender",
    metadata,
    Column("redemption_id", String(32), ForeignKey(redemption.c.id), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("points", BigInteger, nullable=False),
    Column("value_minor", BigInteger, nullable=False),
    # Of a voucher; what becomes of points stands in the redemption.
    Column("voucher_id", String(64)),
    Column("last_four", String(8)),
    Column("captured_minor", BigInteger),
    Column("reversed_minor", BigInteger),
)
Index(f"{PREFIX}tender_voucher", tender.c.voucher_id)

operation = Table(
    f"{PREFIX}operation",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("redemption_id", String(32), ForeignKey(redemption.c.id), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("cause", String(200), nullable=False),
    Column("key", String(255), nullable=False, unique=True),
    Column("fingerprint", String(64), nullable=False),
    Column("request", Text, nullable=False),
    Column("reply", Text),
    # NULL until the first answer; "unknown" until there is evidence; then done or not_done for good.
    Column("outcome", String(8)),
    Column("code", String(64)),
    Column("sends", Integer, nullable=False),
    Column("passes", Integer, nullable=False),
    # The redemption's id while this operation is open, so that a redemption has at most one open operation.
    Column("open_key", String(32), unique=True),
    Column("next_at", BigInteger),
    Column("lease_until", BigInteger, nullable=False),
    Column("lease_token", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("finished_at", BigInteger),
    UniqueConstraint("redemption_id", "kind", "cause", name=f"{PREFIX}operation_once"),
)
Index(
    f"{PREFIX}operation_due",
    operation.c.next_at,
    sqlite_where=operation.c.next_at.is_not(None),
    postgresql_where=operation.c.next_at.is_not(None),
)

link = Table(
    f"{PREFIX}link",
    metadata,
    Column("provider", String(64), primary_key=True),
    Column("partner", String(64), primary_key=True),
    Column("mode", String(16), primary_key=True),
    Column("customer_id", String(255), primary_key=True),
    Column("member_id", String(64), nullable=False),
    Column("consent_id", String(64), nullable=False),
    Column("linked_at", BigInteger, nullable=False),
    # The last balance, so that all processes of a shop share it; never the authority.
    Column("balance", Text),
    Column("balance_at", BigInteger, nullable=False),
)

Index(f"{PREFIX}link_member", link.c.member_id)

event = Table(
    f"{PREFIX}event",
    metadata,
    Column("provider", String(64), primary_key=True),
    Column("partner", String(64), primary_key=True),
    # The webhook's id: the same one again is the same event.
    Column("id", String(255), primary_key=True),
    Column("type", String(64), nullable=False),
    # What it is about, by the provider's words.
    Column("key", String(255)),
    Column("provider_id", String(64)),
    Column("order_reference", String(36)),
    Column("said", String(24)),
    # matched: belongs to `redemption_id`, or to a link; early: to nothing yet; unmatched: kept apart, with its reason.
    Column("state", String(16), nullable=False),
    Column("reason", String(32), nullable=False),
    Column("redemption_id", String(32), ForeignKey(redemption.c.id)),
    Column("received_at", BigInteger, nullable=False),
    # When somebody should follow it up; NULL: that is done.
    Column("check_at", BigInteger),
)
Index(
    f"{PREFIX}event_check",
    event.c.check_at,
    sqlite_where=event.c.check_at.is_not(None),
    postgresql_where=event.c.check_at.is_not(None),
)

meta = Table(
    f"{PREFIX}meta",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", String(200), nullable=False),
)


def include_name(name: str | None, type_: str, parent_names: object) -> bool:
    """For the host's `alembic` environment: leaves our tables out of the host's autogenerate."""
    return not (type_ == "table" and name is not None and name.startswith(PREFIX))
