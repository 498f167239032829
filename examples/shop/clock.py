"""What time it is in the demo. The sandbox has a clock that can be moved; the shop and the bank follow it."""

import os
import time
from datetime import UTC, datetime, timedelta

from flask import Flask, current_app

from .control import SandboxAwayError, SandboxControl

_FRESH_S = 0.25
_AWAY_S = 2.0


class SandboxClock:
    """This machine's time, moved as far as the sandbox's was; the last known distance while the sandbox is away."""

    def __init__(self, control: SandboxControl) -> None:
        self._control = control
        self._ahead = timedelta(0)
        self._ask_again_at = 0.0

    def now(self) -> datetime:
        """The time as an aware UTC datetime."""
        if time.monotonic() >= self._ask_again_at:
            self._ask()
        return datetime.now(UTC) + self._ahead

    def forget(self) -> None:
        """Ask anew at the next look, because somebody has just moved the clock."""
        self._ask_again_at = 0.0

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def random_bytes(self, length: int) -> bytes:
        return os.urandom(length)

    def _ask(self) -> None:
        try:
            self._ahead = timedelta(seconds=self._control.advanced_s())
            self._ask_again_at = time.monotonic() + _FRESH_S
        except SandboxAwayError:
            self._ask_again_at = time.monotonic() + _AWAY_S


def of(app: Flask) -> SandboxClock:
    clock: SandboxClock = app.extensions["shop_clock"]
    return clock


def of_app() -> SandboxClock:
    """The clock of the current app."""
    return of(current_app)


def now() -> datetime:
    return of_app().now()
