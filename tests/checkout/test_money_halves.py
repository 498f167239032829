"""What a shop pays of a return in money, in one payment or in several, told in any order and more than once.

Two lamps of 24.95 and shipping of 4.90, 427 points: one lamp is 194 points and 23.01 (see test_refunds).
"""

from datetime import datetime, timedelta
from typing import Any

import pytest

from _there import there
from _together import together
from _world import CART, World
from punktgenau import InvalidArgumentError, Money
from punktgenau.checkout import Checkout
from punktgenau.checkout.office import Office
from punktgenau.errors import ReturnConflictError


def euro(amount_minor: int) -> Money:
    return Money(amount_minor=amount_minor, currency="EUR")


def paid(world: World, checkout: Checkout, customer_id: str = "anna") -> None:
    world.order("A-1", "paid")
    checkout.balance(customer_id, max_age_s=0)
    checkout.authorize("A-1", CART, customer_id=customer_id, points=427)
    assert there(checkout.capture("A-1")).state == "captured"


def returned(world: World, checkout: Checkout) -> None:
    """One lamp came back; its points were refused."""
    paid(world, checkout)
    world.provider.play("no_partial_reversal")
    given = checkout.refund("A-1", return_reference="R-1", lines={"lamp": 1})
    assert given is not None
    assert (given.state, given.money_due) == ("declined", euro(2301))


def instead(checkout: Checkout) -> None:
    """And their 1.94 is owed in money as well."""
    checkout.pay_instead("A-1", return_reference="R-1", actor="clerk 7", reason="blocked")


def tell(checkout: Checkout, psp_reference: str, amount_minor: int | None = None) -> tuple[int, int]:
    """Tell a payment; what is paid and what is still due, in cents."""
    amount = None if amount_minor is None else euro(amount_minor)
    told = checkout.money_refunded("A-1", return_reference="R-1", psp_reference=psp_reference, amount=amount)
    due = sum(money.amount_minor for _, _, money in checkout.open_refunds())
    assert due == told.money_due.amount_minor
    return told.money_paid.amount_minor, due


def test_more_is_owed_by_the_time_a_payment_is_told(world: World, checkout: Checkout):
    returned(world, checkout)
    instead(checkout)
    assert tell(checkout, "psp_1", 2301) == (2301, 194)
    assert tell(checkout, "psp_1", 2301) == (2301, 194)
    assert tell(checkout, "psp_1") == (2301, 194)
    assert tell(checkout, "psp_2", 194) == (2495, 0)


def test_each_payment_is_told_with_its_own_amount_reference_and_name(world: World, checkout: Checkout):
    returned(world, checkout)
    office = Office(checkout)
    redemption_id = office.searching.attempts("A-1")[-1].id

    def told() -> list[tuple[Money | None, str, str]]:
        story = office.whole(redemption_id).story
        return [(one.money, one.code, one.actor) for one in story if one.kind == "money_refunded"]

    tell(checkout, "psp_1", 2300)
    assert told() == [(euro(2300), "psp_1", "")]
    tell(checkout, "psp_2")
    world.advance(60)
    instead(checkout)
    assert told() == [(euro(2300), "psp_1", ""), (euro(1), "psp_2", "")]
    world.advance(60)
    by = {"return_reference": "R-1", "psp_reference": "bank-194", "actor": "clerk 7"}
    office.money_refunded(redemption_id, **by)
    assert told() == [(euro(2300), "psp_1", ""), (euro(1), "psp_2", ""), (euro(194), "bank-194", "clerk 7")]


