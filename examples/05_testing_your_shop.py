"""How a shop tests itself against the provider: offline, in milliseconds, with every mishap on request.

`fake_provider` is the sandbox's real ledger behind the library `responses`, beside the shop's own mocks: here the card.
With pytest, `pytest_plugins = ["punktgenau.testing.plugin"]` brings it as the fixture `points_provider`.
"""

from collections.abc import Callable

import requests
import responses

from punktgenau import Client, Money, NotSentError
from punktgenau.testing import FakeProvider, fake_provider

CARD = "https://card.example/charges"


def place_order(client: Client, order: str, *, member: str, total_minor: int, points: int) -> str:
    """The code under test: a small shop's checkout."""
    total = Money(amount_minor=total_minor, currency="EUR")
    try:
        red = client.redemptions.authorize(member_id=member, order_reference=order, total=total, points=points)
    except NotSentError:
        paid = requests.post(CARD, json={"amount_minor": total_minor}, timeout=5).ok
        return "paid without points" if paid else "not paid"
    if requests.post(CARD, json={"amount_minor": total_minor - red.value.amount_minor}, timeout=5).ok:
        return client.redemptions.capture(red.id).state
    return client.redemptions.void(red.id).state


def test_points_and_card(client: Client, provider: FakeProvider, card: responses.RequestsMock) -> None:
    card.post(CARD, status=201)
    assert place_order(client, "A-1", member="mbr_2500", total_minor=5990, points=427) == "captured"
    assert provider.balance("mbr_2500").available == 2073


def test_declined_card_gives_the_points_back(
    client: Client, provider: FakeProvider, card: responses.RequestsMock
) -> None:
    card.post(CARD, status=402)
    assert place_order(client, "A-1", member="mbr_2500", total_minor=5990, points=427) == "voided"
    assert provider.balance("mbr_2500").available == 2500


def test_lost_answer_takes_nothing_twice(client: Client, provider: FakeProvider, card: responses.RequestsMock) -> None:
    card.post(CARD, status=201)
    provider.faults.next("capture", "reset", when="after")
    assert place_order(client, "A-1", member="mbr_2500", total_minor=5990, points=427) == "captured"
    assert [entry.kind for entry in provider.entries("mbr_2500")][-2:] == ["hold", "capture"]
    assert [sent.operation for sent in provider.requests] == ["token", "authorize", "capture", "capture"]


def test_shop_sells_while_the_provider_is_away(
    client: Client, provider: FakeProvider, card: responses.RequestsMock
) -> None:
    card.post(CARD, status=201)
    with provider.away():
        assert place_order(client, "A-1", member="mbr_2500", total_minor=5990, points=427) == "paid without points"


def run(test: Callable[[Client, FakeProvider, responses.RequestsMock], None]) -> None:
    """What pytest and its fixtures would do."""
    with (
        responses.RequestsMock() as card,
        fake_provider(mock=card) as provider,
        Client(
            provider.url, client_id=provider.client_id, client_secret=provider.client_secret, clock=provider.clock
        ) as client,
    ):
        test(client, provider, card)
        provider.assert_books_balance()
    print(f"passed: {test.__name__}")


def main() -> None:
    run(test_points_and_card)
    run(test_declined_card_gives_the_points_back)
    run(test_lost_answer_takes_nothing_twice)
    run(test_shop_sells_while_the_provider_is_away)


if __name__ == "__main__":
    main()
