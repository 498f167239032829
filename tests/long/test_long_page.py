"""The page that keeps what the long parts measured."""

import platform
from pathlib import Path

import pytest

from long import mutants, report


def made(what: str, *, is_met: bool = True) -> report.Report:
    found = report.Report("kills")
    found.figure(what, 3, "0", is_met)
    return found


def test_a_run_of_one_part_replaces_its_section_only(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    order = ["kills", "wal"]
    report.keep(page, "wal", ["first wal"], order=order)
    report.keep(page, "kills", ["first kills"], order=order)
    report.keep(page, "kills", ["second kills"], order=order)
    text = page.read_text("utf-8")
    assert text.count("## ") == 2
    assert text.index("## kills") < text.index("second kills") < text.index("## wal") < text.index("first wal")
    assert "first kills" not in text
    assert text.startswith("# Reliability, measured\n")
    assert text.count("Python 3.") == 2


def test_a_missed_target_is_seen(tmp_path: Path) -> None:
    assert made("violations").is_met
    missed = made("violations", is_met=False)
    assert missed.lines()[2] == "| violations | 3        | 0      | **NO** |"
    assert report.ended(missed, tmp_path / "section.md") == 1
    assert report.ended(made("violations"), None) == 0
    assert not report.Report("nothing measured").is_met


def test_what_a_machine_is_called_stays_there() -> None:
    assert platform.node() not in report.machine()


MUTANTS = """\
120 tests and 100 histories, run once in 31 s;
  journal                              40 mutants,   38 found
40 mutants: 30 found by tests, 8 by histories of the simulator,
95.0% in all; 2 survive:
  journal _lease: never row is None
      The row is there.
  journal claim: without count == 1
      {why}"""


@pytest.mark.parametrize(("why", "is_met"), [("It saves a wait.", True), ("NO REASON", False)])
def test_mutants_have_a_section(why: str, is_met: bool) -> None:
    found = mutants.read(MUTANTS.format(why=why).splitlines(), exit_code=0 if is_met else 1)
    assert found.is_met == is_met
    assert ("found", "38 (95.0%)") in [(one.what, one.measured) for one in found.figures]
    assert "journal claim: without count == 1" in "\n".join(found.lines())


def test_mutants_that_came_to_no_end_are_a_failure() -> None:
    assert not mutants.read(["came to no end: 3 of 40"], exit_code=2).is_met
    failing = f"2 checks fail on the source as it is, so they are left out:\n{MUTANTS.format(why='It waits.')}"
    assert not mutants.read(failing.splitlines(), exit_code=1).is_met
