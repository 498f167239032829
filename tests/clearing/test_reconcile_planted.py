"""10,000 lines with 40 planted differences: all of them are found, and none is invented."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from _clearing_books import PERIOD, PLANTED, make, planted_count
from punktgenau.statement_files import read_statement


def test_forty_planted_differences_among_ten_thousand_lines(tmp_path: Path):
    assert planted_count() == 40
    books, checkout, file = make(tmp_path, lines=10_000)
    try:
        for _ in range(2):
            # The second time the same are there, and not a second time.
            with file.open("rb") as data:
                report = checkout.reconcile(PERIOD, read_statement(data))
            found: dict[str, set[str]] = defaultdict(set)
            for one in checkout.differences():
                found[one.kind].add(one.order_reference)
            assert found == books.planted
            assert dict(report.open_by_kind) == PLANTED
            assert (report.lines, report.broken, report.waiting) == (books.lines, 0, 0)
            # Every line agrees but for those that were planted on the statement.
            not_agreeing = sum(PLANTED[kind] for kind in ("only_there", "amount", "period", "double"))
            assert report.matched == report.lines - not_agreeing
    finally:
        checkout.close()
