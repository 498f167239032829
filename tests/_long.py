"""`python3 tests --long`: what takes too long for every run, by part; sdk/RELIABILITY.md keeps the last of each."""

from __future__ import annotations

import importlib.util
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from long.report import Report, keep

TESTS = Path(__file__).resolve().parent
ROOT = TESTS.parent
PAGE = ROOT / "sdk" / "RELIABILITY.md"
QUIET_S = 30.0
TOLD_LINES = 80
HISTORIES_S = 180.0

OWN = ("kills", "wal", "views", "unknowns", "memory", "deadlines", "outage")
"""Parts that stand in tests/long and write their own section."""
OTHERS: dict[str, list[str]] = {
    "histories": [
        "-m",
        "punktgenau.testing.simulator",
        "--histories",
        "10000",
        "--processes",
        "2",
        "--require-coverage",
    ],
    "returns": ["tests/long/returns.py", "--processes", "2"],
    "parallel": ["tests/long/parallel_returns.py"],
    "reconcile": ["tests/long/reconcile.py"],
    "planted": ["tests/_planted.py", "--processes", "2"],
    "mutants": ["tests/_mutants.py", "--processes", "2"],
}
"""Parts that are commands of their own: their last lines are the section."""
PARTS = (*OWN, *OTHERS)
ABOUT = """\
kills      5,000 orders on SQLite and on PostgreSQL while processes and servers are killed
wal        a write-ahead log cut at every 512 bytes
views      1,000 killed checkouts, neither worker nor cron, 200 page views
unknowns   recovery of 10,000 lost answers
memory     100,000 operations of one process
deadlines  the longest time until control is back
outage     requests per operation while the provider is away
histories  10,000 simulated histories
returns    100,000 histories of returns
parallel   1,000 times two to four returns at once, on SQLite and on PostgreSQL
reconcile  1,000,000 lines of a statement with 40 planted differences
planted    planted bugs
mutants    generated mutants of journal and executor
"""


@dataclass(frozen=True)
class Ended:
    """How one part ended; lines None: there was nothing to run."""

    part: str
    exit_code: int
    lines: list[str] | None
    duration_s: float

    @property
    def line(self) -> str:
        """For the summary."""
        word = "absent" if self.lines is None else "ok    " if self.exit_code == 0 else "FAILED"
        return f"{word}  {self.part} ({self.duration_s:.0f} s)"


def main(parts: Sequence[str], more: Sequence[str]) -> int:
    """Run these parts, or all; `more` goes to the part where one is named. 0 when every target was reached."""
    if more and len(parts) != 1:
        sys.stderr.write(f"name one part for {' '.join(more)}\n")
        return 2
    results = []
    for part in parts or PARTS:
        _say(f"\n── {part} " + "─" * (76 - len(part)))
        result = run(part, more)
        results.append(result)
        if result.lines is not None:
            keep(PAGE, part, [*result.lines, "", f"Took {result.duration_s:.0f} s."], order=PARTS)
    _say("\n── summary " + "─" * 69)
    for result in results:
        _say(result.line)
    return max(result.exit_code for result in results)


def run(part: str, more: Sequence[str] = ()) -> Ended:
    """One part, to its end."""
    started = time.monotonic()
    if part in OTHERS and not is_there(OTHERS[part]):
        _say("is not part of this checkout yet")
        return Ended(part, 0, None, 0.0)
    with tempfile.TemporaryDirectory(prefix="punktgenau-long-") as folder:
        file = Path(folder) / "section.md"
        own = ["-m", f"long.{part}", "--report", str(file)]
        exit_code, told = _call([*(own if part in OWN else OTHERS[part]), *more], cwd=TESTS if part in OWN else ROOT)
        duration_s = time.monotonic() - started
        if part not in OWN:
            lines = section_of(part, exit_code, told, duration_s=duration_s)
            exit_code = exit_code or int(any("**NO**" in line for line in lines))
        elif file.is_file():
            lines = file.read_text("utf-8").splitlines()
        else:
            lines = [f"Came to no end (exit code {exit_code})."]
    return Ended(part, exit_code, lines, duration_s)


def is_there(command: Sequence[str]) -> bool:
    """Whether the module or the script of a command exists."""
    if command[0] == "-m":
        return importlib.util.find_spec(command[1]) is not None
    return (ROOT / command[0]).is_file()


def section_of(part: str, exit_code: int, told: Sequence[str], *, duration_s: float) -> list[str]:
    """The section of a command that knows nothing of sections."""
    report = Report(part)
    report.figure("exit code", exit_code, "0", exit_code == 0)
    if part == "histories":
        report.figure("seconds", f"{duration_s:.0f}", f"<= {HISTORIES_S:.0f}", duration_s <= HISTORIES_S)
    last = [line.replace(f"{ROOT}{os.sep}", "").replace(tempfile.gettempdir(), "...") for line in told[-TOLD_LINES:]]
    report.note("\n".join(["```text", *last, "```"]))
    return report.lines()


def _call(arguments: Sequence[str], *, cwd: Path) -> tuple[int, list[str]]:
    """Run a command, pass on what it says, and say from time to time that it still runs."""
    told: list[str] = []
    started = time.monotonic()
    command = [sys.executable, *arguments]
    with (
        subprocess.Popen(command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as child,
        selectors.DefaultSelector() as waiting,
    ):
        before = signal.signal(signal.SIGTERM, lambda number, frame: child.send_signal(number))
        assert child.stdout is not None
        # Unbuffered underneath, so that what was read is never waited for again.
        os.set_blocking(child.stdout.fileno(), False)
        waiting.register(child.stdout, selectors.EVENT_READ)
        rest = ""
        try:
            while True:
                if not waiting.select(QUIET_S):
                    _say(f"... {time.monotonic() - started:.0f} s")
                    continue
                more = os.read(child.stdout.fileno(), 65_536)
                if not more:
                    break
                *lines, rest = (rest + more.decode("utf-8", "replace")).split("\n")
                for line in lines:
                    _say(line)
                told += lines
        except KeyboardInterrupt:
            child.send_signal(signal.SIGINT)
            child.wait()
            raise
        finally:
            signal.signal(signal.SIGTERM, before)
    return child.returncode, [*told, rest] if rest else told


def _say(text: str) -> None:
    print(text, flush=True)
