"""Points that a shop gives, seen in the fake's books: pending, posted, taken back, owed, and what does not balance."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from punktgenau import Client, Money, StateConflictError
from punktgenau.testing import FakeProvider, fake_provider
from punktgenau.testing.books import MemberBalance

TOTAL = Money(amount_minor=5990, currency="EUR")


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    with fake_provider() as provider:
        yield provider


@pytest.fixture
def client(provider: FakeProvider) -> Iterator[Client]:
    ways = {"client_id": provider.client_id, "client_secret": provider.client_secret, "clock": provider.clock}
    with Client(provider.url, **ways) as client:
        yield client


def give(client: Client, reference: str = "e-1", **changes: Any) -> str:
    wanted = {"member_id": "mbr_42", "points": 100, "order_reference": "A-1", "reason": "Earned with order A-1"}
    return client.accruals.create(**wanted | changes, accrual_reference=reference).id


def take_back(client: Client, accrual_id: str, points: int, **more: Any) -> Any:
    return client.accruals.reverse(accrual_id, points=points, return_reference=f"R-{points}", reason="Returned", **more)


def test_books_show_points_from_pending_to_taken_back(provider: FakeProvider, client: Client) -> None:
    accrual_id = give(client, pending_s=60)
    assert provider.balance("mbr_42") == MemberBalance(available=42, held=0, pending=100)
    with pytest.raises(StateConflictError):
        client.accruals.post(accrual_id)
    provider.clock.advance(60)
    client.accruals.post(accrual_id)
    client.redemptions.authorize(member_id="mbr_42", order_reference="A-2", total=TOTAL, points=140, capture="now")
    back = take_back(client, accrual_id, 30, below_zero=True)
    assert (back.taken_available, back.taken_below_zero) == (2, 28)
    assert provider.balance("mbr_42") == MemberBalance(available=-28, held=0)
    [seen] = provider.accruals("A-1")
    assert (seen.state, seen.points, seen.reversed_points, provider.accruals("A-2")) == ("posted", 100, 30, ())
    assert [request.operation for request in provider.requests[1:]] == [
        "accrue", "post_accrual", "post_accrual", "authorize", "reverse_accrual",
    ]  # fmt: skip
    provider.assert_books_balance()


def test_a_member_who_owes_can_be_set_to_so_many_points(provider: FakeProvider, client: Client) -> None:
    accrual_id = give(client)
    client.redemptions.authorize(member_id="mbr_42", order_reference="A-2", total=TOTAL, points=142, capture="now")
    take_back(client, accrual_id, 100, below_zero=True)
    provider.member("mbr_42", 5)
    assert provider.balance("mbr_42").available == 5
    provider.member("mbr_42", 0)
    assert provider.balance("mbr_42").available == 0
    provider.assert_books_balance()


def test_a_lost_claw_back_is_done_once(provider: FakeProvider, client: Client) -> None:
    accrual_id = give(client)
    provider.faults.next("reverse_accrual", "reset", "after")
    assert take_back(client, accrual_id, 30).replayed
    assert provider.balance("mbr_42").available == 112
    with pytest.raises(ValueError, match="slow_lookup does not fit reverse_accrual"):
        provider.faults.next("reverse_accrual", "slow_lookup")


UNBALANCED = {
    "UPDATE accrual SET reversed_points = 30": {"what was taken back differs from its reversals: acc_0002, 30, 0"},
    "UPDATE accrual SET reversed_points = 40, taken_points = 40 WHERE id = 'acc_0001'": {
        "what was taken back differs from its reversals: acc_0001, 40, 40",
        "what is pending differs from the books: acc_0001, pending, 60, 70",
        "what a partner gave differs from its accruals: demo-shop, 160, 170",
    },
    "UPDATE account SET kind = 'owed', points = -42, member_id = 'mbr_42' WHERE name = 'expired'": {
        "an account differs from its entries: expired, -42, 0",
        "points are owed although there are some: mbr_42, -42, 142",
    },
}


@pytest.mark.parametrize("change", UNBALANCED, ids=["reversal", "pending", "owed"])
def test_accruals_that_do_not_balance_are_told(provider: FakeProvider, client: Client, change: str) -> None:
    take_back(client, give(client, pending_s=60), 30)
    give(client, "e-2")
    with provider._state.work() as work:
        work.run("INSERT INTO account (name, kind, points) VALUES ('expired', 'expired', 0)")
    provider.assert_books_balance()
    with provider._state.work() as work:
        work.run(change)
    with pytest.raises(AssertionError) as caught:
        provider.assert_books_balance()
    _, *found = str(caught.value).split("\n  ")
    assert set(found) == UNBALANCED[change]
