"""The test set-up itself: marks are checked, nothing leaves this machine, nothing is skipped unseen."""

import json
import os
import socket
from pathlib import Path

import pytest
import requests

import _memory
import _strict

pytest_plugins = ["pytester"]
PLUGINS = ("-p", "_scenarios", "-p", "_strict", "-p", "no:cacheprovider")


def run(pytester: pytest.Pytester, source: str, *options: str) -> pytest.RunResult:
    pytester.makeini("[pytest]\nmarkers = scenario: a row")
    pytester.makepyfile(f"import pytest\n{source}")
    return pytester.runpytest_inprocess(*PLUGINS, *options)


@pytest.mark.parametrize(
    ("marks", "complaint"),
    [
        ('@pytest.mark.scenario("C99", "x")', "*there is no scenario 'C99'*"),
        ('@pytest.mark.scenario("C1")', '*a mark is scenario("B1", "what is asserted, one line")*'),
        ('@pytest.mark.scenario("C1", " ")', "*C1: say in one line what is asserted*"),
        ('@pytest.mark.scenario("C1", "x")\n' * 4, "*carries 4 scenarios, at most 3 are allowed*"),
    ],
    ids=["unknown", "no text", "blank text", "four"],
)
def test_wrong_scenario_mark_stops_the_run(pytester: pytest.Pytester, marks: str, complaint: str) -> None:
    result = run(pytester, f"{marks}\ndef test_x(): pass")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([complaint])


def test_scenario_report_tells_what_became_of_each_row(pytester: pytest.Pytester) -> None:
    source = """
@pytest.fixture
def broken():
    yield
    assert False
@pytest.mark.scenario("C1", "one hold")
def test_good(): pass
@pytest.mark.scenario("C2", "no row")
@pytest.mark.scenario("B1", "refused")
def test_bad_at_the_end(broken): pass
"""
    run(pytester, source, "--scenario-report", "report.json")
    report = json.loads((pytester.path / "report.json").read_text())
    outcomes = {identifier: [entry["outcome"] for entry in tests.values()] for identifier, tests in report.items()}
    assert outcomes == {"C1": ["passed"], "C2": ["failed"], "B1": ["failed"]}
    assert [entry["asserts"] for entry in report["B1"].values()] == ["refused"]


SKIPPING = {
    "in the test": "def test_x(): pytest.skip('no reason')",
    "by a mark": "@pytest.mark.skipif(True, reason='no reason')\ndef test_x(): pass",
    "by a fixture": "@pytest.fixture\ndef f(): pytest.skip('no reason')\ndef test_x(f): pass",
    "expected to fail": "@pytest.mark.xfail(reason='no reason')\ndef test_x(): assert False",
    "a whole file": "pytest.skip('no reason', allow_module_level=True)",
}


@pytest.mark.parametrize("source", SKIPPING.values(), ids=SKIPPING)
def test_what_is_not_run_is_a_failure_where_skips_are_forbidden(pytester: pytest.Pytester, source: str) -> None:
    result = run(pytester, source, "--forbid-skips")
    assert result.ret in (pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED)
    result.stdout.fnmatch_lines(["*no reason*"])
    assert not result.parseoutcomes().keys() & {"skipped", "xfailed", "passed"}


@pytest.mark.parametrize(
    ("value", "expected"), [("true", True), ("1", True), ("false", False), ("", False), (None, False)]
)
def test_ci_is_what_the_environment_says(monkeypatch: pytest.MonkeyPatch, value: str | None, expected: bool) -> None:
    monkeypatch.delenv("CI", raising=False)
    if value is not None:
        monkeypatch.setenv("CI", value)
    assert _strict.in_ci() is expected


@pytest.mark.parametrize("address", ["10.0.0.1", "192.0.2.7", "2001:db8::1"])
def test_socket_beyond_this_machine_fails_the_test(address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as sock, pytest.raises(pytest.fail.Exception, match=address):
        sock.connect((address, 80))


def test_names_beyond_this_machine_do_not_resolve() -> None:
    with pytest.raises(requests.ConnectionError, match="tests look up no names"):
        requests.get("https://shop.example/", timeout=1)


def test_this_machine_can_be_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        pass


def test_every_database_is_of_its_own(database_url: str, tmp_path: Path) -> None:
    assert database_url.startswith(("sqlite:///", "postgresql+psycopg://"))
    assert str(tmp_path) in database_url or "/punktgenau_test_" in database_url


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """As if this folder were the machine's memory, with room enough."""
    monkeypatch.delenv("TMPDIR", raising=False)
    monkeypatch.setattr(_memory, "PLACE", tmp_path)
    monkeypatch.setattr(_memory, "_ROOM", 1)
    return tmp_path


def test_a_whole_run_writes_into_memory_and_leaves_nothing_there(memory: Path) -> None:
    left = memory / "punktgenau-tests-999999999"
    left.mkdir()
    others = memory / f"punktgenau-tests-{os.getppid()}"
    others.mkdir()
    with _memory.folder() as folder:
        assert folder is not None
        assert folder.parent == memory
        (folder / "journal.sqlite").touch()
        assert not left.exists()
    assert list(memory.iterdir()) == [others]


def test_memory_is_used_only_where_nobody_says_otherwise_and_there_is_room(
    memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", "/elsewhere")
    with _memory.folder() as folder:
        assert folder is None
    monkeypatch.delenv("TMPDIR")
    monkeypatch.setattr(_memory, "_ROOM", 2**60)
    with _memory.folder() as folder:
        assert folder is None
    monkeypatch.setattr(_memory, "PLACE", memory / "missing")
    with _memory.folder() as folder:
        assert folder is None
