"""Every kind of provider, over TCP: placed, paid, cancelled under the main faults, and in the end the books agree."""

from typing import Any

import pytest

from _world import CART, MovedClock, Provider, World
from punktgenau import DeclinedError, OutcomeUnknownError, PunktgenauError
from punktgenau.checkout import Checkout
from punktgenau.provider import PROFILES, ProviderProfile

LOST = 9
"""More losses than one call sends."""
KINDS = sorted(PROFILES)
PATHS = (
    "classic", "neither", "no_cancel_by_key", "no_holds", "no_keys", "no_lookup", "replays_errors", "short_window",
    "slow_lookup",
)  # fmt: skip
"""Those at which an unknown is resolved in another way than at the reference."""
CANNOT_KNOW = {"neither"}
"""Where nobody can find out, a person has to."""


def at(*names: str) -> Any:
    """At each of these kinds of provider, on SQLite: what differs between databases is tested elsewhere."""
    kinds = pytest.mark.parametrize("shop", names, indirect=True)
    sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
    return lambda test: kinds(sqlite(test))


at_every_kind = at(*KINDS)
at_every_path = at(*PATHS)


def first(world: World) -> Checkout:
    return world.made[0][0]


def place(world: World, points: int = 427) -> Any:
    return first(world).authorize("A-1", CART, customer_id="anna", points=points)


def lose(world: World, operation: str, *, when: str = "after", kind: str = "reset") -> None:
    world.provider.fault(operation, kind, when=when, times=LOST)


def later(world: World, *, rounds: int = 8) -> None:
    """Everything is well again, and recovery comes now and then."""
    world.provider.heal()
    for _ in range(rounds):
        world.advance(61)
        first(world).recover()


def is_taken_at_once(world: World) -> bool:
    return world.profile is not None and not world.profile.has_holds


@at_every_kind
def test_placed_and_paid(shop: World):
    world = shop
    payment = place(world)
    assert payment.state == ("captured" if is_taken_at_once(world) else "authorized")
    assert payment.due.amount_minor == 5053
    assert first(world).capture("A-1").state == "captured"
    assert world.provider.points() == (2073, 0)
    assert world.provider.redemptions() == [("A-1", "captured", 427)]
    # One call to place, as ever.
    assert world.provider.sent("authorize") == 1


@at_every_kind
@pytest.mark.parametrize("paid", [False, True])
def test_placed_and_cancelled(shop: World, paid: bool):
    place(shop)
    if paid:
        first(shop).capture("A-1")
    is_taken = paid or is_taken_at_once(shop)
    assert first(shop).cancel("A-1").state == ("reversed" if is_taken else "voided")
    assert shop.provider.points() == (2500, 0)
    assert (shop.provider.sent("reverse"), shop.provider.sent("void")) == ((1, 0) if is_taken else (0, 1))


@at_every_path
@pytest.mark.parametrize(
    ("kind", "when"), [("reset", "after"), ("reset", "before"), ("status_500", "after"), ("status_500", "before")]
)
def test_a_lost_authorize_ends_one_way_or_the_other(shop: World, kind: str, when: str):
    world = shop
    world.order("A-1", "pending")
    lose(world, "authorize", kind=kind, when=when)
    try:
        state = place(world).state
    except DeclinedError:
        state = "declined"
    later(world)
    payment = first(world).find("A-1")
    name = world.profile.name if world.profile else ""
    if name in CANNOT_KNOW:
        assert (state, payment.state) == ("needs_attention", "needs_attention")
        with pytest.raises(OutcomeUnknownError):
            _ = payment.due
        assert world.provider.sent("authorize") == 1
        return
    # Never sent twice where the key is none, and never more than one effect.
    if world.profile is not None and world.profile.keys == "none":
        assert world.provider.sent("authorize") == 1
    held = "captured" if is_taken_at_once(world) else "authorized"
    assert payment.state in {held, "declined"}
    assert world.provider.redemptions() == ([("A-1", held, 427)] if payment.state == held else [])
    if when == "after":
        assert payment.state == held
    assert payment.due.amount_minor == (5053 if payment.state == held else 5480)


