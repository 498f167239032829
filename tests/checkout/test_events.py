"""Events are hints: heard once, followed up at the provider, and never believed."""

from datetime import UTC, datetime
from threading import Thread
from typing import Any

import pytest
import sqlalchemy

from _world import CART, World
from punktgenau import Client, UnavailableError
from punktgenau.checkout import Checkout
from punktgenau.webhooks import Event

AT = datetime(2026, 11, 22, 10, 0, 0, tzinfo=UTC)


def told(state: str = "captured", *, event_id: str = "evt_1", kind: str | None = None, **data: Any) -> Event:
    """An event whose signature was genuine, whatever it says."""
    return Event(id=event_id, type=kind or f"redemption.{state}", timestamp=AT, data={"state": state, **data})


def about(checkout: Checkout, reference: str, state: str, **more: Any) -> Event:
    """What the reference provider would say of the newest attempt of an order."""
    payment = checkout.find(reference)
    return told(state, **{"idempotency_key": payment.idempotency_key, "order_reference": reference} | more)


@pytest.fixture
def desk(world: World) -> Client:
    """A clerk at the provider, who may do with our redemptions as they like."""
    return Client(world.provider.url, client_id="demo-shop", client_secret="demo-secret")


def events(world: World) -> list[tuple[str, str, str]]:
    """Id, state and reason of every event in the journal."""
    engine = sqlalchemy.create_engine(world.database_url)
    with engine.connect() as connection:
        rows = connection.execute(sqlalchemy.text("SELECT id, state, reason FROM punktgenau_event ORDER BY id"))
        found = [(row[0], row[1], row[2]) for row in rows]
    engine.dispose()
    return found


def held(world: World, checkout: Checkout, reference: str = "A-1", points: int = 427) -> str:
    """Points held for a pending order, looked at by a worker; the provider's id of the redemption."""
    world.order(reference, "pending")
    checkout.authorize(reference, CART, customer_id="anna", points=points)
    checkout.recover(due_only=True)
    items = world.provider.http.get(f"{world.provider.url}/sandbox/redemptions?order_reference={reference}").json()
    found: str = items["items"][0]["id"]
    return found


@pytest.mark.scenario("C13", "an event makes its row due at once: the next pass asks the provider and writes that down")
def test_a_hold_that_was_voided_at_the_provider(world: World, checkout: Checkout, desk: Client):
    desk.redemptions.void(held(world, checkout))
    checkout.recover(due_only=True)
    assert checkout.find("A-1").state == "authorized"
    assert checkout.hear(about(checkout, "A-1", "voided")) == "matched"
    assert checkout.find("A-1").state == "authorized"  # the event itself moved nothing
    report = checkout.recover(due_only=True)
    # The hold, and then whether its order was paid nevertheless.
    assert (report.looked_at, checkout.find("A-1").state) == (2, "voided")
    assert ("redemption_voided", "A-1") in world.events
    assert checkout.recover(due_only=True).looked_at == 0


def test_a_look_up_that_does_not_show_it_yet_is_made_again(world: World, checkout: Checkout, desk: Client):
    desk.redemptions.void(held(world, checkout))
    checkout.hear(about(checkout, "A-1", "voided"))
    world.provider.fault("get", "slow_lookup", when="before")
    checkout.recover(due_only=True)
    assert checkout.find("A-1").state == "authorized"
    world.advance(90)
    checkout.recover(due_only=True)
    assert checkout.find("A-1").state == "voided"


@pytest.mark.parametrize("shop", ["slow_lookup"], indirect=True)
def test_a_look_up_that_is_older_than_the_event_is_made_again(shop: World):
    checkout = shop.made[0][0]
    red = held(shop, checkout)
    desk = Client(shop.provider.url, client_id="demo-shop", client_secret="demo-secret")
    checkout.hear(about(checkout, "A-1", "voided"))
    checkout.recover(due_only=True)
    # Look-ups are up to 90 s behind there: only now would they show what the event told.
    desk.redemptions.void(red)
    shop.advance(91)
    checkout.recover(due_only=True)
    assert checkout.find("A-1").state == "voided"


@pytest.mark.parametrize("shop", ["no_keys"], indirect=True)
def test_what_is_about_an_open_operation_is_found_out_by_that_one(shop: World):
    checkout = shop.made[0][0]
    held(shop, checkout)
    shop.provider.fault("void", "reset", when="after")
    shop.provider.fault("get", "slow_lookup", when="before")
    # A look-up that shows nothing of what was seen before leaves it to a person, and its operation open.
    assert checkout.void("A-1").state == "needs_attention"
    checkout.hear(about(checkout, "A-1", "voided"))
    checkout.recover(due_only=True)
    row = checkout._journal.latest("A-1")
    assert row is not None
    assert (row.state, checkout._journal.claim(row.id, lease_s=1)) == ("voided", None)


