"""How the back office speaks: states, the sentences of an order's story, causes, spans of time."""

from __future__ import annotations

from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Literal

from babel import Locale
from babel.dates import format_date, format_skeleton, format_time, get_timezone
from babel.numbers import get_decimal_symbol

from flask_punktgenau import backoffice_words, formatting
from flask_punktgenau.backoffice_kinds import CAUSES, EARN_CALLS, ORDER_STATES, REFUSALS, STORY_CALLS, STORY_KINDS
from flask_punktgenau.backoffice_notes import notes_of
from flask_punktgenau.language import Language
from punktgenau.checkout.actions import Action
from punktgenau.checkout.difference import DifferenceState, Proposal
from punktgenau.checkout.earning.told import EarnedFate, EarnedState
from punktgenau.checkout.exchanging.told import ExchangeKind, ExchangeState
from punktgenau.checkout.matched import DifferenceKind
from punktgenau.checkout.office_exchanged import ExchangeFate
from punktgenau.checkout.refund import Refund, RefundState
from punktgenau.checkout.resolving import Resolution
from punktgenau.checkout.searching import STATES
from punktgenau.checkout.settings import RefundPolicy
from punktgenau.checkout.timeline import Moment
from punktgenau.codes import CODES
from punktgenau.errors import InvalidArgumentError, PunktgenauError
from punktgenau.money import Money

By = Literal["day", "week", "month"]


class ToldError(InvalidArgumentError):
    """What cannot be meant, said by a page of the office and in the operator's language already."""


