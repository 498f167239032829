"""A provider that forgets, hides, blocks, books twice, takes back: asked before anything is believed or sent again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy

from _mortal import end_leases
from _together import together
from _world import CART, World
from punktgenau import Client, MemberBlockedError, Money, OutcomeUnknownError, Redemption
from punktgenau.checkout import Checkout, Settings
from punktgenau.events import Event
from punktgenau.profiles import PROFILES


def shop_at(world: World, name: str, **settings: Any) -> Checkout:
    """A shop at a provider of that kind, and the sandbox as one."""
    assert world.provider.http.post(f"{world.provider.url}/sandbox/profile", json={"name": name}, timeout=20).ok
    client = Client(
        world.provider.url,
        client_id="demo-shop",
        client_secret="demo-secret",
        clock=world.clock,
        profile=PROFILES[name],
    )
    shop = Checkout(
        client,
        world.database_url,
        order_loader=world.orders.get,
        settings=Settings(deadline_s=2.0, **settings),
        clock=world.clock,
        on_event=world.hear,
    )
    world.made.append((shop, client))
    shop.link("anna", member_id="mbr_2500", consent_id="con_1")
    shop.balance("anna")
    return shop


def keys_of(world: World, operation: str) -> set[str]:
    items = world.provider.http.get(f"{world.provider.url}/sandbox/requests", timeout=20).json()["items"]
    return {item["idempotency_key"] for item in items if item["operation"] == operation}


def place(shop: Checkout, points: int = 427) -> Any:
    return shop.authorize("A-1", CART, customer_id="anna", points=points)


def lose(world: World, operation: str, *, when: str = "after") -> None:
    world.provider.fault(operation, "reset", when=when, times=9)


def wait(world: World, seconds: int) -> None:
    world.advance(seconds)
    end_leases(world.database_url)


@pytest.mark.scenario(
    "P5", "our key was used with another body: told as unknown, a person is asked, no new key is made up by itself"
)
def test_a_key_that_was_used_for_something_else(world: World, checkout: Checkout) -> None:
    checkout.balance("anna")
    lose(world, "authorize", when="before")
    key = place(checkout).idempotency_key
    world.provider.heal()
    with Client(world.provider.url, client_id="demo-shop", client_secret="demo-secret") as other:
        other.redemptions.authorize(
            member_id="mbr_2500",
            order_reference="B-1",
            total=Money(amount_minor=5480, currency="EUR"),
            points=1,
            idempotency_key=key,
        )
    # What is held under our key is not what we asked for, and an earlier send of ours was lost: nobody can say.
    payment = place(checkout)
    assert payment.is_unknown
    for _ in range(3):
        wait(world, 120)
        checkout.recover()
    payment = checkout.find("A-1")
    assert (payment.state, payment.reason, payment.is_unknown) == ("needs_attention", "other_content", True)
    assert keys_of(world, "authorize") == {key}
    assert world.provider.redemptions() == [("B-1", "authorized", 1)]


@pytest.mark.scenario("P5", "a row that is not as it was written is not sent under its known key: a person is asked")
def test_a_row_that_is_not_as_it_was_written(world: World, checkout: Checkout) -> None:
    checkout.balance("anna")
    lose(world, "authorize")
    place(checkout)
    world.provider.heal()
    engine = sqlalchemy.create_engine(world.database_url)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("UPDATE punktgenau_redemption SET points = 428, value_minor = 428"))
    engine.dispose()
    sent = world.provider.sent("authorize")
    for _ in range(2):
        wait(world, 120)
        assert checkout.recover().needs_attention == 1
    assert world.provider.sent("authorize") == sent
    assert (checkout.find("A-1").state, world.events[-1]) == ("needs_attention", ("needs_attention", "A-1"))


@pytest.mark.scenario("P7", "back after the key's window: looked up first, the same bytes are never sent again blindly")
@pytest.mark.parametrize(("when", "state", "held"), [("after", "authorized", 427), ("before", "declined", 0)])
def test_a_key_that_is_forgotten(world: World, checkout: Checkout, when: str, state: str, held: int) -> None:
    shop = shop_at(world, "short_window")
    world.order("A-1", "pending")
    lose(world, "authorize", when=when)
    assert place(shop).state == "authorizing"
    world.provider.heal()
    sent = world.provider.sent("authorize")
    for _ in range(4):
        wait(world, 700)
        shop.recover()
    assert shop.find("A-1").state == state
    assert (world.provider.sent("authorize"), world.provider.points()) == (sent, (2500 - held, held))


@pytest.mark.scenario(
    "P8", "done, but not found for two minutes: 'nothing there' is no proof before the settle time is over"
)
def test_a_look_up_that_lags_behind(world: World, checkout: Checkout) -> None:
    shop = shop_at(world, "no_keys")
    world.order("A-1", "pending")
    lose(world, "authorize")
    assert place(shop).state == "authorizing"
    world.provider.heal()
    for seconds in (10, 40, 40):
        wait(world, seconds)
        shop.recover()
        assert (shop.find("A-1").state, world.provider.sent("find") > 0) == ("authorizing", True)
        with pytest.raises(OutcomeUnknownError):
            _ = shop.find("A-1").due
    wait(world, 300)
    shop.recover()
    assert shop.find("A-1").state == "authorized"
    assert world.provider.redemptions() == [("A-1", "authorized", 427)]


@pytest.mark.scenario("N15", "a middlebox delivers our request twice: the key makes it one effect, for every write")
def test_a_request_that_arrives_twice(world: World, checkout: Checkout) -> None:
    checkout.balance("anna")
    for operation, act, state in (
        ("authorize", lambda: place(checkout), "authorized"),
        ("capture", lambda: checkout.capture("A-1"), "captured"),
        ("reverse", lambda: checkout.cancel("A-1"), "reversed"),
    ):
        world.provider.fault(operation, "duplicate_delivery")
        act()
        wait(world, 60)
        checkout.recover()
        assert (checkout.find("A-1").state, world.provider.redemptions()) == (state, [("A-1", state, 427)])
    assert world.provider.points() == (2500, 0)


@pytest.mark.scenario("N15", "delivered twice to a provider without keys: what it did is looked up, held and paid once")
def test_a_request_that_arrives_twice_without_keys(world: World, checkout: Checkout) -> None:
    shop = shop_at(world, "no_keys")
    world.order("A-1", "paid")
    world.provider.fault("authorize", "duplicate_delivery")
    place(shop)
    for _ in range(4):
        wait(world, 200)
        shop.recover()
    assert shop.find("A-1").state == "captured"
    assert (world.provider.redemptions(), world.provider.points()) == ([("A-1", "captured", 427)], (2073, 0))


def told(world: World, checkout: Checkout, state: str, **data: Any) -> Event:
    key = checkout.find("A-1").idempotency_key
    data = {"idempotency_key": key, "order_reference": "A-1", "state": state} | data
    return Event(id=f"evt_{state}", type=f"redemption.{state}", timestamp=world.clock.now(), data=data)


@pytest.fixture
def desk(world: World) -> Iterator[Client]:
    """A clerk at the provider, who may do with our redemptions as they like."""
    with Client(world.provider.url, client_id="demo-shop", client_secret="demo-secret") as client:
        yield client


def red_of(world: World, reference: str = "A-1") -> str:
    url = f"{world.provider.url}/sandbox/redemptions?order_reference={reference}"
    found: str = world.provider.http.get(url, timeout=20).json()["items"][0]["id"]
    return found


@pytest.mark.scenario(
    "P13", "a capture that fails later, by webhook: short, told, its points taken anew once or asked for"
)
@pytest.mark.parametrize("left", [2500, 100])
def test_a_capture_that_is_taken_back(
    world: World, checkout: Checkout, desk: Client, left: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.order("A-1", "paid")
    place(checkout)
    checkout.capture("A-1")
    # The provider has undone it: the points are the member's again, and that is how its answers show it.
    first = red_of(world)
    desk.redemptions.reverse(first, points=427, return_reference="undone")
    world.provider.give("mbr_2500", left)
    get, undone = checkout._provider.redemptions.get, {"state": "voided", "captured_points": 0, "reversed_points": 0}

    def as_undone(redemption_id: str, **more: Any) -> Redemption:
        found = get(redemption_id, **more)
        return found.model_copy(update=undone) if redemption_id == first else found

    monkeypatch.setattr(checkout._provider.redemptions, "get", as_undone)
    assert checkout.hear(told(world, checkout, "voided")) == "matched"
    assert checkout.find("A-1").state == "captured"
    for _ in range(3):
        wait(world, 120)
        checkout.recover()
    assert world.events.count(("redemption_short", "A-1")) == 1
    payment = checkout.find("A-1")
    # What the customer has paid in money was reckoned with the points, so it stays so.
    assert (payment.attempt, payment.due.amount_minor) == (2, 5053)
    if left == 2500:
        assert (payment.state, world.provider.points()) == ("captured", (2073, 0))
    else:
        assert (payment.state, payment.reason) == ("short", "insufficient_points")
        assert (checkout.recover().needs_attention, world.events[-1]) == (1, ("needs_attention", "A-1"))


@pytest.mark.scenario(
    "P14", "the account is blocked when points go back: a person is asked, what is owed stays written down"
)
@pytest.mark.parametrize("how", ["cancelled", "returned"])
def test_an_account_that_is_blocked_meanwhile(
    world: World, checkout: Checkout, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.order("A-1", "paid")
    place(checkout)
    checkout.capture("A-1")
    redemptions = checkout._provider.redemptions
    reverse = redemptions.reverse

    def blocked(redemption_id: str, **more: Any) -> Any:
        raise MemberBlockedError("The account is blocked.", code="member_blocked")

    monkeypatch.setattr(redemptions, "reverse", blocked)
    if how == "cancelled":
        checkout.cancel("A-1")
    else:
        checkout.refund("A-1", return_reference="R-1", lines={"lamp": 1})
    for _ in range(2):
        wait(world, 1000)
        assert checkout.recover().needs_attention == 1
    payment = checkout.find("A-1")
    state = {"cancelled": "needs_attention", "returned": "captured"}[how]
    assert (payment.state, payment.reason) == (state, "member_blocked")
    assert ("needs_attention", "A-1") in world.events
    assert [one.state for one in checkout.refunds("A-1")] == {"cancelled": [], "returned": ["declined"]}[how]
    # It is not forgotten. Once the account is open again, a cancelled order's points go back without anybody asking;
    # of a refused return somebody has to decide, because its worth may have been paid in money by then.
    monkeypatch.setattr(redemptions, "reverse", reverse)
    wait(world, 1000)
    if how == "returned":
        checkout.refund_again("A-1", return_reference="R-1", actor="clerk 7", reason="open again")
    assert checkout.recover().needs_attention == 0
    points = {"cancelled": 427, "returned": 194}[how]
    assert world.provider.points() == (2073 + points, 0)
    assert checkout.find("A-1").state == {"cancelled": "reversed", "returned": "partially_reversed"}[how]


@pytest.mark.scenario(
    "P19", "booked twice under our key: the second one is told apart, kept for a person, given back once"
)
def test_a_second_booking_under_our_key(world: World, checkout: Checkout, desk: Client) -> None:
    world.order("A-1", "paid")
    place(checkout)
    checkout.capture("A-1")
    # What a provider would do by its own mistake: the same points taken once more.
    total = Money(amount_minor=5480, currency="EUR")
    extra = desk.redemptions.authorize(
        member_id="mbr_2500", order_reference="A-1 again", total=total, points=427, capture="now"
    )
    before = checkout.find("A-1")
    assert checkout.hear(told(world, checkout, "captured", redemption_id=extra.id)) == "unmatched"
    checkout.recover()
    assert checkout.find("A-1") == before
    engine = sqlalchemy.create_engine(world.database_url)
    with engine.connect() as connection:
        kept = connection.execute(sqlalchemy.text("SELECT provider_id, state, reason FROM punktgenau_event")).all()
    engine.dispose()
    assert [tuple(row) for row in kept] == [(extra.id, "unmatched", "contradicts")]
    # Whoever sees that gives the second one back, by the id that was kept; twice is once.
    for _ in range(2):
        desk.redemptions.reverse(extra.id, points=427, return_reference="booked twice")
    assert world.provider.points() == (2073, 0)
    assert checkout.cancel("A-1").state == "reversed"
    assert world.provider.points() == (2500, 0)


def paid(world: World, checkout: Checkout) -> None:
    world.order("A-1", "paid")
    place(checkout)
    checkout.capture("A-1")


@pytest.mark.scenario(
    "K5", "the same return from six doors at once is one; returns that exceed the order leave no trace"
)
def test_returns_at_once_by_reference_and_by_quantity(world: World, checkout: Checkout) -> None:
    paid(world, checkout)
    shops = [world.checkout(deadline_s=8) for _ in range(6)]
    same = together(6, lambda n: shops[n].refund("A-1", return_reference="R-1", lines={"lamp": 1}))
    assert {one.points for one in same} == {194}
    wait(world, 60)
    checkout.recover()
    assert (world.provider.sent("reverse"), world.provider.points()) == (1, (2267, 0))
    # Two of them want the one lamp that is left.
    others = together(2, lambda n: shops[n].refund("A-1", return_reference=f"R-{2 + n}", lines={"lamp": 1}))
    assert sorted(type(one).__name__ for one in others) == ["InvalidArgumentError", "Refund"]
    wait(world, 60)
    checkout.recover()
    assert world.provider.points() == (2267 + 195, 0)


@pytest.mark.scenario(
    "K5", "returned while the order is cancelled, or a clerk at the provider gives back: never above 427"
)
@pytest.mark.parametrize("other", ["cancel", "clerk"])
def test_a_return_beside_something_else(world: World, checkout: Checkout, desk: Client, other: str) -> None:
    paid(world, checkout)
    red, shop = red_of(world), world.checkout(deadline_s=8)

    def act(number: int) -> object:
        if number == 0:
            return shop.refund("A-1", return_reference="R-1", lines={"lamp": 1})
        if other == "cancel":
            return checkout.cancel("A-1")
        return desk.redemptions.reverse(red, points=300, return_reference="clerk")

    together(2, act)
    for _ in range(3):
        wait(world, 120)
        checkout.recover()
    available, held = world.provider.points()
    assert held == 0
    assert available == 2500 if other == "cancel" else available in {2073 + 300, 2073 + 194}
    checkout.cancel("A-1")
    wait(world, 120)
    checkout.recover()
    assert world.provider.points() == (2500, 0)
