"""Vouchers that customers of a shop bring along, and what is left of them."""

from __future__ import annotations

from typing import Any, Literal

import requests

from _world import CART, World
from punktgenau.checkout import Checkout
from punktgenau.voucher_records import Voucher


def brought(world: World, checkout: Checkout, minor: int, *, residual: str = "keeps", **more: Any) -> Voucher:
    """A voucher that somebody brings along, as the shop sees it once it was shown the code."""
    body = {"value_minor": minor, "residual": residual, **more}
    made = requests.post(f"{world.provider.url}/sandbox/vouchers", json=body, timeout=20).json()
    return checkout.look_up_voucher(made["code"])


def left(world: World) -> dict[str, tuple[str, int, int]]:
    """State, what is left and what is held of each voucher."""
    items = requests.get(f"{world.provider.url}/sandbox/vouchers", timeout=20).json()["items"]
    return {one["id"]: (one["state"], one["left"]["amount_minor"], one["held"]["amount_minor"]) for one in items}


def place(
    checkout: Checkout, *vouchers: Voucher, points: int | Literal["all"] = 0, order: str = "A-1", cart: Any = CART
) -> Any:
    return checkout.authorize(order, cart, customer_id="anna", points=points, vouchers=vouchers)
