"""A shop whose orders earn points: two lamps of 24.95 and shipping of 4.90, one point for each full euro of goods."""

from __future__ import annotations

from typing import Any

import sqlalchemy

from _there import there
from _world import CART, World
from punktgenau.checkout import Checkout, Earned, Order
from punktgenau.checkout.cart import Cart, OrderState

PENDING_S = 14 * 86_400
EARNS = {"earn_points": 1, "earn_pending_s": PENDING_S}


def placed(
    world: World, order: str, state: OrderState = "paid", *, cart: Cart = CART, customer_id: str = "anna"
) -> None:
    """The shop has this order."""
    world.orders[order] = Order(reference=order, state=state, cart=cart, customer_id=customer_id)


def earning(world: World, **settings: Any) -> Checkout:
    """One process of the shop, with these rules."""
    return world.checkout(**{**EARNS, **settings})


def paid(world: World, shop: Checkout, order: str = "A-1", *, points: int = 0, customer_id: str = "anna") -> None:
    """An order that is paid, with so many points."""
    placed(world, order, customer_id=customer_id)
    if points:
        shop.balance(customer_id, max_age_s=0)
        shop.authorize(order, CART, customer_id=customer_id, points=points)
        assert there(shop.capture(order)).state == "captured"
    else:
        assert shop.capture(order) is None


def purchase(shop: Checkout, order: str = "A-1") -> Earned:
    """What an order earns besides a welcome."""
    return there(next((one for one in shop.earned(order) if one.kind == "purchase"), None))


def told(shop: Checkout, order: str = "A-1") -> list[tuple[str, str, int, int]]:
    """Kind, state, points, and what was taken back of them, of all that an order earns."""
    return [(one.kind, one.state, one.points, one.taken_back) for one in shop.earned(order)]


def standing(world: World, member_id: str = "mbr_2500") -> tuple[int, int]:
    """Available and pending, as the provider has it."""
    member = world.provider.member(member_id)
    return member["available"], member["pending"]


def free_leases(world: World) -> None:
    """As time would: PostgreSQL judges by its own clock, which no test moves."""
    engine = sqlalchemy.create_engine(world.database_url)
    with engine.begin() as connection:
        for table in ("operation", "earning", "earning_step"):
            connection.execute(sqlalchemy.text(f"UPDATE punktgenau_{table} SET lease_until = 0"))
    engine.dispose()


def settle(world: World, shop: Checkout, *, rounds: int = 6, seconds: int = 900) -> None:
    """Whatever is open is seen to, a quarter of an hour after the other."""
    for _ in range(rounds):
        world.advance(seconds)
        free_leases(world)
        shop.recover()


def poor(world: World, shop: Checkout, member_id: str = "mbr_0", customer_id: str = "cleo") -> None:
    """A member without any points of their own."""
    world.provider.give(member_id, 0)
    shop.link(customer_id, member_id=member_id, consent_id="con_9")


def spend(world: World, shop: Checkout, order: str, points: int, *, customer_id: str = "cleo") -> None:
    """Another order takes so many points."""
    placed(world, order, customer_id=customer_id)
    shop.balance(customer_id, max_age_s=0)
    shop.authorize(order, CART, customer_id=customer_id, points=points)
    there(shop.capture(order))
    shop.recover()


def back(shop: Checkout, order: str, reference: str = "R", *, lamps: int = 2) -> None:
    """Lamps of an order come back."""
    shop.refund(order, return_reference=f"{reference}-{order}", lines={"lamp": lamps})
    for _ in range(2):
        shop.recover()