class OfficeLanguage(Language):
    """The language of a page for operators."""

    __slots__ = ()

    def state(self, state: str) -> str:
        """A redemption's state, in a word or two."""
        return self.gettext(f"office.state.{state}")

    def earned_state(self, state: EarnedState) -> str:
        """Where earned points are, in a word or two."""
        return self.gettext(f"office.earned.{state}")

    def earning_state(self, state: EarnedState) -> str:
        """The same for a list, without until when."""
        return self.gettext(f"office.earning.{state}")

    def exchange_state(self, state: ExchangeState) -> str:
        """Where a voucher that is bought, or money that is asked for, is."""
        return self.gettext(f"office.exchanged.{state}")

    def exchange_kind(self, kind: ExchangeKind) -> str:
        """What points become."""
        return self.gettext(f"office.exchange.{kind}")

    def earned_fate(self, fate: EarnedFate, points: int) -> str:
        """What became of the points that an order earns."""
        return self.gettext(f"office.fate.{fate}", points=self.count(points)) if fate else ""

    def exchange_fate(self, fate: ExchangeFate, points: int) -> str:
        """What became of points that should become something else."""
        return self.gettext(f"office.became.{fate}", points=self.count(points))

    def earn_call(self, kind: str) -> str:
        """What the provider is asked for about earned points."""
        return self.gettext(f"office.earn_call.{kind}") if kind in EARN_CALLS else kind

    def clock(self, moment: datetime) -> str:
        """The time of day with its seconds."""
        return str(format_time(moment, "medium", tzinfo=self._zone, locale=self._spoken))

    def minute(self, moment: datetime) -> str:
        """The time of day, short."""
        return str(format_time(moment, "short", tzinfo=self._zone, locale=self._spoken))

    def date(self, moment: datetime) -> str:
        """The date with its weekday."""
        return str(format_date(moment.astimezone(self._zone), "full", locale=self._spoken))

    def local(self, moment: datetime) -> datetime:
        """The moment in the timezone of the page."""
        return moment.astimezone(self._zone)

    def span(self, since: datetime, by: By) -> str:
        """The name of a day, of a week by its first day, or of a month; short, for tables and axes."""
        skeleton = "yMMM" if by == "month" else "MMMd"
        return str(format_skeleton(skeleton, self.local(since), locale=self._spoken))

    def by(self, by: By) -> str:
        """Days, weeks or months, as a heading of figures."""
        return self.gettext(f"office.by.{by}")

    def sentence_of(self, told: Moment) -> str:
        """One sentence of an order's story."""
        kind = told.kind
        if kind == "return" and told.actor == "customer":
            kind = "return.customer"
        if kind == "reverse.done" and told.reference:
            kind = "reverse.return"
        if kind == "capture.done" and told.reference:
            kind = "capture.shipment"
        if kind not in STORY_KINDS:
            kind = "action.other"
        money = told.money
        if kind == "placed" and money is not None and told.vouchers is not None:
            # The bill is the customer's: vouchers pay a part of it as well.
            money += told.vouchers
        return self.gettext(
            f"story.{kind}",
            points=self.count(told.points or 0),
            value=self._amount(told.value),
            money=self._amount(money),
            actor=told.actor or "–",
            reference=told.reference or "–",
            code=told.code or "–",
            version=told.version,
            count=0,
        )

    def notes_of(self, told: Moment) -> tuple[str, ...]:
        """What else is known of it: which units, why, how often it was sent, what the answer was."""
        return tuple(notes_of(self, told))

    def new_points(self, refund: Refund) -> str:
        """What became of the points that are given anew for those of a return that had expired."""
        return self.gettext(f"office.new_points.{refund.new_points_state}", points=self.count(refund.new_points))

    def cause(self, cause: str) -> str:  # type: ignore[override]  # of a text here, of a payment for customers
        """Why points went back; what the shop or a person gave as the reason stands in quotes, as it was given."""
        known = self.gettext(f"office.cause.{cause}") if cause in CAUSES else ""
        return known or self.gettext("“%(text)s”", text=cause)

    def refusal(self, code: str) -> str:
        """Why the provider does not take the points of a return back, and what to do about it."""
        return self.gettext(f"office.refusal.{code}", code=code) if code in REFUSALS else self.answer(code)

    def answer(self, code: str) -> str:
        """What a code says, and the code itself, by which it is found in the documentation."""
        if code not in CODES and code not in backoffice_words.JOURNAL_CODES:
            return code
        return self.gettext("%(text)s (%(code)s)", text=self.gettext(f"office.code.{code}"), code=code)

    def error(self, error: PunktgenauError) -> str:
        """What went wrong: the engine's own sentence, or what its code says where the sentence is only for logs."""
        if isinstance(error, ToldError):
            return error.message
        said = self._in_words(error.message, backoffice_words.SENTENCES)
        if said is not None:
            return said
        if error.code not in CODES:
            return self.gettext("The provider says: “%(text)s” (%(code)s)", text=error.message, code=error.code)
        return error.message if self._is_english else self.answer(error.code)

    def noted(self, note: str) -> str:
        """What is noted of a difference, or came of its repair."""
        return self._in_words(note, backoffice_words.NOTED) or note

    def broken(self, reason: str) -> str:
        """Why a line of a statement cannot be read."""
        return self._in_words(reason, backoffice_words.BROKEN) or reason

    def _in_words(self, text: str, among: tuple[str, ...]) -> str | None:
        found = backoffice_words.known(text, among)
        if found is None:
            return None
        sentence, values = found
        return self.gettext(sentence, **{name: self._value(name, value, among) for name, value in values.items()})

    def _value(self, name: str, value: str, among: tuple[str, ...]) -> str:
        if name in {"state", "state_now"} and value in STATES:
            return self._inside(self.state(value))
        if name == "order_state":
            return self._inside(self.order_state(value))
        if name == "call":
            return self.call(value)
        if name == "code":
            return self.answer(value)
        if name == "cause":
            return self.cause(value)
        if name == "field":
            return self.gettext(f"office.field.{value}") if value in backoffice_words.FIELDS else value
        return self._in_words(value, among) or value if name in {"note", "total", "there", "here"} else value

    def action(self, action: Action) -> str:
        """What somebody did, for the log."""
        kind = f"action.{action.kind}"
        said = action.detail
        return self.gettext(
            f"story.{kind if kind in STORY_KINDS else 'action.other'}",
            reference=said.get("return_reference") or "–",
            code=said.get("psp_reference") or "–",
            count=said.get("count") or 0,
            file=said.get("file") or "–",
            value=self._amount(action.value),
        )

    def refund_state(self, state: RefundState) -> str:
        """How far a return is."""
        return self.gettext(f"office.refund.{state}")

    def policy(self, policy: RefundPolicy) -> str:
        """How a return is split, in a word or two."""
        return self.gettext(f"office.policy.{policy}")

    def resolution(self, as_: Resolution) -> str:
        """What a person may decide."""
        return self.gettext(f"office.resolution.{as_}")

    def resolution_text(self, as_: Resolution) -> str:
        """What that leads to."""
        return self.gettext(f"office.resolution.{as_}.text")

    def call(self, kind: str) -> str:
        """What the provider is asked for."""
        return self.gettext(f"office.call.{kind}") if kind in STORY_CALLS else kind

    def difference(self, kind: DifferenceKind) -> str:
        """What is not agreed about, in a few words."""
        return self.gettext(f"office.difference.{kind}")

    def difference_text(self, kind: DifferenceKind) -> str:
        """The same as a sentence."""
        return self.gettext(f"office.difference.{kind}.text")

    def difference_state(self, state: DifferenceState) -> str:
        """What has become of a difference."""
        return self.gettext(f"office.found.{state}")

    def proposal(self, proposal: Proposal) -> str:
        """What is proposed."""
        return self.gettext(f"office.proposal.{proposal}")

    def proposal_text(self, proposal: Proposal) -> str:
        """What that does."""
        return self.gettext(f"office.proposal.{proposal}.text")

    def order_state(self, state: str) -> str:
        """What the shop says about an order."""
        return self.gettext(f"office.order.{state if state in ORDER_STATES else 'unasked'}")

    def done(self, deed: str) -> str:
        """What an operator has just done."""
        return self.gettext(f"office.done.{deed}")

    def signed_money(self, amount_minor: int, currency: str) -> str:
        """An amount in the smallest unit as money; negative where it went back."""
        # Not as Money, which has bounds: what a statement says may be beyond them.
        text = formatting.minor(abs(amount_minor), currency, self.locale)
        return f"{formatting.MINUS}{text}" if amount_minor < 0 else text

    def money_digits(self, amount_minor: int, currency: str) -> str:
        """An amount as it is typed into a form: digits, and a comma or point where the currency has smaller units."""
        digits = formatting.exponent(currency)
        plain = str(Decimal(amount_minor).scaleb(-digits).quantize(Decimal(1).scaleb(-digits)))
        return plain.replace(".", str(get_decimal_symbol(self._spoken)))

    def _amount(self, amount: Money | None) -> str:
        return "–" if amount is None else self.money(amount)

    def _inside(self, state: str) -> str:
        """A state within a sentence: in English without its capital."""
        return state[:1].lower() + state[1:] if self._is_english else state

    @property
    def _is_english(self) -> bool:
        return formatting.language_code(self.locale) == formatting.FALLBACK

    @property
    def _spoken(self) -> Locale:
        return formatting.babel_locale(self.locale)

    @property
    def _zone(self) -> tzinfo:
        zone = get_timezone(self.timezone) if isinstance(self.timezone, str) else self.timezone
        return zone if zone is not None else get_timezone("UTC")
