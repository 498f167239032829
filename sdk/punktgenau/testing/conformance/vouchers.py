"""Checks of an adapter: vouchers that are bought or brought along, and pay beside points."""

from __future__ import annotations

from typing import TYPE_CHECKING

from punktgenau.errors import InsufficientPointsError, VoucherError
from punktgenau.provider import Redemption, TenderRequest, VoucherReturn
from punktgenau.testing.conformance.adapter_world import HAS, AdapterWorld
from punktgenau.testing.conformance.check import ConformanceError, check, expect, not_applicable
from punktgenau.voucher_ports import VouchersPort, VouchersProvider

if TYPE_CHECKING:
    from punktgenau.voucher_records import Voucher

_POINTS = 100
_MINOR = 1500


class VoucherChecks(AdapterWorld):
    """Vouchers: looked up, held all or none, taken whole, given back."""

    @property
    def vouchers(self) -> VouchersPort:
        """Vouchers; ends the check where the provider's profile says that there are none."""
        provider = self.provider()
        if not provider.profile.vouchers:
            raise not_applicable("the profile says that there are no vouchers")
        if not isinstance(provider, VouchersProvider):
            raise ConformanceError(
                "The profile says `vouchers`, and there is no `vouchers`.\nto do: offer one of them."
            )
        return provider.vouchers

    def _brought(self) -> Voucher:
        """A voucher of 15.00 that somebody brought along."""
        return self.vouchers.look_up(code=self.voucher(_MINOR))

    def _pay(self, member_id: str, voucher: Voucher, *, points: int = _POINTS, minor: int = 1000) -> Redemption:
        """10.00 of it and points, for an order of 59.90."""
        tenders = [TenderRequest(kind="voucher", voucher_id=voucher.id, value=self.money(minor))]
        if points:
            tenders.append(TenderRequest(points=points))
        return self.redemptions.authorize(
            member_id=member_id,
            order_reference=self.new_order(),
            total=self.money(5990),
            tenders=tenders,
            capture=None if self.has_holds else "now",
            idempotency_key=self.new_key(),
        )

    def _taken(self, member_id: str, voucher: Voucher, *, points: int = _POINTS) -> Redemption:
        redemption = self._pay(member_id, voucher, points=points)
        if not self.has_holds:
            return redemption
        return self.redemptions.capture(redemption.id, idempotency_key=self.new_key())

    @check("voucher-unknown", why="a code that nobody knows is told to the customer, and stands in no log")
    def test_voucher_unknown(self) -> None:
        """A code that there is not: VoucherError, which does not repeat it."""
        vouchers, code = self.vouchers, "NEVER-MADE-4711"
        error = self.refused(
            VoucherError, lambda: vouchers.look_up(code=code), to_do="map this refusal to VoucherError."
        )
        expect("the code in the error", code in f"{error} {error!r}", False, to_do="keep codes out of errors.")

    @check("voucher-bought", why="points become a voucher once, and its code is told to the buyer only")
    def test_voucher_bought(self) -> None:
        """The price leaves at once; the member's list has the voucher, without its code; `repr` never has it."""
        vouchers = self.vouchers
        product = min(vouchers.products(), key=lambda one: one.price_points)
        member = self.member(product.price_points)
        bought = vouchers.buy(
            member_id=member,
            voucher_product_id=product.id,
            voucher_reference=self.new_order(),
            idempotency_key=self.new_key(),
        )
        expect("value, left", (bought.value, bought.left), (product.value, product.value), to_do="hand on what it is.")
        expect("a code", bool(bought.code), True, to_do="hand on the code in the answer to the purchase.")
        expect("its code in repr", str(bought.code) in repr(bought), False, to_do="keep codes out of repr.")
        self.expect_points(member, available=0, held=0, to_do="take the points at once.")
        self.settle()
        found = [(one.id, one.code) for one in vouchers.list(member_id=member)]
        expect("the member's vouchers", found, [(bought.id, None)], to_do="list them, without codes.")
        one = vouchers.get(bought.id)
        told = (one.id, one.left, one.code)
        expect("the same by its id", told, (bought.id, product.value, None), to_do="answer by its id, without code.")

    @check("voucher-and-points", why="a customer may combine them in one checkout")
    def test_voucher_and_points(self) -> None:
        """Both are held together; the first capture takes the voucher whole."""
        voucher, member = self._brought(), self.member(HAS)
        taken = self._taken(member, voucher)
        [tender] = taken.vouchers
        told = (taken.captured_points, tender.voucher_id, tender.value, tender.captured_value)
        value = self.money(1000)
        expect("what was taken", told, (_POINTS, voucher.id, value, value), to_do="take what was asked for, of each.")
        self.expect_points(member, available=HAS - _POINTS, held=0, to_do="take the points as well.")

    @check("voucher-all-or-none", why="what was agreed is paid as agreed, or not at all")
    def test_voucher_all_or_none(self) -> None:
        """Where there are too few points the voucher is not held either."""
        if self.profile.partial_approval:
            raise not_applicable("the profile says that fewer points than asked for may be held")
        voucher, member = self._brought(), self.member(HAS)
        self.refused(
            InsufficientPointsError,
            lambda: self._pay(member, voucher, points=HAS + 1),
            to_do="hold everything or nothing.",
        )
        taken = self._taken(member, voucher, points=0)
        expect("points without points", (taken.points, taken.value.amount_minor), (0, 0), to_do="say 0 and 0.")

    @check("voucher-more-than-left", why="a voucher pays no more than is left of it")
    def test_voucher_more_than_left(self) -> None:
        """More than its value: VoucherError; nothing is held."""
        voucher, member = self._brought(), self.member(HAS)
        self.refused(
            VoucherError,
            lambda: self._pay(member, voucher, minor=_MINOR + 1),
            to_do="map this refusal to VoucherError.",
        )
        self.expect_points(member, available=HAS, held=0, to_do="hold everything or nothing.")

    @check("voucher-given-back", why="a return gives each tender back by its own rule")
    def test_voucher_given_back(self) -> None:
        """A reversal names the voucher and its value, beside points; both figures of the redemption follow."""
        voucher, member = self._brought(), self.member(HAS)
        taken = self._taken(member, voucher)
        back = self.redemptions.reverse(
            taken.id,
            points=_POINTS,
            vouchers=[VoucherReturn(voucher_id=voucher.id, value=self.money(1000))],
            return_reference="R-1",
            idempotency_key=self.new_key(),
        )
        [told] = back.vouchers
        expect(
            "state, value", (back.redemption.state, told.value), ("reversed", self.money(1000)), to_do="give it back."
        )
        self.expect_points(member, available=HAS, held=0, to_do="give the points back as well.")
