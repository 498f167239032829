"""One process of a shop that is going to be killed: places, pays, captures, cancels, recovers; and the one that heals.

Run by the killer: `python -m long.worker ...`. What it does comes from a seed; where it was is in its marks.
"""

from __future__ import annotations

import argparse
import logging
import os
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from long.marks import Marks, watch_journal, watched_adapter
from long.orders import Orders, ShopOrder
from punktgenau import Client
from punktgenau.checkout import Cart, Checkout, Line, Payment, Settings
from punktgenau.errors import (
    DeclinedError,
    InProgressError,
    InvalidArgumentError,
    LiveRedemptionError,
    NotSentError,
    PunktgenauError,
    UnavailableError,
)

CUSTOMERS = 20
PENDING_MOST = 4
HEAL_S = 180.0
_LATER = (InProgressError, LiveRedemptionError, NotSentError, UnavailableError)
_OPEN = (
    "SELECT count(*) FROM punktgenau_redemption WHERE check_at IS NOT NULL OR state IN"
    " ('authorizing', 'authorized', 'capturing', 'voiding', 'reversing', 'abandoning', 'partially_captured')"
)
_WAITING = "SELECT count(*) FROM punktgenau_operation WHERE open_key IS NOT NULL"


class Defects(logging.Handler):
    """Tells of what the engine caught and went on after; whatever else is logged under kills is to be expected."""

    def emit(self, record: logging.LogRecord) -> None:
        """Recovery keeps one order's defect from the others and logs it."""
        if record.exc_info and record.exc_info[1] and record.msg.startswith("recovery of"):
            sys.stderr.write(f"{record.getMessage()}: {record.exc_info[1]!r}\n")


def opening_points(customer: int) -> int:
    """What the member of a customer begins with; the last one is poor and will be refused."""
    return 40 if customer == CUSTOMERS - 1 else 150_000 + 7 * customer


def cart_of(reference: str, total_minor: int) -> Cart:
    """The order's cart, the same whenever it is asked for: some of a lamp, a cable, and shipping."""
    lamps = 1 + int(reference.rpartition("-")[2]) % 3
    lamp_minor = (total_minor - 490) // (lamps + 1)
    rest_minor = total_minor - 490 - lamps * lamp_minor
    return Cart(
        currency="EUR",
        lines=[
            Line(sku="lamp", quantity=lamps, unit_price_minor=lamp_minor, vat_rate="19"),
            Line(sku="cable", quantity=1, unit_price_minor=rest_minor, vat_rate="19"),
        ],
        shipping_minor=490,
        shipping_vat_rate="19",
    )


