"""Reconciling a real shop with a real sandbox: what differs is listed with its proposal, and repaired by a person."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from _clearing_shop import buy, lines, period
from _world import CART, World
from punktgenau import (
    ConfigurationError,
    InvalidArgumentError,
    NotFoundError,
    StateConflictError,
    UnavailableError,
    UnexpectedResponseError,
)
from punktgenau.checkout import Cart, Checkout, Line
from punktgenau.checkout.difference import Difference
from punktgenau.statement_records import StatementLine

GRACE_S = 0


def reconcile(shop: Checkout, statement: Any = None) -> list[Difference]:
    shop.reconcile(period(shop), statement, grace_s=GRACE_S)
    return list(shop.differences())


def told(found: list[Difference]) -> list[tuple[str, str, int | None, int | None, str]]:
    return sorted((one.kind, one.order_reference, one.there_points, one.here_points, one.proposal) for one in found)


def test_books_that_agree(shop: Checkout, world: World):
    buy(shop, world, "A-1")
    buy(shop, world, "A-2")
    shop.refund("A-2", return_reference="R-1", lines={"lamp": 1})
    world.order("A-3", "cancelled")
    shop.authorize("A-3", CART, customer_id="anna", points=50)
    shop.cancel("A-3")
    report = shop.reconcile(period(shop), grace_s=GRACE_S)
    assert report.is_clean
    assert (report.lines, report.bookings, report.matched, report.orders) == (3, 3, 3, 3)
    assert report.points_there == report.points_here
    assert list(shop.differences()) == []


def lamps(quantity: int) -> Cart:
    lamp = Line(sku="lamp", quantity=quantity, unit_price_minor=2495, vat_rate="19")
    return Cart(currency="EUR", lines=[lamp], shipping_minor=490, shipping_vat_rate="19")


def test_parcels_and_amended_orders_agree(shop: Checkout, world: World):
    for reference in ("A-1", "A-2", "A-3", "A-4"):
        buy(shop, world, reference, 427, capture=reference in {"A-2", "A-3"})
    # Two parcels of 232 and 195 points; a return; the first of two parcels only; an order made smaller before.
    for parcel in ("S-1", "S-2"):
        shop.capture("A-1", lines={"lamp": 1}, shipment_reference=parcel)
    shop.amend("A-2", lamps(1))
    shop.amend("A-3", lamps(1))
    shop.refund("A-3", return_reference="R-1", lines={"lamp": 1})
    shop.capture("A-4", lines={"lamp": 1}, shipment_reference="S-1")
    told_there = sorted(
        (line.order_reference, line.points, line.return_reference or line.capture_reference or "")
        for line in lines(shop)
    )
    assert told_there == [
        ("A-1", 195, "S-2"), ("A-1", 232, "S-1"), ("A-2", -194, "amend-2"), ("A-2", 427, ""),
        ("A-3", -195, "R-1"), ("A-3", -194, "amend-2"), ("A-3", 427, ""), ("A-4", 232, "S-1"),
    ]  # fmt: skip
    report = shop.reconcile(period(shop), grace_s=GRACE_S)
    assert report.is_clean
    assert (report.lines, report.bookings, report.matched, report.orders) == (8, 8, 8, 4)
    assert report.points_there == report.points_here == 427 + 233 + 38 + 232


@pytest.mark.parametrize(
    ("how", "left"),
    [("parts", (427, 427)), ("amended", (490, 490)), ("returned", (233, 233))],
)
def test_what_is_left_to_give_back(shop: Checkout, world: World, how: str, left: tuple[int, int]):
    world.order("A-1", "paid")
    shop.authorize("A-1", CART, customer_id="anna", points=2400 if how == "amended" else 427)
    if how == "parts":
        shop.capture("A-1", lines={"lamp": 1}, shipment_reference="S-1")
    elif how == "amended":
        # Only the shipping is left to be paid, and points pay all of it: 490 of 2400 are captured.
        shop.amend(
            "A-1", Cart(currency="EUR", lines=[Line(sku="cup", quantity=1, unit_price_minor=490, vat_rate="19")])
        )
        shop.capture("A-1")
    else:
        shop.capture("A-1")
        shop.amend("A-1", lamps(1))
    world.order("A-1", "cancelled")
    [found] = reconcile(shop)
    assert (found.kind, found.proposal) == ("not_released", "cancel")
    assert (found.here_points, found.here_minor) == left
    shop.repair(found.id, by="kim", because="cancelled by telephone")
    assert world.provider.points() == (2500, 0)
    assert reconcile(shop) == []


def test_a_booking_that_the_statement_lacks(shop: Checkout, world: World):
    buy(shop, world, "A-1")
    assert told(reconcile(shop, [])) == [("only_here", "A-1", None, 100, "look_up")]
    [found] = shop.differences()
    done = shop.repair(found.id, by="kim", because="the provider says that it is there")
    assert (done.state, done.actor) == ("repaired", "kim")
    assert done.result == "the provider has 100 taken, 0 given back; as here"


@pytest.mark.scenario("T52", "what was done at the provider and not recorded is listed, looked up and written down")
def test_a_return_that_somebody_made_at_the_provider(shop: Checkout, world: World):
    provider_id = buy(shop, world, "A-1")
    shop._provider.redemptions.reverse(provider_id, points=40, return_reference="by-hand")
    [found] = reconcile(shop)
    assert told([found]) == [("only_there", "A-1", -40, None, "look_up")]
    assert found.order_state == "paid"
    done = shop.repair(found.id, by="kim", because="seen at the provider")
    assert done.result.endswith("now partially_reversed, 100 taken, 40 given back")
    assert shop.find("A-1").returned_points == 40  # type: ignore[union-attr]
    # And now they agree, although no operation of ours stands for it.
    assert reconcile(shop) == []


def test_a_redemption_that_the_journal_does_not_know(shop: Checkout, world: World):
    shop._provider.redemptions.authorize(
        member_id="mbr_2500", order_reference="X-1", total=CART.total, points=7, capture="now", idempotency_key="k-x"
    )
    [found] = reconcile(shop)
    assert told([found]) == [("only_there", "X-1", 7, None, "claim")]
    assert found.order_state == "missing"


def test_booked_twice_and_corrected(shop: Checkout, world: World):
    buy(shop, world, "A-1")
    [line] = lines(shop)
    add = f"{world.provider.url}/sandbox/statement-lines"
    body = {"line_id": line.id, "kind": "capture", "points": 100, "amount_minor": 100}
    again = world.provider.http.post(add, json=body, timeout=20).json()
    [found] = reconcile(shop)
    assert told([found]) == [("double", "A-1", 100, 100, "claim")]
    assert found.line_id == again["id"]
    body = {"line_id": again["id"], "points": -100, "amount_minor": -100}
    assert world.provider.http.post(add, json=body, timeout=20).status_code == 201
    assert reconcile(shop) == []
    # It is no more, so it is not open; what was found stays to be read.
    assert [one.id for one in shop.differences(state="settled")] == [found.id]


def test_an_amount_that_differs(shop: Checkout, world: World):
    buy(shop, world, "A-1")
    [line] = lines(shop)
    body = {"line_id": line.id, "points": -1, "amount_minor": -1}
    world.provider.http.post(f"{world.provider.url}/sandbox/statement-lines", json=body, timeout=20)
    assert told(reconcile(shop)) == [("amount", "A-1", 99, 100, "look_up")]


@pytest.mark.scenario("T25", "a paid order whose points were never captured is found and captured")
def test_paid_and_never_captured(shop: Checkout, world: World):
    buy(shop, world, "A-1", capture=False)
    [found] = reconcile(shop)
    assert told([found]) == [("not_captured", "A-1", None, 100, "capture")]
    done = shop.repair(found.id, by="kim", because="the payment page never came back")
    assert (done.state, done.result) == ("repaired", "now captured, 100 points")
    assert reconcile(shop) == []


@pytest.mark.scenario("T29", "a cancelled order that still holds its points is found and gives them back")
@pytest.mark.parametrize("capture", [False, True])
def test_cancelled_and_never_given_back(shop: Checkout, world: World, capture: bool):
    buy(shop, world, "A-1", capture=capture)
    world.order("A-1", "cancelled")
    before = world.provider.points()
    [found] = reconcile(shop)
    assert told([found]) == [("not_released", "A-1", None, 100, "cancel")]
    shop.repair(found.id, by="kim", because="cancelled by telephone")
    shop.repair(found.id, by="lee", because="again")
    assert shop.find("A-1").state == ("reversed" if capture else "voided")  # type: ignore[union-attr]
    assert sum(world.provider.points()) == sum(before) + (100 if capture else 0)
    assert reconcile(shop) == []


def test_nothing_is_repaired_without_a_person(shop: Checkout, world: World):
    buy(shop, world, "A-1", capture=False)
    [found] = reconcile(shop)
    for by, because in (("", "why"), ("kim", ""), (" ", "why"), ("kim", "\x1b[2J")):
        with pytest.raises(InvalidArgumentError):
            shop.repair(found.id, by=by, because=because)
    assert world.provider.sent("capture") == 0
    assert shop.difference(found.id).state == "open"  # type: ignore[union-attr]
    with pytest.raises(NotFoundError):
        shop.repair("nonsense", by="kim", because="why")


def test_a_repair_is_done_once_and_who_and_why_is_kept(shop: Checkout, world: World):
    buy(shop, world, "A-1", capture=False)
    [found] = reconcile(shop)
    shop.repair(found.id, by="kim", because="first")
    again = shop.repair(found.id, by="lee", because="second")
    assert (again.actor, again.reason) == ("kim", "first")
    assert shop.dismiss(found.id, by="lee", because="third").state == "repaired"
    assert world.provider.sent("capture") == 1
    with shop._database.engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT kind, actor, reason, subject FROM punktgenau_action").all()
    assert [tuple(row) for row in rows] == [("repair", "kim", "first", found.id)]


def test_what_was_dismissed_is_not_proposed_again(shop: Checkout, world: World):
    buy(shop, world, "A-1")
    [found] = reconcile(shop, [])
    assert shop.dismiss(found.id, by="kim", because="known").state == "dismissed"
    assert reconcile(shop, []) == []


def test_a_look_up_without_an_answer_leaves_it_open(shop: Checkout, world: World):
    buy(shop, world, "A-1")
    [found] = reconcile(shop, [])
    world.provider.fault("get", "status_503", when="before", times=50)
    with pytest.raises(UnavailableError):
        shop.repair(found.id, by="kim", because="asked")
    assert shop.difference(found.id).state == "open"  # type: ignore[union-attr]
    world.provider.heal()
    assert shop.repair(found.id, by="kim", because="asked again").state == "repaired"


def test_a_booking_near_the_end_waits_for_the_next_statement(
    shop: Checkout, world: World, monkeypatch: pytest.MonkeyPatch
):
    buy(shop, world, "A-1")
    buy(shop, world, "A-2")
    [first, second] = lines(shop)
    november = period(shop)
    # Booked on the last day, whatever day it is.
    last_ms = _until(november) - 3_600_000
    with shop._database.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE punktgenau_operation SET finished_at = {last_ms}")
    monkeypatch.setattr(shop._clock, "_moved", timedelta(days=40))
    report = shop.reconcile(november, [first], grace_s=86_400)
    assert (report.open, report.waiting) == (0, 1)
    [waiting] = shop.differences(state="waiting")
    with pytest.raises(StateConflictError):
        shop.repair(waiting.id, by="kim", because="now")
    following = _next(november)
    in_time = datetime.fromisoformat(f"{following}-01T12:00:00+00:00")
    moved = second.model_copy(update={"at": in_time})
    assert shop.reconcile(following, [moved], grace_s=86_400).open == 0
    assert shop.difference(waiting.id).state == "settled"  # type: ignore[union-attr]
    assert shop.reconcile(november, [first], grace_s=86_400).waiting == 1
    # What waited in vain is a matter of the month in which that was seen.
    assert shop.reconcile(following, [], grace_s=86_400).open == 1
    assert shop.difference(waiting.id).state == "open"  # type: ignore[union-attr]
    assert shop.reconcile(following, [moved], grace_s=86_400).is_clean
    assert shop.difference(waiting.id).state == "settled"  # type: ignore[union-attr]


def _until(month: str) -> int:
    from punktgenau.checkout.booking import window_of

    return window_of(month, grace_s=0, as_of_ms=0).until


def _next(month: str) -> str:
    year, number = int(month[:4]), int(month[5:])
    return f"{year + number // 12}-{number % 12 + 1:02d}"


def _without_keys(line: StatementLine) -> StatementLine:
    return line.model_copy(update={"idempotency_key": ""})


def _without_ids(line: StatementLine) -> StatementLine:
    return line.model_copy(update={"idempotency_key": "", "redemption_id": ""})


def _with_other_keys(line: StatementLine) -> StatementLine:
    return line.model_copy(update={"idempotency_key": f"theirs-{line.id}", "redemption_id": f"t-{line.id}"})


@pytest.mark.parametrize("less", [_without_keys, _without_ids, _with_other_keys])
def test_lines_without_keys_are_found_by_id_or_order_and_figures(
    shop: Checkout, world: World, less: Callable[[StatementLine], StatementLine]
):
    for number in range(3):
        buy(shop, world, f"A-{number}", 100 + number)
    shop.refund("A-1", return_reference="R-1", lines={"lamp": 1})
    report = shop.reconcile(period(shop), [less(line) for line in lines(shop)], grace_s=GRACE_S)
    assert (report.open, report.matched) == (0, 4)


def test_lines_of_others_and_lines_twice_are_told(shop: Checkout, world: World):
    buy(shop, world, "A-1")
    [line] = lines(shop)
    other = line.model_copy(update={"id": "stl_x", "sequence": 2, "partner_id": "other-shop"})
    report = shop.reconcile(period(shop), [line, other, line], grace_s=GRACE_S)
    assert report.broken_lines == (
        (2, "belongs to another partner"),
        (1, f"its id {line.id} stands on the statement twice"),
    )
    assert (report.open, report.matched, report.is_clean) == (0, 1, False)


def test_a_statement_that_could_not_be_read_whole_settles_nothing(shop: Checkout, world: World):
    buy(shop, world, "A-1")
    [found] = reconcile(shop, [])
    world.provider.fault("statement", "status_503", when="before", times=50)
    with pytest.raises(UnavailableError):
        shop.reconcile(period(shop))
    world.provider.heal()
    assert shop.difference(found.id).state == "open"  # type: ignore[union-attr]


def test_a_statement_in_pages(shop: Checkout, world: World):
    buy(shop, world, "A-1")
    [line] = lines(shop)
    add = f"{world.provider.url}/sandbox/statement-lines"
    for number in range(150):
        body = {"line_id": line.id, "kind": "reversal", "points": -1, "amount_minor": -1, "reason": str(number)}
        world.provider.http.post(add, json=body, timeout=20)
    told: list[tuple[int, int]] = []
    read = list(shop._provider.statements.lines(period=period(shop), progress=lambda *one: told.append(one)))  # type: ignore[attr-defined]
    assert [one.sequence for one in read] == list(range(1, 152))
    assert told == [(100, 151), (151, 151)]


def test_pages_that_do_not_add_up(shop: Checkout, world: World, monkeypatch: pytest.MonkeyPatch):
    buy(shop, world, "A-1")
    noun = shop._provider.statements  # type: ignore[attr-defined]
    page = noun.page(period=period(shop))
    wrong = page.model_copy(update={"items": page.items[:0]})
    monkeypatch.setattr(noun, "page", lambda **asked: wrong)
    with pytest.raises(UnexpectedResponseError):
        list(noun.lines(period=period(shop)))


def test_a_provider_without_statements(shop: Checkout, world: World, monkeypatch: pytest.MonkeyPatch):
    class Plain:
        partner_id, mode, profile = "demo-shop", None, shop._provider.profile
        members, redemptions = shop._provider.members, shop._provider.redemptions

    monkeypatch.setattr(shop, "_provider", Plain())
    with pytest.raises(ConfigurationError):
        shop.reconcile(period(shop))
    assert shop.reconcile(period(shop), []).open == 0


def with_new_points(world: World, **settings: Any) -> Checkout:
    """A return of 194 points that came back expired and were given anew."""
    shop = world.checkout(expired_points="new_points", **settings)
    now = world.provider.http.get(f"{world.provider.url}/sandbox/clock", timeout=20).json()["now"]
    until = (datetime.fromisoformat(now) + timedelta(seconds=60)).strftime("%Y-%m-%dT%H:%M:%SZ")
    body = {"id": "mbr_soon", "lots": [{"points": 427, "expires_at": until}]}
    assert world.provider.http.post(f"{world.provider.url}/sandbox/members", json=body, timeout=20).ok
    shop.link("cleo", member_id="mbr_soon", consent_id="con_9")
    shop.balance("cleo", max_age_s=0)
    world.order("A-1", "paid")
    shop.authorize("A-1", CART, customer_id="cleo", points=427)
    shop.capture("A-1")
    world.advance(120)
    given = shop.refund("A-1", return_reference="R-1", lines={"lamp": 1})
    assert given is not None
    assert given.new_points == 194
    return shop


def test_new_points_are_matched_with_their_line(world: World):
    shop = with_new_points(world)
    found = [(line.kind, line.points, line.amount_minor) for line in lines(shop)]
    assert found == [("capture", 427, 427), ("reversal", -194, -194), ("accrual", -194, -194)]
    report = shop.reconcile(period(shop), grace_s=GRACE_S)
    assert report.is_clean
    assert (report.lines, report.bookings, report.matched) == (3, 3, 3)
    assert report.points_there == report.points_here == 427 - 194 - 194
    assert list(shop.differences()) == []


def test_new_points_that_are_charged_wrongly_are_told(world: World):
    shop = with_new_points(world)
    *others, line = lines(shop)
    dear = line.model_copy(update={"amount_minor": -195})
    assert [(one.kind, one.order_reference, one.note) for one in reconcile(shop, [*others, dear])] == [
        ("amount", "A-1", "worth -195 there, -194 here")
    ]
    twice = line.model_copy(update={"id": "stl_twice", "sequence": 4})
    assert [one.kind for one in reconcile(shop, [*others, line, twice])] == ["double"]
    stranger = {"id": "stl_x", "sequence": 4, "idempotency_key": "k-x", "accrual_id": "acc_9", "order_reference": "B-9"}
    unknown = reconcile(shop, [*others, line, line.model_copy(update=stranger)])
    assert [(one.kind, one.order_reference) for one in unknown] == [("only_there", "B-9")]
    assert [one.kind for one in reconcile(shop, others)] == ["only_here"]
