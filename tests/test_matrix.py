"""The scenario matrix: what is counted, and when it is not well."""

from pathlib import Path

import pytest

import _matrix
import _scenarios


def carrier(
    outcome: str = "passed", test: str = "tests/test_x.py::test_x[sqlite]", asserts: str = "one hold"
) -> object:
    return _matrix.Carrier(test, asserts, outcome)


def test_list_has_107_faults_and_58_shop_rows() -> None:
    assert sum(_scenarios.FAULTS.values()) == 107
    assert len(_scenarios.IDS) == 107 + 58
    assert _scenarios.IDS[0] == "C1"
    assert _scenarios.IDS[-1] == "T58"


def test_row_with_neither_test_nor_reason_is_a_fault() -> None:
    matrix = _matrix.Matrix({"C1": (carrier(),)}, dict.fromkeys(_scenarios.IDS[2:], "waits for F9"))
    assert matrix.faults() == ["neither a test nor a reason: C2"]
    assert matrix.state("C3") == "waits"


@pytest.mark.parametrize("outcome", ["failed", "skipped"])
def test_carried_row_counts_only_when_every_test_passed(outcome: str) -> None:
    matrix = _matrix.Matrix({"C1": (carrier(), carrier(outcome))}, dict.fromkeys(_scenarios.IDS[1:], "waits for F9"))
    assert matrix.faults() == ["a test that carries it failed or was skipped: C1"]


def test_eighth_fault_that_cannot_apply_is_one_too_many() -> None:
    reasons = dict.fromkeys(_scenarios.IDS, "waits for F9") | dict.fromkeys(_scenarios.IDS[:7], "cannot apply: why")
    assert _matrix.Matrix({}, reasons).faults() == []
    reasons["C8"] = "cannot apply: why"
    assert _matrix.Matrix({}, reasons).faults() == ["8 faults are said not to apply, at most 7 may"]


def test_shop_rows_do_not_count_among_the_seven() -> None:
    reasons = dict.fromkeys(_scenarios.IDS, "waits for F9") | dict.fromkeys(_scenarios.IDS[-20:], "cannot apply: why")
    assert _matrix.Matrix({}, reasons).faults() == []


def test_lines_show_tests_state_texts_and_counts() -> None:
    reasons = dict.fromkeys(_scenarios.IDS[1:], "waits for F9")
    lines = list(_matrix.Matrix({"C1": (carrier(), carrier(test="t[sqlite-2]", asserts="no row"))}, reasons).lines())
    assert lines[1:4] == [
        "C1       2  passed       one hold",
        " " * 25 + "no row",
        " " * 25 + "(not on postgresql yet)",
    ]
    assert lines[-2:] == [
        "faults: 107 rows: 1 passed, 0 failed, 0 none, 0 cannot apply, 106 waits",
        "shops: 58 rows: 0 passed, 0 failed, 0 none, 0 cannot apply, 58 waits",
    ]


@pytest.mark.parametrize(
    "line", ['X1 = "waits for F5"', 'C17 = "waits for F5"', 'C1 = "later"', 'C1 = "cannot apply"', "C1 = 3"]
)
def test_reason_that_is_none_is_refused(tmp_path: Path, line: str) -> None:
    source = tmp_path / "reasons.toml"
    source.write_text(line)
    with pytest.raises(ValueError, match=r"reasons\.toml"):
        _matrix.read_reasons(source)


def test_reasons_of_this_project_are_well_formed() -> None:
    _matrix.read_reasons(Path(__file__).with_name("scenario_reasons.toml"))


def test_a_page_says_what_the_matrix_says(tmp_path: Path) -> None:
    page = tmp_path / "scenarios.md"
    reasons = dict.fromkeys(_scenarios.IDS[1:], "waits for F9")
    carried = {"C1": (carrier(asserts="a | b <i>"), carrier("failed", "t[sqlite-2]", "no row"))}
    page.write_text(_matrix.Matrix(carried, reasons).document(day="2026-11-22"))
    text = page.read_text()
    assert "last run 2026-11-22" in text
    assert "- faults: 107 rows: 0 passed, 1 failed, 0 none, 0 cannot apply, 106 waits\n" in text
    assert "| C1 | 2 | failed | a \\| b &lt;i><br>no row<br>(not on postgresql yet) |\n" in text
    found = _matrix.read_document(page)
    assert list(found) == list(_scenarios.IDS)
    assert found["C1"] == _matrix.as_written({"a | b <i>", "no row"})
    assert found["C2"] == set()


ROOT = Path(__file__).resolve().parent.parent


def test_the_page_is_the_one_of_these_marks(asserted_here: tuple[_scenarios.Asserted, set[Path]]) -> None:
    """Without running them: every mark that was collected is on the page; and in a whole run nothing else is."""
    asserted, files = asserted_here
    page = _matrix.read_document(ROOT / "sdk/SCENARIOS.md")
    assert list(page) == list(_scenarios.IDS)
    missing = {row: found for row in asserted if (found := _matrix.as_written(asserted[row]) - page[row])}
    assert missing == {}, "run `python3 tests --scenarios`, which writes sdk/SCENARIOS.md"
    everywhere = {path for path in (ROOT / "tests").rglob("test_*.py") if "scenario(" in path.read_text("utf-8")}
    if everywhere <= files | {ROOT / "tests/test_harness.py"}:
        gone = {row: found for row in page if (found := page[row] - _matrix.as_written(asserted.get(row, set())))}
        assert gone == {}, "run `python3 tests --scenarios`, which writes sdk/SCENARIOS.md"
