"""Playing a fault on the connection itself. Nothing is locked meanwhile; other requests are served."""

from __future__ import annotations

import selectors
import socket
import struct
from http import HTTPStatus

from .faults import MAX_DELAY_S, FaultOnWire

DRIP_S = 1.0


def play(connection: socket.socket, fault: FaultOnWire) -> None:
    """Do to the connection what the fault says. Afterwards it is of no use any more."""
    head, body = _head(fault), fault.body
    if fault.kind in ("reset", "refuse"):
        _break(connection)
    elif fault.kind == "hang":
        _wait(connection, MAX_DELAY_S if fault.delay_s is None else fault.delay_s)
    elif fault.kind == "drip_headers":
        _drip(connection, head + body, fault.delay_s)
    elif fault.kind == "drip_body":
        connection.sendall(head)
        _drip(connection, body, fault.delay_s)
    elif fault.kind == "truncated_body":
        connection.sendall(head + body[: len(body) // 2])
    # stale_connection: it just ends.


def _head(fault: FaultOnWire) -> bytes:
    lines = [f"HTTP/1.1 {fault.status} {HTTPStatus(fault.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in fault.headers if name.lower() != "content-length"]
    lines += [f"Content-Length: {len(fault.body)}", "", ""]
    return "\r\n".join(lines).encode("latin-1")


def _break(connection: socket.socket) -> None:
    """End with a reset instead of a proper close."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def _drip(connection: socket.socket, data: bytes, delay_s: float | None) -> None:
    """One byte a second, until the caller leaves or the time is up."""
    left_s = MAX_DELAY_S if delay_s is None else delay_s
    for position in range(len(data)):
        connection.sendall(data[position : position + 1])
        if left_s <= 0 or not _wait(connection, min(DRIP_S, left_s)):
            return
        left_s -= DRIP_S


def _wait(connection: socket.socket, delay_s: float) -> bool:
    """Let time pass. False as soon as the caller has left."""
    with selectors.DefaultSelector() as selector:
        selector.register(connection, selectors.EVENT_READ)
        return not selector.select(timeout=delay_s)
