"""A Flask shop's own test, as the documentation shows it."""

from pathlib import Path

import pytest
import requests
import responses
from flask import Flask, session

from flask_punktgenau import Punktgenau
from punktgenau import Clock
from punktgenau.checkout import Cart, Line
from punktgenau.testing import FakeProvider, ManualClock

pytest_plugins = ["punktgenau.testing.plugin"]  # in a shop: in its conftest.py

CARD = "https://card.example/charges"
CART = Cart(currency="EUR", lines=[Line(sku="lamp", quantity=2, unit_price_minor=2495, vat_rate="19")])


def create_shop(folder: Path, clock: Clock, **config: str) -> Flask:
    """Stands for your own shop's factory."""
    shop = Flask("shop", instance_path=str(folder))
    shop.config.update(SECRET_KEY="only for tests", TESTING=True, **config)
    points = Punktgenau(shop, clock=clock)
    points.customer_loader(lambda: session.get("customer", "anna"))
    points.cart_loader(lambda: CART)

    @shop.post("/orders/<reference>")
    def place(reference: str) -> str:
        payment = points.authorize(reference, CART)
        charge = requests.post(CARD, json={"amount_minor": payment.due.amount_minor}, timeout=5)
        ended = points.capture(reference) if charge.ok else points.void(reference)
        return ended.state if ended else "without points"

    return shop


@pytest.mark.parametrize(("card", "state", "available"), [(201, "captured", 2073), (402, "voided", 2500)])
def test_order_with_points(
    points_provider: FakeProvider, points_clock: ManualClock, tmp_path: Path, card: int, state: str, available: int
) -> None:
    shop = create_shop(
        tmp_path,
        points_clock,
        PUNKTGENAU_PROVIDER_URL=points_provider.url,
        PUNKTGENAU_CLIENT_ID=points_provider.client_id,
        PUNKTGENAU_CLIENT_SECRET=points_provider.client_secret,
    )
    browser = shop.test_client()

    # The customer links an account: to the provider's page, agree there, and back.
    there = browser.get("/points/connect").location
    assert browser.get(points_provider.agree(there, member_id="mbr_2500")).status_code == 303

    with responses.RequestsMock() as rsps:  # your own mocks; the provider joins them
        points_provider.join(rsps)
        rsps.post(CARD, status=card, match=[responses.matchers.json_params_matcher({"amount_minor": 4563})])
        points_provider.faults.next("authorize", "reset", when="after")  # the first answer gets lost
        form = {"punktgenau_apply": "1", "punktgenau_points": "427"}  # what punktgenau_field() adds to your form
        assert browser.post("/orders/A-1001", data=form).text == state

    assert points_provider.balance("mbr_2500").available == available
    assert [redemption.state for redemption in points_provider.redemptions("A-1001")] == [state]
