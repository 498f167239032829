"""What a look-up shows is not always what was asked for: other content, somebody else's order, yesterday's figures."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from _world import CART, MovedClock, Provider, World
from punktgenau import Client, Money
from punktgenau.checkout import Checkout
from punktgenau.checkout.schema import RedemptionRow
from punktgenau.events import Event
from punktgenau.provider import PROFILES, Redemption, TenderRequest

NINETY_DAYS_S = 90 * 86_400


def at(*names: str) -> Any:
    """At each of these kinds of provider, on SQLite: nothing here is kept in another way on PostgreSQL."""
    kinds = pytest.mark.parametrize("shop", names, indirect=True)
    sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
    return lambda test: kinds(sqlite(test))


def first(world: World) -> Checkout:
    return world.made[0][0]


def row_of(checkout: Checkout) -> RedemptionRow:
    row = checkout._journal.latest("A-1")
    assert row is not None
    return row


def place(checkout: Checkout) -> Any:
    return checkout.authorize("A-1", CART, customer_id="anna", points=427)


def later(world: World, *, rounds: int = 5) -> None:
    for _ in range(rounds):
        world.advance(130)
        first(world).recover()


@contextmanager
def worth_a_cent_less(world: World) -> Iterator[None]:
    """What reaches the provider is not what was meant, and it takes effect: 427 points at 4.26 EUR."""
    calls = world.made[0][1].redemptions
    real = calls.authorize

    def authorize(**asked: Any) -> Redemption:
        tenders = (TenderRequest(points=427, value=Money(amount_minor=426, currency="EUR")),)
        return real(**asked | {"tenders": tenders})

    calls.authorize = authorize  # type: ignore[method-assign]
    yield
    calls.authorize = real  # type: ignore[method-assign]


@at("no_keys", "classic", "no_cancel_by_key")
def test_other_content_is_no_proof_that_nothing_was_done(shop: World):
    with worth_a_cent_less(shop):
        payment = place(first(shop))
        assert (payment.state, payment.is_unknown) == ("authorizing", True)
        later(shop)
    row = row_of(first(shop))
    assert (row.state, row.reason) == ("needs_attention", "other_content")
    assert first(shop).recover().needs_attention == 1
    assert sum(shop.provider.points()) in (2073, 2500)


@at("no_cancel_by_key", "short_window")
def test_other_content_under_our_key_goes_back_when_it_is_given_up(shop: World):
    with worth_a_cent_less(shop):
        place(first(shop))
        assert shop.provider.points() == (2073, 427)
        first(shop).authorize("A-1", CART, customer_id="anna", points=0)
        later(shop)
    assert shop.provider.points() == (2500, 0)
    assert row_of(first(shop)).state in {"voided", "abandoned"}


@at("no_keys")
def test_other_content_without_keys_is_for_a_person_also_when_it_is_given_up(shop: World):
    """It may be somebody else's."""
    with worth_a_cent_less(shop):
        place(first(shop))
        payment = first(shop).authorize("A-1", CART, customer_id="anna", points=0)
        assert payment.due.amount_minor == 5480
        later(shop)
    assert (row_of(first(shop)).state, row_of(first(shop)).reason) == ("needs_attention", "other_content")


@pytest.mark.parametrize("name", ["no_keys", "classic"])
def test_an_order_number_again_is_not_paid_by_the_order_that_had_it_before(
    provider: Provider, tmp_path: Any, name: str
):
    """The journal was lost, and the shop's numbers began anew."""
    provider.play(name)
    clock = MovedClock()
    old, new = (
        World(provider, clock, f"sqlite:///{tmp_path / number}.sqlite", profile=PROFILES[name]) for number in "12"
    )
    for world in (old, new):
        world.checkout().upgrade()
        first(world).link("anna", member_id="mbr_2500", consent_id="con_1")
        world.order("A-1", "pending")
    place(first(old))
    first(old).capture("A-1")
    old.advance(NINETY_DAYS_S)
    assert place(first(new)).state in {"authorizing", "authorized", "captured"}
    later(new)
    new.order("A-1", "paid")
    payment = first(new).capture("A-1")
    assert payment is not None
    taken = sum(points for _, state, points in provider.redemptions() if state == "captured")
    assert (payment.state, taken) in {("captured", 854), ("needs_attention", 427)}
    if payment.state == "needs_attention":
        assert payment.reason == "order_used_before"
    for world in (old, new):
        for checkout, client in world.made:
            checkout.close()
            client.close()


