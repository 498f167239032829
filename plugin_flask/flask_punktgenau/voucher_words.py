"""How templates and JSON speak of vouchers; a part of `Language`."""

from __future__ import annotations

from datetime import datetime

from flask_punktgenau.vouchers import VoucherBox, VoucherRow
from punktgenau.checkout.payment import Payment
from punktgenau.checkout.refund import VoucherBack
from punktgenau.checkout.vouchers import CartVoucher, worth_minor
from punktgenau.money import Money
from punktgenau.voucher_records import Voucher


class VoucherWords:
    """The texts about vouchers."""

    __slots__ = ()

    def gettext(self, message: str, **values: object) -> str:
        """The text in this language."""
        raise NotImplementedError

    def money(self, amount: Money) -> str:
        """An amount of money."""
        raise NotImplementedError

    def last_day(self, ends_at: datetime) -> str:
        """The last date on which something is good."""
        raise NotImplementedError

    def voucher_name(self, one: VoucherRow | Voucher | CartVoucher | VoucherBack) -> str:
        """What a voucher is called: it and its last four signs."""
        if not one.last_four:
            return self.gettext("Voucher")
        return self.gettext("Voucher …%(last_four)s", last_four=one.last_four)

    def voucher_value(self, one: CartVoucher, currency: str) -> Money:
        """What it pays."""
        return Money(amount_minor=one.value_minor, currency=currency)

    def voucher(self, row: VoucherRow, *, is_away: bool = False) -> str:
        """What becomes of a voucher that was added: what stays on it or is lost, or why it pays nothing."""
        if is_away:
            return self.gettext("voucher.away")
        if row.problem:
            text = self.gettext(f"voucher.{row.problem}")
            return text if text != f"voucher.{row.problem}" else self.gettext("voucher.voucher_unknown")
        if row.pays is None or row.voucher is None:
            return self.gettext("voucher.not_needed")
        rest = Money(amount_minor=row.pays.left_over_minor, currency=row.voucher.left.currency)
        return self._rest(rest, row.voucher)

    def voucher_offer(self, one: Voucher, box: VoucherBox) -> str:
        """Until when a voucher is good, and what this order would leave over of it."""
        until = self.gettext("Good until %(day)s.", day=self.last_day(one.expires_at))
        rest_minor = one.left.amount_minor - min(one.left.amount_minor, box.room_minor)
        if rest_minor == one.left.amount_minor:
            return until
        rest = self._rest(Money(amount_minor=rest_minor, currency=one.left.currency), one)
        return f"{until} {rest}" if rest else until

    def _rest(self, rest: Money, one: Voucher) -> str:
        if not rest:
            return ""
        if one.residual == "lost":
            return self.gettext("%(value)s of it is lost with this order.", value=self.money(rest))
        return self.gettext("%(value)s stays on it.", value=self.money(rest))

    def bill(self, payment: Payment) -> Money:
        """The whole bill, whatever pays of it."""
        before = worth_minor(payment.agreed_vouchers)
        return Money(amount_minor=payment.total.amount_minor + before, currency=payment.total.currency)

    def tenders(self, payment: Payment, ending: str, **values: object) -> str:
        """What became of an order's points; where vouchers are among what pays, of these as well."""
        if payment.asked_vouchers:
            said = self.gettext(f"tenders.{ending}", **values)
            if said != f"tenders.{ending}":
                return said
        return self.gettext(f"payment.{ending}", **values)
