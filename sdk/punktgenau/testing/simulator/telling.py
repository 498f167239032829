"""What the shop was told, compared with the provider's books at the moment it was told."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from punktgenau import PunktgenauError
from punktgenau.testing.simulator.plans import TOTAL_MINOR
from punktgenau.testing.simulator.provider import SECRET
from punktgenau.testing.simulator.settings import PAID
from punktgenau.testing.simulator.shop import Told

if TYPE_CHECKING:
    from punktgenau.checkout import Payment
    from punktgenau.testing.simulator.world import World

_GONE = frozenset({"voided", "expired", "declined", "abandoned", "reversed"})
_CODE = re.compile(r"[a-z][a-z0-9_]{2,63}")
_SLACK_S = 0.05 + 0.1
"""What the deadline may be missed by in all, and the least that a call is given when its time is up."""
_BOUNDED = frozenset({"authorize", "without", "capture", "void", "cancel", "find", "refund", "ship", "hear"})

_BY_REFERENCE = frozenset({"refund", "ship", "hear"})


def true(world: World) -> Iterator[str]:
    """I5: nothing is told as done or as failed that is not so."""
    for told in world.shop.told:
        if told.payment is not None:
            wrong = _untrue(told)
            if wrong:
                yield f"{told.actor} was told that {told.reference} is {told.payment.state}, but {wrong}"
        elif isinstance(told.error, PunktgenauError) and told.error.outcome == "not_done":
            yield from _not_so(world, told, told.error)


def _untrue(told: Told) -> str:
    payment = told.payment
    if payment is None or payment.state in ("none", "short"):
        return ""
    if payment.state == "authorizing" and told.due_minor is not None:
        return f"{told.due_minor} are told to be due, although nobody knows whether points are held"
    found = [row for row in told.books if row["idempotency_key"] == payment.idempotency_key]
    if not found and len(told.books) == 1 and told.books[0]["idempotency_key"] is None:
        # A provider without keys: there is only this one that it can be.
        found = list(told.books)
    elif not found and any(row["idempotency_key"] is None for row in told.books):
        return ""
    held = sum(_whole(row["held"]) for row in found)
    taken = sum(_whole(row["captured"]) - _whole(row["reversed"]) for row in found)
    if payment.state in _GONE and (held or taken):
        return f"the provider holds {held} and has taken {taken}"
    if payment.state in ("authorized", "captured") and not found:
        return "the provider knows nothing of it"
    if payment.state == "captured" and not sum(_whole(row["captured"]) for row in found):
        return "the provider has captured nothing"
    return ""


def _not_so(world: World, told: Told, error: PunktgenauError) -> Iterator[str]:
    """A call that says that it did nothing: true when it was said, and true later, if nobody asked again."""
    if told.call != "authorize" or error.code in ("in_progress", "order_has_live_redemption"):
        return
    if "authorize" in told.left_open:
        yield f"{told.actor} was told {error.code} for {told.reference}, but its intent stands and will be carried out"
        return
    rows = {row["idempotency_key"]: row for row in told.books}
    own = rows.get(error.idempotency_key) if error.idempotency_key else None
    if own is not None and (own["held"] or own["captured"] != own["reversed"]):
        yield f"{told.actor} was told {error.code} for {told.reference}, but the provider has it as {own['state']}"
        return
    others = [
        other
        for other in world.shop.told
        if other is not told
        and other.call in ("authorize", "without")
        and other.reference == told.reference
        and other.ended_us >= told.began_us
    ]
    if others or told.reference in world.shop.interrupted:
        return
    begun_ms = world.seams.ms_at(told.began_us)
    for row in world.auditor.rows(
        "SELECT key FROM punktgenau_redemption WHERE order_reference = ? AND cause = 'placed' AND created_at >= ?",
        told.reference,
        begun_ms,
    ):
        if row["key"] in rows:
            # Somebody else carried it out, and its points were given back again, before this was told.
            continue
        if world.provider.rows(
            "SELECT 1 FROM redemption WHERE idempotency_key = ? AND points + vouchers_minor > 0", row["key"]
        ):
            yield f"{told.actor} was told {error.code} for {told.reference}; later its points were held all the same"


def exact(world: World) -> Iterator[str]:
    """I8: what is due and what the points pay add up to the total, and are never negative."""
    for told in world.shop.told:
        payment = told.payment
        if payment is None:
            continue
        figures = (payment.points, payment.value.amount_minor, payment.due_minor, payment.total.amount_minor)
        if min(figures) < 0 or not _is_total(world, told, payment):
            yield f"{told.reference}: {figures} were told"
        pays = payment.total.amount_minor - payment.due_minor
        back_minor = payment.returned_value.amount_minor if payment.points else 0
        # Of an order whose hold ended between two parcels, what was captured pays a part; the rest is what is short.
        less = payment.state in ("short", "needs_attention") and pays > payment.value.amount_minor + back_minor
        if payment.points and not less and pays != payment.value.amount_minor + back_minor:
            yield f"{told.reference}: {payment.points} points pay {pays}, told as {payment.value.amount_minor}"
        # Where nothing can be looked up, a hold whose time is over is asked about by voiding it; the deal stands.
        stands = (
            ("reversed", "expired", "voided") if world.profile.lookup else ("reversed", "expired", "voided", "voiding")
        )
        # What was short of a part may have got all the rest back.
        if payment.state == "short" and payment.returned_points:
            continue
        if pays and not payment.points and payment.state not in stands:
            yield f"{told.reference}: no points are told, but {pays} less are due"


def _is_total(world: World, told: Told, payment: Payment) -> bool:
    """Whether what is told as its total is what gift cards and vouchers leave of it."""
    order = world.shop.orders[told.reference].plan
    agreed_minor = sum(one.value_minor for one in payment.agreed_vouchers)
    pays_now = {one.id: one.value_minor for one in payment.vouchers}
    fits = all(pays_now.pop(one.id, 0) <= one.value_minor for one in payment.agreed_vouchers) and not pays_now
    return fits and payment.total.amount_minor + agreed_minor == TOTAL_MINOR - order.gift_minor


def as_it_stands(world: World) -> Iterator[str]:
    """I12: who lost a race answers from the row as it is, not as it would have been."""
    for told in world.shop.told:
        if told.payment is not None and told.payment.attempt and told.payment.state not in told.stood:
            yield (
                f"{told.actor} was told that {told.reference} is {told.payment.state}; it was only "
                f"{', '.join(told.stood) or 'never there'} meanwhile"
            )


def explained(world: World) -> Iterator[str]:
    """I10: every error is the library's own, with code, outcome and key; nothing tells a secret."""
    for told in world.shop.told:
        error = told.error
        if error is None:
            continue
        if not isinstance(error, PunktgenauError):
            yield f"{told.call} {told.reference} raised {type(error).__name__}: {error}"
            continue
        if not _CODE.fullmatch(error.code) or error.outcome not in ("not_done", "done", "unknown"):
            yield f"{told.call} {told.reference} raised an error without a code or outcome: {error!r}"
        if SECRET in f"{error} {error!r}" or "Bearer " in str(error):
            yield f"{told.call} {told.reference} raised an error that tells a secret"
        # Returns and shipments are asked about by references of their own, events by their ids.
        if error.outcome == "unknown" and not error.idempotency_key and told.call not in _BY_REFERENCE:
            yield f"{told.call} {told.reference} raised {error.code} without the key to ask with"
    yield from world.broke
    whole_keys = re.compile(r"pg_[0-9a-f]{40}")
    for line in world.logged:
        if SECRET in line or "Bearer " in line or "mbr_" in line or whole_keys.search(line):
            yield f"the log tells what it must not: {line[:60]}"


def in_time(world: World) -> Iterator[str]:
    """I11: every call comes back by its deadline, its own standing still aside."""
    most_s = PAID.deadline_s * 1.05 + _SLACK_S
    for told in world.shop.told:
        took_s = (told.ended_us - told.began_us - told.idle_us) / 1_000_000
        if told.call in _BOUNDED and took_s > most_s:
            yield f"{told.call} {told.reference} took {took_s:.2f} s, its deadline was {PAID.deadline_s:g} s"


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0
