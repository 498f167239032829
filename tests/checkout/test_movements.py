"""Whose points end soon: who is told of it, in which order, and what an outage or an ended link leaves."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from _world import World
from punktgenau.checkout import Checkout, Expiring, movements
from punktgenau.errors import InvalidArgumentError, NotSentError, UnavailableError
from punktgenau.money import Money


def give(world: World, member_id: str, *lots: tuple[int, int | None]) -> None:
    """Points, each with the days that are left of them."""
    now = world.provider.http.get(f"{world.provider.url}/sandbox/clock", timeout=20).json()["now"]
    today = datetime.fromisoformat(now)
    body = {
        "id": member_id,
        "lots": [
            {
                "points": points,
                "expires_at": None if days is None else f"{today + timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}",
            }
            for points, days in lots
        ],
    }
    assert world.provider.http.post(f"{world.provider.url}/sandbox/members", json=body, timeout=20).ok


@pytest.fixture
def linked(world: World, checkout: Checkout) -> Checkout:
    """Anna has 100 points for 9 days, 30 for 20 and 500 for 200; Ben's last 40; Cora's 5 end in 12 days."""
    give(world, "mbr_a", (100, 9), (30, 20), (500, 200))
    give(world, "mbr_b", (40, None))
    give(world, "mbr_c", (5, 12))
    for customer_id, member_id in (("anna", "mbr_a"), ("ben", "mbr_b"), ("cora", "mbr_c")):
        checkout.link(customer_id, member_id=member_id, consent_id=f"con_{member_id}")
    return checkout


def told(found: Expiring) -> tuple[str, int, int]:
    """Customer, points, and how many of their lots end."""
    return found.customer_id, found.points, len(found.lots)


def test_who_has_points_that_end_soon(linked: Checkout) -> None:
    found = list(linked.expiring(days=30))
    assert [told(one) for one in found if one.customer_id in ("anna", "ben", "cora")] == [
        ("anna", 130, 2),
        ("cora", 5, 1),
    ]
    anna = found[0]
    assert anna.value == Money(amount_minor=130, currency="EUR")
    assert anna.expires_at == anna.lots[0].expires_at < anna.lots[1].expires_at
    assert [told(one) for one in linked.expiring(days=10)] == [("anna", 100, 1)]


def test_page_by_page_and_on_behind_somebody(linked: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(movements, "_MANY", 1)
    assert [one.customer_id for one in linked.expiring()] == ["anna", "cora"]
    assert [one.customer_id for one in linked.expiring(after="anna")] == ["cora"]


def test_whoever_is_not_wanted_is_not_asked_about(world: World, linked: Checkout) -> None:
    before = world.provider.sent("balance")
    assert [one.customer_id for one in linked.expiring(wanted=lambda one: one == "cora")] == ["cora"]
    assert world.provider.sent("balance") == before + 1


def test_an_ended_link_is_passed_over(world: World, linked: Checkout) -> None:
    world.provider.withdraw_consent("mbr_a")
    assert [one.customer_id for one in linked.expiring()] == ["cora"]


def test_an_outage_is_told_and_not_taken_for_nobody(world: World, linked: Checkout) -> None:
    found = linked.expiring()
    assert next(found).customer_id == "anna"
    world.provider.fault("balance", "status_503", times=20)
    with pytest.raises((UnavailableError, NotSentError)):
        next(found)
    world.provider.heal()
    assert [one.customer_id for one in linked.expiring(after="anna")] == ["cora"]


@pytest.mark.parametrize("days", [0, -1, 4000, 1.5, True])
def test_days_are_a_number_that_can_be_meant(checkout: Checkout, days: int) -> None:
    with pytest.raises(InvalidArgumentError) as refused:
        checkout.expiring(days=days)
    assert refused.value.field == "days"
