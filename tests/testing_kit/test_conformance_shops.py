"""The shop in one file and the demo shop pass the shop's checks."""

from __future__ import annotations

from examples.your_shop.test_after import TestYourShop

from _conformance_shops import DemoShop

__all__ = ["TestYourShop"]


class TestDemoShop(DemoShop):
    pass