def test_what_needs_a_person_and_waits_for_nothing_is_looked_up(world: World, checkout: Checkout, desk: Client):
    red = held(world, checkout)
    engine = sqlalchemy.create_engine(world.database_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE punktgenau_redemption SET state = 'needs_attention', check_at = NULL")
    engine.dispose()
    desk.redemptions.void(red)
    checkout.hear(about(checkout, "A-1", "voided"))
    checkout.recover(due_only=True)
    assert checkout.find("A-1").state == "voided"
    assert checkout._events.waiting(most=10, due_only=False) == ()


def test_what_is_given_back_in_part_before_its_order_is_there_goes_back_whole(world: World, desk: Client):
    shop = world.checkout(capture="placed")
    shop.balance("anna", max_age_s=0)
    shop.authorize("A-1", CART, customer_id="anna", points=427)
    red = world.provider.http.get(f"{world.provider.url}/sandbox/redemptions?order_reference=A-1").json()["items"][0]
    desk.redemptions.reverse(red["id"], points=100, return_reference="own-1")
    shop.hear(about(shop, "A-1", "partially_reversed"))
    shop.recover()
    assert shop.find("A-1").state == "partially_reversed"
    # The shop never wrote the order.
    world.advance(130)
    shop.recover()
    assert shop.find("A-1").state == "reversed"
    assert world.provider.points() == (2500, 0)


def test_captured_and_given_back_at_the_provider(world: World, checkout: Checkout, desk: Client):
    red = held(world, checkout)
    desk.redemptions.capture(red)
    checkout.hear(about(checkout, "A-1", "captured", event_id="evt_1"))
    checkout.recover(due_only=True)
    assert checkout.find("A-1").state == "captured"
    for number, points in enumerate((100, 27), 2):
        desk.redemptions.reverse(red, points=points, return_reference=f"R-{number}")
        checkout.hear(about(checkout, "A-1", "partially_reversed", event_id=f"evt_{number}"))
        checkout.recover(due_only=True)
    payment = checkout.find("A-1")
    assert (payment.state, payment.points, payment.value.amount_minor) == ("partially_reversed", 300, 300)


@pytest.mark.scenario("K9", "events before the answer, out of order and five times: one truth, nothing moved back")
def test_early_late_and_often(world: World, checkout: Checkout):
    red = held(world, checkout)
    sent = [about(checkout, "A-1", state, event_id=f"evt_{state}") for state in ("captured", "authorized", "voided")]
    world.order("A-1", "paid")
    checkout.capture("A-1")
    assert [checkout.hear(event) for event in sent * 5] == ["matched"] * 3 + ["repeated"] * 12
    for _ in range(3):
        world.advance(60)
        checkout.recover(due_only=True)
        assert (checkout.find("A-1").state, checkout.find("A-1").points) == ("captured", 427)
    assert world.provider.redemptions() == [("A-1", "captured", 427)]
    # "captured" and "authorized" were no news; only the false "voided" was worth a question.
    assert world.provider.sent("get") == 1
    assert red


@pytest.mark.scenario("K9", "an event that overtakes the answer of its own call finds the open operation and no other")
def test_an_event_that_overtakes_the_answer(world: World, checkout: Checkout):
    world.order("A-1", "pending")
    checkout.balance("anna")
    world.provider.fault("authorize", "reset", times=9)
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    world.provider.heal()
    assert checkout.find("A-1").state == "authorizing"
    assert checkout.recover(due_only=True).finished == 0  # not due yet
    assert checkout.hear(about(checkout, "A-1", "authorized")) == "matched"
    assert checkout.recover(due_only=True).finished == 1  # due by the event
    assert checkout.find("A-1").state == "authorized"
    world.advance(10)
    checkout.recover(due_only=True)
    assert world.provider.sent("get") + world.provider.sent("find") == 0
    assert world.provider.redemptions() == [("A-1", "authorized", 427)]


@pytest.mark.scenario("S7", "the same webhook from many doors at once is one event")
def test_the_same_event_at_once(world: World, checkout: Checkout):
    held(world, checkout)
    event = about(checkout, "A-1", "voided")
    heard: list[str] = []
    shops = [world.checkout() for _ in range(6)]
    threads = [Thread(target=lambda shop=shop: heard.append(shop.hear(event))) for shop in shops]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(heard) == ["matched"] + ["repeated"] * 5


def test_an_event_for_an_attempt_that_is_not_known_yet_is_joined_later(world: World, checkout: Checkout, desk: Client):
    """A provider that names only its own id: until its answer is written down, nobody can know whose that is."""
    early = told("voided", redemption_id="red_0001")
    assert checkout.hear(early) == "early"
    checkout.recover(due_only=True)
    assert events(world) == [("evt_1", "early", "")]
    red = held(world, checkout)
    desk.redemptions.void(red)
    assert checkout.hear(told("voided", event_id="evt_2", redemption_id=red)) == "matched"
    later = told("voided", event_id="evt_3", redemption_id="red_9999")
    assert checkout.hear(later) == "early"
    checkout.recover(due_only=True)
    assert checkout.find("A-1").state == "voided"


@pytest.mark.parametrize("due_only", [True, False])
def test_an_early_event_is_followed_up_when_its_attempt_is_there(
    world: World, checkout: Checkout, desk: Client, due_only: bool
):
    red = held(world, checkout, "A-0", points=1)
    number = int(red.removeprefix("red_")) + 1
    assert checkout.hear(told("voided", redemption_id=f"red_{number:04d}", order_reference="A-1")) == "early"
    desk.redemptions.void(held(world, checkout))
    if due_only:
        world.advance(61)
    checkout.recover(due_only=due_only)
    assert checkout.find("A-1").state == "voided"
    assert events(world) == [("evt_1", "matched", "")]


@pytest.mark.scenario("B7", "an event for somebody else's redemption is kept apart after an hour, and moves nothing")
def test_an_event_that_belongs_to_nothing(world: World, checkout: Checkout):
    held(world, checkout)
    assert checkout.hear(told("voided", idempotency_key="key-of-another-shop", order_reference="A-1")) == "early"
    for _ in range(58):
        world.clock.advance(61)
        checkout.recover(due_only=True)
    assert events(world) == [("evt_1", "early", "")]
    world.clock.advance(122)
    checkout.recover(due_only=True)
    assert events(world) == [("evt_1", "unmatched", "unknown_redemption")]
    assert checkout.find("A-1").state == "authorized"
    assert world.provider.sent("get") == 0


@pytest.mark.scenario("B7", "types of the future and data that says nothing: kept apart, nothing moved, no error")
@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("member.merged", {"idempotency_key": "KEY"}),
        ("redemption.voided", {}),
        ("redemption.voided", {"idempotency_key": 7, "redemption_id": None}),
        ("consent.revoked", {}),
        ("consent.revoked", {"member_id": "mbr_of_nobody"}),
    ],
)
def test_events_that_are_about_nothing(world: World, checkout: Checkout, kind: str, data: dict[str, Any]):
    held(world, checkout)
    key = checkout.find("A-1").idempotency_key
    data = {name: key if value == "KEY" else value for name, value in data.items()}
    event = Event(id="evt_1", type=kind, timestamp=AT, data=data)
    assert checkout.hear(event) == "unmatched"
    checkout.recover()
    assert checkout.find("A-1").state == "authorized"
    assert world.provider.sent("get") == 0


