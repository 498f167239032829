"""Scripted faults: what goes wrong with the next requests of an operation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

from punktgenau.sandbox.faults import KINDS, Echo, Fault, FaultBook, Kind, Operation, When


class ScriptedFaults:
    """`provider.faults`: faults that wait for a request, in the order in which they were asked for."""

    def __init__(self, book: FaultBook, *, go_away: Callable[[float], None]) -> None:
        self._book = book
        self._go_away = go_away

    def next(
        self,
        operation: Operation | Literal["any"],
        kind: Kind,
        when: When = "before",
        times: int = 1,
        *,
        delay_s: float | None = None,
        retry_after: int | str | None = None,
        echo: Echo = "points",
    ) -> None:
        """Let the next `times` requests of an operation meet a fault, before or after the change is committed.

        The client repeats a call, with its key, inside its deadline: `times` counts requests, not calls. `delay_s` is
        how long a hang or a drip lasts (30 s unless told); a `refuse` with `delay_s` refuses everything for so many
        seconds of the clock. `echo` is what a `wrong_echo` gets wrong. Raises ValueError for what cannot be played.
        """
        _require(operation, (*get_args(Operation), "any"), name="operation")
        _require(kind, KINDS, name="kind")
        _require(when, get_args(When), name="when")
        _require(echo, get_args(Echo), name="echo")
        if type(times) is not int or times < 1:
            raise ValueError("times must be a whole number of requests, at least 1")
        if kind == "refuse" and delay_s is not None:
            self._go_away(delay_s)
            return
        after = None if retry_after is None else str(retry_after)
        fault = Fault(operation, kind, when, times, delay_s, after, echo)
        if operation != "any" and not fault.fits(operation):
            raise ValueError(f"{kind} does not fit {operation}")
        self._book.add(fault)

    @property
    def waiting(self) -> tuple[str, ...]:
        """What nobody has met yet, such as "capture: reset"; one item per request."""
        return tuple(f"{fault.operation}: {fault.kind}" for fault in self._book.waiting() for _ in range(fault.times))

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        self._book.clear()


def _require(value: str, choices: tuple[str, ...], *, name: str) -> None:
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}; not {value!r}")
