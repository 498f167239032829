"""The partner's own token: fetched once for all threads, renewed before it ends, forgotten when refused."""

from __future__ import annotations

import copy
import threading
from base64 import b64encode
from collections.abc import Callable
from typing import Annotated
from urllib.parse import quote

from pydantic import Field, StringConstraints

from punktgenau._clock import Clock
from punktgenau._redact import Hidden
from punktgenau.errors import ConfigurationError, NotSentError, PunktgenauError
from punktgenau.records import Mode, Record

_MARGIN_S = 30.0


class TokenReply(Record):
    """What the token endpoint answers; `expires_in` in seconds."""

    # It becomes a header, so nothing that could end one. The length stands apart: within the pattern it costs 2 MB.
    access_token: Annotated[str, StringConstraints(pattern=r"^[!-~]+$", max_length=8192), Field(repr=False)]
    token_type: Annotated[str, StringConstraints(pattern=r"^[Bb]earer$")]
    expires_in: int
    mode: Mode | None = None


class PartnerToken:
    """Keeps the partner's bearer token; one request for it serves every thread that waits, with good or bad news."""

    def __init__(self, client_id: str, client_secret: str, *, clock: Clock) -> None:
        for name, text in (("client_id", client_id), ("client_secret", client_secret)):
            if not isinstance(text, str) or not text or not text.isprintable():
                raise ConfigurationError(f"{name} is missing or not a plain text.", field=name)
        pair = f"{quote(client_id, safe='')}:{quote(client_secret, safe='')}"
        self.basic: str = Hidden("Basic " + b64encode(pair.encode()).decode())
        self._clock = clock
        self._lock = threading.Lock()
        self._header: str | None = None
        self._ends = 0.0
        self._asked = 0
        self._refusal: PunktgenauError | None = None

    def __repr__(self) -> str:
        return "PartnerToken(…)"

    def after_fork(self) -> None:
        """A lock that another thread held in the parent would never be released here."""
        self._lock = threading.Lock()

    def forget(self, header: str) -> None:
        """The provider refused this one; a newer one stays."""
        with self._lock:
            if self._header == header:
                self._header = None

    def header(self, fetch: Callable[[], TokenReply | PunktgenauError], *, ends: float) -> str | PunktgenauError:
        """The Authorization header with a token that lasts, or why there is none: whoever raises that owns the trace.

        Waits for another thread's request until `ends` (monotonic).
        """
        asked = self._asked
        if current := self._current():
            return current
        if not self._lock.acquire(timeout=max(0.0, ends - self._clock.monotonic())):
            return NotSentError("The provider's token did not come in time.")
        try:
            if current := self._current():
                return current
            if asked != self._asked and self._refusal is not None:
                return _of_ones_own(self._refusal)
            reply = fetch()
            self._asked += 1
            self._refusal = reply if isinstance(reply, PunktgenauError) else None
            if isinstance(reply, PunktgenauError):
                return _of_ones_own(reply)
            lasts_s = max(reply.expires_in - _MARGIN_S, reply.expires_in / 2)
            header = Hidden(f"Bearer {reply.access_token}")
            self._ends, self._header = self._clock.monotonic() + lasts_s, header
            return header
        finally:
            self._lock.release()

    def _current(self) -> str | None:
        header = self._header
        return header if header is not None and self._clock.monotonic() < self._ends else None


def _of_ones_own(error: PunktgenauError) -> PunktgenauError:
    """Each thread raises its own: an exception collects the trace of whoever raises it."""
    own = copy.copy(error)
    own.__cause__ = error.__cause__
    return own
