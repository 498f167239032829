"""The browser fixtures themselves: what a page complains about fails its test."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from _pages import PageWatch

WELL = "<!doctype html><html lang=en><title>Lamps</title><main><h1>Lamps</h1><p>Two of them</p></main></html>"


@pytest.fixture
def watched(page: Page) -> PageWatch:
    watch = PageWatch()
    watch.watch(page)
    return watch


def test_page_has_the_language_and_width_that_were_asked_for(new_page: Callable[..., Page]) -> None:
    page = new_page(locale="de-DE", width=390, dark=True)
    assert page.evaluate("[navigator.language, innerWidth, matchMedia('(prefers-color-scheme: dark)').matches]") == [
        "de-DE",
        390,
        True,
    ]


def test_page_without_script_runs_none(new_page: Callable[..., Page]) -> None:
    page = new_page(script=False)
    page.set_content("<p>before</p><script>document.querySelector('p').textContent = 'after'</script>")
    assert page.text_content("p") == "before"


def test_errors_and_breaches_of_the_security_policy_are_heard(
    page: Page, watched: PageWatch, allow_console: Callable[[str], None]
) -> None:
    allow_console("")
    policy = "<meta http-equiv=Content-Security-Policy content=\"default-src 'self'\">"
    page.set_content(f"<html><head>{policy}</head><body onclick='1'><script>broken()</script></body></html>")
    page.evaluate("console.error('lamp went out')")
    heard = " ".join(watched.complaints())
    assert "lamp went out" in heard
    assert "Content Security Policy" in heard


def test_anything_beyond_this_machine_is_heard(
    page: Page, watched: PageWatch, allow_console: Callable[[str], None]
) -> None:
    allow_console("shop.example")
    page.set_content("<img alt='' src='http://shop.example/lamp.png'>")
    assert any("not on this machine" in text for text in watched.complaints())


def test_what_is_allowed_is_no_complaint(page: Page, allow_console: Callable[[str], None]) -> None:
    allow_console("lamp went")
    page.evaluate("console.error('lamp went out')")


def test_axe_accepts_a_good_page_and_lists_what_is_wrong_with_a_bad_one(page: Page, axe: Callable[..., None]) -> None:
    page.set_content(WELL)
    axe(page)
    page.set_content("<html><body><img src='data:,'><input></body></html>")
    with pytest.raises(pytest.fail.Exception, match="image-alt"):
        axe(page)


def test_chinese_has_letters_here(page: Page) -> None:
    page.set_content("<canvas></canvas>")
    drawn = """text => {
        const canvas = document.querySelector('canvas'), pen = canvas.getContext('2d')
        pen.clearRect(0, 0, 300, 150); pen.font = '40px sans-serif'; pen.fillText(text, 10, 60)
        return canvas.toDataURL()
    }"""
    assert page.evaluate(drawn, "积") != page.evaluate(drawn, "分")
