"""What the pages say, in three languages: which one a browser reads, its texts, how it writes numbers and times."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path

from babel.dates import format_datetime
from babel.numbers import format_currency, format_decimal, get_currency_precision
from flask import g, request, session

from .clock import moment

_FOLDER = Path(__file__).with_name("languages")
_CHOSEN = "language"


@dataclass(frozen=True)
class Language:
    """A language with its way of writing. Times are UTC throughout: a provider's page knows no other."""

    code: str
    tag: str
    locale: str
    name: str
    day_form: str
    moment_form: str

    def text(self, key: str, **values: object) -> str:
        """The text of a key. Raises KeyError where there is none."""
        found = texts_of(self.code)[key]
        return found.format_map(values) if values else found

    def number(self, number: int) -> str:
        """`2,500`, `−70`."""
        return str(format_decimal(number, locale=self.locale)).replace("-", "\N{MINUS SIGN}")

    def points(self, points: int) -> str:
        """`2,500 points`, `1 point`."""
        return self.text("points.one" if points == 1 else "points.other", number=self.number(points))

    def signed(self, points: int) -> str:
        """`+427`, `−427`: for columns of changes."""
        sign = "+" if points > 0 else "\N{MINUS SIGN}" if points < 0 else ""
        return sign + self.number(abs(points))

    def money(self, amount_minor: int, currency: str) -> str:
        """`€4.27`."""
        amount = Decimal(amount_minor).scaleb(-int(get_currency_precision(currency)))
        return str(format_currency(amount, currency, locale=self.locale))

    def day(self, stamped: str) -> str:
        """The day of a moment as the books write it."""
        return str(format_datetime(moment(stamped), self.day_form, locale=self.locale))

    def moment(self, stamped: str) -> str:
        """Day and time, UTC."""
        return str(format_datetime(moment(stamped), self.moment_form, locale=self.locale))

    def span(self, span_s: int) -> str:
        """A length of time: `1 day, 2:00:00`."""
        days, rest_s = divmod(span_s, 86_400)
        clock = f"{rest_s // 3600}:{rest_s // 60 % 60:02}:{rest_s % 60:02}"
        if not days:
            return clock
        return self.text("clock.days_one" if days == 1 else "clock.days_other", number=self.number(days), rest=clock)

    def time(self, stamped: str) -> str:
        """The time alone, UTC."""
        return stamped[11:19]


LANGUAGES: Mapping[str, Language] = {
    language.code: language
    for language in (
        Language("de", "de", "de_DE", "Deutsch", "d. MMM y", "d. MMM y, HH:mm"),
        Language("en", "en", "en_GB", "English", "d MMM y", "d MMM y, HH:mm"),
        Language("zh", "zh-Hans", "zh_Hans_CN", "中文", "y年M月d日", "y年M月d日 HH:mm"),
    )
}


@cache
def texts_of(code: str) -> Mapping[str, str]:
    """Every text of a language by its key, such as `consent.agree`."""
    tables = tomllib.loads((_FOLDER / f"{code}.toml").read_text("utf-8"))
    return {f"{table}.{name}": text for table, texts in tables.items() for name, text in texts.items()}


def current_language() -> Language:
    """Asked for in the address (`lang`, or a shop's `ui_locales`), then remembered, else the browser's or English."""
    if "language" not in g:
        asked = _first_known(f"{request.args.get('lang', '')} {request.args.get('ui_locales', '')}")
        if asked is not None:
            session[_CHOSEN] = asked
        remembered = LANGUAGES.get(str(session.get(_CHOSEN)))
        preferred = _first_known(" ".join(tag for tag, _ in request.accept_languages))
        g.language = remembered or LANGUAGES[preferred or "en"]
    language: Language = g.language
    return language


def _first_known(tags: str) -> str | None:
    """The first of some language tags that is spoken here."""
    codes = (tag.replace("_", "-").partition("-")[0].lower() for tag in tags.split())
    return next((code for code in codes if code in LANGUAGES), None)
