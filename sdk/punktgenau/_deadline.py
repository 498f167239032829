"""Connections that end on time: sockets that re-arm their own timeout with what is left of the call, and capped bodies.

A socket timeout alone bounds each read, so one byte a second would hold a caller for ever. Name resolution is outside
the promise: the system's resolver takes no timeout.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from http.client import HTTPConnection as PlainConnection
from typing import TYPE_CHECKING

from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from urllib3 import HTTPHeaderDict, HTTPResponse
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import ConnectionPool, HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util.connection import allowed_gai_family, create_connection
from urllib3.util.ssl_ import create_urllib3_context

if TYPE_CHECKING:
    from urllib3.poolmanager import PoolManager
    from urllib3.response import BaseHTTPResponse


class _Active(threading.local):
    """The call that this thread is in: when it ends, on which clock."""

    ends: float | None = None
    monotonic: Callable[[], float]


_active = _Active()


def begin_call(ends: float, monotonic: Callable[[], float]) -> None:
    """Let every connect, read and write of this thread end at that moment on that clock, until `end_call`."""
    _active.monotonic = monotonic
    _active.ends = ends


def end_call() -> None:
    """This thread is in no call any more."""
    _active.ends = None


def _left_s() -> float | None:
    """What is left of the call that this thread is in; None: it is in none."""
    if _active.ends is None:
        return None
    left_s = _active.ends - _active.monotonic()
    if left_s <= 0:
        raise TimeoutError("the call's deadline has passed")
    return left_s


def _arm(sock: socket.socket) -> None:
    left_s = _left_s()
    if left_s is not None:
        sock.settimeout(left_s)


class _Socket(socket.socket):
    def recv_into(self, *args: object, **kwargs: object) -> int:
        _arm(self)
        return super().recv_into(*args, **kwargs)  # type: ignore[arg-type]

    def sendall(self, *args: object, **kwargs: object) -> None:
        _arm(self)
        super().sendall(*args, **kwargs)  # type: ignore[arg-type]


class _TlsSocket(ssl.SSLSocket):
    def recv(self, *args: object, **kwargs: object) -> bytes:
        # The interpreter reads once before the handshake, and leaves a socket that was reset by then to the collector.
        try:
            return super().recv(*args, **kwargs)  # type: ignore[arg-type]
        except OSError:
            if self._sslobj is None:  # type: ignore[attr-defined]
                self.close()
            raise

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


def _connected(connection: HTTPConnection) -> socket.socket:
    """A connected socket that knows the deadline; each address of the host gets its share of the time that is left."""
    host, port = connection.host, connection.port
    try:
        found = socket.getaddrinfo(host.strip("[]"), port, allowed_gai_family(), socket.SOCK_STREAM)
    except UnicodeError:
        raise NewConnectionError(connection, f"{host!r} is no name that can be looked up") from None
    except socket.gaierror as error:
        raise NameResolutionError(host, connection, error) from error
    failure = OSError("the name has no address")
    most_s = connection.timeout if isinstance(connection.timeout, int | float) else None
    for address in (entry[4] for entry in found):
        share_s = None if most_s is None else most_s / len(found)
        try:
            return _own(
                create_connection(
                    (str(address[0]), port),
                    _left_at_most(share_s),
                    source_address=connection.source_address,
                    socket_options=connection.socket_options,
                )
            )
        except OSError as error:
            failure = error
    if isinstance(failure, TimeoutError):
        raise ConnectTimeoutError(connection, f"Connection to {host} timed out") from failure
    raise NewConnectionError(connection, f"Failed to establish a new connection: {failure}") from failure


def _left_at_most(seconds: float | None) -> float | None:
    left_s = _left_s()
    if left_s is None:
        return seconds
    return left_s if seconds is None else min(seconds, left_s)


def _own(plain: socket.socket) -> socket.socket:
    timeout = plain.gettimeout()
    own = _Socket(plain.family, plain.type, plain.proto, fileno=plain.detach())
    own.settimeout(timeout)
    return own


class _Lean(HTTPConnection):
    """A connection for one small request and one small answer at a time.

    Head and body go out together: each write wakes the other side, which costs more than the making of it. Headers go
    out and come in as `http.client` checks them, without urllib3's search for marks that nobody sets here and for
    oddities that it would only log.
    """

    _held: list[bytes] | None = None

    def request(self, *args: object, **kwargs: object) -> None:
        self._held = []
        try:
            super().request(*args, **kwargs)  # type: ignore[arg-type]
            whole = b"".join(self._held)
        finally:
            self._held = None
        self.send(whole)

    def send(self, data: bytes) -> None:  # type: ignore[override]
        if self._held is None:
            super().send(data)
        else:
            self._held.append(data)

    def putheader(self, header: str, *values: str) -> None:  # type: ignore[override]
        PlainConnection.putheader(self, header, *values)

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]
        answer = PlainConnection.getresponse(self)
        return HTTPResponse(
            body=answer,
            headers=HTTPHeaderDict(answer.headers.items()),
            status=answer.status,
            version=answer.version,
            reason=answer.reason,
            preload_content=False,
            decode_content=False,
            original_response=answer,
        )


class _Connection(_Lean):
    def _new_conn(self) -> socket.socket:
        return _connected(self)


class _TlsConnection(_Lean, HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _connected(self)

    def connect(self) -> None:
        try:
            super().connect()
        except ssl.SSLCertVerificationError:
            raise
        except OSError as error:
            # Before the end of the handshake nothing of a request has left, whatever went wrong.
            raise NewConnectionError(self, f"No TLS connection: {error}") from error


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


def _tls_context() -> ssl.SSLContext:
    context = create_urllib3_context()
    context.sslsocket_class = _TlsSocket
    return context


class DeadlineAdapter(HTTPAdapter):
    """The adapter of `requests` over sockets that know the call's deadline; never retries by itself.

    Each serves one address, with the same proxies and certificates for every call, so it looks its pool up once.
    """

    def __init__(self, *, connections: int = 32) -> None:
        self._pool: ConnectionPool | None = None
        super().__init__(pool_connections=4, pool_maxsize=connections, max_retries=0)

    def get_connection_with_tls_context(self, *args: object, **kwargs: object) -> ConnectionPool:
        """The pool of this adapter's address."""
        if self._pool is None:
            self._pool = super().get_connection_with_tls_context(*args, **kwargs)  # type: ignore[arg-type]
        return self._pool

    def request_url(self, request: PreparedRequest, proxies: Mapping[str, str] | None) -> str:
        """What stands in the request line: the path, where no proxy needs to know more."""
        return super().request_url(request, proxies) if proxies else request.path_url

    def build_response(self, req: PreparedRequest, resp: BaseHTTPResponse) -> Response:
        """The answer, without what a browser would keep of it: cookies, encodings."""
        response = Response()
        response.status_code, response.reason = resp.status, resp.reason or ""
        response.headers = resp.headers  # type: ignore[assignment]  # as deaf to case as the usual one
        response.raw, response.request, response.url = resp, req, req.url or ""
        return response

    def close(self) -> None:
        """Close the connections."""
        self._pool = None
        super().close()

    def init_poolmanager(self, *args: object, **kwargs: object) -> None:
        """Pools whose sockets know the deadline."""
        super().init_poolmanager(*args, ssl_context=_tls_context(), **kwargs)  # type: ignore[arg-type]
        self._own_pools(self.poolmanager)

    def proxy_manager_for(self, *args: object, **kwargs: object) -> PoolManager:
        """The same through a proxy."""
        manager: PoolManager = super().proxy_manager_for(*args, ssl_context=_tls_context(), **kwargs)  # type: ignore[arg-type]
        self._own_pools(manager)
        return manager

    @staticmethod
    def _own_pools(manager: PoolManager) -> None:
        manager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}


def read_bounded(response: Response, *, limit_bytes: int) -> bytes | None:
    """The whole body as it came, or None where it is longer than the limit; raises what urllib3 raises.

    A status without a body ends the connection: what follows on it would be taken for the next call's answer.
    """
    if response.status_code < 200 or response.status_code in (204, 205, 304):
        response.raw.close()
        return b""
    chunks: list[bytes] = []
    size = 0
    while chunk := response.raw.read(16_384, decode_content=False):
        size += len(chunk)
        if size > limit_bytes:
            response.raw.close()
            return None
        chunks.append(chunk)
        if getattr(response.raw, "length_remaining", None) == 0:
            break
    response.raw.release_conn()
    return b"".join(chunks)
