"""However long the journal is: what the office looks for is found by an index, also where SQLite has no statistics."""

import re
from pathlib import Path

import pytest
from sqlalchemy.sql import ClauseElement

from bench.filling import fill_postgres, fill_sqlite
from bench.measure import in_turn, ratio
from bench.stub import CART, engine
from punktgenau.checkout import (
    Checkout,
    attention,
    difference_pages,
    figures,
    office_clearing,
    office_earned,
    office_listed,
    personal,
    searching,
    timeline,
)
from punktgenau.checkout.office import Office
from punktgenau.checkout.return_statements import STATEMENTS
from punktgenau.checkout.searching import Search

READ = {
    "list": searching._ANY,
    "in a state": searching._IN_STATE,
    **{f"by {by}": statement for by, statement in searching._SEARCHES.items()},
    "beginning": searching.BEGINNING,
    "beginning's last": searching.BEGINNING_LAST,
    "attempts": searching._ATTEMPTS,
    "one": searching._ONE,
    "events": timeline._EVENTS,
    "amendments": timeline._AMENDMENTS,
    "figures": figures._SUMS,
    **{f"attention {name}": statement for name, statement in attention._LIST.items()},
    "not given count": STATEMENTS.not_given_count,
    **{f"count {number}": statement for number, statement in enumerate(attention._COUNT)},
    "differences": difference_pages._LISTED,
    "last compared": office_clearing.LAST,
    "old": personal._PURGED,
    "of a customer": personal._HOW_OPEN,
    "refused": STATEMENTS.refused,
    "refused count": STATEMENTS.refused_count,
    "owes money": STATEMENTS.owes_money,
    "unsaid": STATEMENTS.unsaid,
    "unsaid count": STATEMENTS.unsaid_count,
    "shipments": timeline._SHIPMENTS,
    **{f"earnings {by}": statement for by, statement in office_listed.EARNINGS.items()},
    **{f"exchanges {by}": statement for by, statement in office_listed.EXCHANGES.items()},
    "earnings beginning": office_listed.BEGINNING,
    "one earning": office_listed.ONE_EARNING,
    "one exchange": office_listed.ONE_EXCHANGE,
    "about an earning": office_earned._ABOUT,
}
# Without this index every return that there ever was would be read.
OF_RETURNS = {
    **dict.fromkeys(("owes money", "attention money", "count 3"), "punktgenau_return_money"),
    **dict.fromkeys(("attention not_given", "count 2", "not given count"), "punktgenau_return_not_given"),
    **dict.fromkeys(("unsaid", "attention unsaid", "count 5", "unsaid count"), "punktgenau_return_unsaid"),
    **dict.fromkeys(
        ("refused", "refused count", "attention refused", "count 1"), "punktgenau_return_(declined|refused)"
    ),
}


def plan(checkout: Checkout, statement: ClauseElement) -> str:
    text, defaults = checkout._database.compiled(statement)
    names = re.findall(r":(\w+)", text)
    values = dict.fromkeys(names, 1) | defaults | dict(checkout._database.identity)
    with checkout._database.transaction(write=False) as tx:
        tx._cursor.execute(f"EXPLAIN QUERY PLAN {text}", values)
        return " | ".join(str(row[-1]) for row in tx._cursor.fetchall())


@pytest.mark.parametrize("name", READ)
def test_nothing_reads_a_whole_table(tmp_path: Path, name: str) -> None:
    with engine(f"sqlite:///{tmp_path / 'journal.sqlite'}") as checkout:
        steps = plan(checkout, READ[name])
    assert not re.search(
        r"SCAN punktgenau_\w+(?! USING (COVERING )?INDEX punktgenau_(return_|exchange_attention))( |$)", steps
    ), steps
    if name in OF_RETURNS:
        # What is open leads to its redemption, by that one's id; not the other way round.
        assert re.match(
            rf"(CO-ROUTINE anon_1 \| )?(SCAN|SEARCH) punktgenau_return USING INDEX {OF_RETURNS[name]}", steps
        ), steps
        assert not re.search("punktgenau_redemption (AS \\w+ )?USING (COVERING )?INDEX (?!sqlite_autoindex)", steps), (
            steps
        )
    if name in {"list", "in a state"}:
        assert "TEMP B-TREE" not in steps, steps


def test_postgresql_finds_the_beginning_by_its_index(postgres_url: str) -> None:
    with engine(postgres_url) as checkout:
        checkout.authorize("A-1", CART, customer_id="customer-0", points=427)
        checkout.capture("A-1")
        fill_postgres(checkout, 5_000)
        text, defaults = checkout._database.compiled(searching.BEGINNING)
        reference = Office(checkout).searching.page(Search()).items[0].order_reference
        values = {"text": reference[:-2], "before_reference": reference, "before_attempt": 9, "scan": 51, "most": 51}
        filters = {"state": "", "since": 0, "until": 2**62}
        with checkout._database.transaction(write=False) as tx:
            tx._cursor.execute(f"EXPLAIN {text}", defaults | values | filters | dict(checkout._database.identity))
            steps = "\n".join(str(row[0]) for row in tx._cursor.fetchall())
    assert re.search("Index (Only )?Scan Backward using punktgenau_redemption_beginning", steps), steps
    assert "order_reference)::text >= " in steps, steps


def test_a_long_past_costs_nothing(tmp_path: Path) -> None:
    """A page and one redemption in a journal of 30,000 and of 300; with a million it was measured likewise."""
    calls = {}
    offices = []
    for count in (300, 30_000):
        opened = engine(f"sqlite:///{tmp_path / f'{count}.sqlite'}")
        checkout = opened.__enter__()
        offices.append(opened)
        for number in range(3):
            checkout.authorize(f"A-{number}", CART, customer_id="customer-0", points=427)
            checkout.capture(f"A-{number}")
        fill_sqlite(checkout, count)
        office = Office(checkout)
        mine = office.searching.attempts("A-1")[0].id
        calls[str(count)] = lambda office=office, mine=mine: (office.searching.page(Search()), office.whole(mine))
    spent = in_turn(calls, size=5, rounds=9)
    for opened in offices:
        opened.__exit__(None, None, None)
    assert ratio(spent["30000"], spent["300"]).middle <= 1.5
