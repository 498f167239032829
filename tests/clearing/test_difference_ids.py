"""What makes a difference the same one in the next run, and what does not."""

from __future__ import annotations

import pytest

from _clearing_shop import buy, lines, period
from _world import World
from punktgenau.checkout import Checkout
from punktgenau.checkout.difference import Difference, Reconciled
from punktgenau.statement_records import StatementLine


def line(month: str, redemption: str, points: int, /, **changed: object) -> StatementLine:
    """The first line of a statement whose lines are numbered anew each month; the journal knows nothing of it."""
    values: dict[str, object] = {
        "id": "1", "sequence": 1, "kind": "capture", "at": f"{month}-05T10:00:00Z", "points": points,
        "amount_minor": points, "currency": "EUR", "redemption_id": redemption, "idempotency_key": f"key_{redemption}",
        "order_reference": f"X-{redemption}", "capture_reference": None, "return_reference": None, "corrects": None,
        "partner_id": "demo-shop", "reason": "",
    }  # fmt: skip
    return StatementLine.model_validate(values | changed, strict=False)


def reconciled(checkout: Checkout, month: str, *statement: StatementLine) -> Reconciled:
    return checkout.reconcile(month, statement, grace_s=0)


def dismissed(checkout: Checkout, month: str, statement: StatementLine) -> Difference:
    assert reconciled(checkout, month, statement).open == 1
    [one] = checkout.differences()
    return checkout.dismiss(one.id, by="mira", because="a test of theirs")


def test_the_first_line_of_another_month_is_another_line(checkout: Checkout):
    dismissed(checkout, "2026-09", line("2026-09", "red_a", 5))
    assert reconciled(checkout, "2026-10", line("2026-10", "red_b", 900)).open == 1
    # Even where all of it is the same but the month.
    assert reconciled(checkout, "2026-08", line("2026-08", "red_a", 5)).open == 1
    assert sorted((one.period, one.there_points) for one in checkout.differences()) == [
        ("2026-08", 5),
        ("2026-10", 900),
    ]


def test_the_first_line_of_another_file_of_the_month_is_another_line(checkout: Checkout):
    one = dismissed(checkout, "2026-09", line("2026-09", "red_a", 5))
    assert reconciled(checkout, "2026-09", line("2026-09", "red_b", 5)).open == 1
    [other] = checkout.differences()
    assert other.provider_id == "red_b"
    stands = checkout.difference(one.id)
    assert stands is not None
    assert (stands.state, stands.provider_id) == ("dismissed", "red_a")


@pytest.mark.parametrize(
    "changed",
    [
        {"points": 900, "amount_minor": 900},
        {"amount_minor": 6},
        {"currency": "CHF"},
        {"at": "2026-09-06T10:00:00Z"},
    ],
)
def test_other_figures_than_those_that_were_decided_about_come_up_anew(checkout: Checkout, changed: dict[str, object]):
    one = dismissed(checkout, "2026-09", line("2026-09", "red_a", 5))
    # The same again, from a file that tells it in another way, is no news.
    assert reconciled(checkout, "2026-09", line("2026-09", "red_a", 5, sequence=7, reason="again")).is_clean
    for _ in range(2):
        assert reconciled(checkout, "2026-09", line("2026-09", "red_a", 5, **changed)).open == 1
    [anew] = checkout.differences()
    assert anew.id == one.id
    assert (anew.there_points, anew.there_minor) == (changed.get("points", 5), changed.get("amount_minor", 5))
    # Whoever decided about the others stays to be read.
    assert (anew.actor, anew.reason, anew.done_at) == ("mira", "a test of theirs", None)
    assert anew.result == "dismissed when it was 5 points there, nothing here"
    assert checkout.dismiss(one.id, by="tom", because="that as well").state == "dismissed"
    assert reconciled(checkout, "2026-09", line("2026-09", "red_a", 5, **changed)).is_clean


def test_an_open_one_shows_the_figures_of_the_last_run(checkout: Checkout):
    reconciled(checkout, "2026-09", line("2026-09", "red_a", 5))
    reconciled(checkout, "2026-09", line("2026-09", "red_a", 6))
    assert [(one.there_points, one.there_minor) for one in checkout.differences()] == [(6, 6)]


def test_an_amount_that_is_corrected_to_another_wrong_one_comes_up_anew(shop: Checkout, world: World):
    buy(shop, world, "A-1", 100)
    [booked] = lines(shop)
    wrong = booked.model_copy(update={"points": 99, "amount_minor": 99})
    one = dismissed(shop, period(shop), wrong)
    assert one.kind == "amount"
    assert reconciled(shop, period(shop), wrong).is_clean
    worse = booked.model_copy(update={"points": 90, "amount_minor": 90})
    assert reconciled(shop, period(shop), worse).open == 1
    [anew] = shop.differences()
    assert (anew.id, anew.there_points, anew.here_points) == (one.id, 90, 100)
    assert anew.result == "dismissed when it was 99 points there, 100 points here"


def test_a_cancelled_order_of_which_other_points_are_left_comes_up_anew(shop: Checkout, world: World):
    buy(shop, world, "A-1", 427)
    world.order("A-1", "cancelled")
    shop.reconcile(period(shop), grace_s=0)
    [one] = shop.differences()
    shop.dismiss(one.id, by="mira", because="the goods were kept")
    # That the row is touched is no news; that one of two lamps comes back is. 427 * 24.95 / 54.80 = 194.4.
    assert shop.reconcile(period(shop), grace_s=0).is_clean
    shop.refund("A-1", return_reference="R-1", lines={"lamp": 1})
    assert shop.reconcile(period(shop), grace_s=0).open == 1
    [anew] = shop.differences()
    assert (anew.id, anew.here_points) == (one.id, 427 - 194)
