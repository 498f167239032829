"""Returns through the engine: points and cents by hand, once per reference, whatever breaks on the way.

Two lamps of 24.95 and shipping of 4.90, paid with 427 points worth 4.27: the lamps' line owns 3.89, shipping 0.38.
One lamp is 24.95 = 1.94 in points + 23.01; the other 1.95 + 23.00; shipping 0.38 + 4.52.
"""

from typing import Any

import pytest

from _there import there
from _together import together
from _world import CART, World
from punktgenau import InvalidArgumentError, Money, NotFoundError
from punktgenau.checkout import Cart, Checkout, Line
from punktgenau.errors import RedemptionEndedError, ReturnConflictError, StateConflictError


def paid(world: World, checkout: Checkout, reference: str = "A-1", cart: Cart = CART, points: int = 427) -> None:
    world.order(reference, "paid")
    checkout.balance("anna", max_age_s=0)
    checkout.authorize(reference, cart, customer_id="anna", points=points)
    payment = checkout.capture(reference)
    assert payment is not None
    assert payment.state == "captured"


def refund(checkout: Checkout, reference: str = "R-1", **wanted: Any):
    given = checkout.refund("A-1", return_reference=reference, **(wanted or {"lines": {"lamp": 1}}))
    assert given is not None
    return given


def euro(amount_minor: int) -> Money:
    return Money(amount_minor=amount_minor, currency="EUR")


@pytest.mark.scenario("T43", "a partial return pays 23.01 in money and 194 points, never the points' share in cash")
def test_one_lamp_comes_back(world: World, checkout: Checkout):
    paid(world, checkout)
    given = refund(checkout, lines={"lamp": 1}, reason="too bright", actor="clerk 7")
    assert (given.state, given.points, given.points_value, given.money) == ("done", 194, euro(194), euro(2301))
    assert (given.goods, given.other, given.carry, given.policy) == (euro(2495), euro(0), euro(0), "proportional")
    assert (given.restored, given.already_expired, given.converted) == (194, 0, 0)
    assert (given.lines, given.shipping, given.is_amendment) == ({"lamp": 1}, euro(0), False)
    assert (given.reason, given.actor) == ("too bright", "clerk 7")
    assert world.provider.points() == (2500 - 427 + 194, 0)
    payment = checkout.find("A-1")
    assert payment is not None
    assert (payment.state, payment.points, payment.returned_points, payment.due) == (
        "partially_reversed", 233, 194, euro(5053),
    )  # fmt: skip
    assert payment.returned_value == euro(194)


def test_all_of_it_in_pieces(world: World, checkout: Checkout):
    paid(world, checkout)
    pieces = [
        refund(checkout, "R-1", lines={"lamp": 1}),
        refund(checkout, "R-2", shipping_minor=490),
        refund(checkout, "R-3", lines={"lamp": 1}),
    ]
    assert [(piece.lines, piece.shipping) for piece in pieces[1:]] == [({}, euro(490)), ({"lamp": 1}, euro(0))]
    assert [(piece.points, piece.money.amount_minor) for piece in pieces] == [(194, 2301), (38, 452), (195, 2300)]
    assert world.provider.points() == (2500, 0)
    payment = checkout.find("A-1")
    assert payment is not None
    assert (payment.state, payment.points, payment.returned_points) == ("reversed", 0, 427)
    # What was to be paid in money when the order was placed, 54.80 less 4.27, was paid, and nothing more ever is due.
    assert (payment.due, payment.total) == (euro(5053), euro(5480))
    assert (payment.agreed_points, payment.agreed_value) == (427, euro(427))
    assert [one.return_reference for one in checkout.refunds("A-1")] == ["R-1", "R-2", "R-3"]


def test_a_cancellation_ends_the_deal_and_a_return_in_full_does_not(world: World, checkout: Checkout):
    paid(world, checkout)
    refund(checkout, lines={"lamp": 2}, shipping_minor=490)
    paid(world, checkout, "A-2")
    cancelled = checkout.cancel("A-2")
    assert cancelled is not None
    assert (cancelled.state, cancelled.due) == ("reversed", euro(5480))
    returned = checkout.find("A-1")
    assert returned is not None
    assert (returned.state, returned.due) == ("reversed", euro(5053))


