"""The provider as a server: HTTP/1.1 with kept connections, one thread each, one write per answer."""

from __future__ import annotations

import io
from email.utils import formatdate

from flask import Flask
from werkzeug.serving import DechunkedInput, ThreadedWSGIServer, WSGIRequestHandler
from werkzeug.test import run_wsgi_app

from . import wire
from .app import MAX_BODY_BYTES
from .faults import FaultOnWire

IDLE_S = 120


class Server(ThreadedWSGIServer):
    """Serves one sandbox application. `port` 0 takes a free one, named by the attribute `port`."""

    def __init__(self, app: Flask, *, host: str, port: int) -> None:
        super().__init__(host, port, app, handler=Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """A connection that broke is the caller's business and no event here."""
        return


class Handler(WSGIRequestHandler):
    """One connection. Unlike its base it keeps connections open, as real providers do."""

    protocol_version = "HTTP/1.1"
    timeout = IDLE_S
    disable_nagle_algorithm = True
    requests_before = 0

    def run_wsgi(self) -> None:
        """Answer one request: read it whole, run the application, write the answer in one piece."""
        body = self._read_body()
        environ = self.make_environ()
        environ["punktgenau.requests_before"] = self.requests_before
        environ["wsgi.input"] = io.BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body))
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        self.requests_before += 1
        try:
            chunks, status, headers = run_wsgi_app(self.server.app, environ, buffered=True)
        except FaultOnWire as fault:
            self.close_connection = True
            wire.play(self.connection, fault)
            return
        payload = b"".join(chunks)
        head = [f"{self.protocol_version} {status}", f"Date: {formatdate(usegmt=True)}"]
        head += [f"{name}: {value}" for name, value in headers if name.lower() != "content-length"]
        if not status.startswith(("204", "304")):
            head.append(f"Content-Length: {len(payload)}")
        if self.close_connection:
            head.append("Connection: close")
        rest = b"" if self.command == "HEAD" else payload
        self.connection.sendall("\r\n".join([*head, "", ""]).encode("latin-1") + rest)

    def _read_body(self) -> bytes:
        """The request's body. What is longer than the application takes is cut, which it will refuse."""
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            body = io.BufferedReader(DechunkedInput(self.rfile)).read(MAX_BODY_BYTES + 1)
        else:
            length = self.headers.get("Content-Length", "0")
            wanted = int(length) if length.isascii() and length.isdigit() else MAX_BODY_BYTES + 1
            body = self.rfile.read(min(wanted, MAX_BODY_BYTES + 1))
            if len(body) < min(wanted, MAX_BODY_BYTES + 1):
                raise ConnectionError("the request ended in the middle")
        if len(body) > MAX_BODY_BYTES:
            # The rest of it stays unread, so nothing else can follow on this connection.
            self.close_connection = True
        return body

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Silent; the journal of requests says more."""
