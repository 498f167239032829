"""A provider that costs next to nothing, as a process: says yes to every authorize, capture and void, with a full echo.

python -m long.stub        prints the port that it listens on
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from _canned import TOKEN, read_request

TESTS = Path(__file__).resolve().parent.parent
AT = "2026-11-22T10:00:00Z"
RATE = {"id": "rate_eur_1", "points": 1, "amount_minor": 1, "currency": "EUR", "rounding": "down"}
LIMITS = {
    "min_points": 1, "max_points": None, "step": 1, "max_share_percent": None, "max_value": None,
}  # fmt: skip


class Stub:
    """What it keeps: redemptions that were not captured yet."""

    def __init__(self) -> None:
        self._held: dict[str, dict[str, Any]] = {}
        self._count = 0

    def answer(self, method: str, path: str, key: str | None, body: bytes) -> dict[str, Any]:
        """The body of the answer to one request."""
        if path == "/oauth/token":
            return TOKEN
        if path.endswith("/balance"):
            sample: dict[str, Any] = json.loads((TESTS / "wire" / "balance.json").read_text("utf-8"))["reply"]["body"]
            return sample | {"member_id": path.split("/")[3], "available": 2_000_000_000, "expiring": []}
        if path == "/v1/redemptions":
            return self._authorize(json.loads(body), key)
        redemption_id = path.split("/")[3]
        return self._end(self._held.pop(redemption_id), "captured" if path.endswith("/capture") else "voided")

    def _authorize(self, asked: dict[str, Any], key: str | None) -> dict[str, Any]:
        self._count += 1
        tender = asked["tenders"][0]
        counts = {"held_points": tender["points"], "captured_points": 0, "reversed_points": 0, "released_points": 0}
        nothing = {"amount_minor": 0, "currency": "EUR"}
        made = {
            "id": f"red_{self._count}", "state": "authorized", "member_id": asked["member_id"], "former_member_ids": [],
            "partner_id": "demo-shop", "order_reference": asked["order_reference"], "idempotency_key": key,
            "points": tender["points"], "value": tender["value"], "total": asked["total"], "rate": RATE, **counts,
            "captured_value": nothing, "reversed_value": nothing, "tenders": [{**tender, **counts}], "sequence": 1,
            "created_at": AT, "updated_at": AT, "expires_at": AT, "expires_in_s": 7200, "now": AT, "mode": "sandbox",
        }  # fmt: skip
        self._held[made["id"]] = made
        return made

    def _end(self, held: dict[str, Any], state: str) -> dict[str, Any]:
        counts = {"held_points": 0, "captured_points" if state == "captured" else "released_points": held["points"]}
        value = {"captured_value": held["value"]} if state == "captured" else {}
        tender = {**held["tenders"][0], **counts}
        ended = {"state": state, "sequence": 2, "expires_at": None, "expires_in_s": None, "tenders": [tender]}
        return {**held, **counts, **value, **ended}

    def talk(self, sock: socket.socket) -> None:
        """One connection to its end."""
        with sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while (request := read_request(sock, 0)) is not None:
                key = request.headers.get("idempotency-key")
                body = json.dumps(self.answer(request.method, request.path, key, request.body)).encode()
                head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
                sock.sendall(head.encode() + body)


@contextmanager
def running() -> Iterator[str]:
    """The address of one that runs for as long as the block."""
    command = [sys.executable, "-m", "long.stub"]
    with subprocess.Popen(command, cwd=TESTS, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip() if process.stdout else ''}"
        finally:
            process.kill()


def main() -> None:
    """Serve until killed."""
    stub = Stub()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        sys.stdout.write(f"{listener.getsockname()[1]}\n")
        sys.stdout.flush()
        while True:
            sock, _ = listener.accept()
            threading.Thread(target=stub.talk, args=(sock,), daemon=True).start()


if __name__ == "__main__":
    main()
