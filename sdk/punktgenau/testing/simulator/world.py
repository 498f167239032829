"""One history from its plan to its verdict: a shop of several processes, one journal, one provider."""

from __future__ import annotations

import logging
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path

from punktgenau.profiles import PROFILES
from punktgenau.testing.simulator import coverage, graph, invariants, voucher_varieties
from punktgenau.testing.simulator.audit import Auditor
from punktgenau.testing.simulator.earning_watch import EarningWatch
from punktgenau.testing.simulator.journal_file import Connection, JournalFile
from punktgenau.testing.simulator.plans import BY_ITSELF, HOLD_S, REFERENCE, THE_PROVIDER, UNSEEN, Plan, Step
from punktgenau.testing.simulator.post import Post
from punktgenau.testing.simulator.process import Process
from punktgenau.testing.simulator.provider import BEGINS, SECRET, SimulatedProvider
from punktgenau.testing.simulator.script import Order, Place, Script
from punktgenau.testing.simulator.seams import Seams
from punktgenau.testing.simulator.shop import open_shop
from punktgenau.testing.simulator.template import empty_journal
from punktgenau.testing.simulator.turns import EndlessError, Killed, Turns
from punktgenau.testing.simulator.watch import Violation, Watch
from punktgenau.testing.simulator.wiping import Rows, rows_of, tables_of, wipe

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
        self.idle: list[Connection] = []
        self._empty: dict[bool, Rows] = {}
        for asked in (False, True):
            self.path.write_bytes(empty_journal(self.provider, with_balances=asked))
            with closing(sqlite3.connect(self.path)) as written:
                self._tables = tables_of(written)
                self._empty[asked] = rows_of(written, self._tables)
        self.auditor = Auditor(self.path)
        self._clerk = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        self._clerk.execute("PRAGMA synchronous=OFF")

    def fresh(self, *, with_balances: bool, variant: str) -> None:
        """Everything as at the beginning."""
        wipe(self._clerk, self._tables, self._empty[with_balances])
        self.provider.reset(variant=variant, lags=PROFILES[variant].settle_s > 0)


class World:
    """What the processes of one history share."""

    def __init__(self, ground: Ground, plan: Plan, *, only: frozenset[Place] | None = None) -> None:
        ground.fresh(with_balances=plan.balances_known, variant=plan.variant)
        # By its own name it would be another provider, with other links.
        self.profile = replace(PROFILES[plan.variant], name=REFERENCE)
        self.hears = any(step.kind in ("hear", *BY_ITSELF) for _, steps in plan.processes for step in steps)
        """The provider tells what happens, at the latest when everything is well again."""
        self.asks_a_person = self.profile.keys == "none" or not self.profile.lookup
        """Not everything can be found out at this kind of provider, so some of it ends with a person."""
        script = Script(plan.seed, only=only)
        self.plan = plan
        self.provider = ground.provider
        self.vouchers = ground.provider.bring(plan.vouchers, at=BEGINS + timedelta(seconds=plan.provider_ahead_s))
        """Their ids, in the order of the plan."""
        self.seams = Seams(Turns(Order(script, switch_odds=plan.odds.switch)), script, plan.odds)
        self.file = JournalFile(ground.path, self.seams, ground.idle)
        self.auditor = ground.auditor
        self.shop = open_shop(plan.orders, earns=plan.earns is not None)
        self.watch = Watch(self.seams, self.provider, self.auditor, self.shop, vouchers=self.vouchers)
        self.file.committed, self.file.finished = self.watch.committed, self.watch.finished
        self.watch.taken_from = self.file.taken_from
        self.file.earned = EarningWatch(self.watch).committed
        self.post = Post(self.provider, self.seams)
        self.logged: list[str] = []
        self.broke: list[str] = []
        """Defects that recovery has met and gone around."""
        self.calls = self.tokens = 0

    def run(self) -> Verdict:
        """Let the history happen, heal everything, and judge."""
        with self._listening():
            for name, steps in self.plan.processes:
                if name == THE_PROVIDER:
                    self.seams.turns.start(name, partial(self._by_itself, steps))
                    continue
                process = Process(self, name, steps)
                self.seams.turns.start(process.name, process.run)
            violations = self._live()
        violations = [*self.watch.violations, *violations]
        cells = self.seams.cells
        cells.update(coverage.edges(graph.edges_taken(self)))
        cells[coverage.VARIANT, self.plan.variant, ""] += 1
        cells.update(coverage.earned(self.plan.earns, graph.earning_edges_taken(self)))
        if self.plan.vouchers:
            cells.update(coverage.vouchers(cells, voucher_varieties.of(self)))
        return Verdict(
            plan=self.plan,
            violations=tuple(dict.fromkeys(violations)),
            taken=tuple(self.seams.script.taken),
            trace=tuple(self.seams.trace),
            digest=self.seams.digest(),
            cells=cells,
            calls=self.calls,
            tokens=self.tokens,
            workers=sum(name != THE_PROVIDER for name, _ in self.plan.processes),
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

    def _by_itself(self, steps: tuple[Step, ...]) -> None:
        """What the provider does that nobody asked for; it is no process of the shop and never dies."""
        for step in steps:
            self.seams.turns.sleep(step.wait_s)
            if step.kind in UNSEEN and not self.profile.lookup:
                continue
            order = self.shop.orders[f"A-{step.order}"]
            at = self.seams.now() + timedelta(seconds=self.plan.provider_ahead_s)
            became = self.provider.by_itself(step.kind, order_reference=order.reference, at=at)
            if became is not None:
                order.is_touched = True
                self.seams.cells["by itself", step.kind, ""] += 1
                self.seams.note(f"{order.reference} IS {step.kind} by the provider, and {became}")

    def _heal(self) -> None:
        self.seams.script.over = True
        self.seams.note("everything is well again")
        healer = Process(self, "healer", ())

        def heal() -> None:
            try:
                for order in self.shop.orders.values():
                    if order.uncancelled:
                        healer.cancel(order)
                    if self.plan.taken == "shipped" or self.plan.earns:
                        healer.captured(order)
                    for back in (one for one, known in order.came_back.items() if self.plan.earns and not known):
                        healer.take_back(order, back)
                if self.hears:
                    healer.hear()
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
        ahead = timedelta(seconds=self.plan.provider_ahead_s)
        self.provider.catch_up(self.seams.now() + ahead)

    def _is_due(self) -> bool:
        """Whether somebody should look at something by now."""
        return bool(
            self.auditor.rows(
                "SELECT 1 FROM punktgenau_operation WHERE next_at <= ?1"
                " UNION ALL SELECT 1 FROM punktgenau_redemption WHERE check_at <= ?1"
                " UNION ALL SELECT 1 FROM punktgenau_earning_step WHERE next_at <= ?1"
                " UNION ALL SELECT 1 FROM punktgenau_exchange WHERE next_at <= ?1"
                " UNION ALL SELECT 1 FROM punktgenau_earning WHERE check_at <= ?1 LIMIT 1",
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
        if record.exc_info and record.msg.startswith(("recovery of", "what order")):
            self._broke.append(f"recovery met {record.exc_info[1]!r}")


__all__ = ["SECRET", "Ground", "Verdict", "World"]
