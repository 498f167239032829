"""A worker that is told to end does so, whatever it is about to do at that moment."""

from __future__ import annotations

import os
import signal
import time

import pytest

from flask_punktgenau.ending import Ending


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_cuts_the_wait_short(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with Ending() as ending:
        assert not ending.is_asked()
        os.kill(os.getpid(), number)
        began = time.monotonic()
        ending.wait(600)
        assert (ending.is_asked(), time.monotonic() - began < 60) == (True, True)
    assert signal.getsignal(number) is before


def test_signals_without_end_are_heard_in_the_midst_of_waiting() -> None:
    with Ending() as ending:
        # Every few microseconds, so that some come while the wait begins or ends, or while one is heard.
        before = signal.signal(signal.SIGALRM, ending.ask)
        signal.setitimer(signal.ITIMER_REAL, 0.00005, 0.00005)
        try:
            for _ in range(20_000):
                ending.wait(600)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        assert ending.is_asked()
