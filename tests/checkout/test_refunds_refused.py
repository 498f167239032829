"""Returns that the provider refuses for good, and points that come back already expired.

Two lamps of 24.95 and shipping of 4.90, 427 points: one lamp is 194 points and 23.01 (see test_refunds).
"""

from dataclasses import fields, replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from _commits import counted_commits
from _desk import row_for
from _there import there
from _world import CART, World
from punktgenau import InvalidArgumentError, Money, NotFoundError
from punktgenau.checkout import Cart, Checkout, Line
from punktgenau.checkout.office import Office
from punktgenau.checkout.refund import refund_of
from punktgenau.checkout.return_journal import wanted_json
from punktgenau.checkout.schema_returns import ReturnRow, action
from punktgenau.errors import ReturnConflictError
from punktgenau.provider import PROFILES


def euro(amount_minor: int) -> Money:
    return Money(amount_minor=amount_minor, currency="EUR")


def paid(world: World, checkout: Checkout, member: str = "anna") -> None:
    world.order("A-1", "paid")
    checkout.balance(member, max_age_s=0)
    checkout.authorize("A-1", CART, customer_id=member, points=427)
    assert there(checkout.capture("A-1")).state == "captured"


def refused(world: World, checkout: Checkout):
    """The provider does not give back in parts, although its profile says so."""
    paid(world, checkout)
    world.provider.play("no_partial_reversal")
    given = checkout.refund("A-1", return_reference="R-1", lines={"lamp": 1})
    assert given is not None
    return given


def test_a_refused_return_is_told_and_listed(world: World, checkout: Checkout):
    given = refused(world, checkout)
    assert (given.state, given.points, given.money, given.restored) == ("declined", 194, euro(2301), None)
    payment = checkout.find("A-1")
    assert payment is not None
    assert (payment.state, payment.points, payment.returned_points, payment.reason) == (
        "captured", 427, 0, "not_offered",
    )  # fmt: skip
    assert ("needs_attention", "A-1") in world.events
    assert [one.return_reference for one in checkout.refused_refunds()] == ["R-1"]
    for _ in range(2):
        world.advance(600)
        assert checkout.recover().needs_attention == 1
    assert world.provider.sent("reverse") == 1
    assert checkout.refund("A-1", return_reference="R-1", lines={"lamp": 1}) == checkout.refunds("A-1")[0]
    assert world.provider.points() == (2073, 0)


def test_a_refused_return_that_is_worth_more_than_its_goods_is_paid_in_money(world: World, checkout: Checkout):
    # A point is worth seven cents: 8 points pay 56 of 600 cents. By the third of six cups 28 cents are back, four
    # points; two were given back before, for 18, so the third cup brings two, of which 4 cents were owed by then.
    world.provider.rate(points=1, amount_minor=7)
    shop = world.checkout(min_money_minor=0)
    world.order("A-1", "paid")
    shop.balance("anna", max_age_s=0)
    cups = Cart(currency="EUR", lines=[Line(sku="cup", quantity=6, unit_price_minor=100, vat_rate="19")])
    shop.authorize("A-1", cups, customer_id="anna", points=8)
    shop.capture("A-1")
    for reference in ("R-1", "R-2"):
        shop.refund("A-1", return_reference=reference, lines={"cup": 1})
    world.provider.play("no_partial_reversal")
    given = there(shop.refund("A-1", return_reference="R-3", lines={"cup": 1}))
    assert (given.state, given.points, given.points_value, given.points_worth) == ("declined", 2, euro(10), euro(14))
    world.provider.play("reference")
    paid_out = shop.pay_instead("A-1", return_reference="R-3", actor="mira", reason="agreed by phone")
    assert (paid_out.points, paid_out.points_value, paid_out.points_worth) == (0, euro(0), euro(0))
    assert (paid_out.money, paid_out.money_instead, paid_out.money_due) == (euro(90), euro(14), euro(104))
    assert (paid_out.written_off, paid_out.carry) == (euro(0), euro(0))
    office = Office(shop)
    whole = office.whole(office.searching.attempts("A-1")[-1].id)
    assert whole.refunds == shop.refunds("A-1") == there(shop.invoice("A-1")).returns
    closed = shop.money_refunded("A-1", return_reference="R-3", psp_reference="re_1")
    assert closed.money_due == euro(0)
    # The other three: 28 cents, four points.
    rest = there(shop.refund("A-1", return_reference="R-4", lines={"cup": 3}))
    assert (rest.points, rest.money, rest.written_off) == (4, euro(272), euro(0))


