"""The noun link: which member a customer is, and the last balance seen, shared by all processes of a shop."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from pydantic import ValidationError

from punktgenau._clock import Clock
from punktgenau.checkout.database import Database, DuplicateError, Transaction
from punktgenau.checkout.moments import moment, now_ms
from punktgenau.checkout.payment import Payment
from punktgenau.checkout.rows import row_of
from punktgenau.checkout.schema import LinkRow, values_of
from punktgenau.checkout.statements import statements
from punktgenau.errors import InvalidArgumentError
from punktgenau.provider import Balance


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A customer of the shop and the member they have shown to be, with the consent that says so."""

    customer_id: str
    member_id: str
    consent_id: str
    linked_at: datetime
    balance: Balance | None = None
    balance_age_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A customer with a member's account: the link, and the points that are held for orders or under way to it."""

    link: Link
    live: tuple[Payment, ...]


class Links:
    """Keeps links in the journal's database; no token of a member is kept."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._sql = statements(database)

    def _now_ms(self) -> int:
        return now_ms(self._clock)

    def put(self, customer_id: str, *, member_id: str, consent_id: str) -> Link:
        """Link a customer to a member, in place of any earlier link."""
        _identifier(customer_id, "customer_id", most=255)
        _identifier(member_id, "member_id", most=64)
        row = LinkRow(customer_id, member_id, consent_id[:64], self._now_ms(), None, 0)
        try:
            with self._database.transaction() as tx:
                tx.run(self._sql.drop_link, {"customer_id": customer_id})
                tx.run(self._sql.add_link, values_of(row))
        except DuplicateError:
            # Two tabs came back from the provider at once; the later one wins.
            return self.put(customer_id, member_id=member_id, consent_id=consent_id)
        return self._link(row)

    def drop(self, customer_id: str) -> None:
        """Forget a link; what is held goes on."""
        with self._database.transaction() as tx:
            tx.run(self._sql.drop_link, {"customer_id": customer_id})

    def find(self, customer_id: str) -> Link | None:
        """The link of a customer."""
        with self._database.transaction(write=False) as tx:
            return self.read(tx, customer_id)

    def after(self, customer_id: str, *, limit: int) -> tuple[str, ...]:
        """The next linked customers behind this id, in the order of the database; "" begins."""
        with self._database.transaction(write=False) as tx:
            rows = tx.all(self._sql.links_after, {"after": customer_id, "limit": limit})
        return tuple(str(found) for (found,) in rows)

    def read(self, tx: Transaction, customer_id: str) -> Link | None:
        """The same, together with what else is read at that moment."""
        row = tx.one(self._sql.link, {"customer_id": customer_id})
        return None if row is None else self._link(row_of(LinkRow, row))

    def keep_balance(self, link: Link, balance: Balance | None) -> None:
        """Remember what the provider said last; None: forget it, so that the next quote asks."""
        with self._database.transaction() as tx:
            tx.run(
                self._sql.keep_balance,
                {
                    "customer_id": link.customer_id,
                    "member_id": link.member_id,
                    "balance": None if balance is None else balance.model_dump_json(),
                    "balance_at": self._now_ms(),
                },
            )

    def newest_balance(self) -> Balance | None:
        """The balance that was asked for last, whoever's it is."""
        with self._database.transaction(write=False) as tx:
            row = tx.one(self._sql.newest_balance, {})
        return None if row is None else _balance(str(row[0]))

    def _link(self, row: LinkRow) -> Link:
        return Link(
            customer_id=row.customer_id,
            member_id=row.member_id,
            consent_id=row.consent_id,
            linked_at=moment(row.linked_at),
            balance=None if row.balance is None else _balance(row.balance),
            balance_age_s=max(0.0, (self._now_ms() - row.balance_at) / 1000),
        )


@lru_cache(maxsize=64)
def _balance(text: str) -> Balance | None:
    """The balance that a row holds. Its text is read every time and parsed once: the same text is the same balance."""
    try:
        return Balance.model_validate_json(text)
    except ValidationError:
        # Written by another version of this library: ask again.
        return None


def _identifier(text: str, field: str, *, most: int) -> None:
    if not isinstance(text, str) or not 1 <= len(text) <= most or not text.isprintable():
        raise InvalidArgumentError(f"{field} must be 1 to {most} printable characters.", field=field)
