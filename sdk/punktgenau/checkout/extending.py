"""Pure: when a hold has to be made longer, and until when: points are kept as long as was wished, and no longer."""

from __future__ import annotations

from punktgenau.checkout.intent import NextOperation, extend_until
from punktgenau.checkout.schema import RedemptionRow
from punktgenau.provider import ProviderProfile

REFUSED = "extend_refused"
"""The reason of a row whose hold the provider would not make longer: it is left to end."""
LATE_S = 10
"""Taken off, so that a call that takes its time does not hold points beyond what was wished."""


WORTH_S = 30
"""What is gained has to be worth a call."""


def extend_at(profile: ProviderProfile, row: RedemptionRow) -> int | None:
    """When a hold should be made longer (milliseconds); None: it lasts long enough, or as long as it can."""
    if row.state not in {"authorized", "partially_captured"} or row.reason == REFUSED:
        return None
    if row.hold_until is None or row.release_cause is not None:
        return None
    gains_ms = _wished_ms(row) - row.hold_until
    if not profile.extend or gains_ms <= WORTH_S * 1000:
        return None
    return row.hold_until - max(profile.shortest_hold_s, profile.longest_hold_s // 4) * 1000


def extension(profile: ProviderProfile, row: RedemptionRow, *, now_ms: int) -> NextOperation | None:
    """The call that makes a hold longer, where it is time for it and not too late."""
    due = extend_at(profile, row)
    if due is None or row.hold_until is None or not due <= now_ms < row.hold_until:
        return None
    hold_s = min(profile.longest_hold_s, (_wished_ms(row) - now_ms) // 1000 - LATE_S)
    if hold_s < profile.shortest_hold_s:
        return None
    return extend_until(row, now_ms + hold_s * 1000, hold_s=hold_s)


def _wished_ms(row: RedemptionRow) -> int:
    return row.created_at + row.hold_s * 1000
