"""A shop's process that is killed for real, at a commit of its journal: `Mortal` here, the process itself as a script.

The process imports once and forks for every life, so that dying is cheap. A commit that wrote nothing does not count.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import psycopg
import sqlalchemy
from sqlalchemy.engine import make_url

from _world import MovedClock
from punktgenau import Client, PunktgenauError
from punktgenau.checkout import Cart, Checkout, Line, Order, Settings
from punktgenau.checkout.office import Office

Side = Literal["before", "after"]
How = Literal["kill", "raise"]


@dataclass
class Death:
    """Where a life ends: at the `left`-th commit from now on, before it or after it, by a kill or by an exception."""

    left: int
    side: Side
    how: How = "kill"

    def at(self, side: Side) -> None:
        """Die here if this is the place."""
        if self.left == 0 and side == self.side:
            self.left = -1
            if self.how == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            raise RuntimeError("dies here")

    def around(self, commit: Callable[[], None]) -> None:
        """A commit that wrote something."""
        self.left -= 1
        self.at("before")
        commit()
        self.at("after")


class _Lite(sqlite3.Connection):
    death: Death
    written = 0

    def commit(self) -> None:
        """Commit; a place to die where anything was written."""
        if self.total_changes == self.written:
            super().commit()
            return
        self.written = self.total_changes
        self.death.around(super().commit)


class _Post(psycopg.Connection[Any]):
    death: Death

    def commit(self) -> None:
        """Commit; a place to die where anything was written."""
        written = self.execute("SELECT pg_current_xact_id_if_assigned()").fetchone()
        if written is None or written[0] is None:
            super().commit()
            return
        self.death.around(super().commit)


def opener(database_url: str, death: Death) -> Callable[[], Any]:
    """Opens the driver's connections of a journal, for `Checkout(connect=...)`."""
    address = make_url(database_url)
    if address.get_backend_name() == "sqlite":
        _Lite.death = death
        path = address.database or ""
        return lambda: sqlite3.connect(path, isolation_level=None, factory=_Lite, check_same_thread=False)
    _Post.death = death
    plain = address.set(drivername="postgresql").render_as_string(hide_password=False)
    return lambda: _Post.connect(plain)


class Process:
    """The process from outside, for any number of tests. Use as a context."""

    def __init__(self) -> None:
        command = [sys.executable, str(Path(__file__))]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, **asked: object) -> str:
        """Live once; how that ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().strip()

    def __enter__(self) -> Process:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()


@dataclass
class Mortal:
    """A shop on one journal, at one provider, whose customer `anna` is linked."""

    process: Process
    url: str
    database_url: str

    def live(
        self,
        step: str,
        *,
        commit: int,
        side: Side,
        how: How = "kill",
        orders: dict[str, str] | None = None,
        settings: dict[str, str] | None = None,
        moved_s: float = 0,
    ) -> str:
        """Do one step of order A-1, up to that commit: "authorize", "capture", "cancel", "void", "recover"; or
        "pay VOUCHERS POINTS", "repair ..." of a difference by its id, "ship REFERENCE LINE", "return REFERENCE LINE",
        "amend LINE PRICE", "paid REFERENCE PSP", "instead REFERENCE WHY", "resolve AS WHY". Its clock is `moved_s`
        ahead.

        Returns "killed", "raised", or, where there was no such commit, "survived" or "refused" (PunktgenauError).
        """
        ended = self.process.ask(
            url=self.url,
            database_url=self.database_url,
            step=step,
            commit=commit,
            side=side,
            how=how,
            orders=orders or {},
            settings=settings or {},
            moved_s=moved_s,
        )
        assert ended in {"killed", "raised", "refused", "survived"}, ended
        end_leases(self.database_url)
        return ended


def end_leases(database_url: str) -> None:
    """What a dead process had taken is free again: no test can move PostgreSQL's own clock on."""
    engine = sqlalchemy.create_engine(database_url)
    with engine.begin() as connection:
        for table in ("operation", "redemption"):
            connection.execute(sqlalchemy.text(f"UPDATE punktgenau_{table} SET lease_until = 0"))
    engine.dispose()


def _life(asked: dict[str, Any]) -> int:
    death = Death(asked["commit"], asked["side"], asked["how"])
    cart = Cart(
        currency="EUR",
        lines=[Line(sku="lamp", quantity=2, unit_price_minor=2495, vat_rate="19")],
        shipping_minor=490,
        shipping_vat_rate="19",
    )
    clock = MovedClock()
    clock.advance(asked["moved_s"])
    orders = {reference: Order(reference=reference, state=state) for reference, state in asked["orders"].items()}
    checkout = Checkout(
        Client(asked["url"], client_id="demo-shop", client_secret="demo-secret", clock=clock),
        asked["database_url"],
        settings=Settings(deadline_s=2.0, worker_deadline_s=2.0, **asked["settings"]),
        clock=clock,
        order_loader=orders.get,
        connect=opener(asked["database_url"], death),
    )
    try:
        if asked["step"] == "authorize":
            checkout.authorize("A-1", cart, customer_id="anna", points=427)
        elif asked["step"] == "recover":
            checkout.recover()
        elif asked["step"].startswith("repair "):
            checkout.repair(asked["step"].removeprefix("repair "), by="kim", because="dies over it")
        elif asked["step"].startswith("pay "):
            ids, points = asked["step"].removeprefix("pay ").split(" ")
            vouchers = checkout.vouchers_now(ids.split(","))
            checkout.authorize("A-1", cart, customer_id="anna", points=int(points), vouchers=vouchers)
        elif " " in asked["step"]:
            _after_payment(checkout, *asked["step"].split(" "))
        else:
            getattr(checkout, asked["step"])("A-1")
    except RuntimeError:
        return 1
    except PunktgenauError:
        return 2
    return 1 if death.left == -1 else 0


def _after_payment(checkout: Checkout, step: str, about: str, of: str) -> None:
    if step == "ship":
        checkout.capture("A-1", lines={of: 1}, shipment_reference=about)
    elif step == "return":
        checkout.refund("A-1", return_reference=about, lines={of: 1})
    elif step == "paid":
        checkout.money_refunded("A-1", return_reference=about, psp_reference=of)
    elif step == "instead":
        checkout.pay_instead("A-1", return_reference=about, actor="kim", reason=of)
    elif step == "resolve":
        office = Office(checkout)
        newest = office.searching.attempts("A-1")[-1].id
        office.resolve(
            newest, as_="written_off" if about == "written_off" else "paid_otherwise", actor="kim", reason=of
        )
    else:
        line = Line(sku=about, quantity=1, unit_price_minor=int(of), vat_rate="19")
        checkout.amend("A-1", Cart(currency="EUR", lines=[line]))


def _main() -> None:
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            os._exit(_life(json.loads(line)))
        _, status = os.waitpid(child, 0)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        code = -1 if killed else os.waitstatus_to_exitcode(status)
        print({-1: "killed", 0: "survived", 1: "raised", 2: "refused"}.get(code, f"broken: {status}"), flush=True)


if __name__ == "__main__":
    _main()
