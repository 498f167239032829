"""Mutants are made, put in place and found: a few of them, from the command that looks for all."""

import subprocess
import sys
from pathlib import Path

import _mutant_code
import _mutants
import _mutants_made

SOURCE = """
class Till:
    def fits(self, paid, due):
        return [one for one in paid if one >= due]

    def name(self):
        return "till"
"""


def test_only_what_differs_is_exchanged():
    new = _mutant_code.changed_code(SOURCE, SOURCE.replace("one >= due", "not one >= due"), "till.py")
    assert list(new) == [("Till.fits", 3)]


def test_a_function_that_is_in_use_gets_its_changed_code(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("importlib.machinery.SourceFileLoader.get_code", None)
    path = tmp_path / "till.py"
    path.write_text(SOURCE)
    names: dict = {}
    exec(compile(SOURCE, str(path), "exec"), names)
    till = names["Till"]()
    in_use = till.fits
    change = _mutant_code.Change(path, SOURCE.replace("one >= due", "True"))
    _mutant_code.exchange(change, [names["Till"].fits, names["Till"].name])
    assert in_use([1, 5], 3) == [1, 5]


def test_the_zero_of_a_default_is_no_condition():
    assert not [one for one in _mutants_made.mutants() if one.text == "0"]


def test_some_mutants_are_looked_for_and_found():
    command = [
        sys.executable,
        _mutants.__file__,
        "judge_reply",
        "--tests",
        "checkout/test_judged.py",
        "--histories",
        "0",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert "4 mutants: 4 found by tests, 0 by histories of the simulator," in done.stdout
    assert done.stdout.endswith("100.0% in all; 0 survive.\n")
    assert done.returncode == 0, done.stderr