def test_points_that_turn_out_to_have_expired_between_payment_and_its_word(world: World):
    shop = world.checkout(expired_points="money")
    theirs = world.provider.http.get(f"{world.provider.url}/sandbox/clock", timeout=20).json()["now"]
    until = (datetime.fromisoformat(theirs) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    body = {"id": "mbr_soon", "lots": [{"points": 427, "expires_at": until}]}
    assert world.provider.http.post(f"{world.provider.url}/sandbox/members", json=body, timeout=20).ok
    shop.link("cleo", member_id="mbr_soon", consent_id="con_9")
    paid(world, shop, "cleo")
    world.advance(2 * 86_400)
    world.provider.fault("reverse", "reset", when="after", times=20)
    given = shop.refund("A-1", return_reference="R-1", lines={"lamp": 1})
    assert given is not None
    assert given.money_due == euro(2301)
    world.provider.heal()
    world.advance(600)
    shop.recover()
    assert tell(shop, "psp_1", 2301) == (2301, 194)
    assert tell(shop, "psp_2") == (2495, 0)


def test_each_payment_counts_once_in_any_order(world: World, checkout: Checkout):
    returned(world, checkout)
    assert tell(checkout, "psp_1") == (2301, 0)
    instead(checkout)
    assert tell(checkout, "psp_1") == (2301, 194)
    assert tell(checkout, "psp_2") == (2495, 0)
    for known in ("psp_1", "psp_2", "psp_1"):
        assert tell(checkout, known) == (2495, 0)
    with pytest.raises(ReturnConflictError) as twice:
        tell(checkout, "psp_3")
    assert twice.value.field == "psp_reference"
    with pytest.raises(ReturnConflictError):
        tell(checkout, "psp_3", 1)


def test_paid_bit_by_bit(world: World, checkout: Checkout):
    paid(world, checkout)
    checkout.refund("A-1", return_reference="R-1", lines={"lamp": 1})
    assert tell(checkout, "psp_1", 1000) == (1000, 1301)
    assert checkout.refunds("A-1")[0].money_refunded_at is None
    with pytest.raises(InvalidArgumentError):
        tell(checkout, "psp_2", 1302)
    with pytest.raises(ReturnConflictError) as changed:
        tell(checkout, "psp_1", 1001)
    assert changed.value.field == "amount"
    assert tell(checkout, "psp_2", 1301) == (2301, 0)
    (closed,) = checkout.refunds("A-1")
    assert (closed.psp_reference, closed.money_refunded_at is None) == ("psp_2", False)


@pytest.mark.parametrize("amount", [euro(0), Money(amount_minor=2301, currency="CHF"), 2301])
def test_amounts_that_cannot_have_been_paid(world: World, checkout: Checkout, amount: Any):
    paid(world, checkout)
    checkout.refund("A-1", return_reference="R-1", lines={"lamp": 1})
    with pytest.raises(InvalidArgumentError) as refused:
        checkout.money_refunded("A-1", return_reference="R-1", psp_reference="psp_1", amount=amount)
    assert (refused.value.field, checkout.refunds("A-1")[0].money_paid) == ("amount", euro(0))


def test_a_payment_told_by_two_at_once(world: World, checkout: Checkout):
    returned(world, checkout)
    instead(checkout)
    shops = (checkout, world.checkout())
    together(2, lambda number: tell(shops[number], "psp_1", 1000))
    together(2, lambda number: tell(shops[number], f"psp_{2 + number}", 500))
    assert tell(checkout, "psp_4") == (2495, 0)
    assert tell(checkout, "psp_1", 1000) == (2495, 0)


def test_what_an_operator_was_shown_is_what_was_paid(world: World, checkout: Checkout, monkeypatch: pytest.MonkeyPatch):
    returned(world, checkout)
    office, real = Office(checkout), checkout._journal.money_refunded
    redemption_id = office.searching.attempts("A-1")[-1].id

    def more_is_owed_by_now(*said: Any, **more: Any) -> Any:
        monkeypatch.undo()
        instead(checkout)
        return real(*said, **more)

    monkeypatch.setattr(checkout._journal, "money_refunded", more_is_owed_by_now)
    told = office.money_refunded(
        redemption_id, return_reference="R-1", psp_reference="re_1", actor="clerk 7", seen_minor=2301
    )
    assert (told.money_paid, told.money_due) == (euro(2301), euro(194))
