"""Reads that end on time: sockets that re-arm their own timeout with what is left of the call, and bodies with a cap.

A socket timeout alone bounds each read, so one byte a second would hold a caller for ever. Name resolution is outside
the promise: the system's resolver takes no timeout.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util.ssl_ import create_urllib3_context

if TYPE_CHECKING:
    from requests import Response
    from urllib3.poolmanager import PoolManager

_active = threading.local()


@contextmanager
def ends_at(moment: float, monotonic: Callable[[], float]) -> Iterator[None]:
    """Let every read and write of this thread end at `moment` on that clock."""
    _active.left = lambda: moment - monotonic()
    try:
        yield
    finally:
        _active.left = None


def _arm(sock: socket.socket) -> None:
    left: Callable[[], float] | None = getattr(_active, "left", None)
    if left is None:
        return
    seconds = left()
    if seconds <= 0:
        raise TimeoutError("the call's deadline has passed")
    sock.settimeout(seconds)


class _Socket(socket.socket):
    def recv_into(self, *args: object, **kwargs: object) -> int:
        _arm(self)
        return super().recv_into(*args, **kwargs)  # type: ignore[arg-type]

    def sendall(self, *args: object, **kwargs: object) -> None:
        _arm(self)
        super().sendall(*args, **kwargs)  # type: ignore[arg-type]


class _TlsSocket(ssl.SSLSocket):
    def recv_into(self, *args: object, **kwargs: object) -> int:
        _arm(self)
        return super().recv_into(*args, **kwargs)  # type: ignore[arg-type]

    def sendall(self, *args: object, **kwargs: object) -> None:
        _arm(self)
        super().sendall(*args, **kwargs)  # type: ignore[arg-type]

    def do_handshake(self, block: bool = False) -> None:
        # One call, many reads; the interpreter counts the timeout over the whole handshake, so arming once suffices.
        _arm(self)
        super().do_handshake(block)


def _own(plain: socket.socket) -> socket.socket:
    timeout = plain.gettimeout()
    own = _Socket(plain.family, plain.type, plain.proto, fileno=plain.detach())
    own.settimeout(timeout)
    return own


class _Connection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _own(super()._new_conn())


class _TlsConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _own(super()._new_conn())


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class DeadlineAdapter(HTTPAdapter):
    """The adapter of `requests` over sockets that know the call's deadline; never retries by itself."""

    def __init__(self, *, connections: int = 32) -> None:
        super().__init__(pool_connections=4, pool_maxsize=connections, max_retries=0)

    def init_poolmanager(self, *args: object, **kwargs: object) -> None:
        """Pools whose sockets know the deadline."""
        context = create_urllib3_context()
        context.sslsocket_class = _TlsSocket
        super().init_poolmanager(*args, ssl_context=context, **kwargs)  # type: ignore[arg-type]
        self._own_pools(self.poolmanager)

    def proxy_manager_for(self, *args: object, **kwargs: object) -> PoolManager:
        """The same through a proxy."""
        manager: PoolManager = super().proxy_manager_for(*args, **kwargs)  # type: ignore[arg-type]
        self._own_pools(manager)
        return manager

    @staticmethod
    def _own_pools(manager: PoolManager) -> None:
        manager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}


def read_bounded(response: Response, *, limit_bytes: int) -> bytes | None:
    """The whole body as it came, or None where it is longer than the limit; raises what urllib3 raises."""
    chunks: list[bytes] = []
    size = 0
    while chunk := response.raw.read(16_384, decode_content=False):
        size += len(chunk)
        if size > limit_bytes:
            response.raw.close()
            return None
        chunks.append(chunk)
    response.raw.release_conn()
    return b"".join(chunks)
