"""Lines that are well-formed and can be no bookings: told as broken, and the rest of the statement is compared."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from _clearing_shop import buy, lines, period
from _world import World
from punktgenau.checkout import Checkout
from punktgenau.statement_files import read_statement
from punktgenau.statement_records import BrokenLine, StatementPage

WIRE = json.loads((Path(__file__).parents[1] / "wire" / "statement.json").read_text())["reply"]["body"]
HEAD, CAPTURE, REVERSAL, TOTAL = (
    (Path(__file__).parents[1] / "wire" / "statement.csv").read_bytes().splitlines(keepends=True)
)
NO_YEAR = "at: not between the years 2000 and 2099"
NOT_PRINTABLE = "characters that cannot be printed"
FAR = ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "9999-12-31T23:59:59.999999Z", "1999-12-31T23:59:59Z",
       "2100-01-01T00:30:00+00:30"]  # fmt: skip
TEXTS = (
    "id", "redemption_id", "accrual_id", "idempotency_key", "order_reference", "capture_reference", "return_reference",
    "corrects", "partner_id",
)  # fmt: skip


def page(**changed: object) -> StatementPage:
    """A page of the provider, the first line of it changed, as it comes over the wire."""
    items = [{**WIRE["items"][0], **changed}, *WIRE["items"][1:]]
    return StatementPage.model_validate_json(json.dumps({**WIRE, "items": items}))


@pytest.mark.parametrize("at", FAR)
def test_a_moment_that_no_month_has(at: str):
    assert page(at=at).items[0].flaw == NO_YEAR
    file = HEAD + CAPTURE.replace(b"2026-11-22T10:00:00Z", at.encode()) + REVERSAL
    [broken, *_] = read_statement(io.BytesIO(file))
    assert broken == BrokenLine(number=2, reason=NO_YEAR)


@pytest.mark.parametrize("at", ["2000-01-01T00:30:00+00:30", "2099-12-31T23:59:59Z"])
def test_the_first_and_the_last_moment(at: str):
    assert page(at=at).items[0].flaw is None


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("sign", ["\x00", "\n", "\x1b[31m", "\u202e"])
def test_a_text_that_cannot_be_printed(name: str, sign: str):
    assert page(**{name: f"a{sign}b"}).items[0].flaw == NOT_PRINTABLE


@pytest.mark.parametrize("sequence", [0, -1, 10**15 + 1, 10**400])
def test_a_number_that_no_line_has(sequence: int):
    """Nobody can show it, or find the line by it; the page is refused, and nothing is compared."""
    with pytest.raises(ValidationError):
        page(sequence=sequence)
    file = HEAD + CAPTURE.replace(b",1,capture,", b",%d,capture," % sequence) + REVERSAL
    assert file != HEAD + CAPTURE + REVERSAL
    [broken, *_] = read_statement(io.BytesIO(file))
    assert isinstance(broken, BrokenLine)
    assert broken.number == 2


def test_words_are_nobodys_business():
    """What a provider says beside a line is kept nowhere; and a formula is harmless where nothing reckons it."""
    assert page(reason="two\nlines").items[0].flaw is None
    assert page(order_reference="=cmd()", idempotency_key="").items[0].flaw is None


@pytest.mark.parametrize(
    ("changed", "reason"),
    [({"idempotency_key": "k\x00"}, NOT_PRINTABLE), ({"id": "stl_\x00"}, NOT_PRINTABLE), ({"at": FAR[0]}, NO_YEAR)],
)
def test_the_run_goes_on_and_what_stands_can_be_listed(
    shop: Checkout, world: World, changed: dict[str, str], reason: str
):
    buy(shop, world, "A-1", 100)
    [line] = lines(shop)
    strange = page(**{"sequence": 2, "redemption_id": "red_x", "order_reference": "X-1", **changed}).items[0]
    report = shop.reconcile(period(shop), [line, strange], grace_s=0)
    assert (report.lines, report.matched, report.broken_lines) == (1, 1, ((2, reason),))
    assert not report.is_clean
    assert list(shop.differences()) == []
    assert list(shop.differences(state="settled")) == []
