"""The provider as a server: HTTP/1.1 with kept connections, one thread each, one write per answer."""

from __future__ import annotations

import io
import socket
import sys
import threading
from collections.abc import Iterable
from email.utils import formatdate
from http.server import HTTPServer
from typing import IO, cast

from flask import Flask
from werkzeug.datastructures import Headers
from werkzeug.serving import DechunkedInput, ThreadedWSGIServer, WSGIRequestHandler
from werkzeug.test import run_wsgi_app

from . import wire
from .call import MAX_BODY_BYTES
from .faults import FaultOnWire
from .state import sandbox_of

IDLE_S = 120


class Server(ThreadedWSGIServer):
    """Serves one sandbox application. `port` 0 takes a free one, named by the attribute `port`."""

    def __init__(self, app: Flask, *, host: str, port: int) -> None:
        super().__init__(host, port, app, handler=Handler)
        self.is_away = False
        self._is_stopped = threading.Event()
        self._away_s = 0.0
        self._sandbox = sandbox_of(app)
        self._sandbox.faults.when_refusing(self._go_away)

    def serve_forever(self, poll_interval: float = 0.05) -> None:
        """Serve until `stop`; while the fault `refuse` is played, do not even listen."""
        try:
            while not self._is_stopped.is_set():
                HTTPServer.serve_forever(self, poll_interval)
                if self.is_away:
                    self._stay_away()
        except KeyboardInterrupt:
            pass
        finally:
            self._sandbox.webhooks.clear()
            self.server_close()

    def stop(self) -> None:
        """End `serve_forever`, from another thread, and wait until it has."""
        self._is_stopped.set()
        self.shutdown()

    def handle_error(self, request: object, client_address: tuple[str, int] | str) -> None:
        """A connection that broke is the caller's business and no event here; anything else is."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)

    def _go_away(self, away_s: float) -> None:
        """Stop listening for a while. Kept connections end with their next request."""
        self._away_s = away_s
        self.is_away = True
        # A request thread asks for it, and must not wait for the loop that would wait for it.
        threading.Thread(target=self.shutdown, daemon=True).start()

    def _stay_away(self) -> None:
        address = self.socket.getsockname()
        self.socket.close()
        self._is_stopped.wait(self._away_s)
        self.socket = socket.socket(self.address_family, self.socket_type)
        if not self._is_stopped.is_set():
            self.server_address = address
            self.server_bind()
            self.server_activate()
        self.is_away = False


class Handler(WSGIRequestHandler):
    """One connection. Unlike its base it keeps connections open, as real providers do."""

    protocol_version = "HTTP/1.1"
    timeout = IDLE_S
    disable_nagle_algorithm = True
    server: Server
    requests_before = 0

    def run_wsgi(self) -> None:
        """Answer one request: read it whole, run the application, write the answer, in one piece if it is whole."""
        body = self._read_body()
        if self.server.is_away:
            self.close_connection = True
            return
        environ = self.make_environ()
        environ["punktgenau.requests_before"] = self.requests_before
        environ["wsgi.input"] = io.BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body))
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        self.requests_before += 1
        try:
            chunks, status, headers = run_wsgi_app(self.server.app, environ)
        except FaultOnWire as fault:
            self.close_connection = True
            wire.play(self.connection, fault)
            return
        try:
            self._answer(chunks, status, headers)
        finally:
            # The application's files and connections end with its answer, also where nobody read it.
            if (close := getattr(chunks, "close", None)) is not None:
                close()

    def _answer(self, chunks: Iterable[bytes], status: str, headers: Headers) -> None:
        head = [f"{self.protocol_version} {status}", f"Date: {formatdate(usegmt=True)}"]
        head += [f"{name}: {value}" for name, value in headers if name.lower() != "content-length"]
        is_empty = status.startswith(("204", "304"))
        if "Content-Length" not in headers and not is_empty and self.command == "GET":
            self._stream(chunks, head)
            return
        payload = b"".join(chunks)
        if not is_empty:
            head.append(f"Content-Length: {len(payload)}")
        if self.close_connection:
            head.append("Connection: close")
        rest = b"" if self.command == "HEAD" else payload
        self.connection.sendall("\r\n".join([*head, "", ""]).encode("latin-1") + rest)

    def _stream(self, chunks: Iterable[bytes], head: list[str]) -> None:
        """An answer that nobody knows the length of: as it comes, never whole in memory."""
        head += ["Transfer-Encoding: chunked"]
        self.connection.sendall("\r\n".join([*head, "", ""]).encode("latin-1"))
        for chunk in chunks:
            if chunk:
                self.connection.sendall(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
        self.connection.sendall(b"0\r\n\r\n")

    def log(self, type: str, message: str, *args: object) -> None:
        """Silent; the journal of requests says more."""

    def _read_body(self) -> bytes:
        """The request's body. What is longer than the application takes is cut, which it will refuse."""
        most_bytes = MAX_BODY_BYTES + 1
        length = self.headers.get("Content-Length", "0")
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            raw = cast(io.RawIOBase, DechunkedInput(cast(IO[bytes], self.rfile)))
            body = io.BufferedReader(raw).read(most_bytes)
            # Two lengths for one body: what would follow cannot be trusted to begin where it seems to.
            self.close_connection = self.close_connection or "Content-Length" in self.headers
        elif length.isascii() and length.isdigit():
            wanted_bytes = min(int(length), most_bytes)
            body = self.rfile.read(wanted_bytes)
            if len(body) < wanted_bytes:
                raise ConnectionError("the request ended in the middle")
        else:
            raise ConnectionError("a length that is no number")
        if len(body) == most_bytes:
            # The rest stays unread, so nothing else can follow on this connection.
            self.close_connection = True
        return body
