"""The statements about what orders earn, built once per dialect; values are bound by the names used here."""

from __future__ import annotations

from sqlalchemy import BigInteger, and_, bindparam, case, func, insert, literal_column, or_, select, update
from sqlalchemy.sql import ColumnElement

from punktgenau.checkout.database import Database, Transaction
from punktgenau.checkout.earning.schema import NEEDS_A_PERSON, earning, earning_return, earning_step
from punktgenau.checkout.statements import ours, own

_e, _s, _r = earning.c, earning_step.c, earning_return.c
# Whoever looks at it reads everything anew; a look or a step that is under way sees by the version that it has to.
_MIND = (
    update(earning)
    .where(own(earning), _e.order_reference == bindparam("order_reference"))
    .values(check_at=bindparam("now_ms", type_=BigInteger), version=_e.version + 1)
)


def mind(tx: Transaction, order_reference: str) -> None:
    """Somebody has to look at what an order earns, because something of it comes back, or all of it."""
    tx.run(_MIND, {"order_reference": order_reference})


_ANY = select(_e.id).where(own(earning)).limit(literal_column("1"))


def is_any(tx: Transaction) -> bool:
    """Whether any order has ever earned anything here."""
    return tx.one(_ANY, {}) is not None


class EarnStatements:
    """Every statement about earnings, their steps, and returns that no redemption knows."""

    def __init__(self, database: Database) -> None:
        now = database.now()
        self._rows()
        self._looks(now)
        self._steps(now)
        self._people()

    def _rows(self) -> None:
        this = _e.id == bindparam("earning_id")
        of_order = and_(own(earning), _e.order_reference == bindparam("order_reference"))
        self.add = insert(earning).values({column.name: bindparam(column.name) for column in earning.columns})
        self.one = select(earning).where(this)
        self.lock = select(earning).where(this).with_for_update()
        self.of_order = select(earning).where(of_order).order_by(_e.created_at, _e.kind, _e.number)
        self.on_the_way = (
            select(earning)
            .where(
                own(earning),
                _e.customer_id == bindparam("customer_id"),
                _e.state.in_([literal_column("'pending'"), literal_column("'posting'")]),
            )
            .order_by(_e.pending_until, _e.created_at)
            .limit(bindparam("limit"))
        )
        self.swap = (
            update(earning)
            .where(this, _e.version == bindparam("seen_version"))
            .values(
                version=_e.version + 1,
                # Whoever looked at it has seen to it by that; what is due next is anybody's.
                lease_until=literal_column("0"),
                **{
                    name: bindparam(name)
                    for name in (
                        "number",
                        "accrual_reference",
                        "state",
                        "accrual_id",
                        "pending_until",
                        "posted_at",
                        "given_points",
                        "points_taken",
                        "owed_points",
                        "offset_back",
                        "reason",
                        "check_at",
                        "updated_at",
                    )
                },
            )
        )
        self.cancel = (
            update(earning)
            .where(of_order, _e.cancelled.is_(None))
            .values(
                cancelled=bindparam("cause"),
                check_at=bindparam("now_ms", type_=BigInteger),
                version=_e.version + 1,
            )
        )
        self.add_return = insert(earning_return).values(
            {column.name: bindparam(column.name) for column in earning_return.columns}
        )
        self.returns = select(earning_return).where(_r.earning_id == bindparam("earning_id")).order_by(_r.number)

    def _looks(self, now: ColumnElement[int]) -> None:
        this = _e.id == bindparam("earning_id")
        is_due = and_(ours(earning), _e.check_at.is_not(None), _e.check_at <= bindparam("at"), _e.lease_until < now)
        self.check_since = select(_e.check_at).where(is_due).order_by(_e.check_at).limit(1)
        self.due_checks = select(_e.id).where(is_due).order_by(_e.check_at).limit(1).with_for_update(skip_locked=True)
        self.waiting_checks = (
            select(_e.id).where(ours(earning), _e.check_at.is_not(None)).order_by(_e.check_at).limit(bindparam("most"))
        )
        self.lease = (
            update(earning)
            .where(this, _e.lease_until < now)
            .values(lease_until=now + bindparam("lease_ms"), lease_token=_e.lease_token + 1)
        )
        self.free = (
            update(earning)
            .where(this, _e.lease_token == bindparam("seen_token"))
            # Who changed the row meanwhile has decided by then whether somebody should look at it again.
            .values(
                lease_until=0,
                check_at=case((_e.version == bindparam("seen_version"), bindparam("check_at")), else_=_e.check_at),
            )
        )

    def _steps(self, now: ColumnElement[int]) -> None:
        this = _s.id == bindparam("step_id")
        self.add_step = insert(earning_step).values(
            {column.name: bindparam(column.name) for column in earning_step.columns if column.name != "lease_until"}
            | {"lease_until": now + bindparam("lease_ms")}
        )
        self.step = select(earning_step).where(this)
        self.open_step = select(earning_step).where(_s.open_key == bindparam("earning_id"))
        self.steps = select(earning_step).where(_s.earning_id == bindparam("earning_id")).order_by(_s.created_at, _s.id)
        due = (
            select(_s.id)
            .join(earning, _e.id == _s.earning_id)
            .where(ours(earning), _s.next_at.is_not(None), _s.next_at <= bindparam("at"), _s.lease_until < now)
            .order_by(_s.next_at)
            .limit(1)
        )
        self.step_since = due.with_only_columns(_s.next_at)
        self.due_steps = due.with_for_update(skip_locked=True, of=earning_step)
        self.waiting_steps = (
            select(_s.id)
            .join(earning, _e.id == _s.earning_id)
            .where(ours(earning), _s.next_at.is_not(None))
            .order_by(_s.next_at)
            .limit(bindparam("most"))
        )
        self.lease_step = (
            update(earning_step)
            .where(this, _s.next_at.is_not(None), _s.lease_until < now)
            .values(lease_until=now + bindparam("lease_ms"), lease_token=_s.lease_token + 1)
        )
        self.finish_step = (
            update(earning_step)
            .where(this, _s.lease_token == bindparam("seen_token"), _s.open_key.is_not(None))
            .values(
                lease_until=0,
                passes=_s.passes + 1,
                sends=_s.sends + bindparam("more_sends"),
                **{
                    name: bindparam(name) for name in ("outcome", "code", "reply", "open_key", "next_at", "finished_at")
                },
            )
        )
        self.put_back = (
            update(earning_step)
            .where(this, _s.lease_token == bindparam("seen_token"))
            .values(lease_until=0, lease_token=_s.lease_token - 1)
        )
        self.of_key = select(earning).join(earning_step, _e.id == _s.earning_id).where(_s.key == bindparam("key"))

    def _people(self) -> None:
        of_member = and_(ours(earning), _e.member_id == bindparam("member_id"))
        # Whoever was erased owes on; their rows know them by a mark alone.
        owes = and_(ours(earning), or_(_e.member_id == bindparam("member_id"), _e.owed_mark == bindparam("owed_mark")))
        self.owed = (
            select(_e.id, _e.owed_points)
            .where(owes, _e.owed_points > literal_column("0"))
            .order_by(_e.created_at, _e.id)
            .with_for_update()
        )
        self.settle_owed = (
            update(earning)
            .where(_e.id == bindparam("earning_id"))
            .values(
                owed_points=_e.owed_points - bindparam("points", type_=BigInteger),
                # Kept no longer than needed.
                owed_mark=case((_e.owed_points > bindparam("points", type_=BigInteger), _e.owed_mark), else_=None),
                version=_e.version + 1,
            )
        )
        self.owed_sum = select(func.sum(_e.owed_points)).where(owes)
        is_welcome = _e.kind == literal_column("'welcome'")
        self.welcomes = select(earning).where(of_member, is_welcome).order_by(_e.number.desc()).limit(1)
        gone: list[ColumnElement[str]] = [literal_column("'reversed'"), literal_column("'declined'")]
        self.purchases = (
            select(func.count())
            .select_from(earning)
            .where(of_member, ~is_welcome, ~_e.state.in_(gone), _e.order_reference != bindparam("order_reference"))
        )
        self.attention = select(func.count()).select_from(earning).where(ours(earning), NEEDS_A_PERSON)
        self.needing = (
            select(earning).where(ours(earning), NEEDS_A_PERSON).order_by(_e.created_at).limit(bindparam("most"))
        )


_BY_DIALECT: dict[str, EarnStatements] = {}


def earn_statements(database: Database) -> EarnStatements:
    """The statements for a database: built once per dialect."""
    known = _BY_DIALECT.get(database.dialect)
    return known or _BY_DIALECT.setdefault(database.dialect, EarnStatements(database))
