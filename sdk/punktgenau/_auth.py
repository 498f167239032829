"""The partner's own token: fetched once for all threads, renewed before it ends, forgotten when refused."""

from __future__ import annotations

import threading
from base64 import b64encode
from collections.abc import Callable
from urllib.parse import quote

from punktgenau._clock import Clock
from punktgenau.errors import ConfigurationError, NotSentError, PunktgenauError
from punktgenau.provider import Mode, Record

_MARGIN_S = 30.0


class TokenReply(Record):
    """What the token endpoint answers; `expires_in` in seconds."""

    access_token: str
    token_type: str
    expires_in: int
    mode: Mode | None = None


class PartnerToken:
    """Keeps the partner's bearer token; one refresh serves every thread that waits for it."""

    def __init__(self, client_id: str, client_secret: str, *, clock: Clock) -> None:
        for name, text in (("client_id", client_id), ("client_secret", client_secret)):
            if not isinstance(text, str) or not text or not text.isprintable():
                raise ConfigurationError(f"{name} is missing or not a plain text.", field=name)
        pair = f"{quote(client_id, safe='')}:{quote(client_secret, safe='')}"
        self.basic = "Basic " + b64encode(pair.encode()).decode()
        self._clock = clock
        self._lock = threading.Lock()
        self._header: str | None = None
        self._ends = 0.0

    def __repr__(self) -> str:
        return "PartnerToken(…)"

    @property
    def header(self) -> str:
        """The Authorization header; `ensure` comes first."""
        return self._header or ""

    def forget(self) -> None:
        """The provider refused it: fetch a new one next time."""
        self._header = None

    def ensure(self, fetch: Callable[[], TokenReply], *, ends: float) -> PunktgenauError | None:
        """Have a token that lasts, or return why there is none: the caller raises, with its own short trace."""
        if self._header is not None and self._clock.monotonic() < self._ends:
            return None
        if not self._lock.acquire(timeout=max(0.0, ends - self._clock.monotonic())):
            return NotSentError("The provider's token did not come in time.")
        try:
            if self._header is None or self._clock.monotonic() >= self._ends:
                reply = fetch()
                self._ends = self._clock.monotonic() + max(0.0, reply.expires_in - _MARGIN_S)
                self._header = f"Bearer {reply.access_token}"
        except PunktgenauError as error:
            return error
        finally:
            self._lock.release()
        return None
