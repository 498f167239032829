"""Comparing a month from a page: within bounds, by the provider's word or a file; what cannot be read is told."""

import io
import re

import pytest
from werkzeug.test import TestResponse

from _office_shop import OPERATOR, paid, text_of
from _small_shop import SmallShop, Visitor
from flask_punktgenau import backoffice_clearing, backoffice_gate
from flask_punktgenau.cli import punktgenau
from punktgenau.checkout.office_clearing import Bounds

PAGE = "/points/admin/clearing"
HEAD = "id,sequence,kind,at,points,amount_minor,currency,order_reference,idempotency_key,partner_id"


def month(shop: SmallShop) -> str:
    return f"{shop.clock.now():%Y-%m}"


def line(shop: SmallShop, number: int, **changes: str) -> str:
    said = {
        "id": f"sl_{number}", "sequence": str(number), "kind": "capture", "at": f"{month(shop)}-02T10:00:00Z",
        "points": "5", "amount_minor": "5", "currency": "EUR", "order_reference": f"X-{number}",
        "idempotency_key": f"key-{number}", "partner_id": "demo-shop",
    }  # fmt: skip
    return ",".join({**said, **changes}.values())


def send(shop: SmallShop, mira: Visitor, *lines: str, period: str = "") -> TestResponse:
    page = mira.browser.get(PAGE).text
    name, value = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]+)">', page)[0]
    file = (io.BytesIO("\n".join(lines).encode()), "statement.csv")
    fields = {name: value, "period": period or month(shop), "statement": file}
    return mira.browser.post(PAGE, data=fields, content_type="multipart/form-data")


def test_what_cannot_be_read_is_told_by_line_and_reason(shop: SmallShop, mira: Visitor) -> None:
    mira.browser.environ_base["HTTP_ACCEPT_LANGUAGE"] = "de"
    answer = send(
        shop, mira, HEAD,
        line(shop, 1, order_reference="=cmd|' /C calc'!A0"),
        line(shop, 2, points="=1+1"),
        line(shop, 3, currency="euro"),
        line(shop, 4, partner_id="somebody-else"),
        "half a line",
        line(shop, 1),
    )  # fmt: skip
    assert answer.status_code == 303, answer.text
    assert answer.location is not None
    page = text_of(mira.browser, answer.location)
    for number, reason in (
        (3, "points: keine ganze Zahl"), (4, "currency: keine Währung wie EUR"),
        (4, "gehört einem anderen Partner"), (6, "1 Zellen statt 10"),
        ("–", "Die Datei endet ohne ihre Summen"),
    ):  # fmt: skip
        assert re.search(rf'<th scope="row" class="pga-number">{number}</th><td>{re.escape(reason)}', page), reason
    assert "sl_1 steht zweimal auf der Abrechnung" in page
    assert f"Zuletzt verglichen: {month(shop)}" in page
    assert OPERATOR in page
    # What a spreadsheet would run is only shown.
    assert "=cmd|&#39; /C calc&#39;!A0" in page
    assert re.search("<dt>Nicht lesbar</dt><dd>6</dd>", page)


def test_more_lines_than_a_page_takes_go_to_the_command(
    shop: SmallShop, mira: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    paid(shop)
    monkeypatch.setattr(backoffice_clearing, "Bounds", lambda period, clock: Bounds(period, clock=clock, most_lines=0))
    answer = mira.post(PAGE, period=month(shop))
    assert answer.status_code == 409
    assert f"The statement of {month(shop)} has more than 0 lines, too many for a page." in answer.text
    assert f"<code>flask punktgenau reconcile --period {month(shop)}</code>" in answer.text
    assert "Last compared" not in answer.text
    answer = send(shop, mira, HEAD, line(shop, 1))
    assert f"<code>flask punktgenau reconcile --period {month(shop)} --file STATEMENT.csv</code>" in answer.text


def test_longer_than_a_page_takes_goes_to_the_command(
    shop: SmallShop, mira: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    paid(shop)
    monkeypatch.setattr(backoffice_clearing, "Bounds", lambda period, clock: Bounds(period, clock=clock, within_s=-1))
    answer = mira.post(PAGE, period=month(shop))
    assert answer.status_code == 409
    assert "too long for a page" in answer.text
    assert f"<code>flask punktgenau reconcile --period {month(shop)}</code>" in answer.text


def test_a_file_that_no_page_takes(shop: SmallShop, mira: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoffice_gate, "FILE_LENGTH_MAX", 100_000)
    answer = send(shop, mira, HEAD, *["x" * 1_000] * 110)
    assert answer.status_code == 409
    assert "The file is larger than 2 MB" in answer.text
    assert "<code>flask punktgenau reconcile --file STATEMENT.csv</code>" in answer.text
    # Nowhere else is so much taken in.
    assert mira.browser.post("/points/admin/", data={"x": "y" * 70_000}).status_code == 413


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ((b"\xff\xfei".decode("latin-1"),), "The file is not a statement"),
        (("",), "The file is not a statement"),
        (("a,b,c", "1,2,3"), "its head lacks id, kind"),
    ],
)
def test_what_is_no_statement(shop: SmallShop, mira: Visitor, lines: tuple[str, ...], told: str) -> None:
    answer = send(shop, mira, *lines)
    assert answer.status_code == 409
    assert told in answer.text


def test_a_file_of_another_month_is_refused(shop: SmallShop, mira: Visitor) -> None:
    answer = send(shop, mira, HEAD, line(shop, 1, at="2024-05-02T10:00:00Z"))
    assert answer.status_code == 409
    assert f"The file is about 2024-05, not about {month(shop)}." in answer.text


def test_what_the_command_has_compared_stands_in_the_console(shop: SmallShop, mira: Visitor) -> None:
    paid(shop)
    assert "Last compared" not in text_of(mira.browser, PAGE)
    result = shop.app.test_cli_runner().invoke(punktgenau, ["reconcile", "--period", month(shop)])
    assert result.exit_code == 0, result.output
    page = text_of(mira.browser, PAGE)
    assert f"Last compared: {month(shop)}" in page
    assert ", flask punktgenau reconcile</span>" in page
    assert "<dt>Agree</dt><dd>1</dd>" in page
