"""Three languages: which one this browser reads, its texts, and how it writes amounts and times."""

import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.numbers import format_currency, format_decimal
from flask import Flask, g, has_request_context, request, session

_KEY = "language"
_FOLDER = Path(__file__).with_name("texts")


def _zone() -> tzinfo:
    try:
        return ZoneInfo("Europe/Berlin")
    except ZoneInfoNotFoundError:
        # A machine without the time zone database can run the demo all the same.
        return UTC


ZONE = _zone()


@dataclass(frozen=True)
class Language:
    code: str
    tag: str
    locale: str
    name: str
    short: str
    moment: str


LANGUAGES = {
    language.code: language
    for language in (
        Language("de", "de", "de_DE", "Deutsch", "DE", "d. MMMM y, HH:mm"),
        Language("en", "en", "en_GB", "English", "EN", "d MMMM y, HH:mm"),
        Language("zh", "zh-Hans", "zh_Hans_CN", "中文", "中文", "y年M月d日 HH:mm"),
    )
}


def current() -> Language:
    """Chosen in the header (`?lang=`), else remembered, else what the browser prefers, else German."""
    if not has_request_context():
        return LANGUAGES["de"]
    if "language" not in g:
        asked = request.args.get("lang")
        if asked in LANGUAGES:
            session[_KEY] = asked
        code = session.get(_KEY) or request.accept_languages.best_match([*LANGUAGES]) or "de"
        g.language = LANGUAGES[code]
    chosen: Language = g.language
    return chosen


def use(code: str) -> None:
    """Speak this language until the request is over: the bank speaks the one the order was placed in."""
    g.language = LANGUAGES.get(code, LANGUAGES["de"])


def text(key: str, **values: object) -> str:
    """The text of a key in the current language, its placeholders filled if values are given. Raises KeyError."""
    found = texts(current().code)[key]
    return found.format(**values) if values else found


def counted(key: str, count: int) -> str:
    """A text that depends on a number: `key.one`, `key.other`, as the language's plural rule says."""
    form = Locale.parse(current().locale).plural_form(count)
    available = texts(current().code)
    return available.get(f"{key}.{form}", available[f"{key}.other"]).format(count=number(count))


def money(amount_minor: int) -> str:
    return format_currency(Decimal(amount_minor).scaleb(-2), "EUR", locale=current().locale)


def number(value: int) -> str:
    return format_decimal(value, locale=current().locale)


def moment(value: datetime) -> str:
    """Day and time where the shop is."""
    return format_datetime(value.astimezone(ZONE), current().moment, locale=current().locale)


def day(value: datetime) -> str:
    """The day where the shop is."""
    return format_date(value.astimezone(ZONE), "long", locale=current().locale)


def short_moment(value: datetime) -> str:
    return format_datetime(value.astimezone(ZONE), "short", locale=current().locale)


@cache
def texts(code: str) -> dict[str, str]:
    """All texts of a language, by dotted key."""
    return dict(_flat("", tomllib.loads((_FOLDER / f"{code}.toml").read_text(encoding="utf-8"))))


def _flat(prefix: str, table: dict[str, object]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for name, value in table.items():
        if isinstance(value, dict):
            found += _flat(f"{prefix}{name}.", value)
        else:
            found.append((f"{prefix}{name}", str(value)))
    return found


def init_app(app: Flask) -> None:
    app.jinja_env.globals.update(
        text=text, counted=counted, money=money, number=number, moment=moment, short_moment=short_moment
    )
    app.context_processor(lambda: {"language": current(), "languages": LANGUAGES.values()})
