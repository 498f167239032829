"""Whether and when the same call goes out again: pure decisions, and two small memories per client and host.

Never sleeps, never logs, has no clock of its own. The policy is ours and not a library's because it decides about
money: only the same key goes out again, only inside the caller's deadline, and only while the quota lasts.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from punktgenau.errors import (
    DeclinedError,
    IdempotencyConflictError,
    NotLinkedError,
    NotSentError,
    OutcomeUnknownError,
    PunktgenauError,
    RateLimitedError,
    StateConflictError,
    UnavailableError,
)

NEVER_TRIED = frozenset({"circuit_open", "deadline_passed"})
"""Codes of calls that were not even tried; they say nothing about the provider."""
_NEVER_AGAIN = NEVER_TRIED | {"tls_untrusted", "mode_mismatch"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Sends per call, and the back-off in seconds: full jitter up to `base_s * 2**n`, never above `cap_s`.

    A server's Retry-After is obeyed, but never more than `clamp_s` above the own back-off.
    """

    sends: int = 3
    base_s: float = 0.05
    throttled_base_s: float = 0.5
    cap_s: float = 2.0
    clamp_s: float = 5.0


def delay_s(
    policy: RetryPolicy, error: PunktgenauError, *, sends: int, chance: float, retry_after_s: float | None
) -> float | None:
    """Seconds until the same call goes out again, or None: stop. `chance` is a fraction in [0, 1)."""
    if sends >= policy.sends or error.code in _NEVER_AGAIN:
        return None
    if not isinstance(error, NotSentError | OutcomeUnknownError | UnavailableError | RateLimitedError):
        return None
    if error.lost_by == "disconnected" and sends == 1:
        # A pooled connection that the server had closed meanwhile: the key makes an immediate repeat safe.
        return 0.0
    throttled = (
        isinstance(error, RateLimitedError) or error.code == "operation_in_progress" or retry_after_s is not None
    )
    base = policy.throttled_base_s if throttled else policy.base_s
    own = chance * min(policy.cap_s, base * 2.0 ** (sends - 1))
    if retry_after_s is None:
        return own
    return min(max(own, retry_after_s), own + policy.clamp_s)


def proves_not_done(error: PunktgenauError) -> bool:
    """Whether this refusal also proves that no earlier send of the same key did anything.

    Only answers that the provider keeps under the key do; a 401, a 404 or a consent question comes before the key is
    looked at and says nothing about an earlier send.
    """
    if isinstance(error, NotLinkedError):
        return False
    return isinstance(error, DeclinedError | StateConflictError | IdempotencyConflictError)


class RetryQuota:
    """A bucket of tokens for repeats, so that an outage is not made worse: each costs, a success gives one back."""

    def __init__(self, tokens: int = 500) -> None:
        self._most = self._tokens = tokens
        self._lock = threading.Lock()

    def take(self, error: PunktgenauError) -> bool:
        """Pay for one repeat, or say that nothing is left."""
        cost = 10 if error.lost_by == "timeout" else 5
        with self._lock:
            if self._tokens < cost:
                return False
            self._tokens -= cost
            return True

    def give(self) -> None:
        """One call went well."""
        if self._tokens == self._most:
            return
        with self._lock:
            self._tokens = min(self._most, self._tokens + 1)


class Circuit:
    """Stops calling a host after several failed calls in a row; lets one probe through after a while."""

    def __init__(self, *, failures: int = 5, open_s: float = 5.0) -> None:
        self._most = failures
        self._open_s = open_s
        self._failures = 0
        self._opens_again_at = 0.0
        self._lock = threading.Lock()

    def admits(self, now: float) -> bool:
        """Whether a call may go out at this monotonic moment."""
        if self._failures < self._most:
            return True
        with self._lock:
            if self._failures < self._most:
                return True
            if now < self._opens_again_at:
                return False
            self._opens_again_at = now + self._open_s
            return True

    def note(self, *, answered: bool, now: float) -> None:
        """Tell how a call ended: any proper answer closes the circuit."""
        if answered and not self._failures:
            return
        with self._lock:
            self._failures = 0 if answered else self._failures + 1
            if self._failures >= self._most:
                # From the end of the probe: one that waited as long as the circuit is open would let the next through.
                self._opens_again_at = now + self._open_s
