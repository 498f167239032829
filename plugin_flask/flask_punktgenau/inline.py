"""Where nobody runs a worker, requests help: after an answer is sent, what is due is done, for two seconds at most.

Never before the answer, never in a thread of its own, and never where its end is not known to the browser already
(streams, files). Whatever goes wrong here is logged and left to the next one.
"""

from __future__ import annotations

from datetime import timedelta
from threading import Lock

from flask import Flask, Response

from flask_punktgenau.state import AppState, logger
from punktgenau.errors import UnavailableError

TURN_S = 2.0
"""How long one turn may take in all, the last call's wait included."""
EVERY_S = 10.0
"""From the beginning of one turn to the next: at most a fifth of one thread of each process goes into helping."""
LEAST_S = 0.5
"""With less than this left nothing further is begun: a call that is cut short would only become an unknown."""
FAILURES_MOST = 3
NO_WORKER_FOR = timedelta(minutes=2)


class Helper:
    """One per app and process: at most one turn in ten seconds, by one thread at a time."""

    def __init__(self, state: AppState) -> None:
        self._state = state
        self._busy = Lock()
        self._next_s = 0.0

    def after(self, response: Response) -> Response:
        """Help once this answer is sent, if it is time."""
        if not response.is_streamed and self._is_time():
            response.call_on_close(self._help)
        return response

    def after_fork(self) -> None:
        """A child must not wait for a thread that only its parent has."""
        self._busy = Lock()

    def _is_time(self) -> bool:
        return self._state.clock.monotonic() >= self._next_s

    def _help(self) -> None:
        if not self._busy.acquire(blocking=False):
            return
        try:
            if self._is_time():
                self._next_s = self._state.clock.monotonic() + EVERY_S
                self._take_turn()
        except Exception:  # the answer is out: whatever this raises would only harm the shop's server
            logger.exception("a request could not help to recover; what is due stays due")
        finally:
            self._busy.release()

    def _take_turn(self) -> None:
        ends = self._state.clock.monotonic() + TURN_S
        checkout = self._state.journal()
        if checkout is None:
            return
        last = checkout.recovered_at()
        if last is not None and self._state.clock.now() - last <= NO_WORKER_FOR:
            return
        failures = 0
        while (left := ends - self._state.clock.monotonic()) > LEAST_S and failures < FAILURES_MOST:
            try:
                if not checkout.recover_one(deadline_s=left):
                    return
            except UnavailableError:
                raise
            except Exception:  # one order's defect: its lease keeps it out of the way of the others
                failures += 1
                logger.exception("something that is due could not be done; it stays due")


def init_inline(app: Flask, state: AppState) -> None:
    """Let this app's requests help, unless PUNKTGENAU_INLINE_RECOVERY is 0."""
    if state.config.inline_recovery:
        helper = Helper(state)
        state.when_forked(helper.after_fork)
        app.after_request(helper.after)