@at_every_path
@pytest.mark.parametrize("when", ["after", "before"])
def test_going_on_without_points(shop: World, when: str):
    world = shop
    lose(world, "authorize", when=when)
    lose(world, "cancel_by_key", when="before")
    lose(world, "find", when="before")
    assert place(world).state in {"authorizing", "needs_attention"}
    assert place(world, points=0).due.amount_minor == 5480
    later(world)
    payment = first(world).find("A-1")
    assert (payment.points, payment.due.amount_minor) == (0, 5480)
    if world.profile is not None and world.profile.name in CANNOT_KNOW:
        assert payment.state == "needs_attention"
        return
    assert payment.state in {"abandoned", "voided", "reversed"}
    assert world.provider.points() == (2500, 0)


@at_every_path
@pytest.mark.parametrize(("kind", "when"), [("reset", "after"), ("reset", "before"), ("status_500", "after")])
def test_a_lost_capture(shop: World, kind: str, when: str):
    world = shop
    place(world)
    world.order("A-1", "paid")
    lose(world, "capture", kind=kind, when=when)
    state = first(world).capture("A-1").state
    later(world)
    payment = first(world).find("A-1")
    assert payment.due.amount_minor == 5053
    if world.profile is not None and world.profile.name in CANNOT_KNOW:
        assert (state, payment.state) == ("needs_attention", "needs_attention")
        return
    assert payment.state == "captured"
    assert world.provider.redemptions() == [("A-1", "captured", 427)]


@at_every_path
@pytest.mark.parametrize(("kind", "when"), [("reset", "after"), ("reset", "before"), ("status_500", "before")])
def test_a_lost_cancellation_gives_back_once(shop: World, kind: str, when: str):
    world = shop
    place(world)
    first(world).capture("A-1")
    lose(world, "reverse", kind=kind, when=when)
    first(world).cancel("A-1")
    later(world)
    if world.profile is not None and world.profile.name in CANNOT_KNOW:
        assert first(world).find("A-1").state == "needs_attention"
        return
    assert first(world).find("A-1").state == "reversed"
    assert world.provider.points() == (2500, 0)


@at_every_path
def test_a_wrong_echo_is_found_out(shop: World):
    world = shop
    world.order("A-1", "pending")
    world.provider.fault("authorize", "wrong_echo", times=LOST)
    place(world)
    later(world)
    payment = first(world).find("A-1")
    if world.profile is not None and world.profile.name in CANNOT_KNOW:
        assert payment.state == "needs_attention"
        return
    assert payment.state == ("captured" if is_taken_at_once(world) else "authorized")
    assert world.provider.sent("authorize") in (1, 2)


@at_every_path
def test_the_intent_of_a_dead_process_is_never_sent_blindly(shop: World):
    """The process died after its intent: nobody knows whether its bytes went out."""
    world = shop
    world.order("A-1", "pending")
    dying = world.checkout()
    dying._executor.run = _die  # type: ignore[method-assign]
    with pytest.raises(_Died):
        dying.authorize("A-1", CART, customer_id="anna", points=427)
    later(world)
    payment = first(world).find("A-1")
    if world.profile is not None and world.profile.keys == "none":
        assert world.provider.sent("authorize") == 0
        assert payment.state == ("needs_attention" if world.profile.name in CANNOT_KNOW else "declined")
    else:
        assert payment.state == ("captured" if is_taken_at_once(world) else "authorized")


class _Died(Exception):
    """The process ended."""


def _die(*_: object, **__: object) -> Any:
    raise _Died


@at_every_kind
def test_keys_are_as_the_provider_takes_them(shop: World):
    place(shop)
    first(shop).cancel("A-1")
    keys = {
        sent["idempotency_key"] for sent in requests_of(shop) if sent["operation"] in {"authorize", "void", "reverse"}
    }
    profile = shop.profile or ProviderProfile()
    assert len(keys) == 2
    for key in keys:
        assert len(key) <= profile.key_length_max
        if profile.key_format == "uuid":
            assert [len(part) for part in key.split("-")] == [8, 4, 4, 4, 12]
        if profile.key_format == "hex":
            assert int(key, 16) > 0


def requests_of(world: World) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = world.provider.http.get(f"{world.provider.url}/sandbox/requests", timeout=20).json()[
        "items"
    ]
    return items


@at("partial_approval")
def test_a_part_that_was_taken_at_once_comes_back(shop: World):
    world = shop
    world.provider.give("mbr_2500", 300)
    checkout = world.checkout(capture="placed")
    with pytest.raises(DeclinedError):
        checkout.authorize("A-1", CART, customer_id="anna", points=427)
    assert world.provider.points() == (300, 0)
    given_back = checkout.find("A-1")
    assert given_back is not None
    assert (given_back.state, given_back.points, given_back.returned_points) == ("reversed", 0, 300)


