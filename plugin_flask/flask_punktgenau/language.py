"""How templates and JSON speak: texts of one catalogue, numbers and times of one locale and timezone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from markupsafe import Markup, escape

from flask_punktgenau import formatting, reasons
from flask_punktgenau.earns import Earns
from flask_punktgenau.pages import ChoiceKind, ConnectState, HistoryFilter
from flask_punktgenau.voucher_words import VoucherWords
from punktgenau.checkout.earning.told import Earned
from punktgenau.checkout.payment import Payment
from punktgenau.checkout.quote import CartQuote, Neighbour, Reason
from punktgenau.codes import CODES
from punktgenau.errors import DeclinedError, Outcome
from punktgenau.money import Money
from punktgenau.provider import Entry

_BARS_ALL = frozenset({"articles", "share", "cart"})
"""Reasons with a text of their own for the case that no points can be used at all."""
_AFTER_CAPTURE = frozenset(
    {"capturing", "partially_captured", "captured", "reversing", "partially_reversed", "reversed"}
)
_RECLAMPED = frozenset({"cart", "balance"})
_GIVEN_BACK = frozenset({"voided", "expired", "declined", "cancelled", "reversed", "partially_reversed"})
_IDENTIFIER = re.compile(r"[a-z0-9_.:-]*")
"""A reason for programs, such as a code; a shop's own cause for people has blanks or capitals."""
_ENTRY_KINDS = frozenset({
    "opening", "adjustment", "hold", "capture", "release", "reversal", "expiry", "accrual", "accrual_posted",
    "claw_back", "owed_settled", "voucher", "payout", "payout_returned",
})  # fmt: skip
_TELLING_KINDS = frozenset({"opening", "hold", "capture", "expiry", "voucher", "payout"})
"""Kinds of movement that say everything; the others show the provider's own reason besides."""


