"""`python3 tests` once `.venv` stands: style, types, import rules, tests, and one summary."""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import _bench
import _install
import _long
import _matrix
import _memory

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "sdk/SCENARIOS.md"
HELP = """\
Without arguments: style (ruff), types (mypy), import rules (import-linter), then all tests (pytest).
Any other argument goes to pytest, and then pytest runs alone:
    python3 tests -k webhook            python3 tests tests/sdk -x
    python3 tests --long                what takes up to an hour on two free cores; or parts, as in --long kills wal
A Chromium for the browser tests is installed where that can be done, in a whole run or with --require-browser.
Environment: PUNKTGENAU_BROWSER (path of a Chromium), PUNKTGENAU_NO_APT=1 (as --no-install),
PUNKTGENAU_TEST_POSTGRES_URL (a server to use; its user may create databases), CI=true (nothing may be skipped),
TMPDIR (where tests write; unset, a whole run writes into memory where there is room).
"""
COLOURS = sys.stdout.isatty() and "NO_COLOR" not in os.environ


@dataclass(frozen=True)
class Result:
    """How one part of the run ended."""

    name: str
    exit_code: int
    duration_s: float

    @property
    def line(self) -> str:
        return f"{'ok    ' if self.exit_code == 0 else 'FAILED'}  {self.name} ({self.duration_s:.1f} s)"


CHECKS: dict[str, list[str]] = {
    "style": [sys.executable, "-m", "ruff", "check", "--output-format", "concise", "."],
    "types": [sys.executable, "-m", "mypy"],
    "import rules": [str(Path(sys.executable).with_name("lint-imports")), "--no-logo"],
}
PYTEST = [sys.executable, "-m", "pytest"]
# What a file starts for all of its tests is started once; those with a browser stay last.
BY_FILE = ["--dist", "loadfile", "--no-loadscope-reorder"]


def main(arguments: list[str]) -> int:
    """Runs what was asked for; 0 when all of it is well."""
    options, for_pytest = _parser().parse_known_args(arguments)
    os.chdir(ROOT)
    _forget_bytecode()
    started = time.monotonic()
    if options.long is not None:
        return _long.main(options.long, for_pytest, share=options.share)
    if options.scenarios:
        return _scenarios(for_pytest, workers=options.workers)
    if options.bench:
        return _bench.main(for_pytest)
    everything = not for_pytest and not options.checks
    results = []
    if everything or options.checks:
        results += [_part(name, command) for name, command in CHECKS.items() if name != "types" or options.checks]
    if not options.checks:
        workers = options.workers or (str(_processes()) if everything else "")
        if workers:
            for_pytest += ["-n", workers, *BY_FILE]
        if options.require_browser:
            for_pytest.append("--require-browser")
        if (everything or options.require_browser) and not options.no_install:
            _install.browser()
        with (
            _beside("types", CHECKS["types"]) if everything else nullcontext() as types,
            _memory.folder() if everything else nullcontext() as temporary,
        ):
            kept = ["-o", "tmp_path_retention_policy=failed"] if temporary else []
            results.append(_part("tests", [*PYTEST, *kept, *for_pytest], temporary=temporary))
            if types is not None:
                results.insert(-1, types())
    if len(results) > 1:
        _heading("summary")
        for result in results:
            _say(result.line, good=result.exit_code == 0)
        _say(f"in all {time.monotonic() - started:.0f} s")
    return next((result.exit_code for result in reversed(results) if result.exit_code), 0)


def _forget_bytecode() -> None:
    """What tests wrote into folders of their own and had compiled is of no use to the next run."""
    if sys.pycache_prefix is not None:
        for temporary in (Path(tempfile.gettempdir()).resolve(), _memory.PLACE):
            shutil.rmtree(Path(sys.pycache_prefix, *temporary.parts[1:]), ignore_errors=True)


