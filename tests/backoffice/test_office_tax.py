"""The tax report in the back office: the same numbers as the command's, in three languages, within a page's bounds."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest

from _office_shop import text_of
from _small_shop import SmallShop, Visitor
from flask_punktgenau import backoffice_tax
from flask_punktgenau.backoffice_tax import periods
from flask_punktgenau.cli import punktgenau
from punktgenau.checkout import Cart, Line
from punktgenau.checkout.tax.bounds import ReportBounds

PAGE = "/points/admin/tax"
CART = Cart(
    currency="EUR",
    lines=[
        Line(sku="lamp", quantity=1, unit_price_minor=11_900, vat_rate="19"),
        Line(sku="book", quantity=4, unit_price_minor=1_070, vat_rate="7"),
    ],
)


@pytest.fixture
def more_config() -> dict[str, str]:
    """A point for each euro, at once."""
    return {"PUNKTGENAU_EARN_POINTS": "1", "PUNKTGENAU_EARN_PENDING_S": "0"}


@pytest.fixture
def earned(shop: SmallShop) -> SmallShop:
    """A shop whose order A-1 has earned 161 points, of which 100 were redeemed elsewhere, and 17 that nobody knows."""
    # These end first, so they are taken first.
    ends = f"{shop.provider.now() + timedelta(days=99):%Y-%m-%dT%H:%M:%SZ}"
    lots = [{"points": 17, "issued_by": "demo-shop", "expires_at": ends}]
    shop.provider.control("POST", "/members", {"id": "mbr_x", "lots": lots})
    shop.link(member_id="mbr_x")
    with shop.app.app_context():
        shop.shop.order("A-1", state="paid", customer_id="anna")
        shop.points.checkout.earn("A-1", CART, customer_id="anna")
        shop.points.checkout.recover()
    shop.provider.control("POST", "/members/mbr_x/redeem-elsewhere", {"points": 100})
    shop.provider.control("POST", "/members/mbr_x/redeem-elsewhere", {"points": 17})
    return shop


def month(shop: SmallShop) -> str:
    return f"{shop.provider.now():%Y-%m}"


def test_without_a_period_nobody_is_asked(earned: SmallShop, mira: Visitor) -> None:
    before = earned.provider.operations().count("issued")
    page = text_of(mira.browser, PAGE)
    assert "Choose a month or a quarter." in page
    assert "This is no tax advice." in page
    assert "tax.csv" not in page
    assert earned.provider.operations().count("issued") == before


def test_a_month_by_rate_and_by_order(earned: SmallShop, mira: Visitor) -> None:
    page = text_of(mira.browser, f"{PAGE}?period={month(earned)}")
    # 100 of 161 points: 43 of them were earned at 7 percent, so 26.7 are 27.
    for cells in (
        '<th scope="row">7%</th>\n    <td class="pga-number">27</td>\n    <td class="pga-number">€0.27</td>',
        '<th scope="row">19%</th>\n    <td class="pga-number">73</td>\n    <td class="pga-number">€0.73</td>',
        '<th scope="row">Origin unknown</th>\n    <td class="pga-number">17</td>',
        '<th scope="row">In all</th><td class="pga-number">117</td>',
        "<dt>Lines of the provider</dt><dd>3</dd>",
        '<td class="pga-number pga-wide">€119.00</td>',
        '<th scope="row">A-1</th>',
        "Origin unknown: the provider names no order",
        "This time is not over: further lines may come.",
    ):
        assert cells in page, cells
    assert f'href="/points/admin/tax.csv?period={month(earned)}"' in page


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "de",
            ("Steuerbericht", "Herkunft unbekannt", "Das ist keine Steuerberatung.", "19\N{NO-BREAK SPACE}%", "0,27"),
        ),
        ("zh-CN", ("税务报告", "来源不明", "本报告不构成税务建议。", "19%")),
    ],
)
def test_in_other_languages(earned: SmallShop, mira: Visitor, language: str, words: tuple[str, ...]) -> None:
    mira.browser.environ_base["HTTP_ACCEPT_LANGUAGE"] = language
    page = text_of(mira.browser, f"{PAGE}?period={month(earned)}")
    for word in words:
        assert word in page, word
    assert "no tax advice" not in page


def test_the_file_has_the_numbers_of_the_page_and_of_the_command(earned: SmallShop, mira: Visitor) -> None:
    answer = mira.browser.get(f"{PAGE}.csv?period={month(earned)}")
    assert (answer.status_code, answer.mimetype) == (200, "text/csv")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="tax-report-{month(earned)}.csv"'
    lines = answer.text.splitlines()
    table = [one for one in lines if not one.lstrip("\ufeff").startswith(("#", '"#'))]
    rows = list(csv.DictReader(io.StringIO("\n".join(table))))
    assert [(one["row"], one["vat_rate"], one["points"], one["worth_minor"], one["basis_minor"]) for one in rows] == [
        ("order", "7", "27", "27", "4280"),
        ("order", "19", "73", "73", "11900"),
        ("unknown", "", "17", "17", ""),
        ("sum", "7", "27", "27", ""),
        ("sum", "19", "73", "73", ""),
        ("sum", "", "17", "17", ""),
        ("total", "", "117", "117", ""),
    ]
    said = earned.app.test_cli_runner().invoke(punktgenau, ["tax-report", month(earned)])
    assert [one for one in said.stdout.splitlines() if not one.startswith(("#", '"#'))] == table


def test_a_time_in_which_nothing_was_redeemed(earned: SmallShop, mira: Visitor) -> None:
    page = text_of(mira.browser, f"{PAGE}?period=2020-Q1")
    assert "Nothing that this shop gave out was redeemed in this time." in page
    # It is none of those offered, and stays chosen.
    assert '<option value="2020-Q1" selected>Q1 2020</option>' in page


@pytest.mark.parametrize("period", ["2026-13", "x", "2026-11'", "2026-Q9"])
def test_what_is_no_period_is_told(earned: SmallShop, mira: Visitor, period: str) -> None:
    answer = mira.browser.get(PAGE, query_string={"period": period})
    assert answer.status_code == 409
    assert "period must be a month such as &#39;2026-11&#39; or &#39;2026-Q4&#39;." in answer.text
    assert mira.browser.get(f"{PAGE}.csv", query_string={"period": period}).status_code == 409


def test_more_than_a_page_takes_goes_to_the_command(
    earned: SmallShop, mira: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    bounds = ReportBounds
    monkeypatch.setattr(backoffice_tax, "ReportBounds", lambda name, clock: bounds(name, clock=clock, most_lines=2))
    answer = mira.browser.get(f"{PAGE}?period={month(earned)}")
    assert answer.status_code == 409
    assert f"The list of {month(earned)} has more than 2 lines, too many for a page." in answer.text
    assert f"<code>flask punktgenau tax-report {month(earned)} --out report.csv</code>" in answer.text
    monkeypatch.setattr(backoffice_tax, "ReportBounds", lambda name, clock: bounds(name, clock=clock, within_s=-1))
    answer = mira.browser.get(f"{PAGE}?period={month(earned)}")
    assert "takes longer than -1 seconds, too long for a page." in answer.text
    assert mira.browser.get(f"{PAGE}.csv?period={month(earned)}").status_code == 409


def test_a_provider_that_is_away(earned: SmallShop, mira: Visitor) -> None:
    earned.provider.fault("issued", "status_503", times=20)
    answer = mira.browser.get(f"{PAGE}?period={month(earned)}")
    assert answer.status_code == 503
    assert "Make the report" in answer.text


def test_more_rows_than_are_shown_are_counted(
    earned: SmallShop, mira: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backoffice_tax, "ROWS_SHOWN", 1)
    page = text_of(mira.browser, f"{PAGE}?period={month(earned)}")
    assert "The first 1 of 3 rows; the CSV has them all." in page


def test_strangers_find_nothing(earned: SmallShop) -> None:
    browser = earned.app.test_client()
    assert browser.get(PAGE).status_code == browser.get(f"{PAGE}.csv?period=2026-11").status_code == 404


def test_the_months_and_quarters_that_are_offered(earned: SmallShop) -> None:
    now = earned.clock.now().replace(year=2027, month=2, day=1)
    months, quarters = periods(now)
    assert (months[0], months[1], months[2], months[-1], len(months)) == (
        "2027-02", "2027-01", "2026-12", "2026-02", 13,
    )  # fmt: skip
    assert quarters == ("2027-Q1", "2026-Q4", "2026-Q3", "2026-Q2", "2026-Q1")
