"""Planted bugs: some are hunted in every run, all of them have to fit the source; what is found is told in short."""

import os
import re
import subprocess
import sys

import pytest

import _mutants
import _planted

BUGS = {bug.name: bug for bug in _planted.bugs()}
QUICK = ("due_told_while_unknown", "sent_before_its_intent", "unknown_is_never_due_again", "value_by_float")


@pytest.mark.parametrize("name", QUICK)
def test_a_planted_bug_is_found_as_what_it_is(name: str):
    found = _planted.hunt(BUGS[name], histories=60)
    assert found.well, str(found)


def test_every_planted_bug_fits_the_source():
    for bug in BUGS.values():
        assert _planted.edited(bug)


def test_every_invariant_is_broken_by_at_least_two():
    broken = [bug.breaks for bug in BUGS.values()]
    assert len(broken) >= 30
    assert {f"I{number}": broken.count(f"I{number}") >= 2 for number in range(1, 13)} == {
        f"I{number}": True for number in range(1, 13)
    }


def test_no_two_planted_bugs_differ_in_a_number_only():
    told = [
        tuple(
            (edit.file, re.sub(r"\d+(\.\d+)?", "0", edit.find), re.sub(r"\d+(\.\d+)?", "0", edit.replace))
            for edit in bug.edits
        )
        for bug in BUGS.values()
    ]
    assert len(set(told)) == len(told)


def test_a_bug_that_no_longer_fits_fails():
    bug = _planted.Bug("gone", "I1", "", (_planted.Edit("checkout/goals.py", "no such text", ""),))
    with pytest.raises(_planted.DoesNotApplyError, match="occurs 0 times: no such text"), _planted.planted(bug):
        pass


def test_a_failing_history_is_told_in_short():
    with _planted.planted(BUGS["sent_before_its_intent"]) as folder:
        command = [sys.executable, "-m", "punktgenau.testing.simulator", "--histories", "12", "--processes", "1"]
        environment = os.environ | {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 1
    seed = re.search(r"^seed (\d+) breaks$", done.stdout, re.MULTILINE)
    assert seed is not None
    told = done.stdout[seed.start() :].split("\nseed ")[0]
    assert f"again: python -m punktgenau.testing.simulator --seed {seed[1]} --histories 1" in told
    assert re.search(
        r"^  I4: (capture|void|reverse|cancel_by_key) leaves without a committed intent", told, re.MULTILINE
    )
    cut = re.search(r"cut down from (\d+) lines with (\d+) surprises to (\d+) with (\d+):", told)
    assert cut is not None
    lines, surprises, lines_left, surprises_left = map(int, cut.groups())
    assert lines_left <= lines
    assert surprises_left <= surprises
    # What is left is a history with people in it: who orders what, who serves it, and what happens when.
    assert re.search(r"A-\d: \d+ points of (anna|ben)'s for 54\.80 EUR, the shop writes the order", told)
    assert re.search(r"(web\d|worker\d|keeper): .*(place|recover|work|help)", told)
    assert re.search(r"!! I4 (capture|void|reverse|cancel_by_key) leaves without a committed intent", told)


def test_mutants_have_names_of_their_own_and_change_something():
    made = _mutants.mutants()
    names = [one.name for one in made]
    assert len(set(names)) == len(names) > 200
    assert all(one.text != one.instead for one in made)
    # Whatever decides whether a swap took place is among them.
    expected = {
        'statements swap_redemption: without r.version == bindparam("seen_version")',
        'statements finish_operation: without o.lease_token == bindparam("seen_token")',
        'migrations/versions/m0001_journal _redemption: without sa.UniqueConstraint("live_key")',
        'migrations/versions/m0001_journal _operation: without sa.UniqueConstraint("open_key")',
        "journal _swap: never tx.run(self._sql.swap_redemption, values) != 1",
    }
    assert expected <= set(names)


def test_a_reason_is_about_a_mutant_that_there_is():
    assert set(_mutants.survivors()) <= {one.name for one in _mutants.mutants()}
