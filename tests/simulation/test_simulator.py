"""The simulator itself: the production code keeps every invariant, and the same seed is the same history anywhere."""

import json
import os
import subprocess
import sys
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from punktgenau.profiles import PROFILES
from punktgenau.testing.simulator import Tally, coverage, run
from punktgenau.testing.simulator.provider import BEGINS, URL, SimulatedProvider, sent_of
from punktgenau.testing.simulator.script import Place, Script
from punktgenau.testing.simulator.turns import Killed, SimulatorError, Turns

HISTORIES = 100


class InOrder:
    """Whoever has waited longest goes on."""

    def next(self, me, ready):
        return min(ready, key=lambda one: (one is me, one.ready_at_us, one.number))


@pytest.mark.scenario("C2", "killed between intent and bytes, anywhere, any number of times: one effect or none")
@pytest.mark.scenario("C12", "killed inside recovery itself: the next one goes on")
@pytest.mark.scenario("N10", "a request that arrives after its sender gave up makes no second effect")
def test_every_invariant_holds():
    tally = Tally()
    for part in run(range(1, HISTORIES + 1), processes=1):
        tally.merge(part)
    assert tally.broken == {}
    # Calls for a token alone are not counted.
    totals = (tally.calls - tally.tokens, tally.workers, tally.faults, tally.crashes)
    averages = [total / HISTORIES for total in totals]
    assert all(found >= least for found, least in zip(averages, (8, 3, 2, 1), strict=True)), averages
    assert sum(cell[0] == coverage.VARIANT for cell in tally.cells) >= len(PROFILES) / 2


def test_what_is_out_of_reach_has_a_reason_and_the_rest_is_asked_for():
    known = coverage.cells()
    assert known["crash", "token", "before the intent's commit"].startswith("crash points: a read")
    assert known["crash", "capture", "answer on its way"] == ""
    assert known["fault", "authorize", "timeout late"] == ""
    assert known["fault", "get", "lagging before"] == ""
    assert known["by itself", "voided", ""] == known["hint", "repeated", ""] == ""
    assert known["edge", "reversing", "partially_reversed"] == known["edge", "capturing", "partially_captured"] == ""
    assert known[coverage.SEVERAL, "reverse", "answer on its way"] == known[coverage.VOUCHER, "in two carts", ""] == ""
    assert known["fault", "buy_voucher", "timeout late"] == known["crash", "get_voucher", "answer read"] == ""
    assert {cell[1] for cell in known if cell[0] == coverage.VARIANT} == set(PROFILES)
    unreached = coverage.missing(Counter({("crash", "capture", "answer on its way"): 1}))
    assert ("crash", "capture", "answer on its way") not in unreached
    assert ("crash", "capture", "answer read") in unreached
    assert ("crash", "token", "before the intent's commit") not in unreached
    # Reasons are few, or nobody would read them.
    assert len({reason for reason in known.values() if reason}) <= 8


def test_a_provider_changes_things_by_itself_and_answers_as_of_a_moment_ago():
    provider = SimulatedProvider()
    provider.reset(variant="slow_lookup", lags=True)
    body = json.dumps(
        {
            "member_id": "mbr_42",
            "order_reference": "A-1",
            "points": 30,
            "total": {"amount_minor": 5480, "currency": "EUR"},
        }
    )
    headers = {"Authorization": f"Bearer {json.loads(provider.token.content)['access_token']}"}
    written = headers | {"Content-Type": "application/json", "Idempotency-Key": "k-1"}

    def at(seconds: int) -> datetime:
        return BEGINS + timedelta(seconds=seconds)

    provider.deliver(sent_of("POST", f"{URL}/v1/redemptions", written, body.encode()), at=at(10))
    assert provider.by_itself("corrected", order_reference="A-1", at=at(15)) is None
    assert provider.by_itself("voided", order_reference="A-1", at=at(20)) == "voided"

    def state(**more: datetime) -> str | None:
        asked = sent_of("GET", f"{URL}/v1/redemptions/red_0001", headers, b"")
        found: str | None = json.loads(provider.deliver(asked, at=at(30), **more).content).get("state")
        return found

    assert [state(), state(as_of=at(25)), state(as_of=at(12)), state(as_of=at(5)), state()] == [
        "voided", "voided", "authorized", None, "voided",
    ]  # fmt: skip
    assert provider.unbalanced() == []


def test_the_same_seed_is_the_same_history_in_another_process(tmp_path: Path):
    reports = []
    for number in (1, 2):
        report = tmp_path / f"{number}.json"
        command = [sys.executable, "-m", "punktgenau.testing.simulator", "--histories", "8", "--processes", "1"]
        subprocess.run(
            [*command, "--report", str(report)],
            check=True,
            capture_output=True,
            env=os.environ | {"PYTHONHASHSEED": str(number)},
        )
        reports.append(json.loads(report.read_text("utf-8")))
    assert reports[0]["trace"] == reports[1]["trace"]
    assert reports[0]["histories"] == 8


def test_one_runs_at_a_time_and_time_moves_when_all_wait():
    turns = Turns(InOrder())
    told = []

    def worker(name, seconds):
        told.append((name, "begins", turns.now_us))
        turns.point()
        told.append((name, "goes on", turns.now_us))
        turns.sleep(seconds)
        told.append((name, "wakes", turns.now_us))

    turns.start("one", lambda: worker("one", 2.0))
    turns.start("other", lambda: worker("other", 0.5))
    turns.later("late", lambda: told.append(("late", "arrives", turns.now_us)), delay_s=1.0)
    turns.run()
    assert told == [
        ("one", "begins", 0),
        ("other", "begins", 0),
        ("one", "goes on", 0),
        ("other", "goes on", 0),
        ("other", "wakes", 500_000),
        ("late", "arrives", 1_000_000),
        ("one", "wakes", 2_000_000),
    ]


def test_who_waits_for_what_never_comes_is_noticed():
    turns = Turns(InOrder())
    turns.start("one", lambda: turns.wait(lambda: False))
    turns.start("other", lambda: turns.wait(lambda: False))
    with pytest.raises(SimulatorError, match="everybody waits"):
        turns.run()


def test_what_an_actor_raises_unwinds_the_others():
    turns = Turns(InOrder())
    ends = []

    def patient():
        try:
            turns.sleep(60)
        except Killed:
            ends.append("unwound")
            raise

    def failing():
        turns.sleep(1)
        raise ValueError("a defect")

    turns.start("patient", patient)
    turns.start("failing", failing)
    with pytest.raises(ValueError, match="a defect"):
        turns.run()
    assert ends == ["unwound"]


def test_a_decision_depends_on_its_place_alone():
    here, elsewhere = Place("web1", 7, "crash"), Place("web2", 7, "crash")
    assert Script(3).fraction(here) == Script(3).fraction(here)
    assert len({Script(seed).fraction(place) for seed in (3, 4) for place in (here, elsewhere)}) == 4
    script = Script(3, only=frozenset({here}))
    assert script.happens(here, 1.0)
    assert not script.happens(elsewhere, 1.0)
    assert script.taken == [here]
