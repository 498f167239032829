"""A provider that does as it is told: a real TCP server whose every request or connection plays the next of its acts.

Acts wait in line; a request for a partner token is answered by itself, on a connection that then ends, so that the
acts meet the calls that a test makes. What arrived is kept in `seen`.
"""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

TOKEN = {"access_token": "pat_5f2c9d", "token_type": "Bearer", "expires_in": 3600, "mode": "sandbox"}
JSON = "application/json"
PROBLEM = "application/problem+json"
BACKSTOP_S = 20.0


@dataclass(frozen=True)
class Seen:
    """One request as it arrived; header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    connection: int


@dataclass
class Conversation:
    """One connection, as an act sees it. `request` is None where the act begins before anything was read."""

    sock: socket.socket
    number: int
    stopping: threading.Event
    request: Seen | None = None
    ends: bool = False

    def send(self, data: bytes) -> None:
        """Everything at once; a caller who has left is no failure here."""
        with suppress(OSError):
            self.sock.sendall(data)

    def wait_until_left(self) -> None:
        """Say nothing more until the caller ends the connection or the server stops."""
        with suppress(OSError):
            while self.sock.recv(4096):
                pass


Act = Callable[[Conversation], None]


def answer(
    body: object = None,
    status: int = 200,
    *,
    content_type: str | None = JSON,
    headers: Mapping[str, str] | None = None,
    close: bool = False,
) -> Act:
    """A well-formed answer; a body that is not bytes goes out as JSON."""
    data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    lines = {"Content-Length": str(len(data)), **({"Content-Type": content_type} if content_type else {})}
    return raw(head(status, {**lines, **(headers or {})}) + data, close=close)


def problem(code: str, status: int, *, headers: Mapping[str, str] | None = None, **more: object) -> Act:
    """A refusal in the contract's form; outcome not_done unless told otherwise."""
    body = {"code": code, "outcome": "not_done", "detail": f"{code}.", **more}
    return answer(body, status, content_type=PROBLEM, headers=headers)


def head(status: int, headers: Mapping[str, str]) -> bytes:
    """Status line and headers."""
    lines = [f"HTTP/1.1 {status} {'OK' if status == 200 else 'Told So'}"]
    return "\r\n".join([*lines, *(f"{name}: {value}" for name, value in headers.items()), "", ""]).encode("latin-1")


def raw(*pieces: bytes, close: bool = True) -> Act:
    """These bytes, and then the end of the connection unless told otherwise."""

    def play(talk: Conversation) -> None:
        for piece in pieces:
            talk.send(piece)
        talk.ends = close

    return play


def then_silence(data: bytes = b"") -> Act:
    """These bytes, and then nothing for as long as the caller waits."""

    def play(talk: Conversation) -> None:
        talk.send(data)
        talk.wait_until_left()
        talk.ends = True

    return play


def drip(data: bytes, *, at_once: bytes = b"", every_s: float = 0.05) -> Act:
    """`at_once`, and then one byte at a time, so that no single read waits long."""

    def play(talk: Conversation) -> None:
        talk.send(at_once)
        talk.sock.settimeout(every_s)
        for position in range(len(data)):
            talk.send(data[position : position + 1])
            try:
                if not talk.sock.recv(1):
                    break
            except TimeoutError:
                continue
            except OSError:
                break
        talk.ends = True

    return play


def reset(talk: Conversation) -> None:
    """End the connection with a reset instead of a proper close."""
    talk.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    talk.ends = True


def reset_unread(talk: Conversation) -> None:
    """Reset the connection as soon as there is something to read, without reading it."""
    talk.sock.recv(1, socket.MSG_PEEK)
    reset(talk)


def close(talk: Conversation) -> None:
    """End the connection without a word."""
    talk.ends = True


@dataclass(frozen=True)
class AtAccept:
    """An act that begins when the connection is made, before a byte of a request is read."""

    act: Act


