"""Every code that an error can carry: its class, what became of the points, and what to do next.

Rows stand in `_codes_wire` and `_codes_vouchers` (what the provider answers), `_codes_own` (what SDK, engine and shop
side find) and `_codes_rewards` (articles that points must pay).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from punktgenau._code import Code
from punktgenau._codes_own import OWN_CODES
from punktgenau._codes_rewards import REWARD_CODES
from punktgenau._codes_vouchers import OWN_VOUCHER_CODES, VOUCHER_CODES
from punktgenau._codes_wire import WIRE_CODES
from punktgenau.errors import PunktgenauError

__all__ = ["CODES", "Code", "explain"]


def _by_code(rows: tuple[Code, ...]) -> Mapping[str, Code]:
    by_code = {row.code: row for row in rows}
    if len(by_code) != len(rows):
        raise AssertionError("a code has two rows")
    return MappingProxyType(by_code)


CODES: Mapping[str, Code] = _by_code(WIRE_CODES + VOUCHER_CODES + OWN_CODES + OWN_VOUCHER_CODES + REWARD_CODES)
"""A row says what holds on a write. A read never moves points: there, rows with outcome "unknown" become
UnavailableError, outcome "not_done"."""


def explain(error: PunktgenauError) -> Code:
    """The row of an error's code; for a code that only the provider knows, the row of the error's class."""
    row = CODES.get(error.code)
    return row if row is not None else CODES[type(error).default_code]