@at("partial_approval")
def test_a_given_up_part_whose_hold_ended_is_not_taken_anew(shop: World):
    world = shop
    world.provider.give("mbr_2500", 300)
    lose(world, "cancel_by_key", when="before")
    payment = place(world)
    # All of it is due, and is paid.
    assert (payment.state, payment.due.amount_minor) == ("abandoning", 5480)
    world.order("A-1", "paid")
    world.advance(7300)
    world.provider.give("mbr_2500", 2500)
    later(world)
    assert world.provider.points() == (2500, 0)


@at("partial_approval")
def test_fewer_points_than_asked_for_are_given_back(shop: World):
    shop.provider.give("mbr_2500", 100)
    with pytest.raises(DeclinedError):
        place(shop)
    assert shop.provider.points() == (100, 0)
    assert first(shop).find("A-1").state == "abandoned"


@at("short_window")
def test_beyond_its_window_a_key_is_not_sent_again(shop: World):
    shop.order("A-1", "pending")
    lose(shop, "authorize", when="before")
    place(shop)
    sent = shop.provider.sent("authorize")
    shop.advance(601)
    later(shop)
    assert shop.provider.sent("authorize") == sent
    assert (first(shop).find("A-1").state, first(shop).find("A-1").reason) == ("declined", "never_arrived")


@at("short_window")
def test_beyond_its_window_what_was_held_is_found_by_its_order(shop: World):
    shop.order("A-1", "pending")
    lose(shop, "authorize")
    place(shop)
    shop.advance(601)
    later(shop)
    assert first(shop).find("A-1").state == "authorized"
    assert shop.provider.redemptions() == [("A-1", "authorized", 427)]


@at("slow_lookup", "no_keys")
def test_nothing_there_counts_only_when_look_ups_have_settled(shop: World):
    shop.order("A-1", "pending")
    lose(shop, "authorize", kind="reset")
    place(shop)
    shop.provider.heal()
    shop.provider.fault("authorize", "reset", when="before", times=99)
    shop.advance(10)
    first(shop).recover()
    assert first(shop).find("A-1").state == "authorizing"
    later(shop)
    assert first(shop).find("A-1").state == "authorized"


@at("no_lookup")
def test_a_hold_that_ended_where_nothing_can_be_looked_up(shop: World):
    shop.order("A-1", "pending")
    place(shop)
    shop.advance(7300)
    first(shop).recover()
    payment = first(shop).find("A-1")
    assert (payment.state, payment.due.amount_minor) == ("expired", 5053)
    assert shop.provider.points() == (2500, 0)
    # The deal stands: paid later, the same points are taken anew.
    assert first(shop).capture("A-1").attempt == 2
    assert shop.provider.points() == (2073, 0)


@at("short_holds")
def test_a_hold_is_extended_as_long_as_was_wished_and_no_longer(shop: World):
    shop.order("A-1", "pending")
    payment = place(shop)
    begun = shop.clock.now()
    assert 890 <= (payment.hold_until - begun).total_seconds() <= 900
    while (shop.clock.now() - begun).total_seconds() < 7000:
        shop.advance(120)
        first(shop).recover(due_only=True)
        assert first(shop).find("A-1").state == "authorized"
        assert (first(shop).find("A-1").hold_until - begun).total_seconds() <= 7200
    assert shop.provider.points() == (2073, 427)
    shop.advance(300)
    first(shop).recover()
    assert first(shop).find("A-1").state == "expired"
    assert shop.provider.points() == (2500, 0)


@at("short_holds")
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("goal", ["capture", "cancel"])
def test_a_lost_extension_stands_in_nobodys_way(shop: World, goal: str, when: str):
    shop.order("A-1", "pending")
    place(shop)
    lose(shop, "extend", when=when)
    lose(shop, "get", when="before")
    shop.advance(650)
    first(shop).recover(due_only=True)
    payment = first(shop).find("A-1")
    assert (payment.state, payment.due.amount_minor) == ("authorized", 5053)
    assert payment in first(shop).live("anna")
    state = first(shop).capture("A-1").state if goal == "capture" else first(shop).cancel("A-1").state
    assert state == ("captured" if goal == "capture" else "voided")
    assert shop.provider.points() == ((2073, 0) if goal == "capture" else (2500, 0))


