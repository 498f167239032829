"""What the browser's session keeps for us: the wish, the orders placed here, one notice. Amounts never."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from flask import session
from flask.sessions import NullSession

from punktgenau.errors import ConfigurationError
from punktgenau.money import POINTS_MAX

Points = int | Literal["all"]

ALL: Literal["all"] = "all"
WISH = "_punktgenau"
ORDERS = "_punktgenau_orders"
NOTICE = "_punktgenau_notice"
ORDERS_MAX = 10
_ENTERED_LENGTH_MAX = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How many points the customer wants to use, and how many of them the last page showed as used.

    `reclamped_from` is what an earlier page showed, where cart or balance have changed that since.
    """

    points: Points
    shown: int
    reclamped_from: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedOrder:
    """Whose points an order placed in this browser was to use, and how many."""

    customer_id: str
    points: Points


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something to say once, on the next page: a code, and what was typed."""

    code: str
    entered: str = ""
    remaining: int | None = None


def keep(key: str, value: object) -> None:
    """Write into the session; raises ConfigurationError where the app cannot have one."""
    if isinstance(session._get_current_object(), NullSession):  # type: ignore[attr-defined]
        raise ConfigurationError("Points need the browser's session: set SECRET_KEY.", field="SECRET_KEY")
    session[key] = value


def forget(key: str) -> object:
    """Take out of the session what may be there; a session that was not begun stays so."""
    return session.pop(key) if key in session else None


def read_wish(*, customer_id: str | None, currency: str) -> Wish | None:
    """This customer's wish in this currency. Somebody else's is dropped: people share browsers."""
    kept = session.get(WISH)
    if not isinstance(kept, dict):
        return None
    if customer_id is None or kept.get("customer") != customer_id:
        drop_wish()
        return None
    points = _points(kept.get("points"))
    if points is None or kept.get("currency") != currency:
        return None
    shown = _number(kept.get("shown"))
    return Wish(
        points=points,
        shown=shown if shown is not None else 0 if points == ALL else points,
        reclamped_from=_number(kept.get("reclamped_from")),
    )


def keep_wish(wish: Wish, *, customer_id: str, currency: str) -> None:
    """Set the wish; an earlier one is replaced, never added to."""
    kept: dict[str, object] = {
        "points": wish.points,
        "customer": customer_id,
        "currency": currency,
        "shown": wish.shown,
    }
    if wish.reclamped_from is not None:
        kept["reclamped_from"] = wish.reclamped_from
    keep(WISH, kept)


def drop_wish() -> None:
    """Forget the wish."""
    forget(WISH)


def read_order(order_reference: str) -> PlacedOrder | None:
    """What this browser asked for when it placed that order, if it was placed here lately."""
    return next((order for reference, order in _orders() if reference == order_reference), None)


def keep_order(order_reference: str, order: PlacedOrder) -> None:
    """Remember an order placed here; only the latest few fit into a cookie."""
    others = [(reference, one) for reference, one in _orders() if reference != order_reference]
    latest = [*others, (order_reference, order)][-ORDERS_MAX:]
    # A list, because a session's JSON sorts the keys of a dict and so forgets which is the latest.
    keep(ORDERS, [[reference, one.customer_id, one.points] for reference, one in latest])


def _orders() -> list[tuple[str, PlacedOrder]]:
    kept = session.get(ORDERS)
    orders = []
    for entry in kept if isinstance(kept, list) else []:
        match entry:
            case [str(reference), str(customer_id), given] if (points := _points(given)) is not None:
                orders.append((reference, PlacedOrder(customer_id=customer_id, points=points)))
    return orders


def keep_notice(notice: Notice) -> None:
    """Say this on the next page."""
    keep(
        NOTICE,
        {"code": notice.code, "entered": notice.entered[:_ENTERED_LENGTH_MAX], "remaining": notice.remaining},
    )


def take_notice() -> Notice | None:
    """What is to be said on this page; it is said once."""
    kept = forget(NOTICE)
    if not isinstance(kept, dict) or not isinstance(kept.get("code"), str):
        return None
    return Notice(code=kept["code"], entered=str(kept.get("entered", "")), remaining=_number(kept.get("remaining")))


def _points(value: object) -> Points | None:
    return ALL if value == ALL else _number(value)


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and type(value) is int and 0 <= value <= POINTS_MAX else None
