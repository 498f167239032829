"""A file that somebody gives to the page: told as a file, and what it leaves out stays listed."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import datetime

import pytest

from _office_shop import paid, text_of
from _small_shop import SmallShop, Visitor
from _world import CART, World
from punktgenau.checkout import Checkout, Order
from punktgenau.checkout.office import Office
from punktgenau.statement_records import StatementLine

PAGE = "/points/admin/clearing"


@pytest.fixture
def lines(world: World, checkout: Checkout) -> list[StatementLine]:
    """The provider's own statement: the capture of an order."""
    world.order("A-1", "paid")
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    checkout.capture("A-1")
    return list(checkout._provider.statements.lines(period=month(world)))  # type: ignore[attr-defined]


def month(world: World) -> str:
    return f"{world.clock.now():%Y-%m}"


def besides(line: StatementLine) -> StatementLine:
    """A capture that nobody here knows of."""
    about = {"redemption_id": "red_Z", "idempotency_key": "key-Z", "order_reference": "Z-1"}
    return line.model_copy(update={"id": "sl_Z", "sequence": 2, **about})


def listed(checkout: Checkout, state: str = "open") -> list[tuple[str, str]]:
    return [(one.kind, one.order_reference) for one in checkout.differences(state=state)]  # type: ignore[arg-type]


def test_what_a_file_leaves_out_stays_listed(
    world: World, checkout: Checkout, office: Office, lines: list[StatementLine]
) -> None:
    office.reconcile(month(world), [*lines, besides(lines[0])], actor="noah", file="statement.csv")
    assert listed(checkout) == [("only_there", "Z-1")]
    world.clock.advance(60)
    office.reconcile(month(world), lines, actor="mira", file="shorter.csv")
    assert listed(checkout) == [("only_there", "Z-1")]
    # The provider, when it is asked, says nothing of that line.
    world.clock.advance(60)
    office.reconcile(month(world), actor="mira")
    assert (listed(checkout), listed(checkout, "settled")) == ([], [("only_there", "Z-1")])


def test_the_log_and_the_last_comparison_name_the_file(
    world: World, checkout: Checkout, office: Office, lines: list[StatementLine]
) -> None:
    office.reconcile(month(world), lines, actor="mira", file="november\x00\n.csv" + "x" * 200)
    compared = office.last_compared(month(world))
    assert compared is not None
    assert (compared.source, compared.settles, compared.matched) == ("file", False, 1)
    assert compared.file == "november.csv" + "x" * 88
    assert [(one.kind, one.detail["file"]) for one in office.log()] == [("reconcile_file", compared.file)]
    world.clock.advance(60)
    office.reconcile(month(world), actor="mira")
    compared = office.last_compared(month(world))
    assert compared is not None
    assert (compared.source, compared.settles, compared.file) == ("provider", True, "")


def test_a_file_settles_where_there_is_nothing_else(
    world: World, checkout: Checkout, office: Office, lines: list[StatementLine], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Plain:
        partner_id, mode, profile = "demo-shop", None, checkout._provider.profile
        members, redemptions = checkout._provider.members, checkout._provider.redemptions

    monkeypatch.setattr(checkout, "_provider", Plain())
    office.reconcile(month(world), [*lines, besides(lines[0])], actor="noah")
    world.clock.advance(60)
    office.reconcile(month(world), lines, actor="mira")
    assert (listed(checkout), listed(checkout, "settled")) == ([], [("only_there", "Z-1")])


def test_orders_that_are_right_by_now_are_settled_by_any_comparison(
    world: World, checkout: Checkout, office: Office, lines: list[StatementLine]
) -> None:
    def orders(since: datetime, until: datetime) -> Iterator[Order]:
        if since.date() == world.clock.now().date():
            yield from world.orders.values()

    world.order("A-2", "paid")
    checkout.authorize("A-2", CART, customer_id="anna", points=100)
    checkout.orders_loader = orders
    office.reconcile(month(world), lines, actor="mira")
    assert listed(checkout) == [("not_captured", "A-2")]
    checkout.capture("A-2")
    world.clock.advance(1)
    office.reconcile(month(world), lines, actor="mira", grace_s=2 * 86_400)
    assert ("not_captured", "A-2") in listed(checkout, "settled")


def test_a_file_is_not_enough_for_what_stood_on_the_statement_before(
    world: World, checkout: Checkout, office: Office, lines: list[StatementLine]
) -> None:
    # Booked here a second after the month whose file shows it.
    first = datetime.fromisoformat(f"{month(world)}-01T00:00:00+00:00")
    with checkout._database.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE punktgenau_operation SET finished_at = {int(first.timestamp() + 1) * 1000}")
    before = f"{datetime.fromtimestamp(first.timestamp() - 1, first.tzinfo):%Y-%m}"
    line = lines[0].model_copy(update={"at": datetime.fromtimestamp(first.timestamp() - 1, first.tzinfo)})
    office.reconcile(before, [line], actor="mira")
    assert (listed(checkout), listed(checkout, "settled")) == ([], [])


def test_the_page_says_that_it_was_a_file(shop: SmallShop, mira: Visitor) -> None:
    paid(shop)
    month = f"{shop.clock.now():%Y-%m}"
    page = mira.browser.get(PAGE).text
    name, value = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]+)">', page)[0]
    head = b"id,kind,at,points,amount_minor,currency,order_reference\n"
    file = (io.BytesIO(head), "<b>november</b>.csv")
    fields = {name: value, "period": month, "statement": file}
    assert mira.browser.post(PAGE, data=fields, content_type="multipart/form-data").status_code == 303
    page = text_of(mira.browser, PAGE)
    assert "With a file: &lt;b&gt;november&lt;/b&gt;.csv" in page
    assert "What it does not show any more stays listed" in page
    assert "Compared a month with a file: &lt;b&gt;november&lt;/b&gt;.csv" in text_of(mira.browser, "/points/admin/log")
    assert mira.post(PAGE, period=month).status_code == 303
    page = text_of(mira.browser, PAGE)
    assert "With the statement that the provider was asked for." in page
    assert "With a file" not in page
