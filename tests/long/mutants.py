"""Generated mutants of journal and executor, by the command that makes them: `python tests/_mutants.py --processes 2`.

python -m long.mutants --processes 2
"""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from _mutants import LEAST_SHARE
from long.report import Report, ended, parser, say

COMMAND = Path(__file__).resolve().parent.parent / "_mutants.py"
TOLD = 60


def read(lines: Sequence[str], *, exit_code: int) -> Report:
    """The section, from what the command says at its end."""
    report = Report("mutants")
    text = "\n".join(lines)
    made = re.search(r"^(\d+) mutants: (\d+) found by tests, (\d+) by histories", text, re.MULTILINE)
    if made is None:
        report.figure("came to its end", "no", "yes", False)
        report.note("\n".join(["```text", *lines[-TOLD:], "```"]))
        return report
    count, by_tests, by_histories = (int(number) for number in made.groups())
    found = by_tests + by_histories
    share = found / count if count else 0.0
    unexplained = text.count("NO REASON")
    failing = re.search(r"^(\d+) checks fail on the source as it is", text, re.MULTILINE)
    report.figure("mutants made", count, ">= 1", count > 0)
    report.figure("found", f"{found} ({share:.1%})", f">= {LEAST_SHARE:.0%}", share >= LEAST_SHARE)
    report.figure("survivors without a reason", unexplained, "0", not unexplained)
    report.figure("checks that fail on the source as it is", failing[1] if failing else 0, "0", not failing)
    report.figure("exit code", exit_code, "0", exit_code == 0)
    report.note(f"{by_tests} found by tests, {by_histories} by histories of the simulator, {count - found} survive.")
    report.note("\n".join(["```text", *lines[-TOLD:], "```"]))
    return report


def main() -> int:
    """0 when enough were found and every survivor has its reason."""
    options = parser(__doc__)
    options.add_argument("--processes", type=int, default=2)
    options.add_argument(
        "--only", nargs="*", default=[], metavar="WORD", help="mutants with one of these in their name"
    )
    options.add_argument("--tests", nargs="*", default=[], help="which of tests/ are asked")
    chosen = options.parse_args()
    command = [sys.executable, str(COMMAND), "--processes", str(chosen.processes), *chosen.only]
    if chosen.tests:
        command += ["--tests", *chosen.tests]
    lines = []
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        try:
            for line in child.stdout:
                lines.append(line.rstrip("\n"))
                say(lines[-1])
        except KeyboardInterrupt:
            child.send_signal(signal.SIGINT)
            raise
    return ended(read(lines, exit_code=child.returncode), chosen.report)


if __name__ == "__main__":
    sys.exit(main())
