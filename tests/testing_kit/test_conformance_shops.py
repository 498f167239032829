"""The shop in one file and the demo shop pass the shop's checks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from examples.your_shop import test_after

from _conformance_shops import DemoShop
from punktgenau.testing.conformance import ConformanceError, ShopOrder


class TestYourShop(test_after.TestYourShop):
    pass


class TestDemoShop(DemoShop):
    pass


class Returning(test_after.TestYourShop):
    """The shop in one file, with a clerk who takes goods back."""

    def refund(self, order: ShopOrder, *, lines: Mapping[str, int], return_reference: str) -> ShopOrder:
        with self.app.app_context():
            self.points.checkout.refund(order.reference, return_reference=return_reference, lines=dict(lines))
        return order


@pytest.mark.parametrize("check", ["refund_all", "refund_part", "refund_twice"])
def test_goods_come_back(tmp_path: Path, check: str) -> None:
    kit = Returning()
    with kit.running(tmp_path):
        getattr(kit, f"test_{check}")()


class Forgetful(Returning):
    """Takes the goods and books nothing."""

    def refund(self, order: ShopOrder, *, lines: Mapping[str, int], return_reference: str) -> ShopOrder:
        return order


class Generous(Returning):
    """Books what is left of the order under a number of its own, whenever anybody asks."""

    asked = 0

    def refund(self, order: ShopOrder, *, lines: Mapping[str, int], return_reference: str) -> ShopOrder:
        self.asked += 1
        sku = list(lines)[self.asked - 1]
        return super().refund(order, lines={sku: lines[sku]}, return_reference=f"{return_reference}-{self.asked}")


@pytest.mark.parametrize(("wrong", "check"), [(Forgetful, "refund_all"), (Generous, "refund_twice")])
def test_wrong_clerk_fails_the_named_check(tmp_path: Path, wrong: type[Returning], check: str) -> None:
    kit = wrong()
    with kit.running(tmp_path), pytest.raises(ConformanceError, match="to do: "):
        getattr(kit, f"test_{check}")()
