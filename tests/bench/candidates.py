"""One call each: this client, plain `requests`, and the SDKs of payment and loyalty providers as they come.

Every function takes a server's address and returns a call without arguments. Only the SDK it is for is imported.
"""

from __future__ import annotations

import itertools
import os
import uuid
from collections.abc import Callable

Call = Callable[..., object]
Make = Callable[[str], Call]
DEADLINE_S = 4.0
LINES = 6
LINE_MINOR = 1998
POINTS = 427
_numbers = itertools.count()


def new_order() -> str:
    """A reference that no other process makes."""
    return f"{os.getpid()}-{next(_numbers)}"


def order_body(member_id: str = "mbr_2500") -> dict[str, object]:
    """What an authorize of six lines says on the wire: 820 bytes."""
    lines = [
        {"id": f"line-{n}", "sku": f"sku-{n:06d}", "quantity": 2, "amount_minor": LINE_MINOR, "vat_rate": "19"}
        for n in range(LINES)
    ]
    value = {"amount_minor": POINTS, "currency": "EUR"}
    return {
        "member_id": member_id,
        "order_reference": "",
        "total": {"amount_minor": LINES * LINE_MINOR, "currency": "EUR"},
        "tenders": [{"kind": "points", "points": POINTS, "value": value}],
        "rate_id": "rate_eur_1",
        "hold_s": 7200,
        "lines": lines,
    }


def punktgenau(url: str, *, member_id: str = "mbr_2500") -> Call:
    """One authorize with its key, checked arguments, a deadline, the quota, an answer checked against what was sent."""
    from punktgenau import Client, Money, RedemptionLine

    client = Client(url, client_id="demo-shop", client_secret="demo-secret", deadline_s=DEADLINE_S)
    lines = [
        RedemptionLine(id=f"line-{n}", sku=f"sku-{n:06d}", quantity=2, amount_minor=LINE_MINOR, vat_rate="19")
        for n in range(LINES)
    ]

    def call(order_reference: str | None = None) -> object:
        return client.redemptions.authorize(
            member_id=member_id,
            order_reference=order_reference or new_order(),
            total=Money(amount_minor=LINES * LINE_MINOR, currency="EUR"),
            points=POINTS,
            value=Money(amount_minor=POINTS, currency="EUR"),
            rate_id="rate_eur_1",
            lines=lines,
            hold_s=7200,
        )

    return call


def plain_requests(url: str, *, path: str = "/plain", token: str = "Bearer t", member_id: str = "mbr_2500") -> Call:
    """The same bytes by `requests.Session().post(json=).json()`, with a key of the usual kind."""
    import requests

    session = requests.Session()
    body = order_body(member_id)

    def call() -> object:
        body["order_reference"] = new_order()
        headers = {"Authorization": token, "Idempotency-Key": str(uuid.uuid4())}
        response = session.post(url + path, json=body, headers=headers, timeout=10)
        response.raise_for_status()
        return response.json()

    return call


def stripe(url: str) -> Call:
    from stripe import StripeClient

    made = StripeClient("sk_test_1", base_addresses={"api": url}).v1.customers.balance_transactions
    return lambda: made.create("cus_1", {"amount": -POINTS, "currency": "eur", "metadata": {"order": "A-1001"}}).amount


def squareup(url: str) -> Call:
    from square import Square

    rewards = Square(token="t", base_url=url).loyalty.rewards
    wanted = {"loyalty_account_id": "5adcb100", "reward_tier_id": "e1b39225", "order_id": "A-1001"}
    return lambda: rewards.create(idempotency_key=str(uuid.uuid4()), reward=wanted).reward.points


def adyen(url: str) -> Call:
    import Adyen

    payments = Adyen.Adyen(xapikey="k", platform="test").checkout.payments_api
    payments.baseUrl = f"{url}/v72"
    body = {**order_body(), "merchantAccount": "M", "reference": "A-1001"}
    return lambda: payments.payments(body, idempotency_key=str(uuid.uuid4())).message


