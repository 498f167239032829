"""All checks of a shop."""

from __future__ import annotations

from punktgenau.testing.conformance.shop_paying import PayingChecks
from punktgenau.testing.conformance.shop_refunds import RefundChecks
from punktgenau.testing.conformance.shop_troubles import ShopTroubleChecks


class ShopConformance(PayingChecks, ShopTroubleChecks, RefundChecks):
    """Whether a shop keeps points and money together; subclass it as `Test...`.

    Supply `cart`, `provider` and five functions: `place`, `pay`, `cancel`, `refund`, `page`; and `recover`, so that
    what the shop's worker ends is looked at. Without `refund` or `recover` their checks count as not applicable.
    """
