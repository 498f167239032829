"""Which language a page speaks."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from types import ModuleType

import pytest
from babel import Locale
from flask import render_template_string

from _small_shop import SmallShop, cart_of
from flask_punktgenau.formatting import LANGUAGES
from flask_punktgenau.locales import current_language
from flask_punktgenau.state import current_state


def spoken(small: SmallShop, accept: str = "") -> str:
    with small.app.test_request_context(headers={"Accept-Language": accept}):
        return current_language(current_state()).locale


@pytest.mark.parametrize(
    ("accept", "locale"),
    [
        ("", "en"),
        ("fr", "en"),
        ("de", "de"),
        ("de-AT,en;q=0.8", "de-AT"),
        ("fr;q=0.9, zh-Hans-CN;q=0.8, en;q=0.2", "zh-Hans-CN"),
        ("en;q=0.3, de;q=0.7", "de"),
        ("*", "en"),
        ("../../etc/passwd", "en"),
        ("de" + "-x" * 500, "en"),
    ],
)
def test_the_browsers_wish(small: SmallShop, accept: str, locale: str) -> None:
    assert spoken(small, accept) == locale


def test_the_shops_loader_goes_first(small: SmallShop) -> None:
    small.points.locale_loader(lambda: "zh")
    assert spoken(small, "de") == "zh"
    small.points.locale_loader(lambda: None)
    assert spoken(small, "de") == "de"


def test_flask_babel_is_followed_where_the_shop_uses_it(small: SmallShop, monkeypatch: pytest.MonkeyPatch) -> None:
    babel = ModuleType("flask_babel")
    babel.get_locale = lambda: Locale("de", "CH")  # type: ignore[attr-defined]
    babel.get_timezone = lambda: None  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "flask_babel", babel)
    assert spoken(small, "zh") == "zh"
    small.app.extensions["babel"] = object()
    assert spoken(small, "zh") == "de_CH"


def test_a_mail_is_in_the_language_of_who_gets_it(small: SmallShop) -> None:
    from flask_punktgenau.widgets import punktgenau_summary

    with small.app.app_context():
        small.points.authorize("A-1", cart_of(5990), customer_id="anna", points=427)
        texts = {locale: str(punktgenau_summary("A-1", form="text", locale=locale)) for locale in LANGUAGES}
    assert len(set(texts.values())) == 3
    assert "55,63" in texts["de"]
    assert "€55.63" in texts["en"]
    assert "<" not in texts["de"]


def test_text_put_into_a_page_is_escaped_there(small: SmallShop) -> None:
    with small.app.app_context():
        small.points.authorize("A-1", cart_of(5990), customer_id="anna", points=427)
        small.points.cancel("A-1", cause="<script>1</script>")
        page = render_template_string('{{ punktgenau_summary("A-1", form="text", locale="en") }}')
        assert "<script>" not in page
        assert "<script>" not in render_template_string('{{ punktgenau_summary("A-1", form="rows", locale="en") }}')


def test_rows_for_a_table_and_nothing_where_there_is_nothing(small: SmallShop) -> None:
    from flask_punktgenau.widgets import punktgenau_summary

    with small.app.app_context():
        small.points.authorize("A-1", cart_of(5990), customer_id="anna", points=427)
        assert "<tr" in punktgenau_summary("A-1", form="rows", locale="en")
        assert punktgenau_summary("A-2") == ""


def test_times_are_in_the_configured_zone(make_shop: Callable[..., SmallShop]) -> None:
    small = make_shop(PUNKTGENAU_TIMEZONE="Asia/Shanghai")
    with small.app.test_request_context(headers={"Accept-Language": "de"}):
        told = current_language(current_state()).when(datetime(2026, 11, 22, 10, 0, tzinfo=UTC))
    assert "18:00" in told
    assert "UTC" not in told
