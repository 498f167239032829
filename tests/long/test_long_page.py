"""The page that keeps what the long parts measured, and the runner that fills it."""

import platform
from pathlib import Path

import pytest

import _long
from long import report


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


def test_a_part_that_is_not_there_yet_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(_long.OTHERS, "mutants", ["tests/_not_there.py"])
    found = _long.run("mutants")
    assert (found.exit_code, found.lines) == (0, None)


def test_a_command_that_knows_of_no_sections_gets_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_long, "is_there", lambda command: True)
    monkeypatch.setitem(_long.OTHERS, "planted", ["-c", "print('31 of 31 found')"])
    found = _long.run("planted")
    assert found.exit_code == 0
    assert found.lines is not None
    assert "31 of 31 found" in found.lines
    monkeypatch.setitem(_long.OTHERS, "planted", ["-c", "import sys; sys.exit('30 of 31')"])
    assert _long.run("planted").exit_code == 1


def test_histories_that_take_too_long_are_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "**NO**" in _long.section_of("histories", 0, [], duration_s=181.0)[3]
    assert "**NO**" not in "\n".join(_long.section_of("histories", 0, ["all well"], duration_s=179.0))


def test_options_need_a_part_to_go_to(capsys: pytest.CaptureFixture[str]) -> None:
    assert _long.main(["wal", "outage"], ["--seed", "7"]) == 2
    assert "name one part" in capsys.readouterr().err


def test_every_own_part_has_its_module() -> None:
    assert [part for part in _long.OWN if not (Path(_long.TESTS) / "long" / f"{part}.py").is_file()] == []
