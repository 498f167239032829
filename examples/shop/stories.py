"""What becomes of most orders, and how often."""

from . import clerk, payments, returns, till
from .orders import Order
from .points import points
from .trade import Story, Trade, confirm, now


def _nothing(_trade: Trade, _order: Order) -> None:
    """The order stays as the till left it."""


def _ship(trade: Trade, order: Order) -> None:
    trade.ship(order)


def _bank_pays(_trade: Trade, order: Order) -> None:
    till.confirm_payment(order.reference)
    till.ship_order(now(order))


def _bank_refuses(_trade: Trade, order: Order) -> None:
    till.refuse_payment(order.reference)


def _cancel(trade: Trade, order: Order) -> None:
    trade.later(15)
    till.cancel_order(now(order))


def _another_card(trade: Trade, order: Order) -> None:
    trade.later(3)
    newest = payments.newest(order.reference)
    till.pay(now(order), number=newest.number + 1 if newest else 1, method="card", wish=0)
    trade.ship(order)


def _return_asked(trade: Trade, order: Order) -> None:
    trade.ask(order)


def _return_refused(trade: Trade, order: Order) -> None:
    if reference := trade.ask(order):
        returns.refuse(reference, by=clerk.NAME)


def _return_part(trade: Trade, order: Order) -> None:
    confirm(order, trade.ask(order))


def _return_all(trade: Trade, order: Order) -> None:
    confirm(order, trade.ask(order, everything=True))


def _return_lost(trade: Trade, order: Order) -> None:
    """The provider refuses to take points back in part, for a moment: a person has to look at it."""
    reference = trade.ask(order)
    trade.control.play_profile("no_partial_reversal")
    try:
        confirm(order, reference)
    finally:
        trade.control.play_profile("reference")


def run_short(trade: Trade, order: Order) -> None:
    """The hold ends, the points are spent elsewhere, and then the bank pays."""
    trade.later(3 * 60)
    points.checkout.recover()
    member_id = f"mbr_{order.customer_id}"
    trade.control.put_member(member_id, points=0)
    till.confirm_payment(order.reference)
    points.checkout.recover()
    trade.control.put_member(member_id, points=2400)


ORDINARY = {
    "shipped": Story(weight=34, method="card", after=_ship),
    "without_points": Story(weight=16, method="card", uses_points=False, after=_ship),
    "voucher": Story(weight=4, method="card", vouchers=(2500,), after=_ship),
    "vouchers_returned": Story(weight=2, method="card", vouchers=(1000, 500), after=_return_part),
    "bank": Story(weight=12, method="bank", after=_bank_pays),
    "cancelled": Story(weight=7, method="card", after=_cancel),
    "cancelled_unpaid": Story(weight=4, method="bank", after=_cancel),
    "bank_refused": Story(weight=3, method="bank", after=_bank_refuses),
    "forgotten": Story(weight=4, method="bank", after=_nothing),
    "declined": Story(weight=3, method="card_declined", after=_nothing),
    "another_card": Story(weight=4, method="card_declined", after=_another_card),
    "returned": Story(weight=9, method="card", after=_return_part),
    "returned_all": Story(weight=5, method="card", after=_return_all),
    "return_refused": Story(weight=2, method="card", after=_return_refused),
    "return_lost": Story(weight=2, method="card", articles=(3,), after=_return_lost),
    "short": Story(weight=1, method="bank", after=run_short),
    "return_asked": Story(weight=0, method="card", after=_return_asked),
    "to_pack": Story(weight=0, method="card", after=_nothing),
    "waiting": Story(weight=0, method="bank", after=_nothing),
}
# What is still going on at the end.
ENDINGS = ("to_pack", "return_asked", "waiting", "to_pack", "return_asked")
