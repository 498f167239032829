"""Who pays what of an order as it is now, for its receipt and for the clerk."""

from dataclasses import dataclass

from punktgenau.checkout import Invoice

from . import changes, payments
from .orders import Order
from .points import is_refused, points


@dataclass(frozen=True, kw_only=True)
class Bill:
    """`points` and their `value_minor`; `missing_minor` was to be paid by points that could not be taken.

    `written_off_minor` is borne by the shop, `money_minor` was paid in money and not given back by a change.
    Amounts in cents.
    """

    invoice: Invoice | None
    points: int
    value_minor: int
    missing_minor: int
    written_off_minor: int
    money_minor: int


def of(order: Order) -> Bill:
    """Before anything of the order was returned. Raises PunktgenauError: nobody knows yet whether points pay."""
    invoice, by_points = points.invoice(order.reference), points.find(order.reference)
    count, minor = 0, dict.fromkeys(("points", "missing", "written_off"), 0)
    for tender in invoice.tenders if invoice else ():
        count += tender.points
        minor[tender.kind] = tender.amount.amount_minor
    is_gone = by_points is not None and by_points.state == "short" and is_refused(by_points)
    if is_gone and not minor["missing"]:
        # Not one of them could be taken.
        count, minor["missing"], minor["points"] = 0, minor["points"], 0
    return Bill(
        invoice=invoice,
        points=count,
        value_minor=minor["points"],
        missing_minor=minor["missing"],
        written_off_minor=minor["written_off"],
        money_minor=money_minor(order.reference),
    )


def money_minor(order_reference: str) -> int:
    """What was paid of an order as it is now in money, in cents, before anything of it was returned."""
    return payments.accepted_minor(order_reference) - changes.money_back_minor(order_reference)
