"""What stands below a sentence of an order's story, in the operator's language."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from punktgenau.checkout.timeline import Moment
from punktgenau.codes import CODES

if TYPE_CHECKING:
    from flask_punktgenau.backoffice_language import OfficeLanguage

_BEFORE = frozenset({"placed", "taken_anew", "authorize", "capture"})
"""Where vouchers pay; everywhere else something goes back onto them."""


def notes_of(t: OfficeLanguage, told: Moment) -> Iterator[str]:
    """Which units, why, what else it was worth, how often it was sent, what the answer was."""
    if told.units:
        yield ", ".join(f"{count} × {line}" for line, count in told.units.items())
    if told.vouchers is not None and told.kind.split(".")[0] in _BEFORE:
        yield t.gettext("Vouchers besides: %(money)s", money=t.money(told.vouchers))
    elif told.vouchers is not None:
        yield t.gettext("Onto vouchers: %(money)s", money=t.money(told.vouchers))
    if told.reason:
        yield t.cause(told.reason)
    if told.not_there:
        yield t.gettext("%(points)s of these were spent already.", points=t.count(told.not_there))
    if told.expired_points:
        yield t.gettext("%(points)s of these had expired meanwhile.", points=t.count(told.expired_points))
    if told.expired_money is not None:
        yield t.gettext("%(money)s more in money for points that had expired.", money=t.money(told.expired_money))
    if told.money_instead is not None:
        yield t.gettext("%(money)s in money instead of its points.", money=t.money(told.money_instead))
    is_own = told.kind.startswith("ended.") and told.code not in CODES
    if told.code and not is_own and "%(code)s" not in t.gettext(f"story.{told.kind}"):
        yield t.refusal(told.code) if told.kind == "reverse.not_done" else t.answer(told.code)
    if told.sends > 1:
        yield t.gettext("Sent %(number)s times under the same key.", number=t.points(told.sends))
