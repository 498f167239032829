"""What a shop asks about a customer's account: its movements, and whose points end soon."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from punktgenau.checkout.balances import Balances
from punktgenau.checkout.links import Links
from punktgenau.checkout.settings import Settings
from punktgenau.errors import InvalidArgumentError, NotFoundError, NotLinkedError
from punktgenau.money import Money
from punktgenau.provider import Entries, EntryGroup, ExpiringPoints, Provider

DAYS_MAX = 3_660
_MANY = 200
_AGE_S = 300.0
"""A balance that was seen a moment ago is good enough to tell somebody of next month."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expiring:
    """A linked customer whose points end soon: how many by then, their worth today, and when the first of them end."""

    customer_id: str
    points: int
    value: Money
    expires_at: datetime
    lots: tuple[ExpiringPoints, ...]


class Movements:
    """The part of `Checkout` that looks at accounts; it changes nothing."""

    settings: Settings
    _provider: Provider
    _balances: Balances
    _links: Links

    def entries(
        self,
        customer_id: str,
        *,
        cursor: str | None = None,
        kinds: Sequence[EntryGroup] | None = None,
        since: date | None = None,
        until: date | None = None,
        limit: int | None = None,
    ) -> Entries:
        """The member's movements, newest first, from the provider; only of these kinds and days (UTC, both included).

        `cursor` is the page before's `next_cursor`, with the same filters. Raises NotLinkedError, NotSentError,
        UnavailableError.
        """
        link = self._balances.link(customer_id)
        return self._provider.members.entries(
            member_id=link.member_id,
            cursor=cursor,
            kinds=kinds,
            since=since,
            until=until,
            limit=limit,
            deadline_s=self.settings.deadline_s,
        )

    def expiring(
        self, *, days: int = 30, after: str = "", wanted: Callable[[str], bool] | None = None
    ) -> Iterator[Expiring]:
        """Linked customers with points that end within so many days, by customer id; the provider is asked for each.

        Whose link ended at the provider is passed over. `after` goes on behind a customer, as after an error; `wanted`
        leaves customers out before they are asked about. Raises InvalidArgumentError, NotSentError, UnavailableError:
        what came until then is right.
        """
        if type(days) is not int or not 1 <= days <= DAYS_MAX:
            raise InvalidArgumentError(f"days must be a whole number from 1 to {DAYS_MAX}.", field="days")
        return self._expiring(timedelta(days=days), after, wanted)

    def _expiring(self, time: timedelta, after: str, wanted: Callable[[str], bool] | None) -> Iterator[Expiring]:
        while customers := self._links.after(after, limit=_MANY):
            for after in customers:
                found = self._ends_soon(after, time) if wanted is None or wanted(after) else None
                if found is not None:
                    yield found

    def _ends_soon(self, customer_id: str, time: timedelta) -> Expiring | None:
        try:
            balance = self._balances.of(self._balances.link(customer_id), max_age_s=_AGE_S)
        except (NotLinkedError, NotFoundError):
            return None
        lots = tuple(sorted(
            (lot for lot in balance.expiring if lot.expires_at <= balance.now + time), key=lambda lot: lot.expires_at
        ))  # fmt: skip
        points = sum(lot.points for lot in lots)
        if not points:
            return None
        return Expiring(
            customer_id=customer_id,
            points=points,
            value=balance.rate.worth(points),
            expires_at=lots[0].expires_at,
            lots=lots,
        )
