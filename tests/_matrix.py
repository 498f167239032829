"""The scenario matrix: every row of the list with the tests that carry it, generated from a run."""

import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import _scenarios

MOST_THAT_CANNOT_APPLY = 7
ON_BOTH_DATABASES = "CKD"
DATABASES = ("sqlite", "postgresql")
# Rows that mean something on one database only, or have no journal in them, with the reason.
ON_ONE = {
    "C15": "connections of a client and an engine that is not opened yet",
    "K12": "a client has no journal",
    "D9": "from SQLite to PostgreSQL",
    "K11": "one file is SQLite's alone",
    "D4": "PostgreSQL keeps its own log",
    "D8": "a server's file system is not ours",
}
DOCUMENT_HEAD = """\
# Scenarios

What must be survived, row by row, with the tests that carry it. Written by `python3 tests --scenarios`, never by hand;
last run {day}. C crash points, N network, P provider, K concurrency, D storage and deploy, B bad input, S attacks;
T what really went wrong in other shops. `(in part: ...)` names what the rest of a row waits for.

{counts}

| id | tests | state | what is asserted |
| --- | ---: | --- | --- |
"""
_REASON = re.compile(r"cannot apply: \S.*|waits for F\d+(: \S.*)?")


@dataclass(frozen=True)
class Carrier:
    """One test that carries a scenario, and what became of it."""

    test: str
    asserts: str
    outcome: str


Carried = Mapping[str, tuple[Carrier, ...]]


def read_report(report: Path) -> Carried:
    """What a run wrote with `--scenario-report`."""
    raw = json.loads(report.read_text(encoding="utf-8"))
    return {
        identifier: tuple(Carrier(test, entry["asserts"], entry["outcome"]) for test, entry in sorted(tests.items()))
        for identifier, tests in raw.items()
    }


def read_reasons(source: Path) -> dict[str, str]:
    """Why a row has no test yet. Raises ValueError for a reason that is none."""
    reasons = tomllib.loads(source.read_text(encoding="utf-8"))
    for identifier, reason in reasons.items():
        if identifier not in _scenarios.IDS:
            raise ValueError(f"{source.name}: there is no scenario {identifier!r}")
        if not isinstance(reason, str) or _REASON.fullmatch(reason) is None:
            raise ValueError(f"{source.name}: {identifier} is neither 'cannot apply: why' nor 'waits for F5'")
    return reasons


class Matrix:
    """Rows, counts and what is wrong with them."""

    def __init__(self, carried: Carried, reasons: Mapping[str, str]) -> None:
        self._carried = carried
        self._reasons = reasons

    def state(self, identifier: str) -> str:
        """passed, failed (also: skipped), cannot apply, waits, or none."""
        carriers = self._carried.get(identifier, ())
        if carriers:
            return "passed" if all(carrier.outcome == "passed" for carrier in carriers) else "failed"
        reason = self._reasons.get(identifier, "")
        return "cannot apply" if reason.startswith("cannot") else "waits" if reason else "none"

    def faults(self) -> list[str]:
        """Why the matrix is not well; empty when it is."""
        states = {identifier: self.state(identifier) for identifier in _scenarios.IDS}
        found = []
        if failed := _of(states, "failed"):
            found.append(f"a test that carries it failed or was skipped: {' '.join(failed)}")
        if bare := _of(states, "none"):
            found.append(f"neither a test nor a reason: {' '.join(bare)}")
        excused = [identifier for identifier in _of(states, "cannot apply") if identifier[0] in _scenarios.FAULTS]
        if len(excused) > MOST_THAT_CANNOT_APPLY:
            found.append(f"{len(excused)} faults are said not to apply, at most {MOST_THAT_CANNOT_APPLY} may")
        return found

    def lines(self) -> Iterator[str]:
        """The matrix as text, then what is wrong, then the counts."""
        yield f"\n{'id':<5}{'tests':>5}  {'state':<13}asserts"
        for identifier in _scenarios.IDS:
            yield from self._row(identifier)
        yield ""
        yield from self.faults()
        yield from self.counts()

    def counts(self) -> Iterator[str]:
        """How many rows stand how, for the faults and for the other shops."""
        for name, letters in (("faults", _scenarios.FAULTS), ("shops", _scenarios.SHOPS)):
            rows = [identifier for identifier in _scenarios.IDS if identifier[0] in letters]
            counts = Counter(self.state(identifier) for identifier in rows)
            parts = [f"{counts[state]} {state}" for state in ("passed", "failed", "none", "cannot apply", "waits")]
            yield f"{name}: {len(rows)} rows: {', '.join(parts)}"

    def document(self, *, day: str) -> str:
        """The matrix as a page of the documentation."""
        rows = []
        for identifier in _scenarios.IDS:
            carriers = len(self._carried.get(identifier, ()))
            texts = "<br>".join(_in_a_cell(text) for text in self._texts(identifier))
            rows.append(f"| {identifier} | {carriers} | {self.state(identifier)} | {texts} |\n")
        return DOCUMENT_HEAD.format(day=day, counts="\n".join(f"- {line}" for line in self.counts())) + "".join(rows)

    def _row(self, identifier: str) -> Iterator[str]:
        carriers, texts = self._carried.get(identifier, ()), self._texts(identifier)
        yield f"{identifier:<5}{len(carriers):>5}  {self.state(identifier):<13}{texts[0]}"
        yield from (" " * 25 + text for text in texts[1:])

    def _texts(self, identifier: str) -> list[str]:
        carriers = self._carried.get(identifier, ())
        texts = list(dict.fromkeys(carrier.asserts for carrier in carriers)) or [self._reasons.get(identifier, "")]
        missing = self._missing_databases(identifier)
        if missing and identifier in ON_ONE:
            texts.append(f"(not on {missing}: {ON_ONE[identifier]})")
        elif missing:
            texts.append(f"(not on {missing} yet)")
        if carriers and identifier in self._reasons:
            texts.append(f"(in part: {self._reasons[identifier]})")
        return texts

    def _missing_databases(self, identifier: str) -> str:
        """Which database no test of a crash, race or storage row was parametrised with."""
        tests = " ".join(carrier.test for carrier in self._carried.get(identifier, ()))
        if not tests or identifier[0] not in ON_BOTH_DATABASES:
            return ""
        return " or ".join(name for name in DATABASES if re.search(rf"\b{name}\b", tests) is None)


def read_document(source: Path) -> dict[str, set[str]]:
    """What a written page says is asserted, by row; without the remarks in brackets."""
    found = {}
    for line in source.read_text(encoding="utf-8").splitlines():
        cells = line.removeprefix("| ").removesuffix(" |").split(" | ", 3)
        if len(cells) == 4 and cells[0] in _scenarios.IDS:
            texts = cells[3].split("<br>")
            carried = int(cells[1]) > 0
            found[cells[0]] = {text for text in texts if carried and not text.startswith(("(not on ", "(in part: "))}
    return found


def as_written(texts: set[str]) -> set[str]:
    """Asserted texts as they stand on the page."""
    return {_in_a_cell(text) for text in texts}


def _in_a_cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def _of(states: Mapping[str, str], wanted: str) -> list[str]:
    return [identifier for identifier, state in states.items() if state == wanted]
