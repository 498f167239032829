"""The table of parcels and returns that was worked out on paper, against the code and against a second reckoning."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from _naive_returns import Bill, BillLine, SentBill, State
from _worked import read_cart, read_return
from punktgenau.checkout.allocation import allocate
from punktgenau.checkout.parcels import captured, followed
from punktgenau.checkout.returned import BackBy, History, Wanted, returned

EXAMPLES: list[dict[str, Any]] = tomllib.loads(
    Path(__file__).with_name("parcels_worked.toml").read_text(encoding="utf-8")
)["example"]
BY_NAME = {example["name"]: example for example in EXAMPLES}


def read_units(text: str) -> dict[str, int]:
    """The units of a parcel."""
    return dict(read_return(text).lines)


@pytest.mark.scenario("B8", "13 orders in parcels with returns between them, worked out on paper: captured, given back")
@pytest.mark.parametrize("name", BY_NAME)
def test_worked_on_paper(name: str) -> None:
    example = BY_NAME[name]
    cart, rules = read_cart(example)
    made = allocate(cart=cart, points=example["points"], value_minor=example["worth"], rules=rules)
    policy: BackBy = None if example["policy"] == "whole" else example["policy"]
    parcels: list[dict[str, int]] = []
    returns: list[tuple[Wanted, int | None]] = []
    taken, before, found = (0, 0), returned(made, History(), policy=policy), []
    for what, *_ in example["steps"]:
        kind, text = what.split(" ", 1)
        if kind == "sends":
            parcels.append(read_units(text))
            points, worth = captured(made, parcels)
            found.append([what, points - taken[0], worth - taken[1]])
            taken = points, worth
            continue
        returns.append((read_return(text), None if taken[0] == example["points"] else len(parcels)))
        after = returned(*followed(made, parcels, returns, left=None), policy=policy)
        assert after.points <= taken[0]
        assert after.worth_minor <= taken[1]
        step = after.since(before)
        found.append([what, step.points, step.value_minor, step.money_minor, step.other_minor, after.carry_minor])
        before = after
    assert found == example["steps"]


@pytest.mark.parametrize("name", BY_NAME)
def test_second_reckoning_agrees_with_paper(name: str) -> None:
    example = BY_NAME[name]
    cart, _ = read_cart(example)
    lines = [BillLine(line.id, line.quantity, line.amount_minor, line.points_allowed) for line in cart.gross_lines]
    bill = SentBill(Bill(lines, cart.other_tenders_minor, example["points"], example["worth"]))
    taken, before, found = (0, 0), State(0, 0, 0, 0, 0), []
    for what, *_ in example["steps"]:
        kind, text = what.split(" ", 1)
        if kind == "sends":
            bill.send(read_units(text))
            now = bill.captured()
            found.append([what, now[0] - taken[0], now[1] - taken[1]])
            taken = now
            continue
        take(bill, read_return(text))
        after = bill.state(example["policy"])
        step = [now - then for now, then in zip(after, before, strict=True)]
        found.append([what, *step[:4], after.carry])
        before = after
    assert found == example["steps"]


def take(bill: SentBill, wanted: Wanted) -> None:
    """One return."""
    bill.begin()
    for line_id, units in wanted.lines.items():
        bill.take_units(line_id, units)
    if wanted.shipping_minor:
        bill.take_of_all(wanted.shipping_minor, line_id="shipping")
    if wanted.amount_minor:
        bill.take_of_all(wanted.amount_minor)
    bill.settle()


@pytest.mark.parametrize("name", BY_NAME)
def test_paper_gives_everything_back_in_the_end(name: str) -> None:
    """The table itself: a slip of the pen would show here first."""
    example = BY_NAME[name]
    cart, _ = read_cart(example)
    sent = [row for row in example["steps"] if row[0].startswith("sends")]
    back = [row for row in example["steps"] if row[0].startswith("back")]
    assert [sum(row[n] for row in sent) for n in (1, 2)] == [example["points"], example["worth"]]
    points, value, money, other = (sum(row[n] for row in back) for n in (1, 2, 3, 4))
    assert (points, value, other) == (example["points"], example["worth"], cart.other_tenders_minor)
    assert value + money + other == cart.total.amount_minor
    assert back[-1][5] == 0
