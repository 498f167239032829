"""Numbers, money, times and texts in the customer's language."""

from __future__ import annotations

import gettext
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

import babel
import iso4217
from babel.dates import format_date, format_datetime, format_time, get_timezone
from babel.numbers import format_decimal, get_currency_precision

from punktgenau.money import Money

DOMAIN = "punktgenau"
LANGUAGES = ("de", "en", "zh")
FALLBACK = "en"
TRANSLATIONS = Path(__file__).parent / "translations"
MINUS = "\N{MINUS SIGN}"


def money(amount: Money, locale: str) -> str:
    """An amount as people of that language write it, with the currency's digits by ISO 4217."""
    spoken = _babel_locale(locale)
    digits = _exponent(amount.currency)
    pattern = copy(spoken.currency_formats["standard"])
    pattern.frac_prec = (digits, digits)
    number = Decimal(amount.amount_minor).scaleb(-digits)
    return str(pattern.apply(number, spoken, currency=amount.currency, currency_digits=False))


def points(number: int, locale: str) -> str:
    """A whole number, grouped as people of that language do."""
    return str(format_decimal(number, locale=_babel_locale(locale)))


def when(moment: datetime, locale: str, timezone: tzinfo | str | None = None, *, now: datetime | None = None) -> str:
    """Date and time, short; only the time where `now` is the same day. Without a timezone: UTC, and it says so."""
    zone = get_timezone(timezone) if isinstance(timezone, str) else timezone
    shown = zone if zone is not None else get_timezone("UTC")
    spoken = _babel_locale(locale)
    if now is not None and now.astimezone(shown).date() == moment.astimezone(shown).date():
        text = format_time(moment, "short", tzinfo=shown, locale=spoken)
    else:
        text = format_datetime(moment, "medium", tzinfo=shown, locale=spoken)
    return str(text) if zone is not None else f"{text} UTC"


def day(moment: datetime, locale: str, timezone: tzinfo | str | None = None) -> str:
    """The date, short."""
    zone = get_timezone(timezone) if isinstance(timezone, str) else timezone
    shown = zone if zone is not None else get_timezone("UTC")
    return str(format_date(moment.astimezone(shown), "medium", locale=_babel_locale(locale)))


@dataclass(frozen=True, slots=True)
class Language:
    """How templates speak: texts of one catalogue, numbers and times of one locale and timezone."""

    locale: str
    timezone: tzinfo | str | None = None

    @property
    def code(self) -> str:
        """The catalogue's language: de, en or zh."""
        return _catalogue_name(self.locale)

    @property
    def tag(self) -> str:
        """The locale as HTML and JavaScript write it, such as de-AT."""
        return str(_babel_locale(self.locale)).replace("_", "-")

    def gettext(self, message: str, **values: object) -> str:
        """The text in this language, its placeholders filled."""
        return _filled(translate(self.locale).gettext(message), values)

    def ngettext(self, one: str, many: str, number: int, **values: object) -> str:
        """The text for so many."""
        return _filled(translate(self.locale).ngettext(one, many, number), values)

    def money(self, amount: Money) -> str:
        """An amount of money."""
        return money(amount, self.locale)

    def points(self, number: int) -> str:
        """A whole number."""
        return points(number, self.locale)

    def signed(self, number: int) -> str:
        """A whole number with its sign; the minus is as wide as the plus."""
        return f"{'+' if number > 0 else MINUS if number < 0 else ''}{points(abs(number), self.locale)}"

    def minus(self, amount: Money) -> str:
        """An amount that is taken off."""
        return f"{MINUS}{money(amount, self.locale)}"

    def when(self, moment: datetime, now: datetime | None = None) -> str:
        """Date and time, short."""
        return when(moment, self.locale, self.timezone, now=now)

    def day(self, moment: datetime) -> str:
        """The date, short."""
        return day(moment, self.locale, self.timezone)


@lru_cache(maxsize=64)
def translate(locale: str) -> gettext.NullTranslations:
    """The catalogue for a locale; regional variants fall back to their language, others to English."""
    return gettext.translation(DOMAIN, localedir=TRANSLATIONS, languages=[_catalogue_name(locale)])


def _filled(text: str, values: Mapping[str, object]) -> str:
    return text % values if values else text


def _catalogue_name(locale: str) -> str:
    language = _babel_locale(locale).language
    return language if language in LANGUAGES else FALLBACK


@lru_cache(maxsize=64)
def _babel_locale(locale: str) -> babel.Locale:
    """The locale where it speaks one of our languages, else English, so that text and numbers fit together."""
    for name in (locale.replace("-", "_"), locale.replace("-", "_").partition("_")[0]):
        try:
            found = babel.Locale.parse(name)
        except (babel.UnknownLocaleError, ValueError):
            continue
        if found.language in LANGUAGES:
            return found
    return babel.Locale.parse(FALLBACK)


@lru_cache(maxsize=256)
def _exponent(currency: str) -> int:
    try:
        exponent = iso4217.Currency(currency).exponent
    except ValueError:
        exponent = None
    # Not in ISO 4217, or without a smallest unit there (XXX): the only other source is CLDR.
    return int(exponent) if exponent is not None else int(get_currency_precision(currency))
