"""Long parts in two lanes: which runs when, what is told, kept and judged."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

import _long
from long import lanes
from long.parts import ALL, Part

WELL = "import sys; open(sys.argv[-1], 'w').write('| a | 1 | 1 | yes |'); print('worked')"
MISSED = WELL.replace("yes", "**NO**")
SILENT = "import sys; sys.exit(3)"


def part(monkeypatch: pytest.MonkeyPatch, **code: str) -> list[Part]:
    """Parts that run this code instead of a module."""

    def arguments(self: Part, *, processors: int, share: float = 1.0) -> list[str]:
        return ["-c", code[self.name]]

    monkeypatch.setattr(Part, "arguments", arguments)
    return [Part(name=name, about="", minutes=1) for name in code]


def run(tmp_path: Path, parts: Sequence[Part], *, of: Sequence[int]) -> tuple[list[lanes.Ended], list[str]]:
    told: list[str] = []
    return list(lanes.Lanes(tmp_path, of=of, say=told.append).run(parts)), told


def test_a_part_is_well_only_with_a_section_and_every_target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = part(monkeypatch, good=WELL, bad=MISSED, none=SILENT)
    found, told = run(tmp_path, parts, of=lanes.processors()[:1])
    assert {one.part: one.is_well for one in found} == {"good": True, "bad": False, "none": False}
    assert [one.lines for one in found if one.part == "good"] == [["| a | 1 | 1 | yes |"]]
    assert "[1 good]         worked" in told
    assert _long.whole_of(found, duration_s=60.0, is_whole=False).is_met is False


def test_lanes_take_the_longest_first_and_some_parts_all_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_setaffinity", lambda pid, cores: None, raising=False)
    part(monkeypatch, both=WELL, long=WELL, middle=WELL, short=WELL)
    parts = [
        Part(name="short", about="", minutes=1),
        Part(name="long", about="", minutes=9),
        Part(name="both", about="", minutes=2, alone=True),
        Part(name="middle", about="", minutes=5),
    ]
    found, told = run(tmp_path, parts, of=(0, 1))
    begun = [line.split("]")[0] for line in told if line.endswith("begins")]
    assert begun[:3] == ["[1+2 both", "[1 long", "[2 middle"]
    assert {one.part for one in found} == {"both", "long", "middle", "short"}
    assert next(one for one in found if one.part == "both").lane == ", lane 1+2"
    assert told.index("[1+2 both]       worked") < told.index("[1 long]         begins")


def test_one_database_server_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_setaffinity", lambda pid, cores: None, raising=False)
    part(monkeypatch, one=WELL, other=WELL, plain=WELL)
    parts = [
        Part(name="one", about="", minutes=9, postgres=True),
        Part(name="other", about="", minutes=8, postgres=True),
        Part(name="plain", about="", minutes=1),
    ]
    found, told = run(tmp_path, parts, of=(0, 1))
    assert [line for line in told if line.endswith("begins")][1] == "[2 plain]        begins"
    assert told.index("[1 one]          worked") < next(at for at, line in enumerate(told) if "other]" in line)
    assert len(found) == 3


def test_a_smaller_share_is_told_to_the_part() -> None:
    kills = next(one for one in ALL if one.name == "kills")
    assert kills.arguments(processors=2) == ["-m", "long.kills"]
    assert kills.arguments(processors=2, share=0.01) == ["-m", "long.kills", "--orders", "50", "--kills", "5"]
    planted = next(one for one in ALL if one.name == "planted")
    assert planted.arguments(processors=1) == ["-m", "long.planted", "--processes", "1"]


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    kept = tmp_path / "RELIABILITY.md"
    monkeypatch.setattr(_long, "PAGE", kept)
    return kept


def test_a_part_that_fails_fails_the_run_and_stands_on_the_page(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    part(monkeypatch, wal=WELL, views=SILENT)
    assert _long.main(["wal"], []) == 0
    assert "## wal" in page.read_text("utf-8")
    assert _long.main(["wal", "views"], []) == 1
    assert "Came to no end (exit code 3)" in page.read_text("utf-8")


def test_a_run_that_is_stopped_leaves_what_had_ended(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sleeping = "import time; time.sleep(600)"
    part(monkeypatch, views=sleeping, wal=WELL)
    monkeypatch.setattr(os, "sched_setaffinity", lambda pid, cores: None, raising=False)
    monkeypatch.setattr(_long, "processors", lambda: [0, 1])
    page.write_text("## views\n\nas it was\n", "utf-8")

    def say(text: str) -> None:
        if text.startswith("── ok"):
            raise KeyboardInterrupt

    monkeypatch.setattr(_long, "_say", lambda text: None if text.startswith("stopped") else say(text))
    assert _long.main(["views", "wal"], []) == 130
    text = page.read_text("utf-8")
    assert "as it was" in text
    assert "| a | 1 | 1 | yes |" in text


def test_a_share_writes_nothing_down(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    part(monkeypatch, wal=WELL)
    assert _long.main(["wal"], [], share=0.1) == 0
    assert not page.exists()


def test_a_run_of_all_that_takes_too_long_is_a_failure() -> None:
    one = lanes.Ended(part="wal", lane=", lane 1", exit_code=0, lines=["yes"], duration_s=3700)
    assert _long.whole_of([one], duration_s=3590, is_whole=True).is_met
    assert not _long.whole_of([one], duration_s=3610, is_whole=True).is_met


def test_options_need_a_part_to_go_to(capsys: pytest.CaptureFixture[str]) -> None:
    assert _long.main(["wal", "outage"], ["--seed", "7"]) == 2
    assert "name one part" in capsys.readouterr().err


def test_every_part_has_its_module() -> None:
    assert [one.name for one in ALL if not (lanes.TESTS / "long" / f"{one.name}.py").is_file()] == []
