"""A customer's data: exported, erased only when nothing is open, purged when it is old; the books stay."""

import json
from threading import Event, Thread
from typing import Any

import pytest

from _office_shop import paid
from _small_shop import SmallShop
from _world import CART, World
from flask_punktgenau.cli import punktgenau
from punktgenau import NotFoundError
from punktgenau.checkout import Checkout, personal
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
    (returned,) = found.returns
    assert (returned["return_reference"], returned["reason"]) == ("R-1", "Mine is green")
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
    assert "Purged: 1 redemptions" in run(shop, "purge", "--by", "cron").output
    assert "Erased: 0 redemptions" in run(shop, "erase", "anna").output
    assert run(shop, "export", "anna").exit_code == 1
