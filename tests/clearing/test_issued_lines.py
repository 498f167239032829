"""Redeemed points that the shop gave out, as the client reads them: over the wire in pages, and from a file."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from _clearing_shop import buy, period, with_lots
from _world import World
from punktgenau import InvalidArgumentError, UnexpectedResponseError
from punktgenau.checkout import Checkout
from punktgenau.client import Client
from punktgenau.issued_records import IssuedLine, IssuedPage
from punktgenau.provider import IssuedPort
from punktgenau.statement_files import read_issued
from punktgenau.statement_records import BrokenLine

FOLDER = Path(__file__).parents[1] / "wire"
WIRE = json.loads((FOLDER / "issued.json").read_text())["reply"]["body"]
SAMPLE = (FOLDER / "issued.csv").read_bytes()
HEAD, FIRST, SECOND, BACK, UNKNOWN, TOTAL = SAMPLE.splitlines(keepends=True)


def read(data: bytes) -> list[IssuedLine | BrokenLine]:
    return list(read_issued(io.BytesIO(data)))


def line(**changed: object) -> IssuedLine:
    return IssuedLine.model_validate_json(json.dumps({**WIRE["items"][0], **changed}))


def test_the_file_says_what_the_pages_say():
    assert read(SAMPLE) == list(IssuedPage.model_validate_json(json.dumps(WIRE)).items)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b",60,60,", b",=1+1,60,", "points: not a whole number"),
        (b",60,60,", b",-60,-60,", "points of a line redeemed have the other sign"),
        (b",60,60,", b",0,0,", "points of a line redeemed have the other sign"),
        (b",redeemed,", b",spent,", "kind: Input should be 'redeemed' or 'given_back'"),
        (b",0,Demo books", b",-1,Demo books", "redeemed_before: Input should be greater than or equal to 0"),
        (b",0,Demo books", b",x,Demo books", "redeemed_before: not a whole number"),
        (b"Demo books", b"Demo\x1b[31m", "characters that cannot be printed"),
        (b"2026-11-22T10:00:00Z", b"1999-12-31T10:00:00Z", "at: not between the years 2000 and 2099"),
    ],
)
def test_a_broken_line_is_told_and_the_next_one_read(old: bytes, new: bytes, reason: str):
    assert old in FIRST
    total = TOTAL.replace(b",4,total,", b",3,total,").replace(b",107,107,", b",47,47,")
    found = read(HEAD + FIRST.replace(old, new, 1) + SECOND + BACK + UNKNOWN + total)
    assert found[0] == BrokenLine(number=2, reason=reason)
    assert [one.id for one in found[1:] if isinstance(one, IssuedLine)] == [
        "iss_00000005", "iss_00000006", "iss_00000007",
    ]  # fmt: skip


def test_a_part_is_never_taken_for_the_whole():
    [*_, last] = read(HEAD + FIRST + TOTAL)
    assert isinstance(last, BrokenLine)
    assert last.reason.startswith("The file is not complete or was changed: it says 4 lines")
    [*_, last] = read(HEAD + FIRST)
    assert isinstance(last, BrokenLine)
    assert last.reason.startswith("The file ends without its totals")


def test_the_other_list_is_no_such_file():
    with pytest.raises(InvalidArgumentError, match="its head lacks accrual_reference"):
        read((FOLDER / "statement.csv").read_bytes())


def test_a_provider_that_does_not_say_how_much_was_redeemed_before():
    names = HEAD.split(b",")
    cut = names.index(b"redeemed_before")
    rows = [b",".join(cell for at, cell in enumerate(row.split(b",")) if at != cut) for row in SAMPLE.splitlines()]
    assert [one.redeemed_before for one in read(b"\r\n".join(rows)) if isinstance(one, IssuedLine)] == [None] * 4


@pytest.mark.parametrize(
    "changed",
    [
        {"points": -60}, {"amount_minor": -1}, {"kind": "given_back"}, {"kind": "given_back", "points": -1,
        "amount_minor": -1, "redeemed_before": 0}, {"currency": "euro"}, {"redeemed_before": True}, {"id": ""},
        {"sequence": 0}, {"at": "2026-11-22T10:00:00"},
    ],
)  # fmt: skip
def test_what_is_no_line_is_refused(changed: dict[str, object]):
    with pytest.raises(ValidationError):
        line(**changed)


@pytest.mark.parametrize("name", ["id", "accrual_id", "accrual_reference", "order_reference", "redeemed_at"])
def test_a_text_that_cannot_be_printed(name: str):
    assert line(**{name: "a\u202eb"}).flaw == "characters that cannot be printed"
    assert line().flaw is None


def test_pages_are_read_one_after_the_other_and_added_up(shop: Checkout, world: World):
    # As many lots of the shop's as fill more than a page, each with a point.
    with_lots(world, shop, *[1] * 120)
    buy(shop, world, "A-1", points=120)
    client = shop._provider
    assert isinstance(client, Client)
    assert isinstance(client.statements, IssuedPort)
    told: list[tuple[int, int]] = []
    found = list(client.statements.issued(period(shop), progress=lambda *one: told.append(one)))
    assert [one.sequence for one in found] == list(range(1, 121))
    assert {(one.points, one.accrual_id, one.redeemed_at) for one in found} == {(1, None, "Demo shop")}
    assert told == [(100, 120), (120, 120)]


def test_totals_that_do_not_fit_are_an_error_at_the_end(shop: Checkout, world: World, monkeypatch: pytest.MonkeyPatch):
    with_lots(world, shop, 5)
    buy(shop, world, "A-1", points=5)
    client = shop._provider
    assert isinstance(client, Client)
    statements = client.statements
    page = statements.issued_page(period=period(shop))
    monkeypatch.setattr(type(statements), "issued_page", lambda *_, **__: page.model_copy(update={"items": ()}))
    with pytest.raises(UnexpectedResponseError, match="it says 1 lines with 5 points and 5 EUR, read were 0"):
        list(statements.issued(period(shop)))


def test_what_is_no_month_is_refused_before_it_is_asked(shop: Checkout):
    client = shop._provider
    assert isinstance(client, Client)
    with pytest.raises(InvalidArgumentError):
        next(client.statements.issued("2026-13"))
