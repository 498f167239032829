"""Checks that are written already, for whoever writes an adapter of a provider or a shop: in your own pytest.

An adapter: subclass `AdapterConformance` and say what is under test and how a member comes by points.

    import pytest
    from punktgenau.testing.conformance import AdapterConformance

    class TestAcme(AdapterConformance):
        secrets = (ACME_PASSWORD,)                  # must not be seen in any text

        def provider(self):
            return AcmeAdapter(ACME_SANDBOX)        # a punktgenau.provider.Provider

        def member(self, points):
            return ACME_SANDBOX.new_member(points)  # its id

That runs every check that these two are enough for. The others need a provider that can be troubled: `lose_answers`,
`never_answer`, `answer_wrongly`, `go_away`, with `heal` to end it; `withdraw_consent`; `advance` for the clock. Where
one is missing, and where the adapter's own profile says that the provider cannot do a thing (no holds, no look-up, no
keys), the check is *not applicable*: neither passed nor skipped, but counted apart in the summary, with the reason. A
failed check says what was found, what to do, and who relies on it.

A shop: subclass `ShopConformance` and say, with five functions, what a customer does in it: `place`, `pay`, `cancel`,
`refund`, `page`; which cart is bought; and what stands behind the shop, with `BehindShop` for `fake_provider`.
`examples/your_shop/test_after.py` is a whole one. Points then have to add up with money, to the cent, whatever is
clicked twice, declined, cancelled or lost on the way, and pages have to say so in plain words.

The counts: `counts(config)`, in a conftest.py's `pytest_sessionfinish` for example. Several processes (pytest-xdist):
`pytest_plugins = ["punktgenau.testing.conformance.plugin"]` in the root's conftest.py. The list: `checks_of(kit)`.
Fixtures of your own come in by `@pytest.fixture(autouse=True)` in the class. Needs the extra `punktgenau[testing]`.
"""

from punktgenau.testing.conformance.adapter import AdapterConformance
from punktgenau.testing.conformance.adapter_world import Operation
from punktgenau.testing.conformance.behind_shop import BehindShop
from punktgenau.testing.conformance.check import Check, ConformanceError, NotApplicableError, checks_of, not_applicable
from punktgenau.testing.conformance.counting import ConformanceCounts, counts
from punktgenau.testing.conformance.shop import ShopConformance
from punktgenau.testing.conformance.shop_world import Card, NotPlacedError, ShopCart, ShopOrder, ShopProvider

__all__ = [
    "AdapterConformance",
    "BehindShop",
    "Card",
    "Check",
    "ConformanceCounts",
    "ConformanceError",
    "NotApplicableError",
    "NotPlacedError",
    "Operation",
    "ShopCart",
    "ShopConformance",
    "ShopOrder",
    "ShopProvider",
    "checks_of",
    "counts",
    "not_applicable",
]