def _processes() -> int:
    """One more than this process may use cores: each waits for deadlines, servers and pages for a part of its time.

    Four are enough databases and browsers.
    """
    return min(4, 1 + (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python3 tests",
        epilog=f"{HELP}\nParts of --long:\n{_long.ABOUT}",
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "-n",
        dest="workers",
        metavar="N",
        help="spread the tests over N processes (all of them: one more than cores)",
    )
    parser.add_argument("--checks", action="store_true", help="only style, types and import rules")
    parser.add_argument(
        "--scenarios",
        action="store_true",
        help="run what carries a scenario, print the matrix and write sdk/SCENARIOS.md",
    )
    parser.add_argument("--bench", action="store_true", help="measure beside floors and peers; figures may be named")
    parser.add_argument(
        "--long",
        nargs="*",
        choices=_long.PARTS,
        metavar="PART",
        help=f"crashes, histories and figures, kept in sdk/RELIABILITY.md; parts: {', '.join(_long.PARTS)}. "
        "With one part, what follows goes to it (--seed 7)",
    )
    parser.add_argument(
        "--share",
        type=float,
        default=1.0,
        metavar="S",
        help="with --long: every part so much smaller (0.05), to see that it works; nothing is written down",
    )
    parser.add_argument("--no-install", action="store_true", help="install no browser, whatever is missing")
    parser.add_argument("--require-browser", action="store_true", help="a missing browser is a failure, not a skip")
    return parser


def _part(name: str, command: list[str], *, temporary: Path | None = None) -> Result:
    _heading(name)
    started = time.monotonic()
    exit_code = _call(command, temporary=temporary)
    return Result(name, exit_code, time.monotonic() - started)


@contextmanager
def _beside(name: str, command: list[str]) -> Iterator[Callable[[], Result]]:
    """Runs a part while another one runs; its result, when asked for, comes with what it said."""
    started = time.monotonic()
    with (
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as child,
        ThreadPoolExecutor(1) as waiting,
    ):
        heard = waiting.submit(lambda: (child.communicate()[0], time.monotonic() - started))

        def end() -> Result:
            said, duration_s = heard.result()
            _heading(name)
            print(said, end="", flush=True)
            return Result(name, child.returncode, duration_s)

        try:
            yield end
        finally:
            child.kill()


def _call(command: list[str], *, temporary: Path | None = None) -> int:
    """Runs a command to its end; one that is told to stop gets the time to stop what it has started."""
    told_to_stop = []
    environment = os.environ | ({"TMPDIR": str(temporary)} if temporary else {})
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, env=environment) as child:

        def pass_on(number: int, _frame: object) -> None:
            told_to_stop.append(number)
            # What is typed at a terminal reaches the child by itself.
            if number != signal.SIGINT or not sys.stdin.isatty():
                child.send_signal(number)

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, pass_on)
        exit_code = child.wait()
    if told_to_stop:
        raise SystemExit(128 + told_to_stop[0])
    return exit_code


def _scenarios(for_pytest: list[str], *, workers: str | None) -> int:
    with tempfile.TemporaryDirectory(prefix="punktgenau-scenarios-") as folder:
        report = Path(folder) / "scenarios.json"
        carrying = ["-m", "scenario", "--scenario-report", str(report), "-q"]
        spread = ["-n", workers, *BY_FILE] if workers else []
        exit_code = _call([*PYTEST, *carrying, *spread, *for_pytest])
        if not report.is_file():
            return exit_code or 1
        matrix = _matrix.Matrix(_matrix.read_report(report), _matrix.read_reasons(ROOT / "tests/scenario_reasons.toml"))
    print("\n".join(matrix.lines()), flush=True)
    if not for_pytest:
        # A part of the run would make a page of holes.
        DOCUMENT.write_text(matrix.document(day=f"{date.today():%Y-%m-%d}"), encoding="utf-8")
    return 0 if matrix.faults() == [] and exit_code == 0 else 1


def _heading(text: str) -> None:
    _say(f"\n── {text} " + "─" * (76 - len(text)))


def _say(text: str, *, good: bool = True) -> None:
    print(f"\033[31m{text}\033[0m" if COLOURS and not good else text, flush=True)
