"""The pages in a real browser: for everybody, on any width, with and without script, and true while they are open."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

BEHIND = ("/", "/ledger", "/requests", "/events", "/members/mbr_2500", "/redemptions/{first}")
NewPage = Callable[..., Page]


def write_history(shop: Any) -> str:
    """Something of everything; the id of the redemption that was paid and partly given back."""
    red = shop.authorize().json()["id"]
    shop.post(f"/v1/redemptions/{red}/capture", {}, key="key-2")
    shop.post(f"/v1/redemptions/{red}/reversals", {"points": 100, "return_reference": "R-1"}, key="key-3")
    shop.authorize(key="key-4", order_reference="A-1002", points=300)
    shop.authorize(key="key-5", order_reference="A-1003", points=9999)
    shop.fault("balance", "hang", times=2)
    return str(red)


class Counter(BaseHTTPRequestHandler):
    """Where the shop would be: a page that a browser can come back to."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>Back</title><link rel=icon href='data:,'><h1>Back in the shop</h1>")

    def log_message(self, format: str, *args: object) -> None:
        """Silent."""


@pytest.fixture
def callback() -> Iterator[str]:
    """The address of a shop to come back to."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Counter)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/points/callback"
    server.shutdown()
    thread.join()
    server.server_close()


def asking(callback: str) -> str:
    """The address to which a shop sends its customer."""
    asked = {
        "response_type": "code",
        "client_id": "demo-shop",
        "redirect_uri": callback,
        "scope": "balance redeem",
        "state": "st-1",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
    }
    return f"/oauth/authorize?{urlencode(asked)}"


def width_over(page: Page) -> int:
    """By how many pixels the page is wider than the window."""
    over: int = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    return over


LOOKS = ({}, {"width": 320, "dark": True, "locale": "de-DE"}, {"locale": "zh-CN", "width": 390})


@pytest.mark.parametrize("number", range(len(LOOKS)))
def test_pages_are_for_everybody(
    shop: Any,
    callback: str,
    new_page: NewPage,
    axe: Callable[..., None],
    allow_console: Callable[[str], None],
    number: int,
) -> None:
    """Each page fits each width; what assistive tools need is looked at once per page, in turns of the looks."""
    allow_console("status of 4")
    first = write_history(shop)
    page = new_page(**LOOKS[number])
    turn = count()

    def check() -> None:
        if next(turn) % len(LOOKS) == number:
            axe(page)
        assert width_over(page) <= 0

    page.goto(shop.url + asking(callback))
    check()
    page.locator("#member_id").fill("mbr_nobody")
    page.locator(".other .button").click()
    expect(page.locator("#member_id")).to_be_focused()
    check()
    page.locator("button", has_text="mbr_2500").click()
    check()
    page.goto(shop.url + "/account")
    check()
    page.goto(shop.url + "/oauth/authorize")
    check()
    for place in BEHIND:
        page.goto(shop.url + place.format(first=first))
        for details in page.locator("details").all():
            details.locator("summary").click()
        check()


@pytest.mark.parametrize("script", [True, False])
def test_agreeing_leads_back_to_the_shop(shop: Any, callback: str, new_page: NewPage, script: bool) -> None:
    page = new_page(script=script)
    page.goto(shop.url + asking(callback))
    page.locator("button", has_text="mbr_2500").click()
    page.get_by_role("button", name="Agree").click()
    expect(page.get_by_role("heading", name="Back in the shop")).to_be_visible()
    assert re.fullmatch(rf"{re.escape(callback)}\?code=cod_[\w-]+&state=st-1", page.url)


def test_the_way_works_with_the_keyboard_alone(shop: Any, callback: str, page: Page) -> None:
    page.goto(shop.url + asking(callback))

    def tab_to(name: str) -> None:
        for _ in range(20):
            page.keyboard.press("Tab")
            if name in page.evaluate("document.activeElement.textContent"):
                break
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert (name in page.evaluate("document.activeElement.textContent"), outline) == (True, "solid")

    tab_to("mbr_42")
    page.keyboard.press("Enter")
    page.wait_for_url("**/oauth/consent*")
    tab_to("Decline")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{callback}?error=access_denied&state=st-1")


def test_actions_need_no_script(shop: Any, new_page: NewPage) -> None:
    page = new_page(script=False)
    shop.authorize(hold_s=3600)
    page.goto(shop.url + "/")
    expect(page.locator("#holds")).to_contain_text("A-1001")
    expect(page.locator("#holds .left")).to_be_hidden()
    page.get_by_role("button", name="One hour on").click()
    expect(page.locator("#holds")).to_contain_text("Nothing is held.")
    expect(page.locator("#redemptions")).to_contain_text("expired")
    page.get_by_text("Add a member").click()
    page.get_by_label("Member number").fill("mbr_100")
    page.get_by_role("button", name="Add", exact=True).click()
    # On a busy machine another one says beside it that the sandbox was slow to answer.
    expect(page.get_by_role("status").and_(page.locator(".said"))).to_have_text("mbr_100 was added.")


def test_the_overview_grows_while_it_is_open(shop: Any, page: Page) -> None:
    page.clock.install()
    page.goto(shop.url + "/")
    expect(page.locator("#holds")).to_contain_text("Nothing is held.")
    page.locator("#members a", has_text="Demo 42").focus()
    shop.authorize()
    with page.expect_response(f"{shop.url}/"):
        page.clock.run_for(2000)
    expect(page.locator("#holds")).to_contain_text("A-1001")
    expect(page.locator("#members")).to_contain_text("2,073")
    expect(page.locator("#ledger .sum dd")).to_have_text("0")
    # What was brought in took nobody's place away.
    expect(page.locator("#members a", has_text="Demo 42")).to_be_focused()


def test_a_hold_ticks_down(shop: Any, page: Page) -> None:
    page.clock.install()
    shop.authorize(hold_s=7200)
    page.goto(shop.url + "/")
    left = page.locator("#holds .left span")
    expect(left).to_have_text(re.compile(r"^(2:00:00|1:59:5\d) left$"))
    before = left.inner_text()
    page.clock.run_for(1000)
    expect(left).not_to_have_text(before)


def test_a_hidden_page_asks_for_nothing(shop: Any, page: Page) -> None:
    page.clock.install()
    page.goto(shop.url + "/", wait_until="networkidle")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.resource_type == "fetch" else None)
    hide = "value => { Object.defineProperty(document, 'hidden', { value, configurable: true });"
    page.evaluate(f"{hide} document.dispatchEvent(new Event('visibilitychange')) }}", True)
    page.clock.run_for(20_000)
    assert asked == []
    with page.expect_response(f"{shop.url}/"):
        page.evaluate(f"{hide} document.dispatchEvent(new Event('visibilitychange')) }}", False)


def test_a_sandbox_that_is_away_is_said_once_and_forgotten(
    shop: Any, page: Page, allow_console: Callable[[str], None]
) -> None:
    allow_console("ERR_FAILED")
    page.clock.install()
    page.goto(shop.url + "/")
    page.route(f"{shop.url}/", lambda route: route.abort())
    page.clock.run_for(2000)
    away = page.locator("#away")
    expect(away).to_have_text("The sandbox does not answer. What stands here is how it was last.")
    page.unroute(f"{shop.url}/")
    page.clock.run_for(2000)
    expect(away).to_be_hidden()


def test_the_documentation_needs_nothing_from_elsewhere(shop: Any, page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(shop.url + "/docs")
    expect(page.get_by_role("heading", name="Punktgenau reference partner API")).to_be_visible()
    expect(page.locator("redoc")).to_contain_text("/v1/redemptions/{redemption_id}/capture")
    page.wait_for_load_state("networkidle")
    assert [url for url in asked if not url.startswith((shop.url, f"blob:{shop.url}", "data:"))] == []
    assert "Sandbox" in page.locator(".mark").inner_text()
