"""The noun booking: points that were taken or given back, as a statement or as the journal has it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from punktgenau.errors import InvalidArgumentError
from punktgenau.money import AMOUNT_MINOR_MAX, POINTS_MAX

DAY_MS = 86_400_000
VOUCHER_KINDS = frozenset({"voucher", "voucher_reversal"})


def voucher_reference(voucher_id: str, return_reference: str = "") -> str:
    """By what a voucher's booking is known among those of its redemption."""
    return f"{voucher_id} {return_reference}" if return_reference else voucher_id


@dataclass(frozen=True, slots=True)
class Booking:
    """One booking; points and amount are negative where they went back, `at` is milliseconds since 1970 in UTC.

    `id` is the statement's line or the journal's operation. `amount_minor` None: not known, so it is not compared.
    `reference` is the capture's or the return's; of a voucher see `voucher_reference`. `redemption_id` is the
    journal's, empty on a statement.
    """

    id: str
    kind: str
    at: int
    points: int
    amount_minor: int | None
    currency: str
    key: str
    provider_id: str
    order_reference: str
    reference: str
    corrects: str = ""
    redemption_id: str = ""

    def plus(self, other: Booking) -> Booking:
        """This booking as a correction leaves it."""
        amount = None if self.amount_minor is None or other.amount_minor is None else other.amount_minor
        return replace(
            self,
            points=self.points + other.points,
            amount_minor=None if amount is None or self.amount_minor is None else self.amount_minor + amount,
        )

    @property
    def needs_reference(self) -> bool:
        """Whether figures alone do not tell what it is about: a voucher's value says nothing of which one it is."""
        return self.kind in VOUCHER_KINDS

    @property
    def about(self) -> str:
        """What lines are counted together by: their kind, and which voucher."""
        return f"{self.kind} {self.reference.split(' ')[0]}" if self.needs_reference else self.kind

    @property
    def is_within_bounds(self) -> bool:
        """Whether it can be said at all: no points and no amount are more."""
        return abs(self.points) <= POINTS_MAX and abs(self.amount_minor or 0) <= AMOUNT_MINOR_MAX

    @property
    def is_nothing(self) -> bool:
        """Whether corrections have left nothing of it."""
        return not (self.points or self.amount_minor)


@dataclass(frozen=True, slots=True)
class Window:
    """The month of a statement, from `since` until before `until`, and how far bookings may stand beyond its edges.

    Milliseconds; nothing that was booked after `as_of` can be expected on the statement.
    """

    since: int
    until: int
    grace: int
    as_of: int

    @property
    def bookings_since(self) -> int:
        """From when on the journal's bookings are read."""
        return self.since - self.grace

    @property
    def bookings_until(self) -> int:
        """Until when the journal's bookings are read."""
        return min(self.until + self.grace, self.as_of + 1)

    def is_of_month(self, at: int) -> bool:
        """Whether a line of this statement may have that date."""
        return self.since <= at < self.until

    def is_near(self, at: int) -> bool:
        """Whether a booking of that time may stand on this statement."""
        return self.since - self.grace <= at < self.until + self.grace


def window_of(period: str, *, grace_s: int, as_of_ms: int) -> Window:
    """The window of a month such as "2026-11", in UTC. Raises InvalidArgumentError."""
    if type(grace_s) is not int or not 0 <= grace_s <= 14 * 86_400:
        raise InvalidArgumentError("grace_s must be seconds, at most 14 days.", field="grace_s")
    try:
        begins = datetime.strptime(period, "%Y-%m").replace(tzinfo=UTC)
    except (TypeError, ValueError):
        raise InvalidArgumentError("period must be a month such as '2026-11'.", field="period") from None
    if period != f"{begins:%Y-%m}" or not 2000 <= begins.year < 2100:
        raise InvalidArgumentError("period must be a month such as '2026-11'.", field="period")
    ends = begins.replace(year=begins.year + begins.month // 12, month=begins.month % 12 + 1)
    return Window(
        since=int(begins.timestamp()) * 1000,
        until=int(ends.timestamp()) * 1000,
        grace=grace_s * 1000,
        as_of=as_of_ms,
    )
