"""Does a process that pays and pays grow? 100,000 operations of one process, over TCP, with a journal on SQLite.

python -m long.memory --operations 100000
"""

from __future__ import annotations

import gc
import sys
import tempfile
import time
from pathlib import Path

from long import stub
from long.report import Report, ended, parser, say
from long.worker import cart_of
from punktgenau import Client
from punktgenau.checkout import Checkout, Order

MOST_KB = 1024
WARM_UP = 10_000
"""Operations until caches and the allocator have what they will always need."""


def resident_kb() -> int:
    """What of this process is in memory now."""
    gc.collect()
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise OSError("this system does not say how much memory a process has")


def measure(operations: int, *, warm_up: int = WARM_UP) -> Report:
    """An order is two operations, authorize and capture; every tenth is voided instead."""
    report = Report("memory")
    with (
        tempfile.TemporaryDirectory(prefix="punktgenau-memory-") as folder,
        stub.running() as url,
        Client(url, client_id="demo-shop", client_secret="demo-secret") as client,
    ):
        checkout = Checkout(client, f"sqlite:///{folder}/journal.sqlite", order_loader=_paid)
        checkout.upgrade()
        checkout.link("anna", member_id="mbr_1", consent_id="con_1")
        _pay(checkout, 1, warm_up // 2)
        series = [resident_kb()]
        started = time.monotonic()
        step = operations // 10
        for part in range(10):
            first = (warm_up + part * step) // 2 + 1
            _pay(checkout, first, first + step // 2 - 1)
            series.append(resident_kb())
            took_s = time.monotonic() - started
            say(f"{(part + 1) * step} operations: {series[-1] - series[0]:+d} kB, {took_s:.0f} s")
        checkout.close()
    grown_kb = series[-1] - series[0]
    what = f"memory that {operations:,} operations added, kB"
    report.figure(what, grown_kb, f"<= {MOST_KB}", grown_kb <= MOST_KB)
    report.note(
        f"Resident memory of the process after a warm-up of {warm_up:,} operations: {series[0]:,} kB. "
        f"Change after each tenth, kB: {', '.join(f'{kb - series[0]:+d}' for kb in series[1:])}."
    )
    return report


def _paid(reference: str) -> Order:
    return Order(reference=reference, state="paid")


def _pay(checkout: Checkout, first: int, last: int) -> None:
    for number in range(first, last + 1):
        reference = f"M-{number}"
        payment = checkout.authorize(reference, cart_of(reference, 5990), customer_id="anna", points=427)
        if payment.state != "authorized":
            raise AssertionError(f"{reference} is {payment.state}")
        ends = checkout.void(reference) if number % 10 == 0 else checkout.capture(reference)
        if ends is None or ends.state not in {"captured", "voided"}:
            raise AssertionError(f"{reference} ended otherwise")


def main() -> int:
    """0 when it does not grow."""
    options = parser(__doc__)
    options.add_argument("--operations", type=int, default=100_000)
    chosen = options.parse_args()
    return ended(measure(chosen.operations), chosen.report)


if __name__ == "__main__":
    sys.exit(main())
