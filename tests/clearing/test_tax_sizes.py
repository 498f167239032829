"""A tax report over a journal of its own: every point where it belongs, however many there are."""

from __future__ import annotations

from pathlib import Path

from _tax_books import PERIOD, expected, listed, make, opened
from punktgenau.statement_files import read_issued


def test_every_point_stands_at_the_rate_at_which_it_was_earned(tmp_path: Path) -> None:
    make(tmp_path, orders=300)
    checkout = opened(tmp_path)
    with listed(tmp_path).open("rb") as file, checkout.tax_report(PERIOD, read_issued(file)) as report:
        sums = {one.vat_rate: one.points for one in report.sums}
        rows = sum(1 for _ in report.rows())
        assert (report.is_whole, sum(one.lines for one in report.totals)) == (True, 600)
    checkout.close()
    wanted = expected(300)
    assert (
        sums == {"19": wanted.at_19, "7": wanted.at_7, None: wanted.unknown} == {"19": 34_692, "7": 12_642, None: 966}
    )
    assert rows == 2 * 294 + 6
