"""What one line of a file says about an article, field by field; or everything that cannot be meant. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache

from punktgenau.checkout.articles.article import POINTS_MOST, PRICE_POINTS_MOST, flaws
from punktgenau.checkout.articles.fields import shown
from punktgenau.money import AMOUNT_MINOR_MAX

Value = str | int | None
Faults = list[tuple[str, str]]
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
FOR_EVER = "9999-12-31"
"""What many systems write for an end that never comes."""
_YES = frozenset({"1", "yes", "y", "true", "x", "ja", "j", "wahr"})
_NO = frozenset({"0", "no", "n", "false", "nein", "falsch"})
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})?"
)
_YEARS = range(1900, 2200)
_NUMBERS = (
    ("points", 0, POINTS_MOST),
    ("price_points", 1, PRICE_POINTS_MOST),
    ("copayment_minor", 0, AMOUNT_MINOR_MAX),
)


_GOES_WITH_PRICE = frozenset({"copayment_minor", "exclusive"})


class _FaultError(Exception):
    """Why a value cannot be meant."""


class Checks:
    """Reads the values of lines: days begin in `zone`; `is_currency` knows which codes there are."""

    def __init__(self, *, zone: tzinfo = UTC, is_currency: Callable[[str], bool] | None = None) -> None:
        self._zone = zone
        self._is_currency = is_currency
        self._at = lru_cache(maxsize=4_096)(self._moment)

    def read(self, fields: Mapping[str, object]) -> tuple[tuple[Value, ...], Faults]:
        """Sku and values in the order of the journal's columns, and what is wrong with them."""
        faults: Faults = []
        sku = self._one(faults, "sku", fields, _sku) or ""
        points, price_points, copayment_minor = (
            self._number(faults, name, fields, least, most) for name, least, most in _NUMBERS
        )
        currency = self._one(faults, "currency", fields, self._currency)
        exclusive = self._one(faults, "exclusive", fields, _flag) or 0
        valid_from = self._one(faults, "valid_from", fields, lambda value: self._at(value, is_end=False))
        valid_until = self._one(faults, "valid_until", fields, lambda value: self._at(value, is_end=True))
        told = {field for field, _ in faults}
        together = flaws(
            sku=str(sku),
            points=points,
            price_points=price_points,
            copayment_minor=copayment_minor,
            currency=None if currency is None else str(currency),
            exclusive=bool(exclusive),
            ends_before_it_begins=_not_before(valid_from, valid_until),
        )
        # What is wrong by itself is not told once more, nor what goes with it.
        told |= _GOES_WITH_PRICE if "price_points" in told else set()
        faults += [(field, reason) for field, reason in together if field not in told]
        return (sku, points, price_points, copayment_minor, currency, exclusive, valid_from, valid_until), faults

    def _one(self, faults: Faults, name: str, fields: Mapping[str, object], read: Callable[[object], Value]) -> Value:
        value = fields.get(name)
        if value is None or value == "":
            return None
        try:
            return read(value)
        except _FaultError as fault:
            faults.append((name, str(fault)))
            return None

    def _number(self, faults: Faults, name: str, fields: Mapping[str, object], least: int, most: int) -> int | None:
        value = fields.get(name)
        if value is None or value == "":
            return None
        try:
            number = _whole(value)
        except _FaultError as fault:
            hint = " (in the smallest unit: 3000 is 30.00)" if name == "copayment_minor" else ""
            faults.append((name, f"{fault}{hint}"))
            return None
        if least <= number <= most:
            return number
        faults.append((name, f"not from {least} to {most}: {shown(value)}"))
        return None

    def _currency(self, value: object) -> str:
        text = _text(value)
        if not re.fullmatch("[A-Z]{3}", text):
            raise _FaultError(f"not three capital letters such as EUR: {shown(value)}")
        if self._is_currency is not None and not self._is_currency(text):
            raise _FaultError(f"there is no such currency in ISO 4217: {shown(value)}")
        return text

    def _moment(self, value: object, *, is_end: bool) -> int | None:
        text = _text(value)
        if is_end and text.startswith(FOR_EVER):
            return None
        try:
            if _DAY.fullmatch(text):
                day = date.fromisoformat(text)
                # A last day counts to its end.
                at = datetime.combine(day + timedelta(days=is_end), time.min, self._zone)
            elif _MOMENT.fullmatch(text):
                at = datetime.fromisoformat(text)
                at = at if at.tzinfo is not None else at.replace(tzinfo=self._zone)
            else:
                raise _FaultError(
                    f"neither a day such as 2026-12-31 nor a moment such as 2026-12-31T18:00+01:00: {shown(value)}"
                )
        except ValueError:
            raise _FaultError(f"there is no such day or time: {shown(value)}") from None
        if at.year not in _YEARS:
            raise _FaultError(f"not in the years {_YEARS.start} to {_YEARS.stop - 1}: {shown(value)}")
        return round(at.timestamp() * 1000)


def _not_before(valid_from: Value, valid_until: Value) -> bool:
    return isinstance(valid_from, int) and isinstance(valid_until, int) and valid_until <= valid_from


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise _FaultError(f"not a text: {shown(value)}")
    text = value.strip(" ")
    if text.startswith(FORMULA_SIGNS):
        raise _FaultError(f"begins like a formula: {shown(value)}; write the value itself")
    return text


def _sku(value: object) -> str:
    # Numbers of articles are numbers in many a JSON file.
    return str(value) if type(value) is int and value >= 0 else _text(value)


def _whole(value: object) -> int:
    if type(value) is int:
        return value
    if not isinstance(value, str):
        raise _FaultError(f"not a whole number: {shown(value)}")
    text = value.strip(" ")
    if text.isascii() and text.isdigit():
        if len(text) > 18:
            raise _FaultError(f"too large: {shown(value)}")
        return int(text)
    if re.fullmatch(r"-[0-9]+([.,][0-9]+)?", text):
        raise _FaultError(f"less than nothing: {shown(value)}")
    if text.startswith(FORMULA_SIGNS):
        raise _FaultError(f"begins like a formula: {shown(value)}; write the value itself")
    raise _FaultError(f"not a whole number: {shown(value)}")


def _flag(value: object) -> int:
    if type(value) is bool or (type(value) is int and value in (0, 1)):
        return int(value)
    text = _text(value).lower()
    if text in _YES or text in _NO:
        return int(text in _YES)
    raise _FaultError(f"neither yes nor no: {shown(value)}")
