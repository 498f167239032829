"""A shop's own test, as the documentation shows it: card provider and points provider mocked side by side."""

from pathlib import Path

import pytest
import requests
import responses

from punktgenau import Client
from punktgenau.checkout import Cart, Checkout, Line
from punktgenau.testing import fake_provider

CARD = "https://card.example/charges"
CART = Cart(currency="EUR", lines=[Line(sku="lamp", quantity=2, unit_price_minor=2495, vat_rate="19")])


def place_order(checkout: Checkout, order: str, *, customer: str, points: int) -> str:
    """Your shop's code: hold the points, charge the rest, then keep the points or give them back."""
    payment = checkout.authorize(order, CART, customer_id=customer, points=points)
    charge = requests.post(CARD, json={"amount_minor": payment.due.amount_minor}, timeout=5)
    ended = checkout.capture(order) if charge.ok else checkout.void(order)
    return ended.state if ended else "none"


@pytest.mark.parametrize(("card_status", "state", "left"), [(201, "captured", 2073), (402, "voided", 2500)])
@pytest.mark.parametrize("answer", ["arrives", "is lost"])
def test_order(tmp_path: Path, card_status: int, state: str, left: int, answer: str) -> None:
    with responses.RequestsMock() as rsps, fake_provider(mock=rsps) as provider:
        rsps.post(CARD, status=card_status, match=[responses.matchers.json_params_matcher({"amount_minor": 4563})])
        if answer == "is lost":
            provider.faults.next("authorize", "reset", when="after")

        client = Client(
            provider.url, client_id=provider.client_id, client_secret=provider.client_secret, clock=provider.clock
        )
        checkout = Checkout(client, f"sqlite:///{tmp_path / 'points.sqlite'}", clock=provider.clock)
        checkout.upgrade()
        checkout.link("anna", member_id="mbr_2500", consent_id="con_1")

        assert place_order(checkout, "A-1001", customer="anna", points=427) == state
        assert provider.balance("mbr_2500").available == left
        assert len(provider.redemptions("A-1001")) == 1
        provider.assert_books_balance()
        checkout.close()