def voucherify(url: str) -> Call:
    import voucherify as sdk

    settings = sdk.Configuration(host=url, api_key={"X-App-Id": "a", "X-App-Token": "b"})
    loyalties = sdk.LoyaltiesApi(sdk.ApiClient(settings))
    wanted = sdk.LoyaltiesMembersBalanceUpdateRequestBody(points=-POINTS, reason="order", source_id="A-1001")
    return lambda: loyalties.update_loyalty_card_balance("m1", wanted).points


def mollie(url: str) -> Call:
    from mollie.api.client import Client

    client = Client(api_endpoint=url)
    client.set_api_key("test_" + "x" * 30)
    amount = {"currency": "EUR", "value": "4.27"}
    return lambda: client.payments.create({"amount": amount, "description": "A-1001", "redirectUrl": "https://s"}).id


def gocardless(url: str) -> Call:
    import gocardless_pro

    payments = gocardless_pro.Client(access_token="t", base_url=url).payments
    wanted = {"amount": POINTS, "currency": "EUR", "links": {"mandate": "MD123"}}
    return lambda: payments.create(params=wanted).amount


def braintree(url: str) -> Call:
    import braintree as sdk

    host, _, port = url.removeprefix("http://").partition(":")
    here = sdk.Environment("here", host, port, url, False, None)
    settings = sdk.Configuration(environment=here, merchant_id="m", public_key="p", private_key="q")
    transactions = sdk.BraintreeGateway(settings).transaction
    wanted = {"amount": "4.27", "payment_method_nonce": "n", "order_id": "A-1001"}
    return lambda: transactions.sale(wanted).is_success


def checkout_com(url: str) -> Call:
    from checkout_sdk.checkout_sdk import CheckoutSdk
    from checkout_sdk.environment import Environment
    from checkout_sdk.payments.payments import CaptureRequest

    here = Environment(f"{url}/", *[f"{url}/"] * 6, is_sandbox=True)
    builder = CheckoutSdk.builder().secret_key("sk_sbox_m73dzbpy7cf3gfd46xr4yj5xo4e").environment(here)
    api = builder.use_legacy_domain().build()
    wanted = CaptureRequest()
    wanted.amount, wanted.reference = POINTS, "A-1001"
    return lambda: api.payments.capture_payment("pay_1", wanted, str(uuid.uuid4()))


def paypal(url: str) -> Call:
    from paypalserversdk.configuration import Configuration, Environment
    from paypalserversdk.http.auth.o_auth_2 import ClientCredentialsAuthCredentials
    from paypalserversdk.models.amount_with_breakdown import AmountWithBreakdown
    from paypalserversdk.models.order_request import OrderRequest
    from paypalserversdk.models.purchase_unit_request import PurchaseUnitRequest
    from paypalserversdk.paypal_serversdk_client import PaypalServersdkClient

    known = Configuration.environments[Environment.SANDBOX]
    Configuration.environments = {Environment.SANDBOX: dict.fromkeys(known, url)}
    client = PaypalServersdkClient(
        client_credentials_auth_credentials=ClientCredentialsAuthCredentials(
            o_auth_client_id="a", o_auth_client_secret="b"
        ),
        environment=Environment.SANDBOX,
    )
    amount = AmountWithBreakdown(currency_code="EUR", value="4.27")
    wanted = OrderRequest(intent="CAPTURE", purchase_units=[PurchaseUnitRequest(amount=amount)])
    return lambda: client.orders.create_order({"body": wanted, "prefer": "return=representation"})


PEERS: dict[str, Make] = {
    "stripe": stripe,
    "squareup": squareup,
    "adyen": adyen,
    "voucherify": voucherify,
    "mollie-api-python": mollie,
    "gocardless-pro": gocardless,
    "braintree": braintree,
    "checkout-sdk": checkout_com,
    "paypal-server-sdk": paypal,
}
OWN: dict[str, Make] = {"punktgenau": punktgenau, "requests": plain_requests}
