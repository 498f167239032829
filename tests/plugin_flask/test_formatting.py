"""Numbers, money and times as people write them; every expected text is written by hand."""

from datetime import UTC, datetime

import pytest

from flask_punktgenau.formatting import exponent, language_code, money, points, when
from flask_punktgenau.language import Language
from punktgenau.money import Money

NO_BREAK = "\xa0"
NARROW = "\u202f"
AFTERNOON = datetime(2026, 11, 22, 13, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("locale", "expected"),
    [
        ("de", f"1.234,50{NO_BREAK}€"),
        ("de-DE", f"1.234,50{NO_BREAK}€"),
        ("de-AT", f"€{NO_BREAK}1.234,50"),
        ("en", "€1,234.50"),
        ("en_GB", "€1,234.50"),
        ("zh", "€1,234.50"),
        ("zh-Hans-CN", "€1,234.50"),
        ("fr", "€1,234.50"),
        ("nonsense!", "€1,234.50"),
        ("", "€1,234.50"),
    ],
)
def test_money_is_written_as_in_that_language(locale: str, expected: str) -> None:
    assert money(Money(amount_minor=123450, currency="EUR"), locale) == expected


@pytest.mark.scenario("B4", "amounts have the digits of ISO 4217: none, two or three")
@pytest.mark.parametrize(
    ("currency", "amount_minor", "expected"),
    [
        ("JPY", 1234, "¥1,234"),  # ISO 4217: no digits
        ("KWD", 1234, f"KWD{NO_BREAK}1.234"),  # three
        ("ALL", 1234, f"ALL{NO_BREAK}12.34"),  # two by ISO 4217, none by the locale data
        ("USD", 5, "$0.05"),
        ("EUR", 0, "€0.00"),
        ("XXX", 5, "¤0.05"),  # no smallest unit in ISO 4217
        ("QQQ", 5, f"QQQ{NO_BREAK}0.05"),  # no currency at all
    ],
)
def test_digits_come_from_iso_4217(currency: str, amount_minor: int, expected: str) -> None:
    assert money(Money(amount_minor=amount_minor, currency=currency), "en") == expected


def test_large_amounts_stay_exact() -> None:
    assert money(Money(amount_minor=10**15, currency="EUR"), "en") == "€10,000,000,000,000.00"
    assert money(Money(amount_minor=999_999_999_999_999, currency="EUR"), "en") == "€9,999,999,999,999.99"


def test_exponents() -> None:
    assert [exponent(currency) for currency in ("EUR", "JPY", "KWD", "CLF")] == [2, 0, 3, 4]


@pytest.mark.parametrize(
    ("locale", "expected"), [("de", "2.500"), ("en", "2,500"), ("zh", "2,500"), ("de-CH", "2’500")]
)
def test_points_are_grouped(locale: str, expected: str) -> None:
    assert points(2500, locale) == expected


@pytest.mark.parametrize(
    ("locale", "expected"),
    [("de", "22.11.2026, 14:03"), ("en", f"Nov 22, 2026, 2:03{NARROW}PM"), ("zh", "2026年11月22日 14:03")],
)
def test_times_stand_in_the_shops_timezone(locale: str, expected: str) -> None:
    assert when(AFTERNOON, locale, "Europe/Berlin") == expected


def test_a_time_without_timezone_says_that_it_is_utc() -> None:
    assert when(AFTERNOON, "de") == "22.11.2026, 13:03 UTC"


def test_today_only_the_time_is_said() -> None:
    late = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)  # the 23rd in Berlin
    assert when(AFTERNOON, "de", "Europe/Berlin", now=datetime(2026, 11, 22, 7, 0, tzinfo=UTC)) == "14:03"
    assert when(late, "de", "Europe/Berlin", now=AFTERNOON) == "23.11.2026, 00:30"


@pytest.mark.parametrize(
    ("locale", "expected"), [("de-AT", "de"), ("en-NZ", "en"), ("zh_Hant_TW", "zh"), ("fr", "en"), ("../de", "en")]
)
def test_regional_variants_fall_back_to_their_language(locale: str, expected: str) -> None:
    assert language_code(locale) == expected


@pytest.mark.parametrize(
    ("locale", "one", "many"),
    [("de", "1 Punkt", "427 Punkte"), ("en", "1 point", "427 points"), ("zh", "1 积分", "427 积分")],
)
def test_points_are_counted_in_words(locale: str, one: str, many: str) -> None:
    assert (Language(locale).count(1), Language(locale).count(427)) == (one, many)


def test_signs_are_typeset() -> None:
    german = Language("de")
    assert [german.signed(number) for number in (2500, -427, 0)] == ["+2.500", "−427", "0"]
    assert german.minus(Money(amount_minor=427, currency="EUR")) == f"−4,27{NO_BREAK}€"


def test_the_tag_is_one_that_browsers_know() -> None:
    assert [Language(locale).tag for locale in ("de_AT", "zh", "fr")] == ["de-AT", "zh", "en"]
