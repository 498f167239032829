"""A customer's data: exported, erased only when nothing is open, purged when it is old; the books stay."""

import json
from dataclasses import asdict, replace
from threading import Event, Thread
from typing import Any

import pytest
import sqlalchemy

from _office_shop import paid
from _small_shop import SmallShop
from _world import CART, World
from flask_punktgenau.cli import punktgenau
from punktgenau import NotFoundError
from punktgenau.checkout import Checkout, personal
from punktgenau.checkout.intent import CAUSES
from punktgenau.checkout.office import Office
from punktgenau.checkout.searching import Search
from punktgenau.errors import StateConflictError

DAY_S = 86_400


def placed(world: World, checkout: Checkout, reference: str, customer_id: str = "anna", *, points: int = 20) -> None:
    world.order(reference, "paid")
    checkout.balance(customer_id, max_age_s=0)
    checkout.authorize(reference, CART, customer_id=customer_id, points=points)


def rows(office: Office) -> list[tuple[str, str, str, int]]:
    """Order, customer, member and points of everything in the books, the newest first."""
    return [(one.order_reference, one.customer_id, one.member_id, one.points) for one in office.searching.all(Search())]


def test_export_tells_all_that_is_kept(world: World, checkout: Checkout, office: Office) -> None:
    placed(world, checkout, "A-1")
    checkout.capture("A-1")
    checkout.refund("A-1", return_reference="R-1", lines={"lamp": 1}, reason="Mine is green", actor="customer")
    found = office.personal.export("anna")
    assert found.link is not None
    assert (found.link["member_id"], found.link["consent_id"]) == ("mbr_2500", "con_1")
    (one,) = found.redemptions
    assert (one["order_reference"], one["state"], one["points"], one["value_minor"]) == (
        "A-1", "partially_reversed", 20, 20,
    )  # fmt: skip
    assert one["consent_id"] == "con_1"
    assert one["articles"] == [
        {"sku": "lamp", "quantity": 2, "amount_minor": 4990}, {"sku": "shipping", "quantity": 1, "amount_minor": 490},
    ]  # fmt: skip
    # Asked for before the order was placed: all points were there.
    assert found.link["balance"]["available"] == 2500  # type: ignore[index, call-overload]
    (returned,) = found.returns
    assert (returned["wanted"], returned["asked_by"]) == (
        {"amount_minor": None, "lines": {"lamp": 1}, "shipping_minor": 0}, "customer",
    )  # fmt: skip
    assert (returned["return_reference"], returned["reason"]) == ("R-1", "Mine is green")
    checkout.amend("A-1", replace(CART, lines=[replace(CART.lines[0], quantity=1)], shipping_minor=0))
    office.give_back(office.searching.attempts("A-1")[-1].id, actor="clerk", reason="Mine is broken")
    found = office.personal.export("anna")
    assert [(one["version"], one["articles"]) for one in found.changes] == [
        (2, [{"sku": "lamp", "quantity": 1, "amount_minor": 2495}]),
    ]
    assert [(one["deed"], one["reason"]) for one in found.deeds] == [("cancel", "Mine is broken")]
    assert found.redemptions[0]["went_back_because"] == "Mine is broken"
    assert json.loads(json.dumps(asdict(found)))["customer_id"] == "anna"
    with pytest.raises(NotFoundError):
        office.personal.export("nobody")


def test_erase_waits_until_nothing_is_open(world: World, checkout: Checkout, office: Office) -> None:
    placed(world, checkout, "A-1")
    with pytest.raises(StateConflictError, match="still open for order A-1"):
        office.personal.erase("anna", actor="clerk", return_days=0)
    checkout.capture("A-1")
    world.clock.advance(60)
    with pytest.raises(StateConflictError, match="may come back until"):
        office.personal.erase("anna", actor="clerk")
    checkout.refund("A-1", return_reference="R-1", lines={"lamp": 1}, reason="Mine is green")
    with pytest.raises(StateConflictError, match="still open for order A-1"):
        office.personal.erase("anna", actor="clerk", return_days=0)
    assert [one[1:3] for one in rows(office)] == [("anna", "mbr_2500")]
    assert checkout.find_link("anna") is not None
    checkout.money_refunded("A-1", return_reference="R-1", psp_reference="re_1")
    world.clock.advance(60)
    assert office.personal.erase("anna", actor="clerk", return_days=0) == 1


