"""Rows of the journal as they are read; fields in the order of the columns in `schema`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import Field, dataclass
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

SETTLED = frozenset({"written_off", "paid_otherwise"})
"""What a person decides about points that are missing from a paid order."""


@dataclass(frozen=True, slots=True)
class RedemptionRow:
    """One attempt as it stands in the journal; fields in the order of the columns."""

    id: str
    provider: str
    partner: str
    mode: str
    order_reference: str
    attempt: int
    key: str
    live_key: str | None
    cause: str
    state: str
    version: int
    customer_id: str
    member_id: str
    consent_id: str
    wish: str
    points: int
    value_minor: int
    total_minor: int
    payable_minor: int
    currency: str
    rate_id: str
    rate_points: int
    rate_amount_minor: int
    rate_rounding: str
    cart: str
    hold_s: int
    provider_id: str | None
    hold_until: int | None
    captured_points: int
    reversed_points: int
    reversed_minor: int
    release_cause: str | None
    reason: str
    check_at: int | None
    lease_until: int
    lease_token: int
    created_at: int
    updated_at: int
    refund_policy: str = "proportional"
    tax_mode: str = "tender"
    captured_minor: int = 0
    amended_points: int | None = None
    amended_minor: int | None = None
    amended_payable_minor: int | None = None
    kept_points: int = 0
    kept_minor: int = 0
    paid_at: int | None = None
    settled_points: int = 0
    settled_minor: int = 0
    written_off_minor: int = 0
    vouchers_back_minor: int = 0
    vouchers_gone: str | None = None

    @property
    def paying(self) -> tuple[int, int]:
        """The points that pay the order as it is now, and their worth: fewer than held, where it was amended."""
        if self.amended_points is None or self.amended_minor is None:
            return self.points, self.value_minor
        return self.amended_points, self.amended_minor

    @property
    def taking(self) -> tuple[int, int]:
        """How many points are to be captured in all, with those that an earlier version gave back, and their worth."""
        points, value_minor = self.paying
        return points + self.settled_points, value_minor + self.settled_minor

    @property
    def missing(self) -> tuple[int, int]:
        """How many of these were not captured so far, and their worth; what was revoked since counts as captured."""
        points, value_minor = self.taking
        return points - self.captured_points, value_minor - self.captured_minor

    @property
    def is_in_parts(self) -> bool:
        """Whether a part was captured and more of it is to be."""
        return 0 < self.captured_points < self.taking[0]

    @property
    def is_without_points(self) -> bool:
        """Whether a person has settled a shortfall of which nothing was captured, or all is back: the order stands."""
        is_settled = self.release_cause in SETTLED and self.amended_points == 0
        return is_settled and self.captured_points <= self.reversed_points

    @property
    def left_to_reverse(self) -> tuple[int, int]:
        """How many captured points can still go back, and what they are worth."""
        return (
            self.captured_points - self.reversed_points - self.kept_points,
            self.captured_minor - self.reversed_minor - self.kept_minor,
        )


@dataclass(frozen=True, slots=True)
class OperationRow:
    """One intended provider call; fields in the order of the columns."""

    id: str
    redemption_id: str
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
class LinkRow:
    """Which member a customer of this shop is; fields in the order of the columns after the shop's identity."""

    customer_id: str
    member_id: str
    consent_id: str
    linked_at: int
    balance: str | None
    balance_at: int


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event that was heard; fields in the order of the columns."""

    provider: str
    partner: str
    id: str
    type: str
    key: str | None
    provider_id: str | None
    order_reference: str | None
    said: str | None
    state: str
    reason: str
    redemption_id: str | None
    received_at: int
    check_at: int | None


class _Row(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


_Kind = TypeVar("_Kind", bound=_Row)


if TYPE_CHECKING:
    from dataclasses import replace as replace
else:

    def replace(row, /, **changes):
        """A copy of a row with other values in some columns, as `dataclasses.replace` makes it; a third of the time."""
        kind = type(row)
        values = list(_columns_of(kind)(row))
        places = _places_of(kind)
        for name, value in changes.items():
            values[places[name]] = value
        return kind(*values)


@cache
def _places_of(kind: type[_Row]) -> dict[str, int]:
    return {name: place for place, name in enumerate(kind.__dataclass_fields__)}


@cache
def _columns_of(kind: type[_Row]) -> Callable[[_Row], tuple[str | int | None, ...]]:
    return attrgetter(*kind.__dataclass_fields__)


def row_of(kind: type[_Kind], values: Sequence[str | int | None]) -> _Kind:
    """The row of a kind that was read; `values` in the order of its columns."""
    return kind(*values)


def values_of(row: _Row) -> dict[str, str | int | None]:
    """A row's values by column, to be bound."""
    return dict(zip(row.__dataclass_fields__, _columns_of(type(row))(row), strict=True))
