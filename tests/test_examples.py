"""Every numbered example runs as a script, offline, and prints what it should."""

import os
import re
import subprocess
import sys

import pytest

from _source import ROOT

EXAMPLES = sorted(path for path in (ROOT / "examples").glob("[0-9]*.py"))

# Written by hand from the rules: one point is one cent, mbr_2500 has 2500 points, a bill of 59.90 or 54.80 EUR.
PRINTED = {
    "01_quickstart.py": """\
available: 2500 points, 1 point = 1 cent
quote: 427 points pay 427 of 5990 cents
authorized: 427 points; available 2073, held 427
captured: 427 points; once more: 427, replayed=True
""",
    "02_lost_answer.py": """\
OutcomeUnknownError: outcome unknown, retry with same_key
next: redemptions.find(idempotency_key='<key>')
found by key: 427 points authorized
found by order: 1
same call again: authorized, replayed=True
held at the provider: 427 points
captured: 427 points, sent 2 times
""",
    "03_return.py": """\
captured: 427 points, 573 left
R-1: 142 points = 142 cents back, replayed=False
R-1: 142 points = 142 cents back, replayed=True
R-2: refused (reversal_exceeds_capture), 285 points can still go back
R-3: 185 restored, 100 already expired, now reversed
available: 900 points
  expiry -100: 100 points expired
  reversal +285: Returned, order A-1001
  reversal +142: Returned, order A-1001
""",
    "04_crash_and_recover.py": """\
A-1001: 427 points authorized, 5053 cents due by card
A-1002: the process ended with 9; in the journal: authorizing
provider: 300 points held, and nobody here knows
A-1002: authorized, as its order may still come
A-1002: voided, as it never came
provider: 2073 points available, 0 held
""",
    "05_testing_your_shop.py": """\
passed: test_points_and_card
passed: test_declined_card_gives_the_points_back
passed: test_lost_answer_takes_nothing_twice
passed: test_shop_sells_while_the_provider_is_away
""",
}


@pytest.mark.parametrize("name", PRINTED)
def test_example_prints(name: str) -> None:
    # A proxy that cannot be reached: whatever is not on this machine would fail.
    environment = {**os.environ, "https_proxy": "http://127.0.0.1:9", "no_proxy": "127.0.0.1,localhost"}
    done = subprocess.run(
        [sys.executable, "-W", "error", str(ROOT / "examples" / name)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=environment,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert re.sub(r"'pk_\w+'", "'<key>'", done.stdout) == PRINTED[name]


def test_every_example_is_run_and_short_enough_to_read() -> None:
    assert [path.name for path in EXAMPLES] == sorted(PRINTED)
    lines = {path.name: len(path.read_text(encoding="utf-8").splitlines()) for path in EXAMPLES}
    assert {name: count for name, count in lines.items() if not 30 <= count <= 90} == {}
