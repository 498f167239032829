"""The back office in a real Chromium: for assistive tools, on a phone, in the dark, on paper, without JavaScript."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page

from _office_shop import running_office
from _small_shop import SmallShop

PAGES = (
    "",
    "?q=nothing-like-it",
    "?state=captured",
    "attention",
    "figures",
    "figures?by=week",
    "clearing",
    "tax",
    "tax?period=2026-Q4",
    "log",
)
STATES = ("captured", "partially_reversed", "needs_attention", "short", "declined", "voided", "authorizing")


@pytest.fixture(scope="module")
def _running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, SmallShop]]:
    with running_office(tmp_path_factory.mktemp("office"), count=24) as running:
        yield running


@pytest.fixture
def url(_running: tuple[str, SmallShop]) -> str:
    """The back office's address."""
    return f"{_running[0]}/points/admin/"


def come_in(page: Page, url: str) -> None:
    page.goto(url.replace("/points/admin/", "/operator"))


def addresses(page: Page, url: str, states: tuple[str, ...] = STATES) -> list[str]:
    """Every kind of page, with a redemption in each state."""
    found = [url + one for one in PAGES]
    page.goto(f"{url}tax")
    found.append(f"{url}tax?period={page.locator('select[name=period] option').first.get_attribute('value')}")
    for state in states:
        page.goto(f"{url}?state={state}")
        link = page.locator("tbody th a").first.get_attribute("href")
        assert link is not None, state
        one = url.replace("/points/admin/", "") + link
        found += [one, f"{one}/cancel", f"{one}/resolve"]
        if state == "captured":
            page.goto(one)
            sku = page.locator("section[aria-labelledby=lines] tbody th").first.inner_text().strip()
            found += [f"{one}?ask=1", f"{one}/return", f"{one}/return?line.{sku}=1&shipping=1,50"]
    page.goto(f"{url}attention")
    refused = page.locator("section[aria-labelledby=refused] tbody th a").first.get_attribute("href")
    return [*found, f"{url.replace('/points/admin/', '')}{refused}"]


def test_nothing_to_stumble_over(new_page: Callable[..., Page], axe: Callable[..., None], url: str) -> None:
    """Each page once; every kind of page in each of the three looks, with another state."""
    pages = [new_page(), new_page(locale="de-DE", dark=True), new_page(locale="zh-CN")]
    for page in pages:
        come_in(page, url)
    for number, address in enumerate(addresses(pages[0], url)):
        # A state has three pages: one further with each state, or each kind would be seen in one look only.
        page = pages[(number + number // len(pages)) % len(pages)]
        page.goto(address)
        axe(page)


@pytest.mark.parametrize(("locale", "width"), [("de-DE", 320), ("en-GB", 390)])
def test_on_a_phone_nothing_is_wider_than_the_screen(
    new_page: Callable[..., Page], url: str, locale: str, width: int
) -> None:
    page = new_page(locale=locale, width=width)
    come_in(page, url)
    for address in addresses(page, url, STATES[:4]):
        page.goto(address)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, address


def test_on_paper_there_are_no_forms(new_page: Callable[..., Page], url: str) -> None:
    page = new_page()
    come_in(page, url)
    page.goto(f"{url}?state=partially_reversed")
    page.locator("tbody th a").first.click()
    page.emulate_media(media="print")
    assert page.locator("form:visible, nav:visible, .pga-button:visible").count() == 0
    assert page.locator(".pga-story > li:visible").count() > 3


def test_a_return_from_beginning_to_end_without_javascript(new_page: Callable[..., Page], url: str) -> None:
    page = new_page(script=False)
    come_in(page, url)
    page.goto(f"{url}?state=captured")
    order = page.locator("tbody th a").first.inner_text()
    page.locator("tbody th a").first.click()
    page.get_by_role("link", name="Take a return in").click()
    page.locator("input.pga-units").first.fill("1")
    page.get_by_role("button", name="Show what goes back").click()
    assert page.locator("th.pga-own").inner_text().startswith("In proportion")
    page.get_by_label("Reason").fill("Came back broken")
    page.get_by_role("button", name="Give back").click()
    assert page.get_by_role("status").inner_text() == "The return is taken in."
    story = page.locator(".pga-story").inner_text()
    assert f"Return office-{order}-1 taken in" in story
    assert "Came back broken" in story
    page.get_by_label("to pay back").fill("re_77")
    page.get_by_role("button", name="Money is paid").click()
    assert "paid back, as re_77" in page.locator(".pga-story").inner_text()


def test_by_keyboard(new_page: Callable[..., Page], url: str) -> None:
    page = new_page()
    come_in(page, url)
    page.goto(url)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "To the content"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type("LW-24801")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=LW-24801**")
    assert page.locator("tbody tr").count() == 1
