"""More articles take more time and disk, but no more memory; and every planted fault of a long list is told."""

import gc
import json
import tracemalloc
from pathlib import Path

import pytest

from articles.conftest import told
from long import articles
from long.articles import BAD, measure_here, write
from punktgenau.checkout import Checkout

FEW, MANY = 2_000, 6_000


def most_bytes(shop: Checkout, folder: Path, kind: str, lines: int) -> int:
    """The most that Python held at once beyond what it held before."""
    write(folder / f"list.{kind}", kind, lines=lines)
    with (folder / f"list.{kind}").open("rb") as file:
        gc.collect()
        tracemalloc.start()
        try:
            assert shop.import_articles(file).bad == 0
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_three_times_as_many_take_no_more_memory(own_shop: Checkout, tmp_path: Path, kind: str) -> None:
    # Once before: what is made once is there, and a page of the list before is held as well.
    most_bytes(own_shop, tmp_path, kind, FEW - 1)
    few, many = (most_bytes(own_shop, tmp_path, kind, lines) for lines in (FEW, MANY))
    # Not a tenth, as the long run asks: what other tests have left to be collected counts here.
    assert many <= 1.4 * few


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_what_the_long_run_measures(database_url: str, tmp_path: Path, kind: str) -> None:
    for name, points, bad in (("new", 0, 0), ("changed", 1, 0), ("bad", 0, BAD)):
        write(tmp_path / f"{name}.{kind}", kind, lines=1_000, points=points, bad=bad)
    found = measure_here(tmp_path, database_url, kind=kind, lines=1_000, server=0)
    assert found["came"] == articles._expected(1_000)
    assert found["points"] == articles.POINTS
    assert json.dumps(found)


def test_forty_planted_faults_are_told(own_shop: Checkout, tmp_path: Path) -> None:
    write(tmp_path / "bad.csv", "csv", lines=1_000, bad=BAD)
    with (tmp_path / "bad.csv").open("rb") as file:
        report = own_shop.import_articles(file)
    # Every 25th line of 1,000, below the head; the last four stand there twice.
    assert [one.number for one in report.faults] == [25 * turn + 1 for turn in range(1, BAD + 1)]
    assert [text.partition(" ")[2] for text in told(report)[:4]] == [
        "points: begins like a formula: '=1+1'; write the value itself",
        "points: not a whole number: '1.5'",
        "points: less than nothing: '-3'",
        "points: not a whole number: 'ten'",
    ]
    assert [text.partition(" ")[2] for text in told(report)[-4:]] == ["sku: 'A-0000000' stands in line 2 already"] * 4