@at("short_holds_fixed")
def test_a_hold_that_cannot_be_extended_is_left_to_end(shop: World):
    shop.order("A-1", "pending")
    place(shop)
    for _ in range(8):
        shop.advance(130)
        first(shop).recover(due_only=True)
    assert shop.provider.sent("extend") == 0
    assert first(shop).find("A-1").state == "expired"


@at("reference", "silent_mismatch")
def test_what_was_changed_in_the_journal_is_not_sent_again(shop: World):
    lose(shop, "authorize")
    place(shop)
    sent = shop.provider.sent("authorize")
    shop.provider.heal()
    with first(shop)._database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE punktgenau_redemption SET points = 4270, value_minor = 4270")
    shop.advance(60)
    first(shop).recover()
    assert shop.provider.sent("authorize") == sent
    assert first(shop).find("A-1").state == "needs_attention"
    assert first(shop).find("A-1").reason == "not_as_written"


@at("no_keys")
def test_a_request_that_was_delivered_twice_is_held_once(shop: World):
    shop.order("A-1", "pending")
    shop.provider.fault("authorize", "duplicate_delivery")
    place(shop)
    later(shop)
    assert first(shop).find("A-1").state == "authorized"
    assert shop.provider.redemptions() == [("A-1", "authorized", 427)]


@at("no_keys")
def test_an_earlier_attempt_is_not_taken_for_this_one(shop: World):
    shop.order("A-1", "pending")
    place(shop)
    first(shop).void("A-1")
    lose(shop, "authorize", when="before")
    place(shop)
    later(shop)
    payment = first(shop).find("A-1")
    assert (payment.attempt, payment.state) == (2, "declined")
    assert shop.provider.redemptions() == [("A-1", "voided", 427)]


class PausingClock(MovedClock):
    """Remembers what somebody slept."""

    def __init__(self) -> None:
        super().__init__()
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


@at("reference")
def test_recovery_goes_no_faster_than_the_provider_allows(shop: World):
    for number in range(3):
        lose(shop, "authorize", when="before")
        first(shop).authorize(f"A-{number}", CART, customer_id="anna", points=1)
        shop.provider.heal()
    shop.profile, shop.clock = ProviderProfile(calls_per_s=4), PausingClock()
    shop.clock.advance(60)
    shop.checkout(loader=False).recover()
    assert shop.clock.slept.count(0.25) == 3


_SAME = {
    "key_format": "key_format",
    "key_length_max": "key_length_max",
    "key_window_s": "key_window_s",
    "replays_errors": "replays_errors",
    "settle_s": "settle_s",
    "cancel_by_key": "cancels_by_key",
    "longest_hold_s": "longest_hold_s",
    "extend": "extends",
    "partial_reversal": "reverses_in_parts",
    "partial_approval": "approves_in_part",
    "accrues": "accrues",
}


@pytest.mark.parametrize("name", KINDS)
def test_the_sandbox_plays_what_the_profile_says(provider: Provider, name: str):
    provider.play(name)
    played = provider.http.get(f"{provider.url}/sandbox/profile", timeout=20).json()
    profile = PROFILES[name]
    assert {ours: played[theirs] for ours, theirs in _SAME.items()} == {ours: getattr(profile, ours) for ours in _SAME}
    assert played["has_keys"] == (profile.keys == "header")
    assert played["is_silent"] == (profile.mismatch == "silent")
    assert played["captures_in_parts"] == (profile.captures == "many")
    assert played["finds_by_order"] == ("order" in profile.lookup)
    if profile.keys == "header":
        assert played["finds_by_key"] == ("key" in profile.lookup)
    assert sorted(played["variants"]) == KINDS


@pytest.mark.parametrize(
    "wrong",
    [
        {"keys": "none"},
        {"keys": "none", "cancel_by_key": False},
        {"cancel_by_key": False},
        {"key_length_max": 10},
        {"key_format": "uuid", "key_length_max": 32},
        {"longest_hold_s": 100},
        {"name": ""},
        {"calls_per_s": 0},
    ],
)
def test_abilities_that_cannot_be_had_together(wrong: dict[str, Any]):
    with pytest.raises(PunktgenauError):
        ProviderProfile(**wrong)
