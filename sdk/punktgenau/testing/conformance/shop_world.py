"""What a shop's author supplies, and the steps that the checks of a shop are made of."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

import pytest

from punktgenau.money import Money
from punktgenau.testing.conformance.adapter_world import Operation
from punktgenau.testing.conformance.check import expect, expect_that, not_applicable
from punktgenau.testing.conformance.counting import install
from punktgenau.testing.conformance.shop_page import jargon, visible_text

Card = Literal["good", "declined"]
HAS = 1000
POINTS = 427


class NotPlacedError(Exception):
    """For `place`: the shop did not take the order; the text is the page that the customer got instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopCart:
    """What is bought in every check: articles of the shop by their number, and the bill with VAT and shipping."""

    lines: Mapping[str, int]
    total: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopOrder:
    """An order as the shop's own books have it; `charged` is all the money that its cards were charged."""

    reference: str
    state: Literal["unpaid", "paid", "cancelled"]
    charged: Money


class ShopProvider(Protocol):
    """The provider behind the shop, and its one member: the customer of the checks, whose account is linked."""

    def give(self, points: int) -> None:
        """From now on the member can spend just so many points."""
        ...

    def available(self) -> int:
        """Points that can be spent."""
        ...

    def held(self) -> int:
        """Points that are held for orders."""
        ...

    def lose_answers(self, operation: Operation) -> None:
        """Until `heal`: what the shop sends for this operation is carried out, and its answer gets lost."""
        ...

    def go_away(self) -> None:
        """Until `heal`: nobody listens at the provider's address."""
        ...

    def heal(self) -> None:
        """End every trouble."""
        ...


class ShopWorld:
    """Five functions, the cart, and the provider behind them. The customer is the same in all, and has linked already.

    Each function does what a customer does in a browser, or, for `refund`, a clerk.
    """

    cart: ClassVar[ShopCart]
    """Something worth 10.00 or more that points may pay for, wholly."""
    digits: ClassVar[int] = 2
    """Of the currency's smaller unit."""
    says_unconfirmed: ClassVar[str] = (
        r"(?i)not (yet )?(be )?confirm|not (yet )?(been )?confirmed|not known yet|noch nicht"
    )
    """What is found on the page of an order whose points are not confirmed: words of the shop's own language."""

    def provider(self) -> ShopProvider:
        """The provider; `BehindShop(fake)` where it is punktgenau's fake."""
        raise NotImplementedError("supply provider(): for example BehindShop(fake, member_id=...)")

    def place(self, cart: ShopCart, points: int | Literal["all"], *, card: Card = "good", clicks: int = 1) -> ShopOrder:
        """Fill an empty cart, choose points (0: none), and place the order, paying where the shop's checkout does so.

        `clicks`: how often the same form is sent. Raises NotPlacedError: the shop did not take it, and said why.
        """
        raise NotImplementedError("supply place(cart, points)")

    def pay(self, order: ShopOrder, *, card: Card = "good", clicks: int = 1, with_points: bool = True) -> ShopOrder:
        """On the order's page, pay it if that is still offered; `with_points=False`: choose to go on without points."""
        raise NotImplementedError("supply pay(order)")

    def cancel(self, order: ShopOrder) -> ShopOrder:
        """Cancel the order on its page."""
        raise NotImplementedError("supply cancel(order)")

    def refund(self, order: ShopOrder, *, lines: Mapping[str, int], return_reference: str) -> ShopOrder:
        """Give back what these lines cost, once per return reference; leave it out where the shop has no returns."""
        raise not_applicable("refund is not supplied")

    def page(self, order: ShopOrder) -> str:
        """The order's page, as the customer sees it: HTML or text."""
        raise NotImplementedError("supply page(order)")

    def recover(self) -> None:
        """What the worker or cron of the shop does, once: `flask punktgenau recover`, after some time has passed."""
        raise not_applicable("recover is not supplied")

    def worth(self, points: int) -> Money:
        """What so many points pay; a cent each, unless the programme's rate is another one."""
        return Money(amount_minor=points, currency=self.cart.total.currency)

    # Steps

    @pytest.fixture(autouse=True)
    def _counted(self, request: pytest.FixtureRequest) -> None:
        install(request.config)

    def heal(self) -> None:
        """The provider is well again; also after each check."""
        self.provider().heal()

    def give(self, points: int = HAS) -> None:
        """The customer can spend so many points."""
        self.provider().give(points)

    def buy(self, points: int | Literal["all"], *, card: Card = "good") -> ShopOrder:
        """Place an order, and pay it where that is a step of its own."""
        order = self.place(self.cart, points, card=card)
        return self.pay(order, card=card) if order.state == "unpaid" else order

    def money(self, amount_minor: int) -> Money:
        """An amount of the cart's currency."""
        return Money(amount_minor=amount_minor, currency=self.cart.total.currency)

    def taken(self, *, of: int = HAS) -> tuple[int, int]:
        """Points that are gone for good, and points that are held."""
        held = self.provider().held()
        return of - self.provider().available() - held, held

    def expect_taken(self, points: int, *, of: int = HAS, to_do: str) -> None:
        """So many points are gone for good, and none is held any more."""
        __tracebackhide__ = True
        expect("points taken, held", self.taken(of=of), (points, 0), to_do=to_do)

    def expect_paid(self, order: ShopOrder, charged: Money, *, to_do: str) -> None:
        """The order is paid, and the card was charged so much."""
        __tracebackhide__ = True
        told = (order.state, order.charged.amount_minor)
        expect("state, charged in minor units", told, ("paid", charged.amount_minor), to_do=to_do)

    def expect_plain(self, page: str) -> None:
        """A page has text for people, and none for programmers."""
        __tracebackhide__ = True
        expect_that(bool(visible_text(page)), "A page shows no text.", to_do="answer with a page, also when it fails.")
        expect(
            "words for programmers on a page",
            jargon(page),
            None,
            to_do="catch PunktgenauError, or leave it to the extension's page; show the text of its code.",
        )

    def expect_unconfirmed(self, page: str) -> None:
        """A page says that the points are not confirmed yet."""
        __tracebackhide__ = True
        self.expect_plain(page)
        expect_that(
            re.search(self.says_unconfirmed, visible_text(page)) is not None,
            f"The page of an order whose points are unknown does not say so: {visible_text(page)[:300]!r}",
            to_do="show the order's points (`punktgenau_summary`); for other words set `says_unconfirmed`.",
        )

    def expect_given_back(self, *, to_do: str) -> None:
        """No point is gone or held; what is still on its way is ended by the shop's recovery."""
        __tracebackhide__ = True
        if self.taken() != (0, 0):
            self.recover()
        self.expect_taken(0, to_do=to_do)