@pytest.mark.parametrize(
    ("shippings", "kept", "state"), [((0,), 194, "partially_reversed"), ((0, 490), 427, "captured")]
)
def test_an_order_is_done_with_once_all_but_what_is_kept_is_back(
    world: World, checkout: Checkout, shippings: tuple[int, ...], kept: int, state: str
):
    paid(world, checkout)
    world.provider.play("no_partial_reversal")
    for number, shipping_minor in enumerate(shippings):
        told = {"return_reference": f"R-{number}"}
        given = checkout.refund("A-1", **told, lines={"lamp": 1}, shipping_minor=shipping_minor)
        assert there(given).state == "declined"
        checkout.pay_instead("A-1", **told, actor="mira", reason="agreed by phone")
        checkout.money_refunded("A-1", **told, psp_reference=f"re_{number}")
    world.provider.play("reference")
    world.order("A-1", "cancelled")
    assert there(checkout.cancel("A-1")).state == state
    assert world.provider.points() == (2500 - kept, 0)
    # Its hold has ended long since: it is looked at once more, and then by nobody.
    world.advance(3 * 86400)
    checkout.recover()
    assert there(checkout._journal.latest("A-1")).check_at is None
    world.advance(3 * 86400)
    assert checkout.recover().looked_at == 0
    world.advance(400 * 86400)
    assert Office(checkout).personal.erase("anna", actor="mira") == 1


def test_what_was_written_off_is_none_of_what_is_paid_instead():
    """As above; half of the points had been missing by then, and were written off."""
    row = replace(row_for("A-1"), state="captured", captured_points=8, captured_minor=56)
    made = ReturnRow(
        **dict.fromkeys((one.name for one in fields(ReturnRow)), 0)
        | {"wanted": wanted_json({"cup": 1}, 0, None), "policy": "proportional", "state": "done", "reference": "R-3"}
        | {"redemption_id": row.id}
        | {"goods_minor": 100, "value_minor": 10, "money_minor": 85, "points": 2, "worth_minor": 14}
        | {
            "instead_minor": 14,
            "vouchers": None,
            "accrual_state": None,
            "psp_reference": None,
            "money_refunded_at": None,
        }
    )
    refund = refund_of(row, made)
    assert (refund.points_value, refund.money_instead, refund.written_off) == (euro(0), euro(14), euro(5))


def test_a_refused_return_is_asked_for_once_more(world: World, checkout: Checkout):
    refused(world, checkout)
    again = checkout.refund_again("A-1", return_reference="R-1", actor="clerk 7", reason="tried")
    assert again.state == "declined"
    world.provider.play("reference")
    again = checkout.refund_again("A-1", return_reference="R-1", actor="clerk 7", reason="mended")
    assert (again.state, again.restored) == ("done", 194)
    assert list(checkout.refused_refunds()) == []
    assert world.provider.points() == (2073 + 194, 0)
    with pytest.raises(ReturnConflictError):
        checkout.refund_again("A-1", return_reference="R-1", actor="clerk 7", reason="once more")
    with pytest.raises(NotFoundError):
        checkout.refund_again("A-1", return_reference="R-9", actor="clerk 7", reason="no such thing")


def test_a_refused_return_is_paid_in_money(world: World, checkout: Checkout):
    refused(world, checkout)
    checkout.money_refunded("A-1", return_reference="R-1", psp_reference="psp_1")
    assert list(checkout.open_refunds()) == []
    owed = checkout.pay_instead("A-1", return_reference="R-1", actor="clerk 7", reason="member blocked")
    assert (owed.state, owed.points, owed.money_instead, owed.money_due) == ("done", 0, euro(194), euro(194))
    assert list(checkout.open_refunds()) == [("A-1", "R-1", euro(194))]
    # The first payment told again does not pay the second.
    checkout.money_refunded("A-1", return_reference="R-1", psp_reference="psp_1")
    assert list(checkout.open_refunds()) == [("A-1", "R-1", euro(194))]
    closed = checkout.money_refunded("A-1", return_reference="R-1", psp_reference="psp_2")
    assert (closed.money_due, closed.money_paid) == (euro(0), euro(2301 + 194))
    with pytest.raises(ReturnConflictError):
        checkout.pay_instead("A-1", return_reference="R-1", actor="clerk 7", reason="twice")
    world.provider.play("reference")
    checkout.cancel("A-1")
    assert world.provider.points() == (2500 - 194, 0)
    payment = checkout.find("A-1")
    assert payment is not None
    assert (payment.state, payment.returned_points) == ("partially_reversed", 427 - 194)


def test_a_refused_release_waits_for_a_person_and_is_asked_again(world: World, checkout: Checkout):
    paid(world, checkout)
    assert there(checkout.refund("A-1", return_reference="R-1", lines={"lamp": 1})).state == "done"
    world.provider.play("no_partial_reversal")
    # All the rest is everything that is left, which such a provider takes; so does it here.
    assert there(checkout.cancel("A-1")).state == "reversed"
    assert world.provider.points() == (2500, 0)


