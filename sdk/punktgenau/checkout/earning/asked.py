"""What planning asks of the shop, and who earns."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from punktgenau.checkout.cart import Order
from punktgenau.checkout.earning.rules import ArticlesOf, Campaign


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The shop's own functions, asked when they are needed."""

    order: Callable[[], Callable[[str], Order | None] | None]
    campaigns: Callable[[], Callable[[], Iterable[Campaign]] | None]
    articles: Callable[[], ArticlesOf | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Buyer:
    """Who earns."""

    customer_id: str
    member_id: str
    consent_id: str