class Worker:
    """One shop process, from a seed."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.random = random.Random(f"{options.seed}|{options.worker}|{options.incarnation}")
        self.marks = Marks(options.marks, die_at=options.die_at)
        watch_journal(self.marks)
        self.orders = Orders(options.shop)
        client = Client(
            options.provider, client_id="demo-shop", client_secret="demo-secret", adapter=watched_adapter(self.marks)
        )
        settings = Settings(deadline_s=2.0, worker_deadline_s=2.0)
        self.checkout = Checkout(client, options.journal, order_loader=self.orders.load, settings=settings)

    def run(self) -> None:
        """Place the share of orders, and finish them as far as that goes."""
        while True:
            self.marks.kind, self.marks.is_recovering = "-", False
            self.marks.at("between orders")
            try:
                if not self.step():
                    return
            except (NotSentError, UnavailableError, SQLAlchemyError):
                # Somebody is away: a person would try again a little later.
                time.sleep(self.random.uniform(0.05, 0.3))
            except PunktgenauError as error:
                if error.outcome != "unknown" and not isinstance(error, _LATER):
                    self.told(error)

    def step(self) -> bool:
        """One thing that happens in a shop; False: this worker has placed its share."""
        chance = self.random.random()
        placed = self.orders.next_number(self.options.worker)
        for order in self.orders.in_state("cancelling", worker=self.options.worker):
            self.give_back(order)
        pending = self.orders.in_state("pending", worker=self.options.worker, most=PENDING_MOST)
        if chance < 0.06:
            self.recover()
        elif chance < 0.13:
            self.clerk_cancels()
        elif chance < 0.18:
            self.late_news()
        elif pending and (chance < 0.4 or len(pending) == PENDING_MOST or placed >= self.options.share):
            self.pay(self.random.choice(pending))
        elif placed < self.options.share:
            self.place(placed + 1)
        else:
            return bool(pending)
        return True

    def place(self, number: int) -> None:
        """A customer orders, wishing to use some odd number of points."""
        customer = self.random.randrange(CUSTOMERS)
        order = ShopOrder(
            reference=f"K-{self.options.worker}-{number}",
            worker=self.options.worker,
            customer_id=f"customer-{customer}",
            member_id=f"mbr_k{customer}",
            wish=self.random.randrange(50, 900),
            total_minor=self.random.randrange(1500, 9000),
            state="pending",
        )
        self.marks.at("before the order")
        self.orders.place(order)
        os.write(self.options.progress_file, b".")
        self.marks.at("order written, nothing asked")
        self.pay(order)

    def pay(self, order: ShopOrder) -> None:
        """Hold the points, charge the rest, capture; or the card is declined, or the customer leaves."""
        cart = cart_of(order.reference, order.total_minor)
        whose = order.customer_id
        try:
            payment = self.checkout.authorize(order.reference, cart, customer_id=whose, points=order.wish)
        except (DeclinedError, InvalidArgumentError):
            payment = self.checkout.authorize(order.reference, cart, customer_id=whose, points=0)
        if payment.is_unknown:
            if self.random.random() < 0.6:
                return
            payment = self.checkout.authorize(order.reference, cart, customer_id=whose, points=0)
        self.marks.kind = "-"
        self.marks.at("held, order not paid")
        chance = self.random.random()
        if chance < 0.12:
            self.checkout.void(order.reference)
        elif chance < 0.2:
            self.cancel(order, seen="pending")
        else:
            self.settle(order, payment)

    def settle(self, order: ShopOrder, payment: Payment) -> None:
        """The money is there: write that down, then capture."""
        settled = self.orders.settle(
            order.reference,
            points=payment.points,
            value_minor=payment.value.amount_minor,
            due_minor=payment.due.amount_minor,
        )
        if settled and payment.points:
            self.marks.at("order paid, not captured")
            self.checkout.capture(order.reference)

    def cancel(self, order: ShopOrder, *, seen: str) -> None:
        """The order will not happen; written down first, so that a crash cannot lose it."""
        if self.orders.move(order.reference, seen=seen, state="cancelling"):
            self.give_back(order)

    def give_back(self, order: ShopOrder) -> None:
        self.marks.kind = "-"
        self.marks.at("order cancelled, points not asked for")
        self.checkout.cancel(order.reference, cause="cancelled")
        self.orders.move(order.reference, seen="cancelling", state="cancelled")

    def clerk_cancels(self) -> None:
        """Somebody cancels a paid order of any worker."""
        if (order := self.orders.any_in("paid", after=self._somewhere())) is not None:
            self.cancel(order, seen="paid")

    def late_news(self) -> None:
        """The bank tells again that an order is paid, the clerk clicks again that one is cancelled."""
        if (order := self.orders.any_in("paid", after=self._somewhere())) is not None:
            self.checkout.capture(order.reference)
        if (order := self.orders.any_in("cancelled", after=self._somewhere())) is not None:
            self.checkout.cancel(order.reference)

    def recover(self) -> None:
        """As `flask punktgenau recover` does from cron."""
        self.marks.is_recovering = True
        self.checkout.recover(due_only=True)

    def heal(self) -> bool:
        """Finish every order, recover until nothing is open; False: that does not come to an end."""
        journal = create_engine(self.options.journal)
        ends = time.monotonic() + HEAL_S
        try:
            while time.monotonic() < ends:
                self.marks.is_recovering = False
                for order in self.orders.in_state("cancelling"):
                    self.give_back(order)
                pending = self.orders.in_state("pending")
                for order in pending:
                    self.tolerantly_pay(order)
                self.marks.is_recovering = True
                self.checkout.recover()
                with journal.connect() as connection:
                    left = [int(connection.execute(text(query)).scalar_one()) for query in (_OPEN, _WAITING)]
                sys.stdout.write(
                    f"healing: {len(pending)} orders pending, {left[0]} rows and {left[1]} operations open\n"
                )
                sys.stdout.flush()
                if not pending and left == [0, 0]:
                    return True
                time.sleep(0.5)
        finally:
            journal.dispose()
        return False

    def tolerantly_pay(self, order: ShopOrder) -> None:
        """A healer goes on with the next order, whatever one says."""
        try:
            self.pay(order)
        except PunktgenauError as error:
            if error.outcome != "unknown" and not isinstance(error, _LATER):
                self.told(error)

    def told(self, error: PunktgenauError) -> None:
        """An error that nobody had a reason to expect; the killer counts what stands here."""
        sys.stderr.write(f"{type(error).__name__} {error.code}: {error}\n")

    def _somewhere(self) -> str:
        return f"K-{self.random.randrange(self.options.workers)}-{self.random.randrange(1, self.options.share + 1)}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run as a worker or as the healer; 0 when its work is done."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    for name in ("shop", "journal", "provider", "seed", "die-at"):
        parser.add_argument(f"--{name}", default="")
    for name in ("worker", "workers", "incarnation", "share"):
        parser.add_argument(f"--{name}", type=int, default=0)
    parser.add_argument("--marks", type=Path, required=True)
    parser.add_argument("--progress", type=Path, required=True)
    parser.add_argument("--heal", action="store_true")
    options = parser.parse_args(arguments)
    logging.getLogger().addHandler(Defects())
    options.progress_file = os.open(options.progress, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    worker = Worker(options)
    if options.heal:
        return 0 if worker.heal() else 1
    worker.run()
    return 0


def forked(arguments: Sequence[str], errors: Path) -> None:
    """The same in a process that was forked from one that had imported everything."""
    file = os.open(errors, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(file, 2)
    sys.exit(main(arguments))


if __name__ == "__main__":
    sys.exit(main())
