"""The journal's statements, built once per database; values are bound by the names used here."""

from __future__ import annotations

from sqlalchemy import FromClause, Table, and_, bindparam, case, delete, func, insert, literal_column, select, update
from sqlalchemy.sql import ClauseElement, ColumnElement

from punktgenau.checkout.database import Database
from punktgenau.checkout.schema import link, meta, operation, redemption, tender

# Written out: statements are compiled to text once, without the values of a list.
_WAITING: list[ColumnElement[str]] = [
    literal_column(f"'{state}'")
    for state in ("authorizing", "authorized", "partially_captured", "extending", "capturing")
]
_NEEDS_A_PERSON: list[ColumnElement[str]] = [literal_column("'short'"), literal_column("'needs_attention'")]


_IDENTITY = ("provider", "partner", "mode")


def own(table: FromClause) -> ColumnElement[bool]:
    """This shop's rows: several shops, or a shop's sandbox and live mode, may share one database."""
    return and_(*(table.c[name] == bindparam(f"own_{name}") for name in _IDENTITY))


def ours(table: FromClause) -> ColumnElement[bool]:
    """The same where rows are found by what is due: written so that no index fits.

    Without statistics SQLite would take the shop's identity for the better index, and read every row that there is.
    """
    nothing: ColumnElement[str] = literal_column("''")
    return and_(*(table.c[name].concat(nothing) == bindparam(f"own_{name}") for name in _IDENTITY))


def insert_own(table: Table) -> ClauseElement:
    """A new row of this shop; the other columns are bound by their names."""
    return insert(table).values(
        {
            column.name: bindparam(f"own_{column.name}" if column.name in _IDENTITY else column.name)
            for column in table.columns
        }
    )


def _insert(table: Table) -> ClauseElement:
    return insert(table).values({column.name: bindparam(column.name) for column in table.columns})


_BY_DIALECT: dict[str, Statements] = {}


def statements(database: Database) -> Statements:
    """The statements for a database: built once per dialect, because building them costs more than running them."""
    known = _BY_DIALECT.get(database.dialect)
    return known or _BY_DIALECT.setdefault(database.dialect, Statements(database))


