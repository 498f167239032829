"""Figures over time: counted by hand; the chart says what the table says."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from _office_shop import paid, text_of
from _small_shop import SmallShop, Visitor
from _world import CART, World
from flask_punktgenau.backoffice_chart import chart
from flask_punktgenau.backoffice_language import By, OfficeLanguage
from flask_punktgenau.backoffice_lists import spans
from punktgenau import Money
from punktgenau.checkout import Checkout
from punktgenau.checkout.figures import Span
from punktgenau.checkout.office import Office


def test_what_orders_of_a_span_paid_and_what_came_back(world: World, checkout: Checkout, office: Office) -> None:
    begun = world.clock.now()
    for reference, points in (("A-1", 427), ("A-2", 100), ("A-3", 30)):
        world.order(reference, "paid")
        checkout.authorize(reference, CART, customer_id="anna", points=points)
    checkout.capture("A-1")
    checkout.refund("A-1", return_reference="R-1", lines={"lamp": 1})
    checkout.void("A-2")
    world.clock.advance(86_400)
    checkout.authorize("A-4", CART, customer_id="ben", points=7)
    checkout.capture("A-4")
    hour, day = timedelta(hours=1), timedelta(days=1)
    first, second, none = office.figures(
        [Span(since=begun - hour, until=begun + hour), Span(since=begun + hour, until=begun + day + hour),
         Span(since=begun + day + hour, until=begun + 2 * day)]
    )  # fmt: skip
    assert first.by_state == {"partially_reversed": 1, "voided": 1, "authorized": 1}
    assert (first.attempts, first.captured_points, first.reversed_points, first.kept_points) == (3, 427, 194, 233)
    assert first.captured == {"EUR": Money(amount_minor=427, currency="EUR")}
    assert first.reversed["EUR"].amount_minor == 194
    assert (second.attempts, second.captured_points, second.reversed_points) == (1, 7, 0)
    assert (none.attempts, none.captured_points, none.captured) == (0, 0, {})


def test_bars_stand_on_the_ground_and_fit_in() -> None:
    drawn = chart([("a", 50, 20), ("b", 0, 0), ("c", 100, 100)])
    assert drawn.top == 100
    assert [(bar.whole_y, bar.whole_height, bar.part_y, bar.part_height) for bar in drawn.bars] == [
        (80.0, 80.0, 128.0, 32.0), (160, 0, 160, 0), (0, 160, 0, 160),
    ]  # fmt: skip
    assert drawn.lines == ((50, 80.0), (100, 0.0))
    assert drawn.ends == ("a", "b", "c")
    assert chart([]).bars == ()
    assert [chart([("a", most, 0)]).top for most in (0, 1, 10, 11, 81, 1_234, 12_000)] == [
        2, 2, 10, 12, 100, 1_600, 12_000,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("by", "first", "last", "count"),
    [
        ("day", "2026-10-26", "2026-11-24", 30),
        ("week", "2026-06-01", "2026-11-23", 26),
        ("month", "2025-12-01", "2026-11-01", 12),
    ],
)
def test_spans_are_days_weeks_and_months_of_the_shops_own_time(by: By, first: str, last: str, count: int) -> None:
    made = spans(OfficeLanguage("de", "Europe/Berlin"), by, datetime(2026, 11, 23, 23, 30, tzinfo=UTC))
    assert len(made) == count
    local = [OfficeLanguage("de", "Europe/Berlin").local(span.since) for span in made]
    assert (local[0].date().isoformat(), local[-1].date().isoformat()) == (first, last)
    assert {moment.strftime("%H:%M") for moment in local} == {"00:00"}
    assert all(before.until == after.since for before, after in pairwise(made))


def test_the_table_beside_has_the_numbers_of_the_chart(shop: SmallShop, mira: Visitor) -> None:
    paid(shop, "A-1", 427)
    paid(shop, "A-2", 1_000)
    for by in ("day", "week", "month", "nonsense"):
        page = text_of(mira.browser, f"/points/admin/figures?by={by}")
        assert ": 1,427 / 1,427</title>" in page
        assert '<td class="pga-number">1,427</td>' in page
        assert "€14.27" in page
    assert "1427,0,1427,EUR,1427,0" in mira.browser.get("/points/admin/figures.csv?by=month").text


def test_what_a_cancellation_gives_back_is_told_without_what_was_paid_in_money(shop: SmallShop, mira: Visitor) -> None:
    """20.00 of 59.90 back: 142 points (427 x 2000 / 5990 = 142.57), refused and paid in money; 285 are left."""
    one = f"/points/admin/redemptions/{paid(shop, 'A-1', 427)}"
    shop.provider.control("POST", "/profile", {"name": "no_partial_reversal"})
    with shop.app.app_context():
        refund = shop.points.refund("A-1", return_reference="R-1", amount_minor=2000)
    assert refund is not None
    assert (refund.state, refund.points) == ("declined", 142)
    assert "Give back 427 points" in text_of(mira.browser, f"{one}/cancel")
    said = {"return_reference": "R-1", "as": "money", "reason": "refused"}
    assert mira.post(f"{one}/settle", **said).status_code == 303
    page = text_of(mira.browser, f"{one}/cancel")
    assert "Give back 285 points" in page
    assert "<dd>€2.85</dd>" in page
    shop.provider.control("POST", "/profile", {"name": "reference"})
    assert mira.post(f"{one}/cancel", reason="called").status_code == 303
    assert shop.provider.available("mbr_2500") == 2_500 - 142
