"""10,000 answers were lost: how many calls does recovery need to know what became of them?

python -m long.unknowns --rows 10000
"""

from __future__ import annotations

import io
import sqlite3
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from requests import PreparedRequest, Response
from urllib3 import HTTPResponse

from long.report import Report, ended, parser, say
from long.servers import SandboxServer
from long.worker import cart_of
from punktgenau import Client
from punktgenau._deadline import DeadlineAdapter
from punktgenau.checkout import Checkout, Order, Settings

MOST = 1.05
CAPTURES_IN_TEN = 3
UNKNOWN = "SELECT count(*) FROM punktgenau_operation WHERE open_key IS NOT NULL AND outcome = 'unknown'"
OPEN = "SELECT count(*) FROM punktgenau_operation WHERE open_key IS NOT NULL"


class Line(DeadlineAdapter):
    """The client's adapter: counts what goes out, and turns answers into nonsense while it `loses` them."""

    def __init__(self) -> None:
        super().__init__()
        self.loses = False
        self.calls = 0

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
        """Really sent, really answered; what the client sees may be somebody else's page."""
        self.calls += 1
        response = super().send(request, *args, **kwargs)
        if self.loses and request.method == "POST" and "/oauth/" not in (request.url or ""):
            response.raw.read()
            response.raw.release_conn()
            body = io.BytesIO(b'{"hello": "world"}')
            response.raw = HTTPResponse(body=body, status=200, preload_content=False)
            response.status_code = 200
            response.headers["Content-Type"] = "application/json"
        return response


def load(reference: str) -> Order:
    """Orders whose capture was lost are paid, the others wait."""
    return Order(reference=reference, state="paid" if reference.startswith("UC") else "pending")


def lose(checkout: Checkout, line: Line, rows: int) -> None:
    """So many operations at the provider done, and here unknown."""
    for number in range(rows):
        is_capture = number % 10 < CAPTURES_IN_TEN
        reference = f"{'UC' if is_capture else 'UA'}-{number}"
        line.loses = not is_capture
        payment = checkout.authorize(reference, cart_of(reference, 5990), customer_id="anna", points=7)
        if is_capture:
            line.loses = True
            captured = checkout.capture(reference)
            if captured is None or captured.state != "capturing":
                raise AssertionError(f"{reference} is not unknown: {captured}")
        elif not payment.is_unknown:
            raise AssertionError(f"{reference} is not unknown: {payment}")
        if (number + 1) % 1000 == 0:
            say(f"{number + 1} of {rows} answers lost")
    line.loses = False


def measure(folder: Path, rows: int) -> Report:
    """Lose answers, recover once, count."""
    report = Report("unknowns")
    sandbox = SandboxServer(folder / "ledger.sqlite")
    line = Line()
    try:
        sandbox.start()
        sandbox.control("/members", {"id": "mbr_rich", "points": 1_000_000})
        with Client(sandbox.url, client_id="demo-shop", client_secret="demo-secret", adapter=line) as client:
            # The quota for repeats is soon used up, and then a lost answer is one send.
            checkout = Checkout(
                client, f"sqlite:///{folder}/journal.sqlite", order_loader=load, settings=Settings(deadline_s=4.0)
            )
            checkout.upgrade()
            checkout.link("anna", member_id="mbr_rich", consent_id="con_1")
            lose(checkout, line, rows)
            unknown = count(folder, UNKNOWN)
            line.calls, started = 0, time.monotonic()
            recovery = checkout.recover()
            duration_s, calls, left = time.monotonic() - started, line.calls, count(folder, OPEN)
            line.calls = 0
            checkout.recover()
            again = line.calls
            checkout.close()
    finally:
        sandbox.stop()
    share = calls / rows
    report.figure("rows unknown", unknown, f">= {rows}", unknown >= rows)
    report.figure("still open after one recovery", left, "0", left == 0)
    report.figure("provider calls per row", f"{share:.4f}", f"<= {MOST}", share <= MOST)
    report.note(
        f"Reference profile, inside its window, SQLite, one process: {calls} calls in {duration_s:.0f} s, "
        f"{recovery.finished} finished, {recovery.needs_attention} need a person; "
        f"a second recovery made {again} calls. {100 - 10 * CAPTURES_IN_TEN} % authorizes, the rest captures."
    )
    return report


def count(folder: Path, query: str) -> int:
    """One number from the journal."""
    journal = sqlite3.connect(folder / "journal.sqlite")
    found = int(journal.execute(query).fetchone()[0])
    journal.close()
    return found


def main() -> int:
    """0 when recovery asks hardly more than once."""
    options = parser(__doc__)
    options.add_argument("--rows", type=int, default=10_000)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="punktgenau-unknowns-") as folder:
        report = measure(Path(folder), chosen.rows)
    return ended(report, chosen.report)


if __name__ == "__main__":
    sys.exit(main())
