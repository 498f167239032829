"""A shop that dies in the middle: the engine writes down what it is about to do, and another process ends it.

`Checkout` is the engine behind the Flask extension; any shop can use it, with a journal of its own beside its orders.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import requests
from requests.adapters import HTTPAdapter

from _sandbox import running_sandbox  # type: ignore[import-not-found]
from punktgenau import Client
from punktgenau.checkout import Cart, Checkout, Line, Order
from punktgenau.testing import ManualClock

CART = Cart(
    currency="EUR",
    lines=[Line(sku="lamp", quantity=2, unit_price_minor=2495, vat_rate="19")],
    shipping_minor=490,
    shipping_vat_rate="19",
)
ORDERS = {"A-1001": Order(reference="A-1001", state="paid")}


class PowerCut(HTTPAdapter):
    """The process ends when the provider has held the points, and before anybody here has read that."""

    def send(self, request: requests.PreparedRequest, *args: object, **kwargs: object) -> requests.Response:
        response = super().send(request, *args, **kwargs)  # type: ignore[arg-type]
        if request.headers.get("Idempotency-Key"):
            os._exit(9)
        return response


def shop(url: str, journal: Path, *, clock: ManualClock | None = None, dies: bool = False) -> Checkout:
    """One process of the shop. The order loader tells the engine what became of an order."""
    client = Client(
        url, client_id="demo-shop", client_secret="demo-secret", clock=clock, adapter=PowerCut() if dies else None
    )
    return Checkout(client, f"sqlite:///{journal}", order_loader=ORDERS.get, clock=clock)


def state(checkout: Checkout, order_reference: str) -> str:
    payment = checkout.find(order_reference)
    return payment.state if payment else "unknown here"


def main(url: str, journal: Path) -> None:
    clock = ManualClock()
    checkout = shop(url, journal, clock=clock)
    checkout.upgrade()  # creates the journal's tables
    checkout.link("anna", member_id="mbr_2500", consent_id="con_1")

    # An order as it should be: hold, charge what is due, capture.
    placed = checkout.authorize("A-1001", CART, customer_id="anna", points=427)
    print(f"A-1001: {placed.points} points {placed.state}, {placed.due.amount_minor} cents due by card")
    checkout.capture("A-1001")

    # Another process of the shop dies while it asks for 300 points.
    died = subprocess.run([sys.executable, __file__, url, str(journal)], check=False)
    print(f"A-1002: the process ended with {died.returncode}; in the journal: {state(checkout, 'A-1002')}")

    # A minute later, in cron or a worker: recovery finds out, and what happens next is for the shop's order to say.
    clock.advance(60)
    print(f"provider: {checkout.balance('anna').held} points held, and nobody here knows")
    checkout.recover()
    print(f"A-1002: {state(checkout, 'A-1002')}, as its order may still come")
    clock.advance(120)
    checkout.recover()
    print(f"A-1002: {state(checkout, 'A-1002')}, as it never came")
    balance = checkout.balance("anna")
    print(f"provider: {balance.available} points available, {balance.held} held")
    checkout.close()


if __name__ == "__main__":
    if len(sys.argv) == 3:
        shop(sys.argv[1], Path(sys.argv[2]), dies=True).authorize("A-1002", CART, customer_id="anna", points=300)
    with running_sandbox() as address, tempfile.TemporaryDirectory() as folder:
        main(address, Path(folder) / "points.sqlite")
