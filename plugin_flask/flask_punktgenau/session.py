"""What the browser's session keeps for us: the wish, the orders placed here, one notice. Amounts and codes never."""

from __future__ import annotations

from collections.abc import Sequence
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
VOUCHERS = "_punktgenau_vouchers"
ORDERS_MAX = 10
VOUCHERS_MAX = 20
"""As many as may pay one order."""
_IDS_LENGTH_MAX = 800
"""A cookie has no room for more characters of vouchers' ids in all orders together."""
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
class Chosen:
    """A voucher that the customer added, by its id; `refused`: the code of why it pays nothing, as a page has said."""

    id: str
    refused: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedOrder:
    """Whose points an order placed in this browser was to use, how many, and which vouchers."""

    customer_id: str
    points: Points
    vouchers: tuple[Chosen, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something to say once, on the next page: a code, and what was typed; `about` vouchers, or points."""

    code: str
    entered: str = ""
    remaining: int | None = None
    about: Literal["", "vouchers"] = ""


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


def read_vouchers(*, customer_id: str | None) -> tuple[Chosen, ...]:
    """The vouchers that this customer added to the cart in front, in that order. Somebody else's are dropped."""
    kept = session.get(VOUCHERS)
    if not isinstance(kept, dict):
        return ()
    if customer_id is None or kept.get("customer") != customer_id:
        drop_vouchers()
        return ()
    return _chosen(kept.get("chosen"))


def keep_vouchers(vouchers: Sequence[Chosen], *, customer_id: str) -> None:
    """Set which vouchers are to pay, instead of those before."""
    if vouchers:
        keep(VOUCHERS, {"customer": customer_id, "chosen": [[one.id, one.refused] for one in vouchers]})
    else:
        drop_vouchers()


def drop_vouchers() -> None:
    """Forget which vouchers were to pay."""
    forget(VOUCHERS)


def read_order(order_reference: str) -> PlacedOrder | None:
    """What this browser asked for when it placed that order, if it was placed here lately."""
    return next((order for reference, order in _orders() if reference == order_reference), None)


def keep_order(order_reference: str, order: PlacedOrder) -> None:
    """Remember an order placed here; only the latest few fit into a cookie."""
    others = [(reference, one) for reference, one in _orders() if reference != order_reference]
    latest = [*others, (order_reference, order)][-ORDERS_MAX:]
    room, entries = _IDS_LENGTH_MAX, []
    for kept, one in reversed(latest):
        # All of an order's, or none: some of them would be another wish.
        length = sum(len(found.id) + len(found.refused) for found in one.vouchers)
        vouchers = [[found.id, found.refused] for found in one.vouchers if length <= room]
        room -= length if vouchers else 0
        entries.append([kept, one.customer_id, one.points, *([vouchers] if vouchers else [])])
    # A list, because a session's JSON sorts the keys of a dict and so forgets which is the latest.
    keep(ORDERS, entries[::-1])


def _orders() -> list[tuple[str, PlacedOrder]]:
    kept = session.get(ORDERS)
    orders = []
    for entry in kept if isinstance(kept, list) else []:
        match entry:
            case [str(reference), str(customer_id), given, *rest] if (points := _points(given)) is not None:
                vouchers = _chosen(rest[0]) if rest else ()
                orders.append((reference, PlacedOrder(customer_id=customer_id, points=points, vouchers=vouchers)))
    return orders


def keep_notice(notice: Notice) -> None:
    """Say this on the next page."""
    entered = notice.entered[:_ENTERED_LENGTH_MAX]
    kept = {"code": notice.code, "entered": entered, "remaining": notice.remaining}
    keep(NOTICE, {**kept, "about": notice.about} if notice.about else kept)


def take_notice() -> Notice | None:
    """What is to be said on this page; it is said once."""
    kept = forget(NOTICE)
    if not isinstance(kept, dict) or not isinstance(kept.get("code"), str):
        return None
    return Notice(
        code=kept["code"],
        entered=str(kept.get("entered", "")),
        remaining=_number(kept.get("remaining")),
        about="vouchers" if kept.get("about") == "vouchers" else "",
    )


def _chosen(value: object) -> tuple[Chosen, ...]:
    found = []
    for entry in value[:VOUCHERS_MAX] if isinstance(value, list) else []:
        match entry:
            case [str(voucher_id), str(refused)]:
                found.append(Chosen(id=voucher_id, refused=refused))
    return tuple(found)


def _points(value: object) -> Points | None:
    return ALL if value == ALL else _number(value)


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and type(value) is int and 0 <= value <= POINTS_MAX else None
