"""Whatever breaks over one order in a way that nobody foresaw: told, put off, and nobody behind it is left waiting."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

from punktgenau._redact import logger, short
from punktgenau.checkout.accrual_journal import ACCRUE, AccrualJournal
from punktgenau.checkout.events import Events
from punktgenau.checkout.intent import Claim
from punktgenau.checkout.journal import LostSwapError
from punktgenau.checkout.resolve import back_off_s
from punktgenau.checkout.schema import EventRow, RedemptionRow
from punktgenau.errors import UnavailableError

LOOK_AGAIN_MS = 60_000
DEFECT = "defect"
"""The reason of a row whose operation has broken for so long that a person has to see it."""


@contextmanager
def alone(
    journal: AccrualJournal, events: Events, taken: Claim | EventRow | RedemptionRow, *, bound_s: float
) -> Iterator[None]:
    """Do something with what was taken; what that raises is told, and the thing is due again later.

    An operation that is older than `bound_s` seconds by then needs a person.
    Raises UnavailableError: a journal that is away is away for all.
    """
    try:
        yield
    except UnavailableError:
        raise
    except Exception:  # an adapter's or a journal row's defect
        about = taken.redemption if isinstance(taken, Claim) else taken
        logger.exception("recovery of %s failed", short(about.order_reference or ""))
        with suppress(LostSwapError):
            _put_off(journal, events, taken, bound_s=bound_s)


def _put_off(
    journal: AccrualJournal, events: Events, taken: Claim | EventRow | RedemptionRow, *, bound_s: float
) -> None:
    now_ms = journal.now_ms()
    if isinstance(taken, EventRow):
        events.done(taken, check_at=now_ms + max(LOOK_AGAIN_MS, now_ms - taken.received_at))
    elif isinstance(taken, RedemptionRow):
        journal.free_check(taken, check_at=now_ms + LOOK_AGAIN_MS)
    elif taken.operation.kind == ACCRUE:
        journal.finish_accrual(
            taken,
            state="needs_attention" if now_ms - taken.operation.created_at > bound_s * 1000 else "accruing",
            outcome="unknown",
            code=taken.operation.code,
            reply=None,
            sends=1,
            next_at=now_ms + back_off_s(taken.operation.passes) * 1000,
        )
    else:
        seen = taken.redemption
        if now_ms - taken.operation.created_at > bound_s * 1000:
            seen = replace(seen, state="needs_attention", reason=DEFECT)
        journal.finish(
            taken,
            seen,
            # Nobody knows how far it came.
            outcome="unknown",
            code=taken.operation.code,
            reply=None,
            sends=1,
            next_at=now_ms + back_off_s(taken.operation.passes) * 1000,
        )
