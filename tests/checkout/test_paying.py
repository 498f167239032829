"""Placing, paying, failing, cancelling: the ordinary ways of an order, by hand-counted points."""

import pytest

from _world import CART
from punktgenau import (
    AmountChangedError,
    Client,
    InProgressError,
    InsufficientPointsError,
    InvalidArgumentError,
    LimitError,
    LiveRedemptionError,
    Money,
    NotLinkedError,
    NotSentError,
    UnavailableError,
)
from punktgenau.checkout import Checkout


def eur(amount_minor: int) -> Money:
    return Money(amount_minor=amount_minor, currency="EUR")


def test_427_points_are_held_and_captured(world, checkout: Checkout):
    payment = checkout.authorize("A-1", CART, customer_id="anna", points=427)
    assert (payment.state, payment.points, payment.value, payment.due) == ("authorized", 427, eur(427), eur(5053))
    assert world.provider.points() == (2073, 427)

    paid = checkout.capture("A-1")
    assert paid is not None
    assert (paid.state, paid.points, paid.due) == ("captured", 427, eur(5053))
    assert world.provider.points() == (2073, 0)
    assert world.provider.redemptions() == [("A-1", "captured", 427)]
    assert world.events == [("redemption_authorized", "A-1"), ("redemption_captured", "A-1")]


def test_another_process_captures(world, checkout: Checkout):
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    other = world.checkout()
    assert other.find("A-1") == checkout.find("A-1")
    assert other.capture("A-1").state == "captured"
    assert checkout.find("A-1").state == "captured"


def test_the_balance_follows_what_this_shop_did_at_once(world, checkout: Checkout):
    assert checkout.balance("anna").available == 2500
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    assert checkout.balance("anna").available == 2073
    world.checkout().void("A-1")
    assert checkout.balance("anna").available == 2500
    assert world.provider.sent("balance") == 3


def test_points_wait_for_an_order_until_they_are_captured_or_given_back(world, checkout: Checkout):
    for order_reference, points in (("A-1", 100), ("A-2", 200), ("A-3", 300)):
        checkout.authorize(order_reference, CART, customer_id="anna", points=points)
    checkout.capture("A-1")
    world.provider.fault("void", "reset", when="before", times=50)
    assert checkout.void("A-2").state == "voiding"
    waiting = checkout.live("anna")
    assert [(payment.order_reference, payment.points) for payment in waiting] == [("A-3", 300)]


def test_placing_an_order_needs_no_balance_of_its_own(world, checkout: Checkout):
    checkout.balance("anna")
    for order_reference in ("A-1", "A-2"):
        checkout.authorize(order_reference, CART, customer_id="anna", points=1)
    assert world.provider.sent("balance") == 1


def test_asking_again_for_just_the_points_that_are_held_changes_nothing(world, checkout: Checkout):
    checkout.authorize("A-1", CART, customer_id="ben", points="all")
    again = checkout.authorize("A-1", CART, customer_id="ben", points=42)
    assert (again.state, again.points, again.attempt) == ("authorized", 42, 1)
    assert world.provider.sent("authorize") == 1


@pytest.mark.scenario("K1", "the same order placed again answers with the one hold")
def test_the_same_call_again_makes_no_second_hold(world, checkout: Checkout):
    first = checkout.authorize("A-1", CART, customer_id="anna", points=427)
    again = checkout.authorize("A-1", CART, customer_id="anna", points=427)
    assert again == first
    assert world.provider.sent("authorize") == 1
    assert world.provider.points() == (2073, 427)


@pytest.mark.scenario("T19", "a declined card gives the points back, the second attempt makes one hold")
def test_a_declined_card_and_a_second_attempt(world, checkout: Checkout):
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    failed = checkout.void("A-1")
    assert (failed.state, failed.points, failed.due) == ("voided", 0, eur(5480))
    assert world.provider.points() == (2500, 0)

    second = checkout.authorize("A-1", CART, customer_id="anna", points=427)
    assert (second.state, second.attempt) == ("authorized", 2)
    checkout.capture("A-1")
    assert world.provider.redemptions() == [("A-1", "captured", 427), ("A-1", "voided", 427)]
    assert world.provider.points() == (2073, 0)


