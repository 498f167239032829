"""One history from its plan to its verdict: a shop of several processes, one journal, one provider."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from punktgenau.profiles import PROFILES
from punktgenau.testing.simulator import coverage, graph, invariants
from punktgenau.testing.simulator.audit import Auditor
from punktgenau.testing.simulator.journal_file import JournalFile
from punktgenau.testing.simulator.process import Process
from punktgenau.testing.simulator.provider import SECRET, SimulatedProvider
from punktgenau.testing.simulator.schedule import HOLD_S, REFERENCE, Plan
from punktgenau.testing.simulator.script import Order, Place, Script
from punktgenau.testing.simulator.seams import Seams
from punktgenau.testing.simulator.shop import open_shop
from punktgenau.testing.simulator.template import empty_journal
from punktgenau.testing.simulator.turns import EndlessError, Killed, Turns
from punktgenau.testing.simulator.watch import Violation, Watch

_HEAL_WAITS_S = (0.0, 30.0, 130.0, 700.0, HOLD_S + 100.0, 100.0, 1000.0, 1000.0)
"""How long after everything is well again each round of recovery comes."""


@dataclass(frozen=True)
class Verdict:
    """What became of one history."""

    plan: Plan
    violations: tuple[Violation, ...]
    taken: tuple[Place, ...]
    trace: tuple[str, ...]
    digest: str
    cells: Counter[tuple[str, str, str]]
    calls: int
    tokens: int
    """How many of the calls only fetched a token."""
    workers: int
    faults: int
    crashes: int


class Ground:
    """What one operating-system process keeps from history to history: the provider, and an empty journal to copy."""

    def __init__(self, folder: Path) -> None:
        self.provider = SimulatedProvider()
        self.path = folder / "journal.sqlite"
        self._empty = {asked: empty_journal(self.provider, with_balances=asked) for asked in (False, True)}

    def fresh(self, *, with_balances: bool, variant: str) -> None:
        """Everything as at the beginning."""
        for suffix in ("-wal", "-shm"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
        self.path.write_bytes(self._empty[with_balances])
        self.provider.reset(variant=variant)


class World:
    """What the processes of one history share."""

    def __init__(self, ground: Ground, plan: Plan, *, only: frozenset[Place] | None = None) -> None:
        ground.fresh(with_balances=plan.balances_known, variant=plan.variant)
        # By its own name it would be another provider, with other links.
        self.profile = replace(PROFILES[plan.variant], name=REFERENCE)
        self.asks_a_person = self.profile.keys == "none" or not self.profile.lookup
        """Not everything can be found out at this kind of provider, so some of it ends with a person."""
        script = Script(plan.seed, only=only)
        self.plan = plan
        self.provider = ground.provider
        self.seams = Seams(Turns(Order(script, switch_odds=plan.odds.switch)), script, plan.odds)
        self.file = JournalFile(ground.path, self.seams)
        self.auditor = Auditor(ground.path)
        self.shop = open_shop(plan.orders)
        self.watch = Watch(self.seams, self.provider, self.auditor, self.shop)
        self.file.committed, self.file.finished = self.watch.committed, self.watch.finished
        self.watch.taken_from = self.file.taken_from
        self.logged: list[str] = []
        self.broke: list[str] = []
        """Defects that recovery has met and gone around."""
        self.calls = self.tokens = 0

    def run(self) -> Verdict:
        """Let the history happen, heal everything, and judge."""
        try:
            with self._listening():
                for name, steps in self.plan.processes:
                    process = Process(self, name, steps)
                    self.seams.turns.start(process.name, process.run)
                violations = self._live()
            violations = [*self.watch.violations, *violations]
            cells = self.seams.cells
            cells.update(coverage.edges(graph.edges_taken(self)))
            cells[coverage.VARIANT, self.plan.variant, ""] += 1
        finally:
            self.auditor.close()
        return Verdict(
            plan=self.plan,
            violations=tuple(dict.fromkeys(violations)),
            taken=tuple(self.seams.script.taken),
            trace=tuple(self.seams.trace),
            digest=self.seams.digest(),
            cells=cells,
            calls=self.calls,
            tokens=self.tokens,
            workers=len(self.plan.processes),
            faults=sum(count for cell, count in cells.items() if cell[0] in ("fault", "journal")),
            crashes=sum(count for cell, count in cells.items() if cell[0] in ("crash", "broken")),
        )

    def _live(self) -> list[Violation]:
        try:
            self.seams.turns.run()
            self.calls, self.tokens = sum(self.watch.calls.values()), self.watch.calls["token"]
            self._heal()
        except EndlessError as error:
            # Nothing has come to rest, so nothing else can be judged.
            return [Violation("I11", str(error))]
        return invariants.check(self)

    def _heal(self) -> None:
        self.seams.script.over = True
        self.seams.note("everything is well again")
        healer = Process(self, "healer", ())

        def heal() -> None:
            try:
                for order in self.shop.orders.values():
                    if order.uncancelled:
                        healer.cancel(order)
                for wait_s in _HEAL_WAITS_S:
                    self.seams.turns.sleep(wait_s)
                    if wait_s == 0.0 or self._is_due():
                        healer.recover()
            except Killed:
                pass
            finally:
                healer.close()

        self.seams.turns.start("healer", heal)
        self.seams.turns.run()
        self.provider.catch_up(self.seams.now())

    def _is_due(self) -> bool:
        """Whether somebody should look at something by now."""
        return bool(
            self.auditor.rows(
                "SELECT 1 FROM punktgenau_operation WHERE next_at <= ?1"
                " UNION ALL SELECT 1 FROM punktgenau_redemption WHERE check_at <= ?1 LIMIT 1",
                self.seams.now_ms(),
            )
        )

    @contextmanager
    def _listening(self) -> Iterator[None]:
        logger = logging.getLogger("punktgenau")
        handler = _Listener(self.logged, self.broke)
        level = logger.level
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG)
        try:
            yield
        finally:
            logger.removeHandler(handler)
            logger.setLevel(level)


class _Listener(logging.Handler):
    def __init__(self, lines: list[str], broke: list[str]) -> None:
        super().__init__()
        self._lines = lines
        self._broke = broke

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(record.getMessage())
        if record.exc_info and record.msg.startswith("recovery of"):
            self._broke.append(f"recovery met {record.exc_info[1]!r}")


__all__ = ["SECRET", "Ground", "Verdict", "World"]
