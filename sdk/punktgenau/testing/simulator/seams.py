"""Where the code under test meets the world: at each seam the turn may pass on, and the process may die."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

from punktgenau.testing.simulator.faults import SELDOM
from punktgenau.testing.simulator.odds import Odds
from punktgenau.testing.simulator.provider import BEGINS
from punktgenau.testing.simulator.script import Place, Script
from punktgenau.testing.simulator.turns import Actor, Broken, Killed, Turns

CRASH = "crash"
"""What coverage calls a process that dies."""
SPOTS = (
    "before the transaction",
    "before the intent's commit",
    "after the intent's commit",
    "before the claim's commit",
    "after the claim's commit",
    "before the bytes",
    "request on its way",
    "answer on its way",
    "answer read",
    "before the result's commit",
    "after the result's commit",
    "asleep",
)
ON_THE_WIRE = ("before the bytes", "request on its way", "answer on its way", "answer read")
_SELDOM_AT = {"asleep": 4.0, "before the claim's commit": 3.0, "after the claim's commit": 3.0}
"""Few calls are repeated after a pause, and few operations are taken up by somebody else."""
_PAUSES = {SPOTS[0]: 3.0} | dict.fromkeys(ON_THE_WIRE, 3.0)
"""Processes stand still above all around a call, where a lease ends unnoticed."""
_BETWEEN_S = (0.4, 0.8, 0.8, 1.5, 12.0)
"""Long enough for somebody else to carry a whole operation out meanwhile."""
_ANYWHERE_S = (0.2, 0.5, 3.0, 12.0, 45.0)


@dataclass
class Seams:
    """What all seams of one history share: turns, decisions, and the notes that make a history readable."""

    turns: Turns
    script: Script
    odds: Odds
    trace: list[str] = field(default_factory=list)
    cells: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """What was reached: ("crash", operation, spot), ("fault", operation, kind and moment)."""

    def now(self) -> datetime:
        """The shop's wall clock."""
        return BEGINS + timedelta(microseconds=self.turns.now_us)

    def now_ms(self) -> int:
        """The same in milliseconds since 1970, as the journal writes it."""
        return self.ms_at(self.turns.now_us)

    def ms_at(self, moment_us: int) -> int:
        """A simulated moment as the journal writes it."""
        return int((BEGINS + timedelta(microseconds=moment_us)).timestamp() * 1000)

    def note(self, what: str, *, actor: str | None = None) -> None:
        """Write one line of the history."""
        me = self.turns.current
        who = actor or (me.name if me is not None else "-")
        self.trace.append(f"{self.turns.now_us / 1e6:11.3f} {who:9} {what}")

    def place(self, about: str) -> Place:
        """Where the present actor is."""
        me = self.turns.current
        if me is None:
            raise Killed
        return Place(me.name, me.points, about)

    def reach(self, spot: str, doing: str | None = None) -> None:
        """A seam: others may go on here, and this process may die, be broken off or stand still."""
        if self.turns.current is None:
            return
        me = self._me()
        if doing is not None:
            me.doing = doing
        self.turns.point()
        self._fate(me, spot)

    def sleep(self, seconds: float, spot: str) -> None:
        """Let simulated time pass for this actor; it may die meanwhile."""
        if self.turns.current is None:
            self.turns.spend(seconds)
            return
        me = self._me()
        self.turns.sleep(seconds)
        self._fate(me, spot)

    def digest(self) -> str:
        """One text for the whole history: equal for the same seed, anywhere."""
        return sha256("\n".join(self.trace).encode()).hexdigest()

    def _fate(self, me: Actor, spot: str) -> None:
        script, odds = self.script, self.odds
        if script.over:
            return
        if odds.crash and script.meets(
            me.name, me.points, CRASH, odds.crash * SELDOM.get(me.doing, 1.0) * _SELDOM_AT.get(spot, 1.0)
        ):
            self.cells[CRASH, me.doing, spot] += 1
            self.note(f"DIES {spot} ({me.doing or 'idle'})")
            me.dead = True
            raise Killed
        if odds.broken and script.meets(me.name, me.points, "broken", odds.broken):
            self.cells["broken", me.doing, spot] += 1
            self.note(f"IS BROKEN OFF {spot} ({me.doing or 'idle'})")
            raise Broken
        if odds.pause and script.meets(me.name, me.points, "pause", odds.pause * _PAUSES.get(spot, 0.5)):
            self._stand_still(me, script.one_of(self.place("pause"), _ANYWHERE_S, "length"), spot)

    def linger(self) -> None:
        """Between what was read and what is to be written: here another process may be quicker."""
        me = self._me()
        if not self.odds.between:
            return
        place = self.place("between")
        if self.script.happens(place, self.odds.between * (1.0 if me.crossing else 0.2)):
            self._stand_still(me, self.script.one_of(place, _BETWEEN_S, "length"), "before it writes")

    def _stand_still(self, me: Actor, seconds: float, spot: str) -> None:
        self.note(f"STANDS STILL for {seconds:g} s {spot} ({me.doing or 'idle'})")
        me.idle_us += round(seconds * 1_000_000)
        self.turns.sleep(seconds)

    def _me(self) -> Actor:
        me = self.turns.current
        if me is None or me.dead:
            raise Killed
        return me


class SimulatedClock:
    """The clock of one process: simulated time, and chance from its name."""

    def __init__(self, seams: Seams, name: str) -> None:
        self._seams = seams
        self._name = name
        self._drawn = 0

    def now(self) -> datetime:
        """The wall clock, aware, in UTC."""
        return self._seams.now()

    def monotonic(self) -> float:
        """Simulated seconds."""
        return self._seams.turns.now_us / 1_000_000

    def sleep(self, seconds: float) -> None:
        """Wait; others go on."""
        self._seams.sleep(seconds, "asleep")

    def random_bytes(self, length: int) -> bytes:
        """Bytes that only this process of this history gets, and gets again the next time."""
        self._drawn += 1
        drawn = f"{self._seams.script.seed}|{self._name}|{self._drawn}".encode()
        return sha256(drawn).digest()[:length]
