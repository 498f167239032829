"""Welcome points: once per member for ever, whatever account, tab or database. Pure."""

from __future__ import annotations

from hashlib import sha256

from punktgenau.checkout.earning.schema import EarningRow
from punktgenau.checkout.rows import replace

TRIES_MAX = 99
HAD = "welcome_had"
"""Why a welcome is not given: the member has it already, maybe by another journal of this shop."""


def welcome_reference(partner: str, member_id: str, number: int) -> str:
    """The same from any database, so the provider takes each one once."""
    digest = sha256(f"welcome|{partner}|{member_id}".encode()).hexdigest()
    return f"welcome-{digest[:24]}-{number}"


def may_come_again(last: EarningRow) -> bool:
    """Whether a welcome went back as a whole before it could be used: the first order was cancelled."""
    return last.state == "reversed" and last.posted_at is None and last.number < TRIES_MAX


def next_welcome(planned: EarningRow, last: EarningRow | None) -> EarningRow | None:
    """A member's welcome after the `last` one; None: there is no further one."""
    if last is not None and not may_come_again(last):
        return None
    return numbered(planned, 1 if last is None else last.number + 1)


def numbered(row: EarningRow, number: int) -> EarningRow:
    """The same as this try."""
    return replace(row, number=number, accrual_reference=welcome_reference(row.partner, row.member_id, number))
