"""States of the points box in which vouchers pay, with records made by hand: a bill of 59.90, 2,500 points."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from flask_punktgenau.panel import CsrfField, PanelView, Urls
from flask_punktgenau.session import Chosen
from flask_punktgenau.voucher_page import VouchersView
from flask_punktgenau.vouchers import VoucherBox, VoucherRow, pay_with
from punktgenau.checkout.cart import Cart
from punktgenau.checkout.payment import Payment
from punktgenau.checkout.vouchers import CartVoucher
from punktgenau.money import Money
from punktgenau.voucher_records import Voucher

URLS = Urls(
    vouchers="/points/vouchers?next=/cart",
    add_voucher="/points/vouchers/add",
    use_voucher="/points/vouchers/use",
    remove_voucher="/points/vouchers/remove",
)


def voucher(name: str, minor: int, *, residual: str = "keeps", state: str = "active") -> Voucher:
    """One as the provider has it."""
    now = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
    money = Money(amount_minor=minor, currency="EUR")
    return Voucher.model_validate({
        "id": f"vou_{name}", "state": state, "voucher_product_id": None, "residual": residual, "partners": (),
        "last_four": name, "code": None, "points": 0, "member_id": None, "former_member_ids": (), "value": money,
        "voucher_reference": None, "idempotency_key": "", "created_at": now, "updated_at": now, "now": now,
        "expires_at": datetime(2027, 11, 21, 10, 0, tzinfo=UTC), "mode": "sandbox", "left": money,
        "held": Money(amount_minor=0, currency="EUR"),
    })  # fmt: skip


TEN, FIFTY, GONE = voucher("7TEN", 1000), voucher("5OFF", 5500, residual="lost"), voucher("GONE", 900, state="expired")
OWN = (voucher("MINE", 2500), voucher("ALSO", 10_000, residual="lost"))


def box(cart: Cart, *vouchers: Voucher, own: tuple[Voucher, ...] = (), notice: str = "") -> tuple[Cart, VoucherBox]:
    """The cart that they pay of, and what the box shows of them."""
    chosen = [Chosen(id=one.id) for one in vouchers]
    paid = pay_with(cart, chosen, {one.id: one for one in vouchers}, partner_id="demo-shop")
    room_minor = paid.cart.payable.amount_minor
    return paid.cart, VoucherBox(paid.rows, own, notice=notice, currency="EUR", room_minor=room_minor)


def away(*vouchers: Voucher) -> VoucherBox:
    """The provider does not answer."""
    return VoucherBox(tuple(VoucherRow(id=one.id, voucher=one) for one in vouchers), is_away=True, currency="EUR")


def with_vouchers(view: PanelView, made: VoucherBox) -> PanelView:
    """The box with its part about vouchers."""
    urls = replace(
        view.urls,
        vouchers=URLS.vouchers,
        add_voucher=URLS.add_voucher,
        use_voucher=URLS.use_voucher,
        remove_voucher=URLS.remove_voucher,
    )
    return replace(view, vouchers=made, urls=urls)


def paid_by(payment: Payment, *, still: bool = True) -> Payment:
    """An order that two vouchers pay a part of; not any more, where they went back."""
    both = tuple(
        CartVoucher(id=one.id, last_four=one.last_four, value_minor=1000, left_over_minor=0, residual=one.residual)
        for one in (TEN, FIFTY)
    )
    pays = both if still else ()
    return replace(payment, asked_vouchers=both, agreed_vouchers=pays, vouchers=pays)


def page(view: PanelView, csrf: CsrfField) -> tuple[str, VouchersView]:
    """The page about them."""
    return "vouchers.html", VouchersView(panel=view, urls=view.urls, csrf=csrf)
