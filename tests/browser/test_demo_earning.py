"""Points that orders earn, in the demo: promised, pending, taken back, usable; and the history that tells of it.

Pilz (84.35, 85 points, doubled this month) and Karo (8.37, a point for two euros). 427 points pay 4.27 of 92.72:
Pilz 3.89 of it, so 80.46 in money are floor(2 x 85 x 8046 / 8435) = 162 points; Karo 0.38, so 7.99 are 3 points.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from _demo import Demo
from _shopper import Shopper

NewShopper = Callable[..., Shopper]


def earned(demo: Demo) -> list[tuple[str, str, int, int]]:
    """Kind, state, points and how many were taken back."""
    return demo.journal_rows("SELECT kind, state, points, points_taken FROM punktgenau_earning ORDER BY kind")


@pytest.mark.parametrize("script", [True, False])
def test_from_the_promise_to_points_that_can_be_used(
    new_shopper: NewShopper, demo: Demo, script: bool, axe: Callable[..., None]
) -> None:
    shopper = new_shopper(script=script, width=390 if script else 320, dark=not script)
    page = shopper.page
    shopper.open("/articles/pilz")
    expect(page.locator(".pg-earn")).to_contain_text("You earn 170 points with this article. Offer: Lichtwochen.")
    shopper.add("pilz", "karo")
    # 92.72 in money: 170 for Pilz, 4 for Karo, and the welcome.
    expect(shopper.box).to_contain_text("You earn 224 points with this order.")
    shopper.use(427)
    expect(shopper.box).to_contain_text("You earn 215 points with this order.")
    reference = shopper.place_order("card")
    expect(page.locator("#punktgenau-earned-title")).to_have_text("Points earned with this order")
    demo.recover()
    assert earned(demo) == [("purchase", "pending", 165, 0), ("welcome", "pending", 50, 0)]
    assert demo.points() == (2073, 0)

    shopper.open("/points/history")
    expect(page.get_by_text(f"165 points from order {reference} can be used from")).to_be_visible()
    page.get_by_role("link", name="Earned", exact=True).click()
    expect(page.locator(".pg-entries tbody tr")).to_have_count(2)
    expect(page.get_by_role("link", name="Earned", exact=True)).to_have_attribute("aria-current", "page")
    assert page.evaluate("document.documentElement.scrollWidth") <= (390 if script else 320)
    if script:
        axe(page)

    shopper.press_in_drawer("window")
    demo.recover()
    assert earned(demo) == [("purchase", "posted", 165, 0), ("welcome", "posted", 50, 0)]
    assert demo.points() == (2288, 0)
    shopper.open(f"/orders/{reference}")
    expect(page.get_by_text("In your account, ready to be used.")).to_have_count(2)
    if script:
        axe(page)


@pytest.mark.parametrize("points", [427, None])
def test_a_return_says_what_it_takes_back_and_takes_it(shopper: Shopper, demo: Demo, points: int | None) -> None:
    """Köcher (18.45, 20 points) comes back; of 102.80, 427 points pay 0.77 of it, so 17.68 in money earned 19."""
    shopper.fill_cart("pilz", "koecher", points=points)
    reference = shopper.place_order("card")
    demo.recover()
    taken = 20 if points is None else 19
    all_points = {None: 170 + 20, 427: 162 + 19}[points]
    assert earned(demo)[0] == ("purchase", "pending", all_points, 0)
    shopper.press_in_drawer("ship")
    page = shopper.page
    shopper.open(f"/orders/{reference}/return?q.koecher=1")
    expect(page.locator("#preview")).to_contain_text(f"{taken} points that this order has earned are taken back.")
    page.get_by_role("button", name="Ask for the return").click()
    shopper.open("/account")
    page.get_by_role("button", name="Go behind the counter").click()
    page.get_by_role("link", name=reference).click()
    page.get_by_role("button", name="Confirm the return").click()
    demo.recover()
    assert earned(demo) == [("purchase", "pending", all_points, taken), ("welcome", "pending", 50, 0)]
    shopper.open(f"/orders/{reference}")
    box = page.locator("section.pg-box", has_text="Points earned with this order")
    expect(box).to_contain_text(f"Taken back−{taken}")
    expect(box).to_contain_text("Goods came back")
    shopper.open(f"/orders/{reference}/receipt")
    expect(page.locator(".receipt-earned")).to_contain_text(f"−{taken}")
    shopper.open("/points/history?show=earned")
    expect(page.locator(".pg-entries tbody tr").first).to_contain_text("Goods came back")
