"""Whose turn it is: every actor is a thread of its own, but exactly one runs, and time is simulated.

Production code may use locks and thread-locals as it likes; nothing here replaces them. An actor gives the turn away
only at a seam, so the same choices lead to the same history, whatever the machine does meanwhile.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

_STUCK_S = 120.0
_POINTS_MAX = 60_000


class Killed(BaseException):
    """This process is dead: nothing that it does from now on reaches anybody."""


class Broken(BaseException):
    """The step under way is broken off, as by a server that gives up on a request; its process lives on."""


class SimulatorError(BaseException):
    """The simulator itself cannot go on; says nothing about the code under test."""


class EndlessError(SimulatorError):
    """The code under test goes on and on, or waits for what nobody will do."""


@dataclass(eq=False)
class Actor:
    """A process of the shop, as far as its turns are concerned; times in simulated microseconds."""

    name: str
    work: Callable[[], None]
    ready_at_us: int
    number: int
    points: int = 0
    idle_us: int = 0
    doing: str = ""
    crossing: bool = False
    """Somebody else is asked for something of the same order at about the same time."""
    dead: bool = False
    done: bool = False
    waits_for: Callable[[], bool] | None = None
    go: threading.Lock = field(default_factory=threading.Lock)
    thread: threading.Thread | None = None


@dataclass(eq=False)
class Happening:
    """Something that comes about by itself at a moment, such as a late request that arrives."""

    name: str
    what: Callable[[], None]
    ready_at_us: int
    number: int


Ready = Actor | Happening


class Choice(Protocol):
    """Who decides between those that could go on."""

    def next(self, me: Actor | None, ready: list[Ready]) -> Ready:
        """One of `ready`, which is never empty."""
        ...


class Turns:
    """Hands the turn from actor to actor, and moves the time when all of them wait."""

    def __init__(self, choice: Choice) -> None:
        self.now_us = 0
        self.current: Actor | None = None
        self.failure: BaseException | None = None
        self._choice = choice
        self._actors: list[Actor] = []
        self._happenings: list[Happening] = []
        self._number = 0
        self._points = 0
        self._main = threading.Lock()

    def start(self, name: str, work: Callable[[], None], *, delay_s: float = 0.0) -> None:
        """Add an actor that begins after so much simulated time."""
        self._number += 1
        actor = Actor(name, work, self._after(delay_s), self._number)
        actor.go.acquire()
        self._actors.append(actor)

    def later(self, name: str, what: Callable[[], None], *, delay_s: float) -> None:
        """Let something happen after so much simulated time; it must not touch a seam."""
        self._number += 1
        self._happenings.append(Happening(name, what, self._after(delay_s), self._number))

    def spend(self, seconds: float) -> None:
        """Let time pass without giving the turn away."""
        self.now_us = self._after(seconds)

    def run(self) -> None:
        """Until every actor has ended and everything has happened. Raises what an actor left uncaught."""
        self._main.acquire()
        self._pass_on(None)
        if not self._main.acquire(timeout=_STUCK_S):
            raise SimulatorError("nobody gave the turn away: the code under test waits for something real")
        self._main.release()
        for actor in self._actors:
            if actor.thread is not None:
                actor.thread.join(_STUCK_S)
        self._actors.clear()
        self._happenings.clear()
        self.current = None
        if self.failure is not None:
            raise self.failure

    # From inside an actor

    def point(self) -> None:
        """A moment at which another actor may go on."""
        self._pass_on(self._me())

    def sleep(self, seconds: float) -> None:
        """Wait for simulated time; others go on."""
        me = self._me()
        me.ready_at_us = self._after(max(0.0, seconds))
        self._pass_on(me)

    def wait(self, free: Callable[[], bool]) -> None:
        """Wait until something is free; whoever comes back here finds it so."""
        while not free():
            me = self._me()
            me.waits_for = free
            self._pass_on(me)
            me.waits_for = None

    # Inside

    def _after(self, seconds: float) -> int:
        return self.now_us + round(seconds * 1_000_000)

    def _me(self) -> Actor:
        if self.failure is not None:
            raise Killed
        if self.current is None:
            raise SimulatorError("only an actor has a turn to give away")
        self.current.points += 1
        self._points += 1
        if self._points > _POINTS_MAX:
            raise EndlessError("it does not come to an end")
        return self.current

    def _pass_on(self, me: Actor | None) -> None:
        while True:
            ready = self._ready()
            if not ready:
                if self._moves_on():
                    continue
                self._end(me)
                return
            chosen = self._choice.next(me, ready)
            if isinstance(chosen, Happening):
                self._happenings.remove(chosen)
                chosen.what()
                continue
            if chosen is me:
                return
            self.current = chosen
            comes_back = me is not None and not me.done
            self._give(chosen)
            # From here on the other one runs; this thread may only wait.
            if me is not None and comes_back:
                me.go.acquire()
                if self.failure is not None:
                    raise Killed
            return

    def _ready(self) -> list[Ready]:
        now_us = self.now_us
        ready: list[Ready] = [
            actor
            for actor in self._actors
            if actor.ready_at_us <= now_us and not actor.done and (actor.waits_for is None or actor.waits_for())
        ]
        if self._happenings:
            ready += [happening for happening in self._happenings if happening.ready_at_us <= now_us]
        return ready

    def _moves_on(self) -> bool:
        moments = [
            actor.ready_at_us
            for actor in self._actors
            if not actor.done and (actor.waits_for is None or actor.ready_at_us > self.now_us)
        ]
        moments += [happening.ready_at_us for happening in self._happenings]
        if not moments:
            return False
        self.now_us = max(self.now_us, min(moments))
        return True

    def _end(self, me: Actor | None) -> None:
        if any(not actor.done for actor in self._actors):
            self._fail(EndlessError("everybody waits for everybody"))
            if me is not None:
                raise Killed
            return
        self.current = None
        self._main.release()

    def _fail(self, failure: BaseException) -> None:
        """Unwind every actor, one after the other, then let the main thread say why."""
        self.failure = self.failure or failure
        for actor in self._actors:
            if not actor.done and actor is not self.current:
                actor.done = True
                if actor.thread is not None:
                    actor.go.release()
                    actor.thread.join(_STUCK_S)
        if self._main.locked():
            self._main.release()

    def _give(self, actor: Actor) -> None:
        if actor.thread is not None:
            actor.go.release()
            return
        actor.thread = threading.Thread(target=self._live, args=(actor,), name=actor.name, daemon=True)
        actor.thread.start()

    def _live(self, actor: Actor) -> None:
        try:
            actor.work()
        except Killed:
            actor.done = True
        except BaseException as error:
            actor.done = True
            self._fail(error)
            return
        actor.done = True
        if self.failure is None:
            self._pass_on(actor)