@pytest.mark.scenario("S8", "a genuine event that describes another order, or claims what is not so, changes nothing")
@pytest.mark.parametrize(
    "lie",
    [
        {"order_reference": "A-2"},
        {"redemption_id": "red_9999"},
        {"state": "captured", "points": 1, "value": {"amount_minor": 1, "currency": "XTS"}, "due": 0},
        {"state": "voided"},
        {"state": "reversed", "member_id": "mbr_42"},
        {"state": "enriched"},
    ],
)
def test_an_event_that_lies(world: World, checkout: Checkout, lie: dict[str, Any]):
    held(world, checkout)
    before = checkout.find("A-1")
    state = lie.get("state", "captured")
    heard = checkout.hear(about(checkout, "A-1", **{"state": state} | lie))
    assert heard == ("matched" if "state" in lie else "unmatched")
    if heard == "unmatched":
        assert events(world) == [("evt_1", "unmatched", "contradicts")]
    world.advance(60)
    checkout.recover()
    assert checkout.find("A-1") == before
    assert world.provider.points() == (2073, 427)


def test_a_withdrawn_consent_forgets_the_balance(world: World, checkout: Checkout):
    assert checkout.balance("anna").available == 2500
    assert checkout.balance("ben").available == 42
    world.provider.give("mbr_2500", 2000)
    world.provider.give("mbr_42", 1)
    event = Event(id="evt_1", type="consent.revoked", timestamp=AT, data={"member_id": "mbr_2500", "consent_id": "c"})
    assert checkout.hear(event) == "matched"
    assert checkout.find_link("anna").balance is None
    assert checkout.balance("anna", max_age_s=3600).available == 2000
    assert checkout.balance("ben", max_age_s=3600).available == 42
    assert checkout.hear(event) == "repeated"


