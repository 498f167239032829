"""The table of returns that was worked out on paper, against the code and against a second, naive reckoning."""

import tomllib
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from _naive_returns import Bill, BillLine, State
from _worked import read_cart, read_return
from punktgenau.checkout.allocation import allocate
from punktgenau.checkout.cart import Cart
from punktgenau.checkout.returned import BackBy, History, Wanted, returned, with_return
from punktgenau.checkout.rules import ShopRules

EXAMPLES: list[dict[str, Any]] = tomllib.loads(
    Path(__file__).with_name("returns_worked.toml").read_text(encoding="utf-8")
)["example"]
BY_NAME = {example["name"]: example for example in EXAMPLES}


def naive(cart: Cart, rules: ShopRules, example: dict[str, Any]) -> Bill:
    lines = [
        BillLine(line.id, line.quantity, line.amount_minor, line.points_allowed)
        if line.id != "shipping"
        else BillLine(line.id, 1, line.amount_minor, rules.shipping_allowed)
        for line in cart.gross_lines
    ]
    return Bill(lines, cart.other_tenders_minor, example["points"], example["worth"])


def naive_return(bill: Bill, wanted: Wanted) -> None:
    for line_id, quantity in wanted.lines.items():
        bill.take_units(line_id, quantity)
    if wanted.shipping_minor:
        bill.take_of("shipping", wanted.shipping_minor)
    if wanted.amount_minor:
        bill.take_of_all(wanted.amount_minor)


def steps(example: dict[str, Any]) -> list[tuple[str, tuple[int, ...]]]:
    return [(row[0], tuple(row[1:])) for row in example["returns"]]


@pytest.mark.scenario("B8", "82 orders with their returns, worked out on paper: who gets what with each of them")
@pytest.mark.parametrize("name", BY_NAME)
def test_worked_on_paper(name: str) -> None:
    example = BY_NAME[name]
    cart, rules = read_cart(example)
    made = allocate(cart=cart, points=example["points"], value_minor=example["worth"], rules=rules)
    policy: BackBy = None if example["policy"] == "whole" else example["policy"]
    history, before, found = History(), returned(made, History(), policy=policy), []
    for text, _ in steps(example):
        history = with_return(made, history, read_return(text))
        after = returned(made, history, policy=policy)
        step = after.since(before)
        row = (step.points, step.value_minor, step.money_minor, step.other_minor, after.carry_minor)
        found.append((text, row))
        before = after
    assert found == steps(example)


@pytest.mark.parametrize("name", BY_NAME)
def test_second_reckoning_agrees_with_paper(name: str) -> None:
    example = BY_NAME[name]
    bill = naive(*read_cart(example), example)
    before, found = State(0, 0, 0, 0, 0), []
    for text, _ in steps(example):
        naive_return(bill, read_return(text))
        after = bill.state(example["policy"])
        row = tuple(now - then for now, then in zip(after, before, strict=True))
        found.append((text, (*row[:4], after.carry)))
        before = after
    assert found == steps(example)


@pytest.mark.parametrize("name", BY_NAME)
def test_paper_gives_everything_back_in_the_end(name: str) -> None:
    """The table itself: a slip of the pen would show here first."""
    example = BY_NAME[name]
    cart, _ = read_cart(example)
    points, value, money, other = (sum(row[n] for _, row in steps(example)) for n in range(4))
    assert (points, value, other) == (example["points"], example["worth"], cart.other_tenders_minor)
    assert value + money + other == cart.total.amount_minor
    assert steps(example)[-1][1][4] == 0
    assert abs(points * Fraction(example["rate"]) - value) < 1


def test_table_has_what_it_should_have() -> None:
    assert len(EXAMPLES) == len(BY_NAME) >= 60
    assert {example["policy"] for example in EXAMPLES} == {"proportional", "points_first", "money_first", "whole"}
    rates = {"1/1", "1/2", "1/3", "2/3", "5/7", "1/200", "5/1", "7/1"}
    assert rates <= {example["rate"] for example in EXAMPLES}
