"""A provider that is away altogether: how many requests does it get per operation?

python -m long.outage --operations 10000
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass

from _canned import Act, answer, canned, closed_port, reset, then_silence
from long.report import Report, ended, parser, say
from punktgenau import Client, Money, PunktgenauError, SystemClock

MOST = 1.2
KINDS: dict[str, Act | None] = {
    "nobody listens": None,
    "connections are reset": reset,
    "every answer is a 503": answer(b"away", 503, content_type="text/plain"),
    "no answer comes": then_silence(),
}
# As fast as the shop's customers come; one a second; slower than the circuit's pause, so that each call is a probe.
PACES_S = (0.0, 1.0, 10.0)


class PacedClock(SystemClock):
    """The machine's time, moved on between operations; sleeping takes no time."""

    def __init__(self) -> None:
        self.moved_s = 0.0

    def monotonic(self) -> float:
        """Seconds, moved on."""
        return super().monotonic() + self.moved_s

    def sleep(self, seconds: float) -> None:
        """Move on."""
        self.moved_s += seconds


@dataclass(frozen=True)
class Outcome:
    """What one outage came to."""

    operations: int
    requests: int
    cpu_ms: float


def away(act: Act | None, *, operations: int, pace_s: float) -> Outcome:
    """So many operations of one client against a provider that is away."""
    clock = PacedClock()
    total = Money(amount_minor=5990, currency="EUR")
    with canned() as server:
        server.usual = act
        url = server.url if act is not None else f"http://127.0.0.1:{closed_port()}"
        with Client(url, client_id="demo-shop", client_secret="demo-secret", deadline_s=0.2, clock=clock) as client:
            started = time.process_time()
            for number in range(operations):
                try:
                    client.redemptions.authorize(
                        member_id="mbr_1", order_reference=f"O-{number}", total=total, points=427
                    )
                except PunktgenauError:
                    clock.moved_s += pace_s
                else:
                    raise AssertionError("nobody can have answered")
            cpu_ms = (time.process_time() - started) * 1000 / operations
        return Outcome(operations, len(server.seen) + len(server.tokens), cpu_ms)


def measure(operations: int) -> Report:
    """Every kind of outage at every pace."""
    report = Report("outage")
    rows: list[tuple[object, ...]] = []
    worst = 0.0
    for name, act in KINDS.items():
        for pace_s in PACES_S:
            # A probe into silence takes its whole deadline, so there are fewer where each call is one.
            count = (
                operations if pace_s == 0 or act is None else operations // (10 if name != "no answer comes" else 50)
            )
            found = away(act, operations=count, pace_s=pace_s)
            share = found.requests / found.operations
            worst = max(worst, share)
            rows.append((name, pace_s, found.operations, found.requests, f"{share:.4f}", f"{found.cpu_ms:.2f}"))
            say(f"{name}, {pace_s:g} s apart: {found.requests} requests for {found.operations} operations")
    report.figure("requests per operation in a total outage, worst", f"{worst:.3f}", f"<= {MOST}", worst <= MOST)
    report.note("Requests for partner tokens count. Times between operations by the client's clock.")
    report.table(["the provider", "s between", "operations", "requests", "per operation", "CPU ms per operation"], rows)
    return report


def main() -> int:
    """0 when an outage is not made worse."""
    options = parser(__doc__)
    options.add_argument("--operations", type=int, default=10_000)
    chosen = options.parse_args()
    return ended(measure(chosen.operations), chosen.report)


if __name__ == "__main__":
    sys.exit(main())
