"""The journal's tables and rows of what orders earn. Times are milliseconds, points whole numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypedDict

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

from punktgenau.checkout.schema import PREFIX, metadata

earning = Table(
    f"{PREFIX}earning",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("provider", String(64), nullable=False),
    Column("partner", String(64), nullable=False),
    Column("mode", String(16), nullable=False),
    Column("order_reference", String(36), nullable=False),
    # purchase, welcome
    Column("kind", String(16), nullable=False),
    # Of a purchase always 1; which try a member's welcome is.
    Column("number", Integer, nullable=False),
    Column("customer_id", String(255), nullable=False),
    Column("member_id", String(64), nullable=False),
    Column("consent_id", String(64), nullable=False),
    Column("accrual_reference", String(36), nullable=False),
    # Frozen when it is planned: what is given, after `offset_points` of what was owed; what it is reckoned from; how
    # long it is pending; what a claw-back does about points that are spent.
    Column("points", BigInteger, nullable=False),
    Column("basis", Text, nullable=False),
    Column("pending_s", Integer, nullable=False),
    Column("claw_back", String(16), nullable=False),
    Column("placed_at", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),
    Column("version", Integer, nullable=False),
    Column("accrual_id", String(64)),
    # By our clock; NULL: not given yet, or posted.
    Column("pending_until", BigInteger),
    Column("posted_at", BigInteger),
    # What the provider was asked to give: fewer, where some were taken before that.
    Column("given_points", BigInteger, nullable=False),
    # Taken back of `points`: before they were given, or by the provider.
    Column("points_taken", BigInteger, nullable=False),
    # What the provider could not take; the member's next earnings here are smaller by that.
    Column("owed_points", BigInteger, nullable=False),
    # Of what was earned: so much settled what was owed by earlier ones, and so much of that is owed again.
    Column("offset_points", BigInteger, nullable=False),
    Column("offset_back", BigInteger, nullable=False),
    # Why the order is cancelled, where no redemption says so.
    Column("cancelled", String(200)),
    Column("reason", String(200), nullable=False),
    # When somebody should look at a row without an open step; NULL: never again.
    Column("check_at", BigInteger),
    Column("lease_until", BigInteger, nullable=False),
    Column("lease_token", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    # Of whoever was erased and owes points still: by the journal's key, so that the same member is known again.
    Column("owed_mark", String(64)),
    UniqueConstraint("provider", "partner", "mode", "order_reference", "kind", "number", name=f"{PREFIX}earning_once"),
)
_WELCOME = earning.c.kind == literal_column("'welcome'")
# Once per member, whatever account, tab or order.
Index(
    f"{PREFIX}earning_welcome",
    *(earning.c[name] for name in ("provider", "partner", "mode", "member_id", "number")),
    unique=True,
    sqlite_where=_WELCOME,
    postgresql_where=_WELCOME,
)
Index(f"{PREFIX}earning_member", earning.c.member_id, earning.c.created_at)
Index(f"{PREFIX}earning_customer", earning.c.customer_id, earning.c.created_at)
_IS_MARKED = earning.c.owed_mark.is_not(None)
Index(f"{PREFIX}earning_mark", earning.c.owed_mark, sqlite_where=_IS_MARKED, postgresql_where=_IS_MARKED)
_IS_DUE = earning.c.check_at.is_not(None)
Index(f"{PREFIX}earning_check", earning.c.check_at, sqlite_where=_IS_DUE, postgresql_where=_IS_DUE)
# Unless that is as it should be, or somebody has decided so.
NEEDS_A_PERSON = and_(
    earning.c.state.in_([literal_column("'declined'"), literal_column("'needs_attention'")]),
    earning.c.reason.not_in([literal_column("'welcome_had'"), literal_column("'left'")]),
)
Index(f"{PREFIX}earning_attention", earning.c.state, sqlite_where=NEEDS_A_PERSON, postgresql_where=NEEDS_A_PERSON)

earning_step = Table(
    f"{PREFIX}earning_step",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("earning_id", String(32), ForeignKey(earning.c.id), nullable=False),
    # accrue, post, claw_back
    Column("kind", String(16), nullable=False),
    Column("cause", String(200), nullable=False),
    Column("key", String(255), nullable=False, unique=True),
    Column("fingerprint", String(64), nullable=False),
    Column("request", Text, nullable=False),
    Column("reply", Text),
    # As of an operation: NULL until the first answer; "unknown" until there is evidence; then done or not_done.
    Column("outcome", String(8)),
    Column("code", String(64)),
    Column("sends", Integer, nullable=False),
    Column("passes", Integer, nullable=False),
    # The earning's id while this step is open, so that an earning has at most one open step.
    Column("open_key", String(32), unique=True),
    Column("next_at", BigInteger),
    Column("lease_until", BigInteger, nullable=False),
    Column("lease_token", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("finished_at", BigInteger),
    UniqueConstraint("earning_id", "kind", "cause", name=f"{PREFIX}earning_step_once"),
)
_IS_OPEN = earning_step.c.next_at.is_not(None)
Index(f"{PREFIX}earning_step_due", earning_step.c.next_at, sqlite_where=_IS_OPEN, postgresql_where=_IS_OPEN)
_IS_DONE = earning_step.c.outcome == literal_column("'done'")
Index(f"{PREFIX}earning_step_done", earning_step.c.finished_at, sqlite_where=_IS_DONE, postgresql_where=_IS_DONE)

earning_return = Table(
    f"{PREFIX}earning_return",
    metadata,
    # Returns of orders that no redemption knows; of all others the table of returns has them.
    Column("earning_id", String(32), ForeignKey(earning.c.id), primary_key=True),
    Column("reference", String(36), primary_key=True),
    Column("number", Integer, nullable=False),
    Column("wanted", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)


@dataclass(frozen=True, slots=True)
class EarningRow:
    """What one order earns for one reason; fields in the order of the columns."""

    id: str
    provider: str
    partner: str
    mode: str
    order_reference: str
    kind: str
    number: int
    customer_id: str
    member_id: str
    consent_id: str
    accrual_reference: str
    points: int
    basis: str
    pending_s: int
    claw_back: str
    placed_at: int
    state: str
    version: int
    accrual_id: str | None
    pending_until: int | None
    posted_at: int | None
    given_points: int
    points_taken: int
    owed_points: int
    offset_points: int
    offset_back: int
    cancelled: str | None
    reason: str
    check_at: int | None
    lease_until: int
    lease_token: int
    created_at: int
    updated_at: int
    owed_mark: str | None = None

    @property
    def kept_points(self) -> int:
        """What the member has of it, or will have."""
        return 0 if self.state == "declined" else self.points - self.points_taken


class Fresh(TypedDict):
    """What every earning begins with."""

    state: str
    version: int
    accrual_id: None
    pending_until: None
    posted_at: None
    given_points: int
    points_taken: int
    owed_points: int
    offset_points: int
    offset_back: int
    cancelled: None
    reason: str
    check_at: int
    lease_until: int
    lease_token: int
    created_at: int
    updated_at: int


def fresh(now_ms: int) -> Fresh:
    """An earning that was planned now, and that somebody should look at."""
    return Fresh(
        state="planned",
        version=1,
        accrual_id=None,
        pending_until=None,
        posted_at=None,
        given_points=0,
        points_taken=0,
        owed_points=0,
        offset_points=0,
        offset_back=0,
        cancelled=None,
        reason="",
        check_at=now_ms,
        lease_until=0,
        lease_token=0,
        created_at=now_ms,
        updated_at=now_ms,
    )


@dataclass(frozen=True, slots=True)
class StepRow:
    """One intended call about an earning; fields in the order of the columns."""

    id: str
    earning_id: str
    kind: str
    cause: str
    key: str
    fingerprint: str
    request: str
    reply: str | None
    outcome: str | None
    code: str | None
    sends: int
    passes: int
    open_key: str | None
    next_at: int | None
    lease_until: int
    lease_token: int
    created_at: int
    finished_at: int | None


@dataclass(frozen=True, slots=True)
class EarningReturnRow:
    """A return of an order that no redemption knows; fields in the order of the columns."""

    earning_id: str
    reference: str
    number: int
    wanted: str
    created_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NextStep:
    """A call to be written as intent, with what its earning is meanwhile."""

    kind: str
    request: Mapping[str, str | int]
    state: str
    points_taken: int


@dataclass(frozen=True, slots=True)
class StepClaim:
    """The right to send one step until its lease ends; `token` fences off whoever had it before."""

    operation: StepRow
    earning: EarningRow
    token: int
    ends: float
    """The end of the lease, on this process's monotonic clock."""

    @property
    def is_first(self) -> bool:
        """Whether no byte can have gone out: each claim before this one has ended, proven to have sent nothing."""
        step = self.operation
        unsent = step.sends == 0 and step.outcome in (None, "not_done")
        return unsent and self.token == step.passes + 1