@pytest.mark.parametrize(
    ("policy", "points", "money"),
    [("points_first", 427, 2068), ("money_first", 0, 2495)],
)
def test_the_policy_is_the_one_of_the_placement(world: World, policy: Any, points: int, money: int):
    shop = world.checkout(refund_policy=policy)
    paid(world, shop)
    other = world.checkout()
    given = other.refund("A-1", return_reference="R-1", lines={"lamp": 1})
    assert given is not None
    assert (given.policy, given.points, given.money) == (policy, points, euro(money))
    # What a policy kept back comes with the rest.
    rest = other.refund("A-1", return_reference="R-2", lines={"lamp": 1}, shipping_minor=490)
    assert rest is not None
    assert given.points + rest.points == 427
    assert world.provider.points() == (2500, 0)


@pytest.mark.scenario("T28", "the same return twice is one return; its reference for another one is refused")
def test_the_same_return_again(world: World, checkout: Checkout):
    paid(world, checkout)
    first = refund(checkout)
    again = world.checkout().refund("A-1", return_reference="R-1", lines={"lamp": 1})
    assert again == first
    assert world.provider.sent("reverse") == 1
    with pytest.raises(ReturnConflictError):
        refund(checkout, "R-1", lines={"lamp": 2})
    assert world.provider.points() == (2267, 0)


def test_more_than_is_left_is_refused_and_books_nothing(world: World, checkout: Checkout):
    paid(world, checkout)
    refund(checkout, "R-1", lines={"lamp": 2})
    for number, wanted in enumerate(
        [{"lines": {"lamp": 1}}, {"lines": {"cup": 1}}, {"shipping_minor": 491}, {"amount_minor": 491}]
    ):
        with pytest.raises(InvalidArgumentError):
            refund(checkout, f"R-9{number}", **wanted)
    for wanted in (
        {"lines": {"lamp": -1}},
        {"amount_minor": 0},
        {"lines": {}},
        {"lines": {"lamp": 1}, "amount_minor": 5},
    ):
        with pytest.raises(InvalidArgumentError):
            checkout.refund("A-1", return_reference="R-8", **wanted)  # type: ignore[arg-type]
    with pytest.raises(InvalidArgumentError):
        refund(checkout, "", lines={"lamp": 1})
    assert len(checkout.refunds("A-1")) == 1
    assert world.provider.points() == (2073 + 389, 0)


def test_orders_whose_points_cannot_come_back(world: World, checkout: Checkout):
    assert checkout.refund("A-0", return_reference="R-1", lines={"lamp": 1}) is None
    assert checkout.preview_refund("A-0", lines={"lamp": 1}) is None
    checkout.balance("anna")
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    with pytest.raises(StateConflictError) as caught:
        refund(checkout)
    assert caught.value.code == "not_captured"
    checkout.void("A-1")
    # Its payment failed; whatever paid it since then was not points.
    assert checkout.refund("A-1", return_reference="R-1", lines={"lamp": 1}) is None
    paid(world, checkout, "A-2")
    checkout.cancel("A-2")
    with pytest.raises(RedemptionEndedError):
        checkout.refund("A-2", return_reference="R-1", lines={"lamp": 1})
    assert world.provider.points() == (2500, 0)


