"""Who pays what of an order as it is now, for its receipt and for the clerk."""

from dataclasses import dataclass

from punktgenau import PunktgenauError
from punktgenau.checkout import Invoice
from punktgenau.checkout.office import Office
from punktgenau.checkout.vouchers import CartVoucher

from . import changes, payments
from .database import transaction
from .orders import Order
from .points import is_refused, points


@dataclass(frozen=True, kw_only=True)
class Bill:
    """`points` and their `value_minor`, `vouchers` with theirs, `vouchers_back` once they were given back as a whole;
    `missing_minor` was to be paid by points that could not be taken.

    `written_off_minor` is borne by the shop, `money_minor` was paid in money and not given back by a change.
    Amounts in cents.
    """

    invoice: Invoice | None
    points: int
    value_minor: int
    vouchers: tuple[CartVoucher, ...]
    vouchers_back: bool
    missing_minor: int
    written_off_minor: int
    money_minor: int


def of(order: Order) -> Bill:
    """Before anything of the order was returned. Raises PunktgenauError: nobody knows yet whether points pay."""
    learn(order)
    invoice, by_points = points.invoice(order.reference), points.find(order.reference)
    count, minor = 0, dict.fromkeys(("points", "voucher", "missing", "written_off"), 0)
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
        vouchers=by_points.asked_vouchers if by_points is not None and minor["voucher"] else (),
        vouchers_back=order.state == "cancelled" and by_points is not None and not by_points.vouchers,
        missing_minor=minor["missing"],
        written_off_minor=minor["written_off"],
        money_minor=money_minor(order.reference),
    )


def money_minor(order_reference: str) -> int:
    """What was paid of an order as it is now in money, in cents, before anything of it was returned."""
    return payments.accepted_minor(order_reference) - changes.money_back_minor(order_reference)


def learn(order: Order) -> None:
    """The back office may have been told that what its points could not pay was paid past this shop: it is, then."""
    by_points = points.find(order.reference)
    if order.state != "paid" or by_points is None or by_points.is_unknown or by_points.state == "short":
        return
    if money_minor(order.reference) >= by_points.due_minor or not _is_paid_otherwise(order.reference):
        return
    with transaction():
        missing_minor = by_points.due_minor - money_minor(order.reference)
        if missing_minor > 0 and all(one.method != "otherwise" for one in payments.history(order.reference)):
            payments.came_otherwise(order.reference, amount_minor=missing_minor)


def points_back(order: Order) -> int:
    """How many points went back because the order was cancelled; 0 while nobody knows."""
    try:
        invoice = points.invoice(order.reference) if order.state == "cancelled" else None
    except PunktgenauError:
        return 0
    return invoice.given_back.points if invoice and invoice.given_back else 0


def _is_paid_otherwise(order_reference: str) -> bool:
    office = Office(points.checkout)
    attempts = office.searching.attempts(order_reference)
    deeds = [deed.kind for one in attempts for deed in office.actions.of_redemption(one.id)]
    return "resolve_paid_otherwise" in deeds