def test_erase_leaves_the_books_and_nobody_in_them(world: World, checkout: Checkout, office: Office) -> None:
    placed(world, checkout, "A-1")
    checkout.void("A-1")
    placed(world, checkout, "A-2", "ben", points=5)
    checkout.void("A-2")
    world.clock.advance(60)
    assert office.personal.erase("anna", actor="clerk") == 1
    bens, annas = rows(office)
    assert bens == ("A-2", "ben", "mbr_42", 5)
    assert annas[0] == "A-1"
    assert annas[3] == 20
    assert annas[1] == annas[2]
    assert annas[1].startswith("erased:")
    assert checkout.find_link("anna") is None
    with pytest.raises(NotFoundError):
        office.personal.export("anna")
    (action,) = office.log()
    assert (action.kind, action.actor, action.detail) == ("erase", "clerk", {"count": 1})
    assert "anna" not in action.subject


@pytest.mark.parametrize("forget", ["erase", "purge"])
def test_a_return_that_is_asked_for_while_a_customer_is_erased(
    world: World, checkout: Checkout, office: Office, monkeypatch: pytest.MonkeyPatch, forget: str
) -> None:
    placed(world, checkout, "A-1")
    checkout.capture("A-1")
    world.clock.advance(60)
    clerk, asked = world.checkout(), Event()
    real, answers = personal._erase, []

    def ask() -> None:
        asked.set()
        try:
            answers.append(clerk.refund("A-1", return_reference="R-1", lines={"lamp": 1}))
        except StateConflictError as refused:
            answers.append(refused)

    thread = Thread(target=ask)

    def slowly(*values: Any, **more: Any) -> None:
        thread.start()
        asked.wait(20)
        # Where nothing holds it back, the return is booked by then.
        thread.join(0.5)
        real(*values, **more)

    monkeypatch.setattr(personal, "_erase", slowly)
    assert getattr(office.personal, forget)(*(["anna"] if forget == "erase" else []), actor="cron", return_days=0) == 1
    thread.join(20)
    (answer,) = answers
    assert isinstance(answer, StateConflictError), answer
    assert rows(office)[0][1].startswith("erased:")
    assert (clerk.find("A-1").state, world.provider.points()) == ("captured", (2480, 0))  # type: ignore[union-attr]


def test_a_refused_return_waits_for_a_person(world: World, checkout: Checkout, office: Office) -> None:
    placed(world, checkout, "A-1")
    checkout.capture("A-1")
    world.provider.play("no_partial_reversal")
    checkout.refund("A-1", return_reference="R-1", lines={"lamp": 1})
    checkout.money_refunded("A-1", return_reference="R-1", psp_reference="re_1")
    world.clock.advance(500 * DAY_S)
    assert [one.return_reference for one in checkout.refused_refunds()] == ["R-1"]
    assert office.personal.purge(actor="cron") == 0
    with pytest.raises(StateConflictError, match="still open for order A-1"):
        office.personal.erase("anna", actor="clerk")
    settled = checkout.pay_instead("A-1", return_reference="R-1", actor="clerk", reason="account closed")
    # Of 20 points on 54.80 one lamp has 18 x 2495 / 4990 = 9.
    assert settled.money_due.amount_minor == 9
    assert office.personal.purge(actor="cron") == 0
    checkout.money_refunded("A-1", return_reference="R-1", psp_reference="re_2")
    world.clock.advance(500 * DAY_S)
    assert office.personal.purge(actor="cron") == 1


def test_a_refused_return_of_a_cancelled_order_waits_for_nobody(
    world: World, checkout: Checkout, office: Office
) -> None:
    placed(world, checkout, "A-1")
    checkout.capture("A-1")
    world.provider.play("no_partial_reversal")
    checkout.refund("A-1", return_reference="R-1", lines={"lamp": 1})
    checkout.money_refunded("A-1", return_reference="R-1", psp_reference="re_1")
    world.provider.play("reference")
    assert checkout.cancel("A-1").state == "reversed"  # type: ignore[union-attr]
    world.clock.advance(60)
    assert office.personal.erase("anna", actor="clerk") == 1


def kept_texts(world: World) -> str:
    """All that stands in the journal, table by table."""
    engine = sqlalchemy.create_engine(world.database_url)
    with engine.connect() as connection:
        tables = [name for name in sqlalchemy.inspect(connection).get_table_names() if name.startswith("punktgenau_")]
        found = [str(row) for name in tables for row in connection.execute(sqlalchemy.text(f"SELECT * FROM {name}"))]
    engine.dispose()
    return "\n".join(found)


WORDS = "Frau Winter ist krank"


