"""Lines of vouchers on a statement: the shop has no booking of them, so they are listed, and break nothing."""

from __future__ import annotations

import requests

from _world import CART, World
from punktgenau import TenderRequest, VoucherReturn
from punktgenau.checkout import Checkout


def test_a_voucher_that_only_the_provider_knows_is_a_difference(world: World, checkout: Checkout) -> None:
    body = {"value_minor": 2500, "code": "GIFT-2026-WINT-ER25"}
    voucher = requests.post(f"{world.provider.url}/sandbox/vouchers", json=body, timeout=20).json()
    calls = checkout._provider.redemptions
    asked = [TenderRequest(kind="voucher", code="GIFT-2026-WINT-ER25"), TenderRequest(points=100)]
    taken = calls.authorize(member_id="mbr_2500", order_reference="B-1", total=CART.total, tenders=asked, capture="now")
    back = VoucherReturn(voucher_id=voucher["id"], value=taken.vouchers[0].value)
    calls.reverse(taken.id, points=0, vouchers=[back], return_reference="R-1")
    period = f"{world.clock.now():%Y-%m}"
    checkout.reconcile(period)
    listed = list(checkout.differences(period=period))
    found = [(one.kind, one.there_points, one.there_minor) for one in listed]
    assert sorted(found) == [("only_there", 0, -2500), ("only_there", 0, 2500), ("only_there", 100, 100)]
