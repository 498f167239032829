"""`flask punktgenau tax-report`: what it writes, where, what it exits with, and that no spreadsheet runs any of it."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from click.testing import Result

from _small_shop import Provider, SmallShop
from flask_punktgenau.cli import punktgenau

HEAD = "id,sequence,kind,at,points,amount_minor,currency,accrual_id,accrual_reference,order_reference,redeemed_before"


@pytest.fixture
def small(make_shop: Callable[..., SmallShop], provider: Provider) -> SmallShop:
    """A shop whose customer has paid with 15 points of its own, and 5 of others."""
    made = make_shop()
    lots = [{"points": 15, "issued_by": "demo-shop"}, {"points": 85, "issued_by": "demo-books"}]
    provider.control("POST", "/members", {"id": "mbr_lots", "lots": lots})
    made.link(member_id="mbr_lots")
    anna = made.visitor("anna")
    anna.apply("20")
    anna.place("A-1")
    return made


def run(small: SmallShop, *arguments: str) -> Result:
    return small.app.test_cli_runner().invoke(punktgenau, ["tax-report", *arguments])


def month(small: SmallShop) -> str:
    return f"{small.provider.now():%Y-%m}"


def rows(text: str) -> list[dict[str, str]]:
    lines = [one for one in text.splitlines() if not one.lstrip("\ufeff").startswith(('"#', "#"))]
    return list(csv.DictReader(io.StringIO("\n".join(lines))))


def of_file(tmp_path: Path, *lines: str, total: str) -> str:
    file = tmp_path / "issued.csv"
    file.write_text("\n".join((HEAD, *lines, total)) + "\n")
    return str(file)


def test_what_the_provider_lists_is_written_with_its_head_and_sums(small: SmallShop) -> None:
    result = run(small, month(small))
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(f"# Tax report {month(small)}: points that demo-shop gave out")
    assert "# This is no tax advice." in result.stdout
    assert [(one["row"], one["points"], one["worth_minor"], one["reason"]) for one in rows(result.stdout)] == [
        ("unknown", "15", "15", "origin unknown: the provider names no order that earned them"),
        ("sum", "15", "15", "origin unknown"),
        ("total", "15", "15", "all 1 lines of the provider"),
    ]
    assert f"{month(small)}: 1 lines, 15 points worth 0.15 EUR; 15 points of unknown origin." in result.stderr
    assert "The period is not over" in result.stderr


def test_the_providers_own_file_says_the_same(small: SmallShop, provider: Provider, tmp_path: Path) -> None:
    with requests.Session() as http:
        http.trust_env = False
        token = http.post(
            f"{provider.url}/oauth/token", data={"grant_type": "client_credentials"}, auth=("demo-shop", "demo-secret")
        ).json()["access_token"]
        reply = http.get(
            f"{provider.url}/v1/statements/issued/{month(small)}.csv", headers={"Authorization": f"Bearer {token}"}
        )
    file = tmp_path / "issued.csv"
    file.write_bytes(reply.content)
    asked, read = run(small, month(small)), run(small, month(small), "--file", str(file))
    assert read.exit_code == 0, read.output
    assert rows(read.stdout) == rows(asked.stdout)


def test_a_quarter_is_its_three_months(small: SmallShop) -> None:
    now = small.provider.now()
    result = run(small, f"{now:%Y}-Q{(now.month + 2) // 3}")
    assert result.exit_code == 0, result.output
    assert [one["points"] for one in rows(result.stdout) if one["row"] == "total"] == ["15"]


def test_a_file_is_whole_or_as_it_was(small: SmallShop, tmp_path: Path) -> None:
    out = tmp_path / "report.csv"
    out.write_text("of last year")
    assert run(small, "2026-13", "--out", str(out)).exit_code == 2
    assert out.read_text() == "of last year"
    result = run(small, month(small), "--out", str(out))
    assert (result.exit_code, result.stdout) == (0, "")
    # By the first sign spreadsheets know that it is UTF-8.
    assert out.read_text().startswith("\ufeff# Tax report")
    assert rows(out.read_text())[-1]["row"] == "total"
    assert [one.name for one in tmp_path.iterdir() if one.is_file() and "report" in one.name] == ["report.csv"]


def test_nothing_that_a_spreadsheet_would_run(small: SmallShop, tmp_path: Path) -> None:
    at = f"{month(small)}-01T00:00:00Z"
    lines = [
        f"i1,1,redeemed,{at},5,5,EUR,acc_1,ref,=cmd|' /C calc'!A0,0",
        f"i2,2,redeemed,{at},6,6,EUR,acc_2,ref,@SUM(A1),0",
        f"i3,3,redeemed,{at},=1+1,6,EUR,acc_2,ref,A-1,0",
    ]
    path = of_file(tmp_path, *lines, total=",2,total,,11,11,EUR,,,,")
    result = run(small, month(small), "--file", path)
    assert result.exit_code == 1
    found = rows(result.stdout)
    assert [one["order_reference"] for one in found[:2]] == ["'=cmd|' /C calc'!A0", "'@SUM(A1)"]
    assert found[-1]["reason"] == "line 4: points: not a whole number"
    assert "# NOT COMPLETE: 1 lines could not be read" in result.stdout
    assert "1 lines could not be read and are in no figure." in result.stderr


def test_a_file_of_another_month_is_in_no_figure(small: SmallShop, tmp_path: Path) -> None:
    path = of_file(tmp_path, "i1,1,redeemed,2020-01-01T00:00:00Z,5,5,EUR,,,,", total=",1,total,,5,5,EUR,,,,")
    result = run(small, month(small), "--file", path)
    assert result.exit_code == 1
    assert [one["row"] for one in rows(result.stdout)] == ["broken"]
    assert "it is dated in 2020-01, which is no part of" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("2026-13",), "period must be a month such as '2026-11' or '2026-Q4'."),
        (("2026-Q5",), "period must be"),
        (("2099-01",), "2099-01 has not begun yet, so nothing was redeemed in it. Nothing was made."),
        (("2098-Q4",), "2098-Q4 has not begun yet"),
    ],
)
def test_what_is_no_period_is_refused(small: SmallShop, arguments: tuple[str, ...], said: str) -> None:
    result = run(small, *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


def test_another_file_is_refused(small: SmallShop, tmp_path: Path) -> None:
    file = tmp_path / "other.csv"
    file.write_text("a,b\n1,2\n")
    result = run(small, month(small), "--file", str(file))
    assert (result.exit_code, result.stdout) == (2, "")
    assert "The file is not a statement: its head lacks id" in result.stderr


def test_a_provider_that_is_away_is_told_and_nothing_written(
    small: SmallShop, provider: Provider, tmp_path: Path
) -> None:
    provider.fault("issued", "status_503", times=20)
    out = tmp_path / "report.csv"
    result = run(small, month(small), "--out", str(out))
    assert (result.exit_code, out.exists()) == (2, False)
    assert list(tmp_path.glob("tmp*")) == []


def test_where_nobody_may_write_is_told(small: SmallShop, tmp_path: Path) -> None:
    result = run(small, month(small), "--out", str(tmp_path / "nowhere" / "report.csv"))
    assert result.exit_code == 2
    assert "The report could not be written: No such file or directory." in result.stderr