@dataclass
class Canned:
    """The server, seen from a test."""

    listener: socket.socket
    tls: ssl.SSLContext | None = None
    token: Act = field(default_factory=lambda: answer(TOKEN, headers={"Connection": "close"}, close=True))
    seen: list[Seen] = field(default_factory=list)
    tokens: list[Seen] = field(default_factory=list)
    connections: int = 0
    usual: Act | None = None
    _acts: deque[Act | AtAccept] = field(default_factory=deque)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _open: list[socket.socket] = field(default_factory=list)
    _threads: list[threading.Thread] = field(default_factory=list)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.listener.getsockname()[1])

    @property
    def url(self) -> str:
        """The address for a client."""
        return f"http{'s' if self.tls else ''}://127.0.0.1:{self.port}"

    def next(self, *acts: Act | AtAccept) -> None:
        """Play these next, one for each request (or connection, for AtAccept); then `usual`, or else a close."""
        with self._lock:
            self._acts.extend(acts)

    @property
    def waiting(self) -> int:
        """How many acts were not played."""
        with self._lock:
            return len(self._acts)

    def keys(self) -> list[str | None]:
        """The idempotency keys that arrived, in order."""
        return [seen.headers.get("idempotency-key") for seen in self.seen]

    def serve(self) -> None:
        """Accept until stopped."""
        while not self._stopping.is_set():
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._talk, args=(sock,), daemon=True)
            with self._lock:
                self.connections += 1
                self._open.append(sock)
                self._threads.append(thread)
                thread.start()

    def stop(self) -> None:
        """End everything, and wait until it has ended."""
        self._stopping.set()
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        with self._lock:
            opened, threads = list(self._open), list(self._threads)
        for sock in opened:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join(BACKSTOP_S)

    def _talk(self, sock: socket.socket) -> None:
        sock.settimeout(BACKSTOP_S)
        talk = Conversation(sock, self.connections, self._stopping)
        try:
            while not talk.ends and (act := self._next_act(talk)) is not None:
                act(talk)
        except OSError:
            pass
        finally:
            with self._lock:
                self._open.remove(sock)
            talk.sock.close()
            sock.close()

    def _next_act(self, talk: Conversation) -> Act | None:
        with self._lock:
            if self._acts and isinstance(self._acts[0], AtAccept) and talk.request is None:
                act = self._acts.popleft()
                assert isinstance(act, AtAccept)
                return act.act
        if self.tls is not None and talk.request is None:
            talk.sock = self.tls.wrap_socket(talk.sock, server_side=True)
            talk.sock.settimeout(BACKSTOP_S)
        request = read_request(talk.sock, talk.number)
        if request is None:
            return None
        talk.request = request
        with self._lock:
            if request.body == b"grant_type=client_credentials":
                self.tokens.append(request)
                return self.token
            self.seen.append(request)
            if self._acts and not isinstance(self._acts[0], AtAccept):
                act = self._acts.popleft()
                assert not isinstance(act, AtAccept)
                return act
            return self.usual or close


def read_request(sock: socket.socket, number: int) -> Seen | None:
    """One whole request; None where the caller ended the connection first."""
    data = b""
    while b"\r\n\r\n" not in data:
        if not (more := sock.recv(65_536)):
            return None
        data += more
    top, _, body = data.partition(b"\r\n\r\n")
    first, *lines = top.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    while len(body) < int(headers.get("content-length", "0")):
        if not (more := sock.recv(65_536)):
            return None
        body += more
    method, path, _ = first.split(" ")
    return Seen(method, path, headers, body, number)


@contextmanager
def canned(*, tls: ssl.SSLContext | None = None) -> Iterator[Canned]:
    """A server on a free port of this machine."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = Canned(listener, tls)
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join(BACKSTOP_S)


def closed_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def full_backlog() -> Iterator[int]:
    """A port whose queue of new connections is full, so that connecting takes for ever."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = int(listener.getsockname()[1])
        waiting = []
        try:
            for _ in range(8):
                sock = socket.socket()
                waiting.append(sock)
                sock.settimeout(0.1)
                try:
                    sock.connect(("127.0.0.1", port))
                except TimeoutError:
                    break
            else:
                raise AssertionError("this machine queues more connections than it was asked to")
            yield port
        finally:
            for sock in waiting:
                sock.close()
