"""A provider that answers at once, in this process, and an engine that stands on it: what is measured is the engine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from punktgenau import Balance, Money, ProviderProfile, Redemption
from punktgenau.checkout import Cart, Checkout, Line

WIRE = Path(__file__).resolve().parent.parent / "wire"
CART = Cart(
    currency="EUR",
    lines=[Line(sku=f"sku-{n:06d}", quantity=2, unit_price_minor=999, vat_rate="19") for n in range(6)],
)
POINTS = 427


def _sample(name: str) -> str:
    return json.dumps(json.loads((WIRE / f"{name}.json").read_text("utf-8"))["reply"]["body"])


@dataclass
class Stub:
    """All nouns of the port in one; remembers nothing but what it was asked."""

    partner_id: str = "demo-shop"
    mode: Any = None
    profile: ProviderProfile = field(default_factory=ProviderProfile)
    asked: list[str] = field(default_factory=list)
    _balance: Balance = field(default_factory=lambda: Balance.model_validate_json(_sample("balance")))
    _made: Redemption = field(default_factory=lambda: Redemption.model_validate_json(_sample("authorize")))

    @property
    def members(self) -> Any:
        return self

    @property
    def redemptions(self) -> Any:
        return self

    def balance(self, **_: Any) -> Balance:
        self.asked.append("balance")
        return self._balance.model_copy(update={"available": 10**12})

    def authorize(self, **asked: Any) -> Redemption:
        """An echo, as it has to be."""
        (tender,) = asked["tenders"]
        self._last = self._made.model_copy(
            update={
                "id": f"red_{asked['idempotency_key']}",
                "member_id": asked["member_id"],
                "order_reference": asked["order_reference"],
                "idempotency_key": asked["idempotency_key"],
                "points": tender.points,
                "value": tender.value,
                "total": asked["total"],
                "held_points": tender.points,
                "rate": self._balance.rate,
            }
        )
        return self._last

    def capture(self, redemption_id: str, **asked: Any) -> Redemption:
        """Of the last authorize, all of it."""
        last = self._last
        taken = {"state": "captured", "captured_points": last.points, "held_points": 0, "captured_value": last.value}
        return last.model_copy(update=taken | {"expires_at": None, "expires_in_s": None})


@contextmanager
def engine(url: str, *, members: int = 1, provider: Any = None) -> Iterator[Checkout]:
    """An upgraded journal at that address, with linked customers `customer-0` on, and a warm balance of the first."""
    checkout = Checkout(provider or Stub(), url)
    try:
        checkout.upgrade()
        for number in range(members):
            checkout.link(f"customer-{number}", member_id=f"mbr_{number}", consent_id="con_1")
        checkout.balance("customer-0")
        yield checkout
    finally:
        checkout.close()


def due() -> Money:
    """What is left to pay of the cart."""
    return Money(amount_minor=CART.payable.amount_minor - POINTS, currency="EUR")
