"""An order whose points have expired by the time they come back.

Two lamps of 24.95 and shipping of 4.90, 427 points: one lamp is 194 points and 23.01 (see test_refunds).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from _there import there
from _world import CART, MovedClock, Provider, World
from punktgenau import Money
from punktgenau.checkout import Checkout, Refund
from punktgenau.provider import PROFILES

BY = {"actor": "clerk 7", "reason": "asked their desk"}


def euro(amount_minor: int) -> Money:
    return Money(amount_minor=amount_minor, currency="EUR")


@contextmanager
def without_keys(provider: Provider, path: Path) -> Iterator[World]:
    """A shop at a provider without keys: what an answer was that is lost, no second call can tell."""
    provider.play("no_keys")
    world = World(provider, MovedClock(), f"sqlite:///{path / 'journal.db'}", profile=PROFILES["no_keys"])
    world.checkout().upgrade()
    yield world
    for checkout, client in world.made:
        checkout.close()
        client.close()


def put_lots(world: World, *, expiring: int, lasting: int = 0) -> None:
    """A member with points of which some expire in a day."""
    theirs = world.provider.http.get(f"{world.provider.url}/sandbox/clock", timeout=20).json()["now"]
    until = (datetime.fromisoformat(theirs) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    lots = [{"points": expiring, "expires_at": until}, *([{"points": lasting}] if lasting else [])]
    body = {"id": "mbr_soon", "lots": lots}
    assert world.provider.http.post(f"{world.provider.url}/sandbox/members", json=body, timeout=20).ok


def put_state(world: World, state: str) -> None:
    """Block the member, or make it active again."""
    body = {"id": "mbr_soon", "state": state}
    assert world.provider.http.post(f"{world.provider.url}/sandbox/members", json=body, timeout=20).ok


def paid(world: World, shop: Checkout, order: str = "A-1", *, customer_id: str = "cleo") -> None:
    """An order that is paid with 427 points."""
    world.order(order, "paid")
    shop.balance(customer_id, max_age_s=0)
    shop.authorize(order, CART, customer_id=customer_id, points=427)
    assert there(shop.capture(order)).state == "captured"


def bought(world: World, *, rule: str = "new_points", expiring: int = 427, lasting: int = 0) -> Checkout:
    """An order paid with 427 points, and two days later."""
    shop = world.checkout(expired_points=rule)
    put_lots(world, expiring=expiring, lasting=lasting)
    shop.link("cleo", member_id="mbr_soon", consent_id="con_9")
    paid(world, shop)
    world.advance(2 * 86_400)
    return shop


def lamp_back(shop: Checkout, reference: str = "R-1") -> Refund:
    """One lamp comes back."""
    return there(shop.refund("A-1", return_reference=reference, lines={"lamp": 1}))


def told(shop: Checkout) -> list[tuple[str, int, str]]:
    """Every return of the order, with its new points."""
    return [(one.return_reference, one.new_points, one.new_points_state) for one in shop.refunds("A-1")]
