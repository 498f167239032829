"""The journal's bookings: what its operations have taken and given back, as a statement should have it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import and_, bindparam, case, literal_column, or_, select, tuple_
from sqlalchemy.sql import ColumnElement

from punktgenau.checkout.booking import Booking, Window, voucher_reference
from punktgenau.checkout.database import Database, Value
from punktgenau.checkout.earning.booked import EarnBookings
from punktgenau.checkout.rows import row_of
from punktgenau.checkout.schema import OperationRow, RedemptionRow, operation, redemption
from punktgenau.checkout.statements import ours, own
from punktgenau.checkout.vouchers import of_cart, parts_of, rest, sum_of

PAGE = 1_000
MANY = 100
"""So many are looked up at once; statements are compiled to text once, so their length is fixed."""
# No index of the shop fits then: where a time, a key or an id is sought, that is the better one.
_OURS = ours(redemption)


def _is(column: ColumnElement[str], text: str) -> ColumnElement[bool]:
    literal: ColumnElement[str] = literal_column(f"'{text}'")
    return column == literal


def _one_of(column: ColumnElement[str]) -> ColumnElement[bool]:
    return column.in_([bindparam(f"value_{number}") for number in range(MANY)])


_O, _R = operation.c, redemption.c
_BOOKS = or_(
    _is(_O.kind, "capture"),
    _is(_O.kind, "reverse"),
    _is(_O.kind, "accrue"),
    and_(_is(_O.kind, "authorize"), _O.request.like(bindparam("taking", '%"capture":%'))),
)
# Only the few carts that vouchers pay are read.
_VOUCHERS: ColumnElement[str | None] = case((_R.cart.like(bindparam("paid_by", '%"vouchers":%')), _R.cart))
_BOOKED = (
    select(
        _O.id, _O.kind, _O.finished_at, _O.request, _R.id, _R.key, _R.provider_id, _R.order_reference, _R.points,
        _R.value_minor, _R.currency, _O.key, _O.reply, _VOUCHERS,
    )
    .join(redemption, _R.id == _O.redemption_id)
    .where(
        _OURS,
        _is(_O.outcome, "done"),
        _BOOKS,
        tuple_(_O.finished_at, _O.id) > tuple_(bindparam("after_at"), bindparam("after_id")),
        _O.finished_at < bindparam("until"),
    )
    .order_by(_O.finished_at, _O.id)
    .limit(PAGE)
)  # fmt: skip
_OF_REDEMPTION = (
    select(
        _O.id, _O.kind, _O.finished_at, _O.request, _R.id, _R.key, _R.provider_id, _R.order_reference, _R.points,
        _R.value_minor, _R.currency, _O.key, _O.reply, _VOUCHERS,
    )
    .join(redemption, _R.id == _O.redemption_id)
    .where(_R.id == bindparam("redemption_id"), _is(_O.outcome, "done"), _BOOKS)
    .order_by(_O.finished_at, _O.id)
)  # fmt: skip
_BY_KEY = select(_R.key, _R.id).where(_OURS, _one_of(_R.key))
_KEY = select(redemption).where(_OURS, _R.key == bindparam("key"))
_ACCRUED = (
    select(redemption)
    .join(operation, _R.id == _O.redemption_id)
    .where(_OURS, _is(_O.kind, "accrue"), _O.key == bindparam("key"))
)
_ACCRUED_KEYS = (
    select(_O.key, _R.id)
    .join(redemption, _R.id == _O.redemption_id)
    .where(_OURS, _is(_O.kind, "accrue"), _one_of(_O.key))
)
_PROVIDER_ID = select(redemption).where(_OURS, _R.provider_id == bindparam("provider_id"))
_ORDERS = select(
    _R.order_reference, _R.attempt, _R.id, _R.state, _R.release_cause, _R.points, _R.value_minor, _R.currency,
    _R.provider_id, _R.captured_points, _R.reversed_points, _R.reversed_minor, _R.updated_at, _R.captured_minor,
    _R.kept_points, _R.kept_minor, _R.vouchers_gone, _VOUCHERS,
).where(own(redemption), _one_of(_R.order_reference))  # fmt: skip
_OPEN = select(operation).where(_O.open_key == bindparam("redemption_id"))


class Bookings:
    """Reads of one journal for clearing; nothing here changes it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.earned = EarnBookings(database)

    def within(self, window: Window) -> Iterator[Booking]:
        """Everything that was booked near a month, by its time; one page of it is in memory."""
        after: dict[str, Value] = {"after_at": window.bookings_since - 1, "after_id": "~"}
        while True:
            with self._database.transaction(write=False) as tx:
                rows = tx.all(_BOOKED, {**after, "until": window.bookings_until})
            for row in rows:
                yield from _bookings(row)
            if len(rows) < PAGE:
                break
            after = {"after_at": rows[-1][2], "after_id": rows[-1][0]}
        yield from self.earned.within(window)

    def of_redemption(self, redemption_id: str) -> tuple[Booking, ...]:
        """All bookings of one redemption, whenever."""
        with self._database.transaction(write=False) as tx:
            rows = tx.all(_OF_REDEMPTION, {"redemption_id": redemption_id})
        return tuple(one for row in rows for one in _bookings(row))

    def known_keys(self, keys: Sequence[str]) -> frozenset[str]:
        """Those of the keys that the journal has; at most `MANY` at once."""
        with self._database.transaction(write=False) as tx:
            rows = tx.all(_BY_KEY, _many(keys)) + tx.all(_ACCRUED_KEYS, _many(keys))
        known = frozenset(str(row[0]) for row in rows)
        return known | self.earned.known_keys([key for key in keys if key not in known])

    def redemption(self, booking: Booking) -> RedemptionRow | None:
        """The attempt that a line is about by its key or the provider's id."""
        with self._database.transaction(write=False) as tx:
            by_key = _ACCRUED if booking.kind == "accrual" else _KEY
            row = tx.one(by_key, {"key": booking.key}) if booking.key else None
            if row is None and booking.provider_id:
                row = tx.one(_PROVIDER_ID, {"provider_id": booking.provider_id})
        return None if row is None else row_of(RedemptionRow, row)

    def open_operation(self, redemption_id: str) -> OperationRow | None:
        """What is under way or unknown for a redemption."""
        with self._database.transaction(write=False) as tx:
            row = tx.one(_OPEN, {"redemption_id": redemption_id})
        return None if row is None else row_of(OperationRow, row)

    def of_orders(self, references: Sequence[str]) -> Mapping[str, OrderPoints]:
        """What points have to do with these orders, by the newest attempt; at most `MANY` at once."""
        with self._database.transaction(write=False) as tx:
            rows = tx.all(_ORDERS, _many(references))
        newest: dict[str, tuple[Value, ...]] = {}
        for row in rows:
            known = newest.get(str(row[0]))
            if known is None or int(known[1] or 0) < int(row[1] or 0):
                newest[str(row[0])] = row
        return {reference: OrderPoints(row) for reference, row in newest.items()}