def heard_late(row: RedemptionRow) -> Event:
    data = {"redemption_id": row.provider_id, "order_reference": "A-1", "state": "captured"}
    return Event(id="evt_late", type="redemption.captured", timestamp=datetime.now(UTC), data=data)


def test_a_look_up_that_lags_behind_moves_nothing_back(world: World, checkout: Checkout):
    place(checkout)
    world.order("A-1", "paid")
    row = row_of(checkout)
    calls = world.made[0][1].redemptions
    assert row.provider_id is not None
    while_held = calls.get(row.provider_id)
    checkout.capture("A-1")
    while_captured = calls.get(row.provider_id)
    checkout.refund("A-1", return_reference="R-1", lines={}, shipping_minor=0, amount_minor=1000)
    # 10.00 of 54.80, of 427 points: floor(427 x 1000 / 5480).
    assert row_of(checkout).reversed_points == 77
    checkout.hear(heard_late(row))
    real = calls.get
    for shown in (while_captured, while_held):
        calls.get = lambda *_, _shown=shown, **__: _shown  # type: ignore[method-assign]
        world.advance(61)
        checkout.recover()
        now = row_of(checkout)
        assert (now.state, now.captured_points, now.reversed_points) == ("partially_reversed", 427, 77)
    calls.get = real  # type: ignore[method-assign]
    world.advance(61)
    checkout.recover()
    now = row_of(checkout)
    assert (now.state, now.captured_points, now.reversed_points) == ("partially_reversed", 427, 77)


@at("partial_approval", "no_cancel_by_key", "no_keys")
def test_a_repair_that_took_a_part_gives_it_back_and_is_short(shop: World):
    checkout = first(shop)
    checkout.authorize("A-1", CART, customer_id="anna", points=427, hold_s=300)
    shop.order("A-1", "pending")
    shop.advance(400)
    checkout.recover()
    shop.order("A-1", "paid")
    shop.provider.fault("authorize", "partial_approval", when="before")
    checkout.capture("A-1")
    later(shop, rounds=4)
    row = row_of(checkout)
    assert (row.attempt, row.state, row.captured_points, row.reversed_points) == (2, "short", 213, 213)
    assert shop.provider.points() == (2500, 0)
    assert checkout.recover().needs_attention == 1


@at("no_keys")
def test_a_return_beside_what_the_provider_gave_back_by_itself_is_known_by_its_reference(shop: World):
    checkout = first(shop)
    shop.order("A-1", "paid")
    place(checkout)
    checkout.capture("A-1")
    desk = Client(shop.provider.url, client_id="demo-shop", client_secret="demo-secret", profile=PROFILES["no_keys"])
    red = row_of(checkout).provider_id
    assert red is not None
    desk.redemptions.reverse(red, points=100, return_reference="own-1")
    shop.provider.fault("reverse", "status_500", when="after")
    checkout.refund("A-1", return_reference="R-1", lines={"lamp": 1})
    # More is back than was asked for, so that alone proves nothing; then its reference is refused as taken.
    for _ in range(6):
        shop.advance(150)
        checkout.recover()
    (given,) = checkout.refunds("A-1")
    assert (given.state, row_of(checkout).state, row_of(checkout).reversed_points) == (
        "done", "partially_reversed", 100 + given.points,
    )  # fmt: skip
    assert shop.provider.points()[0] == 2500 - 427 + 100 + given.points
