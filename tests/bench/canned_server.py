"""A provider in a process of its own that answers at once, or misbehaves as it is told. Standard library only.

`PUT /-/fault` with `{"fault": ..., "executed": ...}` sets what the next calls meet; `GET /-/seen` tells what arrived.
What carries a key is executed at most once for it, as providers promise; `executed` says whether a call that meets the
fault is.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import sys
from collections import Counter
from contextlib import suppress

from canned_replies import BY_PATH, redemption

STATUS = {"500": 500, "503, Retry-After 3600": 503, "429": 429, "409": 409}
NEVER_EXECUTED = {"429"}
"""A provider that asks to slow down has done nothing."""
OURS = "/v1/redemptions"


class State:
    """What all connections share."""

    fault = ""
    executed = True
    seen: list[str | None] = []  # noqa: RUF012 - one per process
    done: Counter[str] = Counter()  # noqa: RUF012 - one per process


async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One connection."""
    first = True
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            method, path, _ = head[0].split(" ", 2)
            headers = {name.lower(): text.strip() for name, _, text in (line.partition(":") for line in head[1:])}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            if path.startswith("/-/"):
                answer(writer, 200, "application/json", control(method, path, body))
            elif not State.fault or path.endswith("/token"):
                answer(writer, *usual(path, headers, body))
            elif not await misbehave(writer, path, headers, body, first=first):
                break
            first = False
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError, TimeoutError):
        pass
    finally:
        writer.close()


def control(method: str, path: str, body: bytes) -> bytes:
    """The test's side."""
    if method == "PUT":
        asked = json.loads(body)
        State.fault, State.executed = asked["fault"], asked.get("executed", True)
        if asked.get("forget", True):
            State.seen.clear()
            State.done.clear()
    return json.dumps({"seen": State.seen, "done": State.done}).encode()


def usual(path: str, headers: dict[str, str], body: bytes) -> tuple[int, str, bytes]:
    """A proper answer; the reference contract's echoes, and remembers."""
    if path.partition("?")[0] == OURS and body:
        key = headers.get("idempotency-key", "")
        State.done[key] += not State.done[key]
        return 201, "application/json", redemption(body, key)
    return next(reply for start, reply in BY_PATH.items() if path.startswith(start))


def answer(writer: asyncio.StreamWriter, status: int, kind: str, body: bytes, extra: str = "") -> None:
    """Write one answer in one piece."""
    head = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{extra}\r\n"
    writer.write(head.encode() + body)


async def misbehave(
    writer: asyncio.StreamWriter, path: str, headers: dict[str, str], body: bytes, *, first: bool
) -> bool:
    """Play the fault; False: the connection ends."""
    State.seen.append(key_of(headers, body))
    fault = State.fault
    if fault == "stale connection" and first:
        answer(writer, *usual(path, headers, body))
        return True
    executed = State.executed and fault not in NEVER_EXECUTED
    status, kind, proper = usual(path, headers, body) if executed else BY_PATH["/plain"]
    if fault in STATUS:
        extra = "Retry-After: 3600\r\n" if fault.startswith("503") else ""
        answer(writer, STATUS[fault], "application/json", b'{"error": {"message": "no"}}', extra)
    elif fault == "HTML with 200":
        answer(writer, status, "text/html", b"<html><body>Please sign in to this network</body></html>")
    elif fault == "nothing with 200":
        answer(writer, status, kind, b"")
    elif fault == "other JSON with 200":
        answer(writer, status, "application/json", b'{"hello": "world"}')
    elif fault == "truncated body":
        whole = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(proper)}\r\n\r\n".encode()
        writer.write(whole + proper[:200])
        return False
    elif fault == "one byte a second":
        writer.write(f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: 600\r\n\r\n".encode())
        await slowly(writer, b" " * 60)
        return False
    elif fault == "silence":
        await slowly(writer, b"", wait_s=60)
        return False
    else:
        if fault == "reset":
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        return False
    return True


async def slowly(writer: asyncio.StreamWriter, data: bytes, *, wait_s: float = 1) -> None:
    """One byte at a time, or none at all."""
    for position in range(max(1, len(data))):
        writer.write(data[position : position + 1])
        await writer.drain()
        await asyncio.sleep(wait_s)


def key_of(headers: dict[str, str], body: bytes) -> str | None:
    """The idempotency key, wherever this provider has it."""
    found = next((text for name, text in headers.items() if "idempotency" in name or name == "paypal-request-id"), None)
    if found is None and b"idempotency_key" in body:
        found = json.loads(body).get("idempotency_key")
    return found


async def main() -> None:
    """Serve until told to stop."""
    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    sys.stdout.write(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(main())