class OrderPoints:
    """The newest attempt of an order, as far as clearing asks; `left`: what is held or was taken and not given back."""

    def __init__(self, row: tuple[Value, ...]) -> None:
        self.id, self.state = str(row[2]), str(row[3])
        self.is_wished_back = row[4] is not None
        self.points, self.value_minor, self.currency = int(row[5] or 0), int(row[6] or 0), str(row[7])
        self.provider_id = str(row[8] or "")
        self.is_taken = int(row[9] or 0) > 0
        self.updated_at = int(row[12] or 0)
        self.left_points, self.left_minor = self.points, self.value_minor
        gone = None if row[16] is None else str(row[16])
        self.left_vouchers_minor = 0 if row[17] is None else sum_of(rest(of_cart(str(row[17])), gone))
        if self.is_taken and self.state == "partially_captured":
            # The rest is still held.
            self.left_points -= int(row[10] or 0) + int(row[14] or 0)
            self.left_minor -= int(row[11] or 0) + int(row[15] or 0)
        elif self.is_taken:
            # Fewer than were held, where the order was amended; what was kept for money does not come back.
            self.left_points = int(row[9] or 0) - int(row[10] or 0) - int(row[14] or 0)
            self.left_minor = int(row[13] or 0) - int(row[11] or 0) - int(row[15] or 0)


def _many(values: Sequence[str]) -> dict[str, Value]:
    if len(values) > MANY:
        raise AssertionError("more than are looked up at once")
    return {f"value_{number}": values[number] if number < len(values) else None for number in range(MANY)}


def _bookings(row: tuple[Value, ...]) -> Iterator[Booking]:
    """What one operation has booked: its points, and each voucher by itself."""
    if row[1] == "accrue":
        yield _accrual(row)
        return
    operation_id, kind, at, request, redemption_id, key, provider_id, order_reference, points, minor, currency = row[
        :11
    ]
    asked = json.loads(str(request))
    gives_back = kind == "reverse"
    sign = -1 if gives_back else 1
    asked_points = int(asked.get("points", points))
    # A capture in parts says what its part is worth; the whole is worth what was agreed.
    amount = asked.get("value_minor", minor if asked_points == points else None)
    of_points = Booking(
        id=str(operation_id),
        kind="reversal" if gives_back else "capture",
        at=int(at or 0),
        points=sign * asked_points,
        amount_minor=None if amount is None else sign * int(amount),
        currency=str(currency),
        key=str(key),
        provider_id=str(provider_id or ""),
        order_reference=str(order_reference),
        reference=str(asked.get("return_reference" if gives_back else "capture_reference") or ""),
        redemption_id=str(redemption_id),
    )
    cart = None if row[13] is None else str(row[13])
    if asked_points or cart is None:
        yield of_points
    if cart is None:
        return
    parts = parts_of(asked.get("vouchers")) if gives_back else tuple((one.id, one.value_minor) for one in of_cart(cart))
    for number, (voucher_id, paid_minor) in enumerate(parts):
        yield replace(
            of_points,
            # As long as an id may be, and another for each.
            id=f"{of_points.id[:28]}.v{number:02}",
            kind="voucher_reversal" if gives_back else "voucher",
            points=0,
            amount_minor=sign * paid_minor,
            reference=voucher_reference(voucher_id, of_points.reference if gives_back else ""),
        )


def _accrual(row: tuple[Value, ...]) -> Booking:
    """Points that were given: charged to the shop at what the provider said then, where it said it."""
    asked, told = json.loads(str(row[3])), json.loads(str(row[12] or "{}"))
    value_minor = told.get("value_minor")
    return Booking(
        id=str(row[0]),
        kind="accrual",
        at=int(row[2] or 0),
        points=-int(asked["points"]),
        amount_minor=None if value_minor is None else -int(value_minor),
        currency=str(row[10]),
        # It has a key and an id of its own.
        key=str(row[11]),
        provider_id=str(told.get("id") or ""),
        order_reference=str(row[7]),
        reference=str(told.get("id") or ""),
        redemption_id=str(row[4]),
    )