@pytest.mark.parametrize("forget", ["erase", "purge"])
def test_no_word_of_or_about_the_customer_is_left(
    world: World, checkout: Checkout, office: Office, forget: str
) -> None:
    # Returned by a clerk and by the customer; cancelled; given up while it is not known; changed; settled by hand.
    for reference in ("A-1", "A-2", "A-3", "A-4"):
        placed(world, checkout, reference, points=20)
    by_order = {one.order_reference: one.id for one in office.searching.all(Search())}
    for reference in ("A-1", "A-2"):
        checkout.capture(reference)
    office.refund(
        by_order["A-1"], return_reference="R-1", lines={"lamp": 1}, shipping_minor=0, amount_minor=None, seen=None,
        actor="clerk", reason=WORDS,
    )  # fmt: skip
    checkout.refund("A-1", return_reference="R-2", lines={"lamp": 1}, reason=WORDS, actor="anna")
    for reference in ("R-1", "R-2"):
        checkout.money_refunded("A-1", return_reference=reference, psp_reference="re_1")
    office.give_back(by_order["A-2"], actor="clerk", reason=WORDS)
    checkout.amend("A-3", replace(CART, shipping_minor=0), reason=WORDS, actor="anna")
    checkout.cancel("A-3", cause="order_gone")
    world.provider.fault("authorize", "reset", times=9)
    world.order("A-5", "pending")
    checkout.authorize("A-5", CART, customer_id="anna", points=20)
    world.provider.heal()
    checkout.cancel("A-5", cause=WORDS)
    checkout.void("A-4")
    for _ in range(3):
        world.advance(900)
        checkout.recover()
    world.clock.advance(500 * DAY_S)
    assert WORDS in kept_texts(world)
    if forget == "erase":
        office.personal.erase("anna", actor="clerk")
    else:
        assert office.personal.purge(actor="clerk") == 5
        checkout.unlink("anna")
    left = kept_texts(world)
    assert [word for word in (WORDS, "anna", "mbr_2500", "con_1") if word in left] == []
    # What the engine says stays, and a shop's own cause is one of its own.
    causes = {one.order_reference: one.release_cause for one in office.searching.all(Search())}
    assert causes == {
        "A-1": "", "A-2": "order_cancelled", "A-3": "order_gone", "A-4": "payment_failed", "A-5": "order_cancelled",
    }  # fmt: skip
    for redemption_id in by_order.values():
        assert {told.reason for told in office.whole(redemption_id).story} <= {*CAUSES, ""}
    (by_clerk, by_customer) = (one.actor for one in office.whole(by_order["A-1"]).returns)
    assert (by_clerk, by_customer) == ("clerk", "customer")


def test_the_same_customer_keeps_the_same_pseudonym(world: World, checkout: Checkout, office: Office) -> None:
    for reference in ("A-1", "A-2"):
        if checkout.find_link("anna") is None:
            checkout.link("anna", member_id="mbr_2500", consent_id="con_1")
        placed(world, checkout, reference)
        checkout.void(reference)
        world.clock.advance(60)
        office.personal.erase("anna", actor="clerk")
    assert len({one[1] for one in rows(office)}) == 1


def test_purge_takes_what_is_old_and_at_rest(world: World, checkout: Checkout, office: Office) -> None:
    placed(world, checkout, "A-1")
    checkout.capture("A-1")
    placed(world, checkout, "A-2")
    checkout.capture("A-2")
    checkout.refund("A-2", return_reference="R-1", lines={"lamp": 1})
    placed(world, checkout, "A-3")
    world.clock.advance(30 * DAY_S)
    placed(world, checkout, "A-4", "ben", points=5)
    checkout.void("A-4")
    assert office.personal.purge(actor="cron", return_days=31) == 0
    assert office.log() == ()
    assert office.personal.purge(actor="cron", return_days=29) == 1
    assert [one[0] for one in rows(office) if one[1].startswith("erased:")] == ["A-1"]
    assert checkout.find_link("anna") is not None
    assert office.personal.purge(actor="cron", return_days=29) == 0


def test_purge_in_several_commits(
    world: World, checkout: Checkout, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("punktgenau.checkout.personal._BATCH", 2)
    for number in range(5):
        placed(world, checkout, f"A-{number}", points=1)
        checkout.void(f"A-{number}")
    world.clock.advance(DAY_S)
    assert office.personal.purge(actor="cron", return_days=0) == 5


def run(shop: SmallShop, *arguments: str) -> Any:
    return shop.app.test_cli_runner().invoke(punktgenau, arguments)


def test_by_command(shop: SmallShop) -> None:
    paid(shop)
    told = run(shop, "export", "anna")
    assert told.exit_code == 0, told.output
    assert json.loads(told.output)["redemptions"][0]["order_reference"] == "A-1"
    refused = run(shop, "erase", "anna")
    assert refused.exit_code == 1
    assert "may come back until" in refused.output
    shop.clock.shift += type(shop.clock.shift)(days=500)
    assert "Purged: 1 redemption carries" in run(shop, "purge", "--by", "cron").output
    assert "Erased: 0 redemptions" in run(shop, "erase", "anna").output
    assert run(shop, "export", "anna").exit_code == 1
