"""Lists of open returns page by page: all of them, once, however many were asked for in one millisecond."""

import pytest
import sqlalchemy

from _world import CART, World
from punktgenau.checkout import Checkout


@pytest.mark.parametrize("at", ["created_at", "1", "-created_at", "created_at / 2 * 2"])
def test_none_is_left_out(world: World, checkout: Checkout, monkeypatch: pytest.MonkeyPatch, at: str) -> None:
    world.order("A-1", "paid")
    checkout.balance("anna", max_age_s=0)
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    checkout.capture("A-1")
    world.provider.play("no_partial_reversal")
    references = {f"R-{number}" for number in range(7)}
    for reference in sorted(references):
        # A hundredth of the order is worth 7 or 8 points, which the provider does not take back.
        returned = checkout.refund("A-1", return_reference=reference, amount_minor=100)
        assert returned is not None
        assert returned.state == "declined"
    engine = sqlalchemy.create_engine(world.database_url)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text(f"UPDATE punktgenau_return SET created_at = {at} + 10000000000000"))
    engine.dispose()
    for module in ("returns", "refused"):
        monkeypatch.setattr(f"punktgenau.checkout.{module}._PAGE", 2)
    owed = list(checkout.open_refunds())
    assert {one[1] for one in owed} == references
    assert len(owed) == 7
    # Of each euro the points paid 427 / 5480, which is 7 or 8 cents.
    assert {money.amount_minor for _, _, money in owed} <= {92, 93}
    refused = [one.return_reference for one in checkout.refused_refunds()]
    assert (set(refused), len(refused)) == (references, 7)
