"""What `requests` makes of a broken connection: the same exceptions without any socket, and time that passes."""

from __future__ import annotations

import errno
import io
from collections.abc import Callable, Sequence
from http.client import RemoteDisconnected
from urllib.parse import urlsplit

import requests
from requests import PreparedRequest
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import MaxRetryError, NewConnectionError, ProtocolError, ReadTimeoutError

from punktgenau.sandbox.faults import MAX_DELAY_S, FaultOnWire

Answer = tuple[int, list[tuple[str, str]], bytes | io.BufferedReader]
"""Status, headers and body, as `responses` takes them from a callback."""

# A timeout is noticed a moment after it; without that, rounding could leave a caller a sliver of time for a repeat.
_NOTICED_LATE_S = 0.001


def answer(status: int, headers: Sequence[tuple[str, str]], body: bytes, *, sent: bytes | None = None) -> Answer:
    """An answer that announces `body`; of which only `sent` arrives, where that is given."""
    kept = [(name, value) for name, value in headers if name.lower() != "content-length"]
    return status, [*kept, ("Content-Length", str(len(body)))], body if sent is None else sent


def refused(request: PreparedRequest) -> requests.ConnectionError:
    """What is raised where nobody listens: nothing was sent."""
    parts = urlsplit(str(request.url))
    host = parts.hostname or ""
    reason = NewConnectionError(
        HTTPConnection(host, parts.port), f"Failed to establish a new connection: [Errno {errno.ECONNREFUSED}] refused"
    )
    return requests.ConnectionError(MaxRetryError(_pool(request), request.path_url, reason), request=request)


def play(fault: FaultOnWire, request: PreparedRequest, *, timeout_s: float, sleep: Callable[[float], None]) -> Answer:
    """What the caller gets of this fault; `timeout_s` is how long it waits for an answer (infinite: for ever)."""
    if fault.kind == "refuse":
        raise refused(request)
    if fault.kind == "reset":
        raise _aborted(request, ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"))
    if fault.kind == "truncated_body":
        return answer(fault.status, fault.headers, fault.body, sent=fault.body[: len(fault.body) // 2])
    if fault.kind == "stale_connection":
        raise _disconnected(request)
    served_s = MAX_DELAY_S if fault.delay_s is None else fault.delay_s
    is_timeout = timeout_s <= served_s
    waited_s = timeout_s + _NOTICED_LATE_S if is_timeout else served_s
    if fault.kind == "drip_body":
        return _dripped(fault, waited_s=waited_s, is_timeout=is_timeout, sleep=sleep)
    # hang and drip_headers: no status line that could be read.
    sleep(waited_s)
    if is_timeout:
        reason = ReadTimeoutError(_pool(request), request.path_url, f"Read timed out. (read timeout={timeout_s:g})")
        raise requests.ReadTimeout(reason, request=request)
    raise _disconnected(request)


def _dripped(fault: FaultOnWire, *, waited_s: float, is_timeout: bool, sleep: Callable[[float], None]) -> Answer:
    """A body of one byte a second: all of it where there is time enough, otherwise a timeout or a short body."""
    whole_s = len(fault.body) - 1
    if whole_s < waited_s:
        sleep(whole_s)
        return answer(fault.status, fault.headers, fault.body)
    if not is_timeout:
        sleep(waited_s)
        return answer(fault.status, fault.headers, fault.body, sent=fault.body[: int(waited_s) + 1])
    status, headers, _ = answer(fault.status, fault.headers, fault.body)
    return status, headers, io.BufferedReader(_Stalled(lambda: sleep(waited_s)))


class _Stalled(io.RawIOBase):
    """A body whose reader waits until its time is up."""

    def __init__(self, wait: Callable[[], None]) -> None:
        self._wait = wait

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object, /) -> int:
        self._wait()
        raise TimeoutError("timed out")


def _disconnected(request: PreparedRequest) -> requests.ConnectionError:
    return _aborted(request, RemoteDisconnected("Remote end closed connection without response"))


def _aborted(request: PreparedRequest, error: OSError) -> requests.ConnectionError:
    return requests.ConnectionError(ProtocolError("Connection aborted.", error), request=request)


def _pool(request: PreparedRequest) -> HTTPConnectionPool:
    """Named by the exceptions; it opens nothing."""
    parts = urlsplit(str(request.url))
    return HTTPConnectionPool(parts.hostname or "", parts.port)
