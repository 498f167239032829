"""What becomes of few orders: each of these is told once in three weeks."""

from punktgenau import Money
from punktgenau.checkout.office import Office

from . import changes, clearing, clerk, till
from .orders import Order
from .points import points
from .stories import run_short
from .trade import Story, Trade, confirm, now

_TWO = ("pilz", "karo")


def _expired_told(trade: Trade, order: Order) -> None:
    """Some of the points that come back have expired by then, and the customer is told."""
    _return_late(trade, order, rule="tell")


def _expired_paid(trade: Trade, order: Order) -> None:
    """The same when the shop paid for them in money."""
    _return_late(trade, order, rule="money")


def _expired_anew(trade: Trade, order: Order) -> None:
    """The same when the shop gave new points for them."""
    _return_late(trade, order, rule="new_points")


def _expired_refused(trade: Trade, order: Order) -> None:
    """The same when the provider, for a moment, let no shop give points: somebody has to look at it."""
    trade.control.play_profile("no_accruals")
    try:
        _return_late(trade, order, rule="new_points")
    finally:
        trade.control.play_profile("reference")


def _return_late(trade: Trade, order: Order, *, rule: str) -> None:
    reference = trade.ask(order, everything=True)
    trade.later(90)
    with trade.under(rule):
        confirm(order, reference)


def _smaller(trade: Trade, order: Order) -> None:
    """A thing is not there, so the order is made smaller after its points were taken."""
    trade.later(20)
    changes.reduce(now(order), {"karo": 0}, by=clerk.NAME)
    trade.ship(order)


def _smaller_before(trade: Trade, order: Order) -> None:
    """The same before they were taken: they are with the parcel."""
    trade.later(20)
    changes.reduce(now(order), {"pilz": 0}, by=clerk.NAME)
    till.ship_parcel(now(order), {"karo": 1}, parcel=f"{order.reference}-P1")
    trade.ship(order)


def _parcels(trade: Trade, order: Order) -> None:
    """Two parcels, an hour apart; the points of each are taken as it leaves."""
    trade.later(20)
    till.ship_parcel(order, {"karo": 1}, parcel=f"{order.reference}-P1")
    trade.later(60)
    till.ship_parcel(order, {"pilz": 1}, parcel=f"{order.reference}-P2")
    till.ship_order(now(order))


def _written_off(trade: Trade, order: Order) -> None:
    """The points are gone when the bank pays, and the shop bears their worth."""
    run_short(trade, order)
    office = Office(points.checkout)
    newest = office.searching.attempts(order.reference)[-1]
    office.resolve(newest.id, as_="written_off", actor=clerk.NAME, reason="Regular customer")
    till.ship_order(now(order))


def _booked_by_hand(_trade: Trade, order: Order) -> None:
    """Somebody takes points for it at the provider, past the shop: the statement has them, and no book of ours."""
    with clearing.client() as partner:
        partner.redemptions.authorize(
            member_id=f"mbr_{order.customer_id}",
            order_reference=order.reference,
            total=Money(amount_minor=order.total_minor, currency="EUR"),
            points=300,
            capture="now",
        )


def _loses_answers(trade: Trade) -> None:
    trade.control.play_fault(operation="authorize", kind="reset", when="after", times=3)


def _nothing(_trade: Trade, _order: Order) -> None:
    """Nobody knows whether its points are held, until the worker asks or its customer tries again."""


RARE = (
    Story(skus=_TWO, wish=427, in_parcels=True, after=_parcels),
    Story(skus=_TWO, wish=427, expire_in=60, after=_expired_told),
    Story(skus=_TWO, wish=427, after=_smaller),
    Story(skus=_TWO, wish=427, expire_in=60, after=_expired_paid),
    Story(skus=("pilz",), wish=427, method="bank", after=_written_off),
    Story(skus=_TWO, wish=427, in_parcels=True, after=_smaller_before),
    Story(skus=_TWO, wish=427, expire_in=60, after=_expired_anew),
    Story(skus=_TWO, wish=427, expire_in=60, after=_expired_refused),
    Story(skus=("pilz",), wish=427, method="bank", after=run_short),
    Story(skus=_TWO, wish=300, uses_points=False, after=_booked_by_hand),
)
UNKNOWN = Story(skus=_TWO, wish=427, before=_loses_answers, after=_nothing)
"""The last one of all, so that it is still unknown when the filling has ended."""
