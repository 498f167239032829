"""The shop in one file and the demo shop pass the shop's checks."""

from __future__ import annotations

from _conformance_shops import DemoShop, YourShop


class TestYourShop(YourShop):
    pass


class TestDemoShop(DemoShop):
    pass