@pytest.mark.parametrize(("rule", "money"), [("tell", 0), ("money", 194)])
def test_points_that_come_back_expired(world: World, rule: str, money: int):
    shop = world.checkout(expired_points=rule)
    theirs = world.provider.http.get(f"{world.provider.url}/sandbox/clock", timeout=20).json()["now"]
    until = (datetime.fromisoformat(theirs) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    body = {"id": "mbr_soon", "lots": [{"points": 427, "expires_at": until}]}
    reply = world.provider.http.post(f"{world.provider.url}/sandbox/members", json=body, timeout=20)
    assert reply.ok, reply.text
    shop.link("cleo", member_id="mbr_soon", consent_id="con_9")
    paid(world, shop, "cleo")
    world.advance(2 * 86_400)
    preview = shop.preview_refund("A-1", lines={"lamp": 1})
    assert preview is not None
    assert preview.already_expired == 194
    # The shop pays its money half at once, before anybody knows what expired.
    world.provider.fault("reverse", "reset", when="after", times=20)
    assert there(shop.refund("A-1", return_reference="R-1", lines={"lamp": 1})).state == "reversing"
    shop.money_refunded("A-1", return_reference="R-1", psp_reference="psp_1")
    world.provider.heal()
    world.advance(600)
    shop.recover()
    (given,) = shop.refunds("A-1")
    assert (given.state, given.restored, given.already_expired) == ("done", 0, 194)
    assert (given.expired_money, given.money_due, given.money_paid) == (euro(money), euro(money), euro(2301))
    assert list(shop.open_refunds()) == ([("A-1", "R-1", euro(money))] if money else [])


def test_a_part_of_the_points_comes_back_expired(world: World):
    # 3 points are 2 cents: 426 points are 2.84; 100 of them have expired, 2.84 x 100 / 426 = 0.666.
    shop = world.checkout(expired_points="money")
    world.provider.rate(points=3, amount_minor=2)
    theirs = world.provider.http.get(f"{world.provider.url}/sandbox/clock", timeout=20).json()["now"]
    until = (datetime.fromisoformat(theirs) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    body = {"id": "mbr_two", "lots": [{"points": 100, "expires_at": until}, {"points": 400}]}
    assert world.provider.http.post(f"{world.provider.url}/sandbox/members", json=body, timeout=20).ok
    shop.link("cleo", member_id="mbr_two", consent_id="con_9")
    shop.balance("cleo", max_age_s=0)
    shop.authorize("A-1", CART, customer_id="cleo", points=426)
    shop.capture("A-1")
    world.advance(2 * 86_400)
    given = shop.refund("A-1", return_reference="R-1", lines={"lamp": 2}, shipping_minor=490)
    assert given is not None
    assert (given.state, given.points, given.points_value, given.already_expired) == ("done", 426, euro(284), 100)
    assert (given.expired_money, given.money_due) == (euro(66), euro(5480 - 284 + 66))


def test_a_preview_where_nobody_tells_what_has_expired(world: World, checkout: Checkout):
    paid(world, checkout)
    told = checkout.preview_refund("A-1", lines={"lamp": 1})
    assert told is not None
    assert told.already_expired == 0
    world.provider.fault("quote_reversal", "status_503", times=20)
    away = checkout.preview_refund("A-1", lines={"lamp": 1})
    assert away is not None
    assert (away.already_expired, away.policies) == (None, told.policies)
    world.provider.heal()
    world.profile = replace(PROFILES["reference"], quotes_reversals=False)
    asked = world.provider.sent("quote_reversal")
    silent = world.checkout().preview_refund("A-1", lines={"lamp": 1})
    assert silent is not None
    assert silent.already_expired is None
    assert world.provider.sent("quote_reversal") == asked


@pytest.mark.parametrize("kind", ["reset", "status_500", "hang"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_an_answer_that_is_lost_when_asked_again(world: World, kind: str, when: str):
    shop = world.checkout(deadline_s=0.6)
    refused(world, shop)
    world.provider.play("reference")
    world.provider.fault("reverse", kind, when=when, times=20)
    assert shop.refund_again("A-1", return_reference="R-1", actor="clerk 7", reason="open again").state == "reversing"
    with pytest.raises(ReturnConflictError):
        shop.pay_instead("A-1", return_reference="R-1", actor="clerk 7", reason="impatient")
    world.provider.heal()
    world.advance(600)
    shop.recover()
    assert [(one.state, one.restored) for one in shop.refunds("A-1")] == [("done", 194)]
    assert world.provider.points() == (2267, 0)


def test_who_decided_is_written_down(world: World, checkout: Checkout):
    refused(world, checkout)
    checkout.refund_again("A-1", return_reference="R-1", actor="clerk 7", reason="open again")
    checkout.pay_instead("A-1", return_reference="R-1", actor="clerk 8", reason="blocked for good")
    with checkout._database.engine.connect() as connection:
        rows = connection.execute(select(action.c.kind, action.c.actor, action.c.reason)).all()
    assert sorted(tuple(row) for row in rows) == [
        ("retry", "clerk 7", "open again"),
        ("settle_return", "clerk 8", "blocked for good"),
    ]
    refused_again = checkout.refund("A-1", return_reference="R-2", lines={"lamp": 1})
    assert refused_again is not None
    assert refused_again.state == "declined"
    with pytest.raises(InvalidArgumentError):
        checkout.pay_instead("A-1", return_reference="R-2", actor="", reason="")
    assert checkout.refunds("A-1")[1] == refused_again


def test_two_commits_for_a_return(world: World, checkout: Checkout):
    paid(world, checkout)
    for reference in ("R-1", "R-2"):
        with counted_commits(checkout._database) as made:
            checkout.refund("A-1", return_reference=reference, lines={"lamp": 1})
        assert len(made) == 2, made