@pytest.mark.parametrize("kind", ["reset", "status_500", "hang", "html_200"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_an_answer_that_is_lost(world: World, kind: str, when: str):
    shop = world.checkout(deadline_s=0.6)
    paid(world, shop)
    world.provider.fault("reverse", kind, when=when, times=20)
    given = refund(shop)
    assert (given.state, given.points, given.restored) == ("reversing", 194, None)
    world.provider.heal()
    again = refund(shop)
    assert (again.state, again.restored) == ("done", 194)
    assert world.provider.points() == (2267, 0)


def test_what_a_crash_left_open_is_finished_by_recovery(world: World, checkout: Checkout):
    paid(world, checkout)
    world.provider.fault("reverse", "reset", when="after", times=20)
    assert refund(checkout).state == "reversing"
    world.provider.heal()
    world.advance(60)
    checkout.recover()
    assert checkout.refunds("A-1")[0].state == "done"
    assert checkout.refunds("A-1")[0].restored == 194
    assert world.provider.points() == (2267, 0)


def test_a_return_waits_for_the_one_before(world: World, checkout: Checkout):
    paid(world, checkout)
    world.provider.fault("reverse", "reset", when="before", times=20)
    assert refund(checkout, "R-1", lines={"lamp": 1}).state == "reversing"
    waiting = world.checkout().refund("A-1", return_reference="R-2", lines={"lamp": 1})
    assert waiting is not None
    assert (waiting.state, waiting.points) == ("reversing", 195)
    world.provider.heal()
    world.advance(60)
    checkout.recover()
    assert [(one.state, one.points) for one in checkout.refunds("A-1")] == [("done", 194), ("done", 195)]
    assert world.provider.points() == (2073 + 389, 0)


def test_a_return_that_waits_is_not_forgotten_during_an_outage(world: World, checkout: Checkout):
    paid(world, checkout)
    # By now the time of the hold that was captured is long over.
    world.advance(8000)
    world.provider.fault("reverse", "reset", when="before", times=99)
    refund(checkout, "R-1", lines={"lamp": 1})
    refund(checkout, "R-2", lines={"lamp": 1})
    for _ in range(2):
        world.advance(600)
        checkout.recover()
        assert there(checkout.find("A-1")).state == "reversing"
    world.provider.heal()
    world.advance(600)
    checkout.recover()
    assert [(one.state, one.points) for one in checkout.refunds("A-1")] == [("done", 194), ("done", 195)]
    assert world.provider.points() == (2073 + 389, 0)


def test_a_return_while_the_capture_is_unknown(world: World, checkout: Checkout):
    checkout.balance("anna")
    world.order("A-1", "paid")
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    world.provider.fault("capture", "reset", when="after", times=20)
    assert there(checkout.capture("A-1")).state == "capturing"
    assert refund(checkout).state == "reversing"
    world.provider.heal()
    world.advance(60)
    checkout.recover()
    assert checkout.refunds("A-1")[0].state == "done"
    assert world.provider.points() == (2267, 0)


def test_cancelled_after_a_part_came_back(world: World, checkout: Checkout):
    paid(world, checkout)
    refund(checkout)
    payment = checkout.cancel("A-1")
    assert payment is not None
    assert (payment.state, payment.returned_points) == ("reversed", 427)
    assert world.provider.points() == (2500, 0)


def test_cancelled_while_a_return_is_open(world: World, checkout: Checkout):
    paid(world, checkout)
    world.provider.fault("reverse", "reset", when="after", times=20)
    refund(checkout, "R-1", lines={"lamp": 1})
    refund(checkout, "R-2", shipping_minor=490)
    checkout.cancel("A-1")
    world.provider.heal()
    for _ in range(4):
        world.advance(600)
        checkout.recover()
    assert [one.state for one in checkout.refunds("A-1")] == ["done", "done"]
    assert there(checkout.find("A-1")).state == "reversed"
    assert world.provider.points() == (2500, 0)


def test_returns_at_once(world: World, checkout: Checkout):
    for round_number in range(3):
        reference = f"A-{round_number}"
        paid(world, checkout, reference, points=7)
        shops = [world.checkout(deadline_s=8) for _ in range(6)]

        def bring_back(number: int, reference: str = reference, shops: list[Checkout] = shops):
            return shops[number].refund(reference, return_reference=f"R-{number}", lines={"lamp": 1})

        results = together(6, bring_back)
        refused = [result for result in results if isinstance(result, Exception)]
        assert len(refused) == 4
        assert all(isinstance(error, InvalidArgumentError) for error in refused), refused
        checkout.recover()
        given = checkout.refunds(reference)
        # 7 points: 6 on the lamps (3 and 3), 1 on the shipping.
        assert [(one.state, one.points) for one in given] == [("done", 3), ("done", 3)]
    assert world.provider.points() == (2500 - 3 * 1, 0)


def test_the_money_half(world: World, checkout: Checkout):
    paid(world, checkout)
    refund(checkout)
    assert list(checkout.open_refunds()) == [("A-1", "R-1", euro(2301))]
    closed = checkout.money_refunded("A-1", return_reference="R-1", psp_reference="psp_1")
    assert (closed.psp_reference, closed.money_due) == ("psp_1", euro(0))
    assert checkout.money_refunded("A-1", return_reference="R-1", psp_reference="psp_1") == closed
    assert list(checkout.open_refunds()) == []
    with pytest.raises(ReturnConflictError):
        checkout.money_refunded("A-1", return_reference="R-1", psp_reference="psp_2")
    with pytest.raises(NotFoundError):
        checkout.money_refunded("A-1", return_reference="R-2", psp_reference="psp_2")


def test_only_money_comes_back(world: World, checkout: Checkout):
    voucher = Line(sku="card", quantity=1, unit_price_minor=2000, vat_rate="0", points_allowed=False)
    paid(world, checkout, cart=Cart(currency="EUR", lines=[*CART.lines, voucher]))
    given = refund(checkout, lines={"card": 1})
    assert (given.state, given.points, given.money, given.restored) == ("done", 0, euro(2000), 0)
    assert world.provider.sent("reverse") == 0


def test_a_preview_under_each_policy_books_nothing(world: World, checkout: Checkout):
    paid(world, checkout)
    preview = checkout.preview_refund("A-1", lines={"lamp": 1})
    assert preview is not None
    assert {policy: (split.points, split.money.amount_minor) for policy, split in preview.policies.items()} == {
        "proportional": (194, 2301),
        "points_first": (427, 2068),
        "money_first": (0, 2495),
    }
    assert (preview.policy, preview.split.points, preview.earned_taken) == ("proportional", 194, 0)
    assert checkout.refunds("A-1") == ()
    assert world.provider.sent("reverse") == 0


def test_a_point_worth_more_than_a_cent_goes_back_whole(world: World, checkout: Checkout):
    # Seven cups of 3 cents, all paid with 3 points of 7 cents: one cup is 3 cents, which are no point yet.
    world.provider.rate(points=1, amount_minor=7)
    cup = Line(sku="cup", quantity=7, unit_price_minor=3, vat_rate="19")
    paid(world, checkout, cart=Cart(currency="EUR", lines=[cup]), points=3)
    given = [refund(checkout, f"R-{quantity}", lines={"cup": quantity}) for quantity in (1, 2, 4)]
    assert [(one.points, one.points_value.amount_minor, one.carry.amount_minor) for one in given] == [
        (0, 3, 3),
        (1, 6, 2),
        (2, 12, 0),
    ]
    (redemption,) = world.made[0][1].redemptions.find(order_reference="A-1")
    assert (redemption.state, redemption.reversed_points, redemption.reversed_value) == ("reversed", 3, euro(21))
    assert world.provider.points() == (2500, 0)


THREE = Cart(
    currency="EUR",
    lines=[Line(sku=sku, quantity=1, unit_price_minor=1000, vat_rate="19") for sku in ("lamp", "cup", "shade")],
)
"""30.00, paid with 427 points worth 4.27 (1.43, 1.42, 1.42 of the lines) and 25.73."""


@pytest.mark.parametrize(
    ("own", "second", "third"),
    [
        # First 1.43 + 8.57, then 1.42 + 8.58: 284 points and 17.16 are left for two, 142 and 8.58 for the last.
        ("proportional", {"points_first": (284, 716), "money_first": (0, 1000)}, {"points_first": (142, 858)}),
        # First 4.27 + 5.73: no points are left, whatever the rule.
        ("points_first", {"proportional": (0, 1000), "money_first": (0, 1000)}, {"proportional": (0, 1000)}),
        # First and second 10.00 in money: 427 points and 15.73, then 427 and 5.73 are left.
        ("money_first", {"points_first": (427, 573), "proportional": (142, 858)}, {"proportional": (427, 573)}),
    ],
)
def test_a_preview_gives_back_only_what_is_left(
    world: World, own: Any, second: dict[str, tuple[int, int]], third: dict[str, tuple[int, int]]
):
    shop = world.checkout(refund_policy=own)
    paid(world, shop, cart=THREE)
    refund(shop, "R-1", lines={"lamp": 1})
    for reference, sku, expected in (("R-2", "cup", second), ("R-3", "shade", third)):
        preview = shop.preview_refund("A-1", lines={sku: 1})
        assert preview is not None
        told = {policy: (split.points, split.money.amount_minor) for policy, split in preview.policies.items()}
        assert told.items() >= expected.items()
        given = refund(shop, reference, lines={sku: 1})
        assert told[own] == (given.points, given.money.amount_minor)