@pytest.mark.scenario("T28", "cancelled and cancelled again: given back once")
@pytest.mark.scenario("T29", "cancelled before capture is a void")
@pytest.mark.parametrize("captured", [False, True])
def test_cancel_gives_back_once(world, checkout: Checkout, captured: bool):
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    if captured:
        checkout.capture("A-1")
    for _ in range(3):
        assert checkout.cancel("A-1", cause="customer").state == ("reversed" if captured else "voided")
    assert world.provider.points() == (2500, 0)
    assert world.provider.sent("reverse") == int(captured)
    assert world.provider.sent("void") == int(not captured)


def test_goals_are_safe_where_nothing_is(checkout: Checkout):
    assert checkout.capture("none") is None
    assert checkout.void("none") is None
    assert checkout.cancel("none") is None
    assert checkout.find("none") is None


def test_capture_twice_and_after_a_void(world, checkout: Checkout):
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    assert checkout.capture("A-1").state == "captured"
    assert checkout.capture("A-1").state == "captured"
    assert world.provider.sent("capture") == 1
    checkout.authorize("A-2", CART, customer_id="anna", points=100)
    checkout.void("A-2")
    assert checkout.capture("A-2").state == "voided"
    assert world.provider.points() == (2073, 0)


def test_the_whole_bill(world, checkout: Checkout):
    world.provider.http.post(
        f"{world.provider.url}/sandbox/members", json={"id": "mbr_2500", "points": 9000}, timeout=9
    )
    payment = checkout.authorize("A-1", CART, customer_id="anna", points="all")
    assert (payment.points, payment.due) == (5480, eur(0))


def test_without_points_is_no_redemption(world, checkout: Checkout):
    payment = checkout.authorize("A-1", CART, customer_id="anna", points=0)
    assert (payment.state, payment.points, payment.due) == ("none", 0, eur(5480))
    assert world.provider.sent("authorize") == 0


@pytest.mark.scenario("K10", "other points for a held order: refused, its money may be on the way; free after a void")
def test_other_points_for_a_held_order_wait_for_a_void(world, checkout: Checkout):
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    with pytest.raises(InProgressError):
        checkout.authorize("A-1", CART, customer_id="anna", points=1)
    assert world.provider.points() == (2073, 427)
    checkout.void("A-1")
    changed = checkout.authorize("A-1", CART, customer_id="anna", points=300)
    assert (changed.state, changed.points, changed.attempt) == ("authorized", 300, 2)
    assert world.provider.points() == (2200, 300)


def test_other_points_for_a_captured_order_are_refused(world, checkout: Checkout):
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    checkout.capture("A-1")
    with pytest.raises(LiveRedemptionError):
        checkout.authorize("A-1", CART, customer_id="anna", points=300)
    assert world.provider.points() == (2073, 0)


@pytest.mark.scenario("B2", "more than the balance or the bill, below the minimum: typed, nothing sent")
@pytest.mark.parametrize(
    ("points", "kind", "remaining"),
    [(2501, InsufficientPointsError, 2500), (5481, InsufficientPointsError, 2500), (5, LimitError, 2500)],
)
def test_points_beyond_the_limits(world, checkout: Checkout, points, kind, remaining):
    shop = world.checkout(min_points=10)
    with pytest.raises(kind) as caught:
        shop.authorize("A-1", CART, customer_id="anna", points=points)
    assert (caught.value.outcome, caught.value.remaining) == ("not_done", remaining)
    assert world.provider.sent("authorize") == 0
    assert checkout.find("A-1") is None


@pytest.mark.parametrize("points", [-1, True, 1.0, "427", None, 10**100])
def test_points_that_are_no_number(world, checkout: Checkout, points):
    with pytest.raises(InvalidArgumentError):
        checkout.authorize("A-1", CART, customer_id="anna", points=points)
    assert world.provider.sent("authorize") == 0


