"""How templates and JSON speak: texts of one catalogue, numbers and times of one locale and timezone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo

from markupsafe import Markup, escape

from flask_punktgenau import formatting
from punktgenau.checkout.payment import Payment
from punktgenau.checkout.quote import CartQuote, Neighbour, Reason
from punktgenau.money import Money
from punktgenau.provider import Entry

_LIMITED_BY_NOTHING_LESS = frozenset({"articles", "share", "minimum"})
"""Reasons with a text of their own for the case that no points can be used at all."""
_RECLAMPED = frozenset({"cart", "balance"})
_ENTRY_KINDS = frozenset({"opening", "adjustment", "hold", "capture", "release", "reversal", "expiry"})
_TELLING_KINDS = frozenset({"opening", "hold", "capture", "expiry"})
"""Kinds of movement that say everything; the others show the provider's own reason besides."""


@dataclass(frozen=True, slots=True)
class Language:
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

    def code(self, code: str) -> str:
        """What happened, what became of the points, and what to do next, for a code of `punktgenau.codes`."""
        text = self.gettext(f"code.{code}")
        return text if text != f"code.{code}" else self.gettext("code.error")

    def reason(self, reason: Reason, quote: CartQuote) -> str:
        """Why the number differs from the one asked for."""
        none = quote.most == 0 and reason.code in _LIMITED_BY_NOTHING_LESS
        return self.gettext(
            f"reason.{reason.code}.none" if none else f"reason.{reason.code}",
            points=self.points(reason.points),
            count=self.count(reason.points),
            step=self.points(quote.step),
        )

    def reclamped(self, *, before: int, quote: CartQuote) -> str:
        """What was corrected, from what to what, and why."""
        if quote.points > before:
            cause = "grown"
        else:
            cause = next((reason.code for reason in quote.reasons if reason.code in _RECLAMPED), "rules")
        return self.gettext(f"reclamped.{cause}", now=self.points(quote.points), before=self.points(before))

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

    def payment(self, payment: Payment) -> str:
        """What became of an order's points."""
        if payment.state in ("authorized", "partially_captured") and payment.hold_until is not None:
            return self.gettext(f"payment.{payment.state}.until", until=self.when(payment.hold_until))
        return self.gettext(f"payment.{payment.state}")

    def entry(self, entry: Entry) -> str:
        """What a movement was."""
        if entry.kind not in _ENTRY_KINDS:
            return entry.reason
        if entry.order_reference is None:
            return self.gettext(f"entry.{entry.kind}")
        return self.gettext(f"entry.{entry.kind}.order", order=entry.order_reference)

    def entry_note(self, entry: Entry) -> str:
        """The provider's own reason for a movement, where it adds something."""
        return "" if entry.kind in _TELLING_KINDS or entry.reason == self.entry(entry) else entry.reason


def _filled(text: str, values: Mapping[str, object]) -> str:
    return text % values if values else text
