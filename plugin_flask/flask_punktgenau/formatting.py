"""Numbers, money and times as the customer's language writes them, and its catalogue."""

from __future__ import annotations

import gettext
from copy import copy
from datetime import datetime, tzinfo
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

import babel
import iso4217
from babel.dates import format_date, format_time, get_datetime_format, get_timezone
from babel.numbers import format_decimal, get_currency_precision, get_currency_symbol
from markupsafe import Markup, escape

from punktgenau.money import Money

DOMAIN = "punktgenau"
LANGUAGES = ("de", "en", "zh")
FALLBACK = "en"
TRANSLATIONS = Path(__file__).parent / "translations"
MINUS = "\N{MINUS SIGN}"
NO_BREAK = "\N{NO-BREAK SPACE}"
_REFERENCE_MAX = 20


@lru_cache(maxsize=1024)
def money(amount: Money, locale: str) -> str:
    """An amount as people of that language write it, with the currency's digits by ISO 4217."""
    return minor(amount.amount_minor, amount.currency, locale)


def minor(amount_minor: int, currency: str, locale: str) -> str:
    """The same of an amount in the smallest unit, however much a stranger says that it is."""
    spoken = babel_locale(locale)
    digits = exponent(currency)
    pattern = copy(spoken.currency_formats["standard"])
    pattern.frac_prec = (digits, digits)
    number = Decimal(amount_minor).scaleb(-digits)
    text = str(pattern.apply(number, spoken, currency=currency, currency_digits=False))
    symbol = get_currency_symbol(currency, locale=spoken)
    # CLDR's rule for currencies written in letters, which Babel leaves out: KWD 1.234 instead of KWD1.234.
    if symbol[-1].isalpha() and text.startswith(symbol) and text[len(symbol)].isdigit():
        return f"{symbol}{NO_BREAK}{text[len(symbol) :]}"
    return text


@lru_cache(maxsize=1024)
def points(number: int, locale: str) -> str:
    """A whole number, grouped as people of that language do."""
    return str(format_decimal(number, locale=babel_locale(locale)))


def when(moment: datetime, locale: str, timezone: tzinfo | str | None = None, *, now: datetime | None = None) -> str:
    """Date and time, short; only the time where `now` is the same day. Without a timezone: UTC, and it says so."""
    zone = get_timezone(timezone) if isinstance(timezone, str) else timezone
    shown = zone if zone is not None else get_timezone("UTC")
    spoken = babel_locale(locale)
    time = str(format_time(moment, "short", tzinfo=shown, locale=spoken))
    if now is not None and now.astimezone(shown).date() == moment.astimezone(shown).date():
        text = time
    else:
        both = str(get_datetime_format("medium", locale=spoken)).replace("'", "")
        text = both.replace("{0}", time).replace("{1}", day(moment, locale, shown))
    return str(text) if zone is not None else f"{text} UTC"


def in_one_piece(reference: str) -> Markup:
    """A reference as HTML that does not break at its hyphens; a long one may, or it would be wider than a phone."""
    if len(reference) > _REFERENCE_MAX:
        return escape(reference)
    return Markup('<span class="pg-ref">{}</span>').format(reference)


def day(moment: datetime, locale: str, timezone: tzinfo | str | None = None) -> str:
    """The date, short."""
    zone = get_timezone(timezone) if isinstance(timezone, str) else timezone
    shown = zone if zone is not None else get_timezone("UTC")
    return str(format_date(moment.astimezone(shown), "medium", locale=babel_locale(locale)))


@lru_cache(maxsize=64)
def translate(locale: str) -> gettext.NullTranslations:
    """The catalogue for a locale; regional variants fall back to their language, others to English."""
    return gettext.translation(DOMAIN, localedir=TRANSLATIONS, languages=[language_code(locale)])


def language_code(locale: str) -> str:
    """The catalogue that a locale is served with: de, en or zh."""
    language = babel_locale(locale).language
    return language if language in LANGUAGES else FALLBACK


@lru_cache(maxsize=64)
def babel_locale(locale: str) -> babel.Locale:
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
def exponent(currency: str) -> int:
    """How many digits of the currency's amounts stand after the point, by ISO 4217."""
    try:
        digits = iso4217.Currency(currency).exponent
    except ValueError:
        digits = None
    # Not in ISO 4217, or without a smallest unit there (XXX): the only other source is CLDR.
    return int(digits) if digits is not None else int(get_currency_precision(currency))