@pytest.mark.parametrize("reference", ["", "x" * 37, "a\r\nb", None, 5])
def test_order_references_that_no_provider_takes(world, checkout: Checkout, reference):
    with pytest.raises(InvalidArgumentError):
        checkout.authorize(reference, CART, customer_id="anna", points=427)
    assert world.provider.sent("authorize") == 0


def test_what_the_customer_saw_counts(world, checkout: Checkout):
    with pytest.raises(AmountChangedError):
        checkout.authorize("A-1", CART, customer_id="anna", points=427, seen_due=eur(5052))
    assert world.provider.sent("authorize") == 0
    assert checkout.authorize("A-1", CART, customer_id="anna", points=427, seen_due=eur(5053)).due == eur(5053)


def test_not_linked(world, checkout: Checkout):
    with pytest.raises(NotLinkedError):
        checkout.authorize("A-1", CART, customer_id="carl", points=427)
    assert world.provider.sent("authorize") == 0


@pytest.mark.scenario("K2", "two carts, one balance: the provider decides, the loser is told how much is left")
def test_the_provider_decides_about_the_balance(world, checkout: Checkout):
    checkout.balance("anna")
    checkout.authorize("A-1", CART, customer_id="anna", points=2400)
    # The balance seen last says 2500, so only the provider can refuse.
    with pytest.raises(InsufficientPointsError) as caught:
        checkout.authorize("A-2", CART, customer_id="anna", points=2400)
    assert caught.value.remaining == 100
    assert checkout.find("A-2").state == "declined"
    assert checkout.balance("anna").available == 100
    assert checkout.authorize("A-2", CART, customer_id="anna", points=100).attempt == 2
    assert world.provider.points() == (0, 2500)


@pytest.mark.scenario("N1", "a provider that is not there: nothing held, the same order may be placed again")
def test_provider_away(world, checkout: Checkout):
    checkout.balance("anna")
    away = world.checkout(url="http://127.0.0.1:9")
    with pytest.raises(NotSentError):
        away.authorize("A-1", CART, customer_id="anna", points=427)
    assert away.authorize("A-1", CART, customer_id="anna", points=0).due == eur(5480)
    assert checkout.authorize("A-1", CART, customer_id="anna", points=427).attempt == 2


def test_switched_off(world, checkout: Checkout):
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    off = world.checkout(enabled=False)
    with pytest.raises(UnavailableError) as caught:
        off.authorize("A-2", CART, customer_id="anna", points=427)
    assert caught.value.code == "points_off"
    # Everything begun goes on.
    assert off.capture("A-1").state == "captured"


def test_captured_at_placement(world, checkout: Checkout):
    shop = world.checkout(capture="placed")
    assert shop.authorize("A-1", CART, customer_id="anna", points=427).state == "captured"
    assert world.provider.points() == (2073, 0)
    assert shop.cancel("A-1").state == "reversed"
    assert world.provider.points() == (2500, 0)


def test_the_place_order_path_of_a_warm_shop_makes_one_call(world, checkout: Checkout):
    checkout.quote("anna", CART, points=427)
    before = world.provider.sent("balance")
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    assert (world.provider.sent("authorize"), world.provider.sent("balance") - before) == (1, 0)


def test_another_customer_cannot_touch_an_orders_hold(world, checkout: Checkout):
    checkout.authorize("A-1", CART, customer_id="anna", points=40)
    with pytest.raises(LiveRedemptionError):
        checkout.authorize("A-1", CART, customer_id="ben", points=40)
    assert world.provider.points() == (2460, 40)


@pytest.mark.scenario("S2", "another shop on the same journal sees, finishes and releases nothing of this one")
def test_two_shops_share_a_database_and_nothing_else(world, checkout: Checkout):
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    client = Client(world.provider.url, client_id="other-shop", client_secret="x", clock=world.clock)
    other = Checkout(client, world.database_url, order_loader=lambda reference: None, clock=world.clock)
    assert other.find("A-1") is None
    assert other.find_link("anna") is None
    world.order("A-1", "pending")
    world.advance(600)
    assert other.recover().looked_at == 0
    assert other.live("anna") == ()
    assert checkout.find("A-1").state == "authorized"
    other.close()
    client.close()