def test_a_paid_order_whose_hold_was_voided_at_the_provider_is_made_whole(
    world: World, checkout: Checkout, desk: Client
):
    desk.redemptions.void(held(world, checkout))
    checkout.hear(about(checkout, "A-1", "voided"))
    checkout.recover(due_only=True)
    payment = checkout.capture("A-1")
    assert (payment.state, payment.attempt, payment.due.amount_minor) == ("captured", 2, 5053)
    assert ("redemption_short", "A-1") in world.events
    assert world.provider.points() == (2073, 0)


def test_a_capture_that_was_believed_to_have_come_too_late(world: World, checkout: Checkout, desk: Client):
    """The journal says expired (a look-up of another time); the provider has captured: its word wins."""
    red = held(world, checkout)
    key = checkout.find("A-1").idempotency_key
    desk.redemptions.capture(red)
    _set_state(world, "expired")
    checkout.hear(told("captured", idempotency_key=key))
    checkout.recover(due_only=True)
    assert (checkout.find("A-1").state, checkout.find("A-1").points) == ("captured", 427)


@pytest.mark.parametrize("captured", [False, True])
def test_points_that_were_believed_to_be_back_are_given_back(
    world: World, checkout: Checkout, desk: Client, captured: bool
):
    red = held(world, checkout)
    if captured:
        desk.redemptions.capture(red)
    event = about(checkout, "A-1", "captured" if captured else "authorized")
    _set_state(world, "declined")
    checkout.hear(event)
    checkout.recover(due_only=True)
    assert checkout.find("A-1").state == ("reversed" if captured else "voided")
    assert world.provider.points() == (2500, 0)


def _set_state(world: World, state: str) -> None:
    engine = sqlalchemy.create_engine(world.database_url)
    with engine.begin() as connection:
        change = "UPDATE punktgenau_redemption SET state = :state, live_key = NULL, check_at = NULL"
        connection.execute(sqlalchemy.text(change), {"state": state})
    engine.dispose()


def test_an_event_during_an_outage_waits(world: World, checkout: Checkout, desk: Client):
    desk.redemptions.void(held(world, checkout))
    checkout.hear(about(checkout, "A-1", "voided"))
    away = world.checkout(url="http://127.0.0.1:9")
    away.recover(due_only=True)
    assert checkout.find("A-1").state == "authorized"
    world.clock.advance(61)
    checkout.recover(due_only=True)
    assert checkout.find("A-1").state == "voided"


@pytest.mark.scenario("C13", "an event that could not be written down is not taken, so the provider says it again")
def test_a_journal_that_is_away(world: World, checkout: Checkout, tmp_path):
    held(world, checkout)
    event = about(checkout, "A-1", "voided")
    fresh = Checkout(checkout._provider, f"sqlite:///{tmp_path}/empty.db")
    with pytest.raises(UnavailableError) as caught:
        fresh.hear(event)
    assert caught.value.code == "journal_unavailable"
    fresh.close()
    assert checkout.hear(event) == "matched"


def test_one_thing_at_a_time(world: World, checkout: Checkout, desk: Client):
    for number in range(3):
        held(world, checkout, f"A-{number}", points=100)
    desk.redemptions.void(held(world, checkout, "A-3", points=100))
    checkout.hear(about(checkout, "A-3", "voided"))
    for number in range(3):
        world.order(f"A-{number}", "paid")
    world.clock.advance(61)
    helped = 0
    while checkout.recover_one(deadline_s=2.0):
        helped += 1
        assert world.provider.sent("capture") + world.provider.sent("get") in {helped, helped - 1}
    # The last one asks the shop alone, whether the voided hold's order was paid nevertheless.
    assert helped == 5
    assert [checkout.find(f"A-{number}").state for number in range(4)] == ["captured"] * 3 + ["voided"]


def test_who_recovers_is_seen_by_all(world: World, checkout: Checkout):
    other = world.checkout()
    assert other.recovered_at() is None
    for _ in range(2):
        world.clock.advance(500)
        checkout.recover(due_only=True)
        seen = other.recovered_at()
        assert seen is not None
        assert abs((seen - world.clock.now()).total_seconds()) < 30
    checkout.recover_one(deadline_s=1.0)
    assert other.recovered_at() == seen