class Statements:
    """Every statement that the journal runs. Updates that change a state name the version or token they replace."""

    def __init__(self, database: Database) -> None:
        now = database.now()
        self._redemptions()
        self._changes(now)
        self._operations(now)
        self._links()

    def _redemptions(self) -> None:
        r = redemption.c
        this = r.id == bindparam("redemption_id")
        self.add_redemption = _insert(redemption)
        self.add_tender = _insert(tender)
        self.redemption = select(redemption).where(this)
        self.lock_redemption = select(redemption).where(this).with_for_update()
        self.latest = (
            select(redemption)
            .where(own(redemption), r.order_reference == bindparam("order_reference"))
            .order_by(r.attempt.desc())
            .limit(1)
        )
        self.other_ids = select(r.provider_id).where(
            own(redemption),
            r.order_reference == bindparam("order_reference"),
            r.id != bindparam("redemption_id"),
            r.provider_id.is_not(None),
        )
        self.attention = (
            select(func.count())
            .select_from(redemption)
            .where(ours(redemption), r.state.in_(_NEEDS_A_PERSON), r.live_key.is_not(None))
        )
        self.live_of_customer = (
            select(redemption)
            .where(
                ours(redemption),
                r.customer_id == bindparam("customer_id"),
                r.live_key.is_not(None),
                r.state.in_(_WAITING),
                r.release_cause.is_(None),
            )
            .order_by(r.created_at.desc())
            .limit(20)
        )

    def _changes(self, now: ColumnElement[int]) -> None:
        r = redemption.c
        this = r.id == bindparam("redemption_id")
        self.swap_redemption = (
            update(redemption)
            .where(this, r.version == bindparam("seen_version"))
            .values(
                version=r.version + 1,
                **{
                    name: bindparam(name)
                    for name in (
                        "live_key",
                        "state",
                        "provider_id",
                        "hold_until",
                        "captured_points",
                        "captured_minor",
                        "reversed_points",
                        "reversed_minor",
                        "kept_points",
                        "kept_minor",
                        "amended_points",
                        "amended_minor",
                        "amended_payable_minor",
                        "settled_points",
                        "settled_minor",
                        "written_off_minor",
                        "vouchers_back_minor",
                        "vouchers_gone",
                        "release_cause",
                        "paid_at",
                        "reason",
                        "check_at",
                        "updated_at",
                    )
                },
            )
        )
        is_due = and_(ours(redemption), r.check_at.is_not(None), r.check_at <= bindparam("at"), r.lease_until < now)
        self.check_since = select(r.check_at).where(is_due).order_by(r.check_at).limit(1)
        self.due_checks = select(r.id).where(is_due).order_by(r.check_at).limit(1).with_for_update(skip_locked=True)
        self.waiting_checks = (
            select(r.id).where(ours(redemption), r.check_at.is_not(None)).order_by(r.check_at).limit(bindparam("most"))
        )
        self.lease_redemption = (
            update(redemption)
            .where(this, r.lease_until < now)
            .values(lease_until=now + bindparam("lease_ms"), lease_token=r.lease_token + 1)
        )
        self.free_redemption = (
            update(redemption)
            .where(this, r.lease_token == bindparam("seen_token"))
            # Who changed the row meanwhile has decided by then whether somebody should look at it again.
            .values(
                lease_until=0,
                check_at=case((r.version == bindparam("seen_version"), bindparam("check_at")), else_=r.check_at),
            )
        )

    def _operations(self, now: ColumnElement[int]) -> None:
        o = operation.c
        # The live request's lease starts with the intent, by the clock that leases are judged by.
        self.add_operation = insert(operation).values(
            {column.name: bindparam(column.name) for column in operation.columns if column.name != "lease_until"}
            | {"lease_until": now + bindparam("lease_ms")}
        )
        self.operation = select(operation).where(o.id == bindparam("operation_id"))
        self.open_operation = select(operation).where(o.open_key == bindparam("redemption_id"))
        self.operations = (
            select(operation).where(o.redemption_id == bindparam("redemption_id")).order_by(o.created_at, o.id)
        )
        due = (
            select(o.id)
            .join(redemption, redemption.c.id == o.redemption_id)
            .where(ours(redemption), o.next_at.is_not(None), o.next_at <= bindparam("at"), o.lease_until < now)
            .order_by(o.next_at)
            .limit(1)
        )
        self.operation_since = due.with_only_columns(o.next_at)
        self.due_operations = due.with_for_update(skip_locked=True, of=operation)
        self.waiting_operations = (
            select(o.id)
            .join(redemption, redemption.c.id == o.redemption_id)
            .where(ours(redemption), o.next_at.is_not(None))
            .order_by(o.next_at)
            .limit(bindparam("most"))
        )
        self.lease_operation = (
            update(operation)
            .where(o.id == bindparam("operation_id"), o.next_at.is_not(None), o.lease_until < now)
            .values(lease_until=now + bindparam("lease_ms"), lease_token=o.lease_token + 1)
        )
        self.finish_operation = (
            update(operation)
            .where(o.id == bindparam("operation_id"), o.lease_token == bindparam("seen_token"), o.open_key.is_not(None))
            .values(
                lease_until=0,
                passes=o.passes + 1,
                sends=o.sends + bindparam("more_sends"),
                **{
                    name: bindparam(name) for name in ("outcome", "code", "reply", "open_key", "next_at", "finished_at")
                },
            )
        )

    def _links(self) -> None:
        this = and_(own(link), link.c.customer_id == bindparam("customer_id"))
        rest = [column for column in link.columns if column.name not in _IDENTITY]
        self.link = select(*rest).where(this)
        self.links_after = (
            select(link.c.customer_id)
            .where(own(link), link.c.customer_id > bindparam("after"))
            .order_by(link.c.customer_id)
            .limit(bindparam("limit"))
        )
        self.newest_balance = (
            select(link.c.balance)
            .where(own(link), link.c.balance.is_not(None))
            .order_by(link.c.balance_at.desc())
            .limit(1)
        )
        self.add_link = insert_own(link)
        self.drop_link = delete(link).where(this)
        self.keep_balance = (
            update(link)
            .where(this, link.c.member_id == bindparam("member_id"))
            .values(balance=bindparam("balance"), balance_at=bindparam("balance_at"))
        )
        self.age_balance = (
            update(link)
            .where(this, link.c.balance_at > bindparam("balance_at"))
            .values(balance_at=bindparam("balance_at"))
        )
        self.meta = select(meta.c.value).where(meta.c.name == bindparam("name"))
        self.add_meta = _insert(meta)
