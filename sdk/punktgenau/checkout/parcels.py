"""An order that leaves in parcels: which part of each line left with which, and what is captured with them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from punktgenau.checkout.allocation import AllocatedLine, Allocation, Pot
from punktgenau.checkout.cart import SHIPPING_ID
from punktgenau.checkout.returned import History, Wanted, with_return
from punktgenau.errors import InvalidArgumentError

Units = Mapping[str, int]
"""Units by line id."""


def parted(allocation: Allocation, parcels: Sequence[Units]) -> Allocation:
    """The same, each parcel's units apart from what has not left, in the order in which they left.

    Shipping is paid with the first. Raises InvalidArgumentError for an unknown line, or more units than are left.
    """
    if not parcels:
        return allocation
    before = [line for line in allocation.lines if line.parcel is not None]
    rest = [line for line in allocation.lines if line.parcel is None]
    gone = dict.fromkeys((line.id for line in rest), 0)
    whole = {line.id: line for line in rest}
    pieces = before
    for number, told in enumerate(parcels, 1):
        units = {**told, SHIPPING_ID: 1} if number == 1 and SHIPPING_ID in whole else dict(told)
        for line_id, quantity in units.items():
            left = whole[line_id].quantity - gone[line_id] if allocation.line(line_id).id in whole else 0
            if quantity > left:
                raise InvalidArgumentError(
                    f"Line {line_id!r} has {left} units that have not left, {quantity} were asked for.", field="lines"
                )
        for line in rest:
            if quantity := units.get(line.id, 0):
                until = gone[line.id] + quantity
                pieces.append(_piece(line, gone[line.id], until, parcel=number))
                gone[line.id] = until
    for line in rest:
        if gone[line.id] < line.quantity:
            pieces.append(_piece(line, gone[line.id], line.quantity, parcel=None))
    lines, start = [], 0
    for piece in pieces:
        lines.append(replace(piece, start_minor=start))
        start += piece.free_minor
    return replace(allocation, lines=tuple(lines))


def captured(allocation: Allocation, parcels: Sequence[Units]) -> tuple[int, int]:
    """The points that are taken once these parcels have left, and their worth. Raises as `parted`.

    Cumulative, so that the last parcel ends to the point whatever the ones before were.
    """
    made = parted(allocation, parcels)
    gone = [line for line in made.lines if line.parcel is not None]
    value_minor = sum(line.value_minor for line in gone)
    if allocation.is_coarse:
        points = allocation.points_of(value_minor)
        return points, allocation.worth_of(points)
    own: dict[Pot, int] = {}
    for line in gone:
        own[line.pot] = own.get(line.pot, 0) + line.bound_minor
    return allocation.bound_points(own) + allocation.points_of(sum(line.free_minor for line in gone)), value_minor


def followed(
    allocation: Allocation, parcels: Sequence[Units], returns: Sequence[tuple[Wanted, int | None]], *, left: int | None
) -> tuple[Allocation, History]:
    """Who paid which line, and what came back of it; each return with how many parcels had left, None: all.

    Only parcels between which something came back, or could (`left`), count apart, and from then on for ever.
    """
    apart = max((number or 0 for _, number in returns), default=0)
    made = parted(allocation, parcels[: max(apart, left or 0)])
    history = History()
    for wanted, number in returns:
        history = with_return(made, history, wanted, parcels=number)
    return made, history


def _piece(line: AllocatedLine, since: int, until: int, *, parcel: int | None) -> AllocatedLine:
    """The units of a line from one on, up to another: what they add to what the ones before them are."""
    goods, before = (line.amount_minor * units // line.quantity for units in (until, since))
    (other, bound, free), (other_before, bound_before, free_before) = line.parts_of(goods), line.parts_of(before)
    return replace(
        line,
        quantity=until - since,
        amount_minor=goods - before,
        other_minor=other - other_before,
        value_minor=bound + free - bound_before - free_before,
        bound_minor=bound - bound_before,
        parcel=parcel,
    )
