"""Finding redemptions: by order, member, customer, state and day; in pages that miss nothing and repeat nothing."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest

from _office_shop import paid, text_of
from _small_shop import SmallShop, Visitor
from _world import CART, World
from punktgenau.checkout import Checkout, searching
from punktgenau.checkout.figures import Span
from punktgenau.checkout.office import Office
from punktgenau.checkout.searching import Search


def place(world: World, checkout: Checkout, count: int, *, customer_id: str = "anna") -> None:
    """So many orders B-0, B-1 ... of 10 points each, an hour apart; every third is given back."""
    for number in range(count):
        reference = f"B-{number}"
        world.order(reference, "paid")
        checkout.authorize(reference, CART, customer_id=customer_id, points=10)
        (checkout.void if number % 3 == 2 else checkout.capture)(reference)
        world.clock.advance(3600)
        world.provider.advance(3600)


def test_pages_by_key(world: World, checkout: Checkout, office: Office) -> None:
    place(world, checkout, 7)
    seen: list[str] = []
    cursor = ""
    for left in (4, 1, 0):
        page = office.searching.page(Search(), cursor=cursor, limit=3)
        seen += [one.order_reference for one in page.items]
        cursor = page.next_cursor
        assert bool(cursor) == bool(left)
    assert seen == [f"B-{number}" for number in (6, 5, 4, 3, 2, 1, 0)]
    assert [one.order_reference for one in office.searching.all(Search())] == seen


def test_orders_of_the_same_millisecond_are_not_lost_between_pages(
    world: World, checkout: Checkout, office: Office
) -> None:
    still = datetime.now(UTC)
    world.clock.now = lambda: still  # type: ignore[method-assign]
    for number in range(5):
        checkout.authorize(f"C-{number}", CART, customer_id="anna", points=1)
    first = office.searching.page(Search(), limit=2)
    second = office.searching.page(Search(), cursor=first.next_cursor, limit=2)
    third = office.searching.page(Search(), cursor=second.next_cursor, limit=2)
    found = [one.order_reference for page in (first, second, third) for one in page.items]
    assert sorted(found) == [f"C-{number}" for number in range(5)]
    assert third.next_cursor == ""


def test_filters(world: World, checkout: Checkout, office: Office) -> None:
    before = world.clock.now()
    place(world, checkout, 6)
    checkout.authorize("D-1", CART, customer_id="ben", points=2)

    def found(**filters: object) -> list[str]:
        return [one.order_reference for one in office.searching.page(Search(**filters)).items]  # type: ignore[arg-type]

    assert found(state="voided") == ["B-5", "B-2"]
    assert found(text="B-4") == ["B-4"]
    assert found(text="mbr_42") == ["D-1"]
    assert found(text="ben") == ["D-1"]
    assert found(text="anna", state="voided") == ["B-5", "B-2"]
    assert found(text="B-4", state="voided") == []
    assert found(text="b-4") == found(text="' OR 1=1 --") == found(text="%") == []
    assert found(since=before + timedelta(hours=4.5)) == ["D-1", "B-5"]
    assert found(until=before + timedelta(hours=0.5)) == ["B-0"]
    provider_id = office.whole(office.searching.attempts("D-1")[0].id).row.provider_id
    assert provider_id is not None
    assert found(text=provider_id) == ["D-1"]


def test_the_beginning_of_an_order_reference_is_enough(
    world: World, checkout: Checkout, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    for reference in ("W-10", "W-1", "W_11", "W%12", "w-13", "W 14", "Wä-15", "W-2"):
        checkout.authorize(reference, CART, customer_id="anna", points=1)
    checkout.void("W-10")
    checkout.authorize("W-10", CART, customer_id="anna", points=2)

    def found(text: str, **filters: object) -> list[str]:
        search = Search(text=text, **filters)  # type: ignore[arg-type]
        return [f"{one.order_reference}/{one.attempt}" for one in office.searching.all(search)]

    # By reference, byte by byte, the last first; nothing in a text stands for anything else.
    assert found("W") == ["Wä-15/1", "W_11/1", "W-2/1", "W-10/2", "W-10/1", "W-1/1", "W%12/1", "W 14/1"]
    assert found("W-") == ["W-2/1", "W-10/2", "W-10/1", "W-1/1"]
    assert found("W-1") == ["W-1/1"]
    assert found("W-1*") == ["W-10/2", "W-10/1", "W-1/1"]
    assert found("W%") == ["W%12/1"]
    assert found("W_") == ["W_11/1"]
    assert found("Wä") == ["Wä-15/1"]
    assert found("*") == found("W-3") == []
    assert found("ann") == found("mbr_") == []
    assert found("W-", state="voided") == ["W-10/1"]
    first = office.searching.page(Search(text="W-"), limit=2)
    assert ([one.attempt for one in first.items], first.beginning) == ([1, 2], "W-")
    second = office.searching.page(Search(text="W-"), cursor=first.next_cursor, limit=2)
    assert [(one.order_reference, one.attempt) for one in second.items] == [("W-10", 1), ("W-1", 1)]
    assert second.next_cursor == ""
    # However rare a state is, one page looks at so many rows, and leads on.
    monkeypatch.setattr(searching, "SCAN", 2)
    empty = office.searching.page(Search(text="W-", state="voided"), limit=1)
    assert (empty.items, bool(empty.next_cursor)) == ((), True)
    assert found("W-", state="voided") == ["W-10/1"]
    for cursor in ("1~", "1~zz", "1~ff", "0~" + "61" * 200, "x"):
        assert office.searching.page(Search(text="W-"), cursor=cursor, limit=2) == first


def test_another_shop_in_the_same_database_is_not_seen(world: World, checkout: Checkout, office: Office) -> None:
    place(world, checkout, 2)
    neighbour = world.checkout()
    neighbour._database.identity = {**neighbour._database.identity, "own_partner": "somebody-else"}
    their = Office(neighbour)
    mine = office.searching.attempts("B-0")[0].id
    assert their.searching.page(Search()).items == ()
    assert their.searching.page(Search(text="B-0")).items == their.searching.page(Search(text="anna")).items == ()
    assert their.searching.row(mine) is None
    assert (
        their.figures([Span(since=datetime(2020, 1, 1, tzinfo=UTC), until=datetime(2100, 1, 1, tzinfo=UTC))])[
            0
        ].attempts
        == 0
    )
    assert (
        their.attention().counts
        == office.attention().counts
        == dict.fromkeys(
            (
                *("short", "needs_attention", "refused", "not_given", "money", "unsaid", "late"),
                *("earned", "exchanged"),
            ),
            0,
        )
    )


def test_the_filters_stand_in_the_address(shop: SmallShop, mira: Visitor) -> None:
    paid(shop, "A-1", 10)
    paid(shop, "A-2", 20)
    page = text_of(mira.browser, "/points/admin/?q=A-2&state=captured&since=2020-01-01")
    assert "A-2</a>" in page
    assert "A-1</a>" not in page
    assert 'value="A-2"' in page
    assert '<option value="captured" selected>' in page
    assert "redemptions.csv?q=A-2&amp;state=captured&amp;since=2020-01-01" in page


def test_a_beginning_is_said_to_be_one(shop: SmallShop, mira: Visitor) -> None:
    paid(shop, "W-1", 10)
    paid(shop, "W-10", 20)
    page = text_of(mira.browser, "/points/admin/?q=W")
    assert "Orders that begin with “W”" in page
    assert page.index("W-10</a>") < page.index("W-1</a>")
    page = text_of(mira.browser, "/points/admin/?q=W-1")
    assert "W-10</a>" not in page
    assert 'href="/points/admin/?q=W-1*"' in page
    assert "W-10</a>" in text_of(mira.browser, "/points/admin/?q=W-1*")
    assert "Of an order the beginning is enough" in text_of(mira.browser, "/points/admin/?q=V")


@pytest.mark.parametrize(
    "query",
    [
        "?q=%00",
        "?q=" + "x" * 5000,
        "?state=nothing",
        "?since=yesterday&until=0000-00-00",
        "?since=9999-12-31",
        "?until=1970-01-01",
        "?after=1-2",
        "?after=9-" + "f" * 32,
        "?after=99999999999999999999-" + "a" * 32,
    ],
)
def test_filters_that_cannot_be_meant_do_no_harm(shop: SmallShop, mira: Visitor, query: str) -> None:
    paid(shop)
    assert mira.browser.get(f"/points/admin/{query}").status_code == 200
    assert mira.browser.get(f"/points/admin/log{query}").status_code == 200


def rows_of(text: str) -> list[list[str]]:
    assert text.startswith("\N{ZERO WIDTH NO-BREAK SPACE}")
    return list(csv.reader(io.StringIO(text[1:])))


def test_the_list_as_csv(shop: SmallShop, mira: Visitor) -> None:
    paid(shop, "A-1", 427)
    answer = mira.browser.get("/points/admin/redemptions.csv")
    assert answer.mimetype == "text/csv"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="redemptions.csv"'
    heads, row = rows_of(answer.text)
    said = dict(zip(heads, row, strict=True))
    assert {name: said[name] for name in ("order_reference", "state", "points", "value_minor", "total_minor")} == {
        "order_reference": "A-1", "state": "captured", "points": "427", "value_minor": "427", "total_minor": "5990",
    }  # fmt: skip


@pytest.mark.parametrize("reference", ["=1+1", "+49", "-2", "@SUM(A1)", "=cmd|' /C calc'!A0", "＝1"])
def test_no_cell_is_a_formula(shop: SmallShop, mira: Visitor, reference: str) -> None:
    paid(shop, reference, 5)
    assert rows_of(mira.browser.get("/points/admin/redemptions.csv").text)[1][0] == f"'{reference}"
