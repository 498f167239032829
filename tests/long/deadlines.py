"""Calls that end: the longest time until control is back, under each way in which an answer may not come.

python -m long.deadlines --repeats 3
"""

from __future__ import annotations

import gzip
import os
import ssl
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import trustme

from _canned import (
    JSON,
    Act,
    AtAccept,
    answer,
    canned,
    drip,
    full_backlog,
    head,
    problem,
    reset,
    then_silence,
)
from long.report import Report, ended, parser, say
from punktgenau import Client, Money, PunktgenauError

DEADLINES_S = (0.5, 1.0, 2.0)
BODY = head(200, {"Content-Type": JSON, "Content-Length": "4000"})
PACKED = head(200, {"Content-Type": JSON, "Content-Encoding": "gzip", "Content-Length": "4000"})
# The first bytes of a record of 16 kB that never comes.
RECORD = b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc" + b"\x00" * 4000

PLAIN: dict[str, Act | AtAccept] = {
    "silence after connect": then_silence(),
    "status line, byte by byte": drip(b"HTTP/1.1 200 OK\r\n" * 200),
    "headers, byte by byte": drip(b"X-Patience: " + b"x" * 4000, at_once=b"HTTP/1.1 200 OK\r\n"),
    "body, byte by byte": drip(b" " * 4000, at_once=BODY),
    "gzip body, byte by byte": drip(gzip.compress(os.urandom(3000)), at_once=PACKED),
    "half a body, then silence": then_silence(BODY + b"{" * 100),
    "429, Retry-After a day": problem("rate_limited", 429, headers={"Retry-After": "86400"}),
    "503, Retry-After an hour": answer(b"", 503, content_type=None, headers={"Retry-After": "3600"}),
    "409 in progress, again and again": problem("operation_in_progress", 409, outcome="unknown"),
    "reset, again and again": reset,
}
SECURE: dict[str, Act | AtAccept] = {
    "TLS handshake: silence": AtAccept(then_silence()),
    "TLS handshake, byte by byte": AtAccept(drip(RECORD)),
    "over TLS: silence": then_silence(),
    "over TLS: headers, byte by byte": drip(b"X-Patience: " + b"x" * 4000, at_once=b"HTTP/1.1 200 OK\r\n"),
    "over TLS: body, byte by byte": drip(b" " * 4000, at_once=BODY),
}


@contextmanager
def trusted(folder: Path) -> Iterator[ssl.SSLContext]:
    """A server's TLS, of an authority that the environment trusts for as long as the block."""
    authority = trustme.CA()
    bundle = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(made)
    before = os.environ.get("REQUESTS_CA_BUNDLE")
    os.environ["REQUESTS_CA_BUNDLE"] = str(bundle)
    try:
        yield made
    finally:
        if before is None:
            del os.environ["REQUESTS_CA_BUNDLE"]
        else:
            os.environ["REQUESTS_CA_BUNDLE"] = before


def elapsed_s(url: str, *, deadline_s: float) -> float:
    """How long one authorize of a fresh client keeps its caller."""
    with Client(url, client_id="demo-shop", client_secret="demo-secret") as client:
        started = time.monotonic()
        try:
            client.redemptions.authorize(
                member_id="mbr_1",
                order_reference="A-1",
                total=Money(amount_minor=5990, currency="EUR"),
                points=427,
                deadline_s=deadline_s,
            )
        except PunktgenauError:
            return time.monotonic() - started
        raise AssertionError("nobody can have answered")


def under(act: Act | AtAccept, *, deadline_s: float, tls: ssl.SSLContext | None) -> float:
    """The same against a server that does this, every time."""
    with canned(tls=tls) as server:
        if isinstance(act, AtAccept):
            server.next(*[act] * 9)
        else:
            server.usual = act
        return elapsed_s(server.url, deadline_s=deadline_s)


def measure(repeats: int) -> Report:
    """Every fault at every deadline, so many times; the longest counts."""
    report = Report("deadlines")
    rows: list[list[object]] = []
    worst_ms = -1e9
    with tempfile.TemporaryDirectory(prefix="punktgenau-deadlines-") as folder, trusted(Path(folder)) as tls:
        for name, act, over in [
            ("connect: nobody takes it", None, None),
            *((name, act, None) for name, act in PLAIN.items()),
            *((name, act, tls) for name, act in SECURE.items()),
        ]:
            row: list[object] = [name]
            for deadline_s in DEADLINES_S:
                found = max(_trial(act, deadline_s=deadline_s, tls=over) for _ in range(repeats))
                over_ms = (found - 1.05 * deadline_s - 0.05) * 1000
                worst_ms = max(worst_ms, over_ms)
                row.append(f"{found:.3f}{' **late**' if over_ms > 0 else ''}")
            rows.append(row)
            say(" · ".join(map(str, row)))
    report.figure(
        "control back later than 1.05 x deadline + 50 ms, worst, ms", f"{worst_ms:+.0f}", "<= 0", worst_ms <= 0
    )
    report.note(
        f"Seconds until control is back, the longest of {repeats}; a fresh client each time, its token included."
    )
    report.table(["the provider", *(f"deadline {deadline_s:g} s" for deadline_s in DEADLINES_S)], rows)
    return report


def _trial(act: Act | AtAccept | None, *, deadline_s: float, tls: ssl.SSLContext | None) -> float:
    if act is not None:
        return under(act, deadline_s=deadline_s, tls=tls)
    with full_backlog() as port:
        return elapsed_s(f"http://127.0.0.1:{port}", deadline_s=deadline_s)


def main() -> int:
    """0 when every call ends on time."""
    options = parser(__doc__)
    options.add_argument("--repeats", type=int, default=3)
    chosen = options.parse_args()
    return ended(measure(chosen.repeats), chosen.report)


if __name__ == "__main__":
    sys.exit(main())