@dataclass(frozen=True, slots=True)
class Language(VoucherWords):
    """One customer's language. `locale` such as `de` or `de-AT`; without a timezone, times are UTC and say so."""

    locale: str
    timezone: tzinfo | str | None = None

    @property
    def tag(self) -> str:
        """The locale as HTML and JavaScript write it."""
        return str(formatting.babel_locale(self.locale)).replace("_", "-")

    def gettext(self, message: str, **values: object) -> str:
        """The text in this language, its placeholders filled."""
        return _filled(formatting.translate(self.locale).gettext(message), values)

    def ngettext(self, one: str, many: str, number: int, **values: object) -> str:
        """The text for so many."""
        return _filled(formatting.translate(self.locale).ngettext(one, many, number), values)

    def markup(self, message: str, **values: object) -> Markup:
        """The text with HTML in its placeholders; what is not `Markup` there is escaped."""
        return escape(formatting.translate(self.locale).gettext(message)) % values

    def money(self, amount: Money) -> str:
        """An amount of money."""
        return formatting.money(amount, self.locale)

    def minus(self, amount: Money) -> str:
        """An amount that is taken off."""
        return f"{formatting.MINUS}{self.money(amount)}"

    def digits(self, currency: str) -> int:
        """How many digits follow the point in amounts of this currency."""
        return formatting.exponent(currency)

    def points(self, number: int) -> str:
        """A whole number."""
        return formatting.points(number, self.locale)

    def signed(self, number: int) -> str:
        """A whole number with its sign; the minus is as wide as the plus."""
        sign = "+" if number > 0 else formatting.MINUS if number < 0 else ""
        return f"{sign}{self.points(abs(number))}"

    def count(self, number: int) -> str:
        """So many points, in words: 427 points."""
        return self.ngettext("%(points)s point", "%(points)s points", number, points=self.points(number))

    def when(self, moment: datetime, now: datetime | None = None) -> str:
        """Date and time, short."""
        return formatting.when(moment, self.locale, self.timezone, now=now)

    def day(self, moment: datetime) -> str:
        """The date, short."""
        return formatting.day(moment, self.locale, self.timezone)

    def last_day(self, ends_at: datetime) -> str:
        """The last date on which something is good that ends at that moment: at midnight, it is the day before."""
        return self.day(ends_at - timedelta(seconds=1))

    def code(self, code: str) -> str:
        """What happened, what became of the points, and what to do next, for a code of `punktgenau.codes`."""
        text = self.gettext(f"code.{code}")
        return text if text != f"code.{code}" else self.gettext("code.error")

    def reason(self, reason: Reason, quote: CartQuote) -> str:
        """Why the number differs from the one asked for."""
        none = reason.points == 0 and reason.code in _BARS_ALL
        return self.gettext(
            f"reason.{reason.code}.none" if none else f"reason.{reason.code}",
            points=self.points(reason.points),
            count=self.count(reason.points),
            step=self.points(quote.step),
        )

    def reclamped(self, *, before: int, quote: CartQuote) -> str:
        """What was corrected, from what to what, and why."""
        if any(reason.code == "reward" for reason in quote.reasons):
            cause = "reward"
        elif quote.vouchers and quote.points < before:
            cause = "vouchers"
        elif quote.points > before:
            cause = "grown"
        else:
            cause = next((reason.code for reason in quote.reasons if reason.code in _RECLAMPED), "rules")
        return self.gettext(f"reclamped.{cause}", now=self.points(quote.points), before=self.points(before))

    def small_rest(self, quote: CartQuote) -> str:
        """Why the number asked for cannot be used as it is: what it would leave is too small to pay."""
        left_minor = max(0, quote.payable.amount_minor - quote.rate.worth(quote.asked).amount_minor)
        left = Money(amount_minor=left_minor, currency=quote.payable.currency)
        return self.gettext(
            "%(count)s would leave %(left)s to pay, less than a card takes.",
            count=self.count(quote.asked),
            left=self.money(left),
        )

    def neighbour(self, neighbour: Neighbour) -> str:
        """One number that leaves a payable rest, and that rest."""
        count = self.count(neighbour.points)
        if not neighbour.due:
            return self.gettext("%(count)s, pay nothing", count=count)
        return self.gettext("%(count)s, pay %(due)s", count=count, due=self.money(neighbour.due))

    def sentence(self, quote: CartQuote) -> str:
        """A quote in one sentence, for those who hear the page."""
        if not quote.points:
            return self.gettext("No points are used. Left to pay: %(due)s.", due=self.money(quote.due))
        return self.gettext(
            "%(count)s, worth %(value)s. Left to pay: %(due)s.",
            count=self.count(quote.points),
            value=self.money(quote.value),
            due=self.money(quote.due),
        )

    def part(self, payment: Payment) -> str:
        """What the points' row of a summary is called: how many pay, or paid before some of them came back."""
        return self.count(payment.agreed_points)

    def paid(self, payment: Payment) -> Money:
        """What that row is worth: together with what is due it makes the bill, also after a return."""
        return payment.agreed_value

    def rest(self, payment: Payment) -> str:
        """What the row of what points do not pay is called; after capture it says nothing of being still open."""
        return self.gettext("In money" if payment.state in _AFTER_CAPTURE else "Remaining amount")

    def payment(self, payment: Payment) -> str:
        """What became of an order's points."""
        if payment.state == "declined" and payment.reason in CODES:
            return self.code(payment.reason)
        if payment.state == "authorized" and not (payment.points or payment.vouchers):
            # Still held at the provider, but the release is asked for.
            return self.tenders(payment, "voiding")
        if payment.state == "partially_reversed" and not payment.asked_vouchers:
            return self._came_back(payment)
        if payment.state == "short" and _is_refused(payment.reason):
            return self.tenders(payment, "short.refused")
        if payment.state in ("abandoning", "abandoned") and payment.reason == "without_points":
            return self.tenders(payment, f"{payment.state}.without")
        if payment.state in ("authorized", "partially_captured") and payment.hold_until is not None:
            return self.tenders(payment, f"{payment.state}.until", until=self.when(payment.hold_until))
        return self.tenders(payment, payment.state)

    def _came_back(self, payment: Payment) -> str:
        """What returns gave back of the order as it is now: what went with a change is no part of its bill."""
        count = min(payment.agreed_points - payment.points, payment.returned_points)
        if count <= 0:
            return self.gettext("payment.captured")
        worth_minor = min(payment.agreed_value.amount_minor - payment.value.amount_minor, payment.returned_minor)
        value = self.money(Money(amount_minor=worth_minor, currency=payment.total.currency))
        return self.gettext("payment.partially_reversed.points", count=self.count(count), value=value)

    def cause(self, payment: Payment) -> str:
        """Why the points came back, in the shop's own words where it gave some."""
        told = payment.state in _GIVEN_BACK and not _IDENTIFIER.fullmatch(payment.reason)
        return payment.reason if told else ""

    def entry(self, entry: Entry) -> str:
        """What a movement was."""
        if entry.kind not in _ENTRY_KINDS:
            return entry.reason
        kind = "accrual.pending" if entry.kind == "accrual" and entry.pending_points > 0 else entry.kind
        if entry.order_reference is None:
            return self.gettext(f"entry.{kind}")
        return self.gettext(f"entry.{kind}.order", order=entry.order_reference)

    def entry_line(self, entry: Entry) -> Markup:
        """The same as HTML; an order's reference stays in one piece."""
        told, order = escape(self.entry(entry)), escape(entry.order_reference or "")
        return told.replace(order, self.reference(order)) if order and entry.kind in _ENTRY_KINDS else told

    def reference(self, reference: str) -> Markup:
        """An order's reference in one piece: on phones it would break at its hyphens."""
        return formatting.in_one_piece(reference)

    def entry_note(self, entry: Entry) -> str:
        """The provider's own reason for a movement, where it adds something."""
        if entry.kind in _TELLING_KINDS or entry.reason == self.entry(entry):
            return ""
        return self.told(entry.reason, entry.order_reference)

    def told(self, reason: str, order_reference: str | None = None) -> str:
        """Why points were given or taken back: reasons that are known in this language, others as they are."""
        words, text = reasons.known(reason, order_reference) or ("", reason)
        return self.gettext(words) if words else text

    def entry_pending(self, entry: Entry) -> str:
        """What a movement did to the points on their way, where its points do not say it already."""
        told = entry.kind == "accrual_posted" and entry.points
        return "" if told or not entry.pending_points else self.signed(entry.pending_points)

    def balance(self, points: int) -> str:
        """A balance, which may be below zero."""
        return self.points(points) if points >= 0 else self.signed(points)

    def shows(self, show: HistoryFilter) -> str:
        """The name of a way to look at the history."""
        return self.gettext(f"show.{show}")

    def usable_from(self, count: int, usable_at: datetime, order_reference: str) -> Markup:
        """From which day on points can be used that an order has earned."""
        return self.markup(
            "%(points)s from order %(order)s can be used from %(day)s on.",
            points=self.count(count),
            order=self.reference(order_reference),
            day=self.day(usable_at),
        )

    def earns(self, earns: Earns) -> str:
        """What a cart or an article earns, and from when on that can be used; empty where it earns nothing."""
        preview, count = earns.preview, self.count(earns.points)
        said: list[str] = []
        if earns.points and not preview.is_linked:
            said.append(self.gettext("Link to earn %(points)s.", points=count))
        elif earns.points:
            said.append(self.gettext(f"earns.{earns.of}", points=count))
        if preview.campaigns and earns.points:
            said.append(self.gettext("Offer: %(names)s.", names=", ".join(preview.campaigns)))
        if earns.welcome:
            welcome = "earns.welcome" if preview.is_linked else "earns.welcome.perhaps"
            said.append(self.gettext(welcome, points=self.count(earns.welcome)))
        if preview.offset and preview.is_linked and earns.of == "order":
            said.append(self.gettext("earns.offset", points=self.count(preview.offset)))
        if said and earns.usable_from is not None:
            said.append(self.gettext("Usable from %(day)s on.", day=self.day(earns.usable_from)))
        return " ".join(said)

    def earned(self, one: Earned) -> str:
        """Where earned points are now."""
        if one.state == "pending" and one.pending_until is not None:
            return self.gettext("earned.pending.from", day=self.day(one.pending_until))
        return self.gettext(f"earned.{one.state}")

    def choice(self, kind: ChoiceKind) -> str:
        """The text of a button that leads on from a problem."""
        return self.gettext(f"choice.{kind}")

    def problem_title(self, outcome: Outcome) -> str:
        """What became of the points, as a page's title."""
        return self.gettext(f"problem.{outcome}")

    def connect_title(self, state: ConnectState) -> str:
        """The title of the link step."""
        return self.gettext(f"connect.{state}")

    def connect_text(self, state: ConnectState) -> str:
        """What the link step says."""
        return self.gettext(f"connect.{state}.text")


def _is_refused(reason: str) -> bool:
    """Whether the provider has refused to hold the points anew; until then their repair is under way."""
    return not reason.startswith("hold_") and reason in CODES and issubclass(CODES[reason].error, DeclinedError)


def _filled(text: str, values: Mapping[str, object]) -> str:
    return text % values if values else text
