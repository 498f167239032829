"""A real Chromium for tests: `page`, or `new_page(locale=..., width=...)`; `axe` for accessibility.

A page that logs an error, breaks its content security policy or asks for anything beyond this machine fails its test,
unless `allow_console` was told to expect it.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Playwright, Request, sync_playwright

import _browser
import _network
import _strict

_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1, EXCLUDE [::1]",
)
_NOT_RUN = "no browser test was run:"
_PATIENCE_MS = 10_000
# Several processes take one file each: whoever began one of these last would keep the others waiting at the end.
_LONGEST_FIRST = (
    "test_demo_fill.py",
    "test_widget_states.py",
    "test_demo_unknown.py",
    "test_demo_returns.py",
    "test_backoffice.py",
    "test_demo_paying.py",
    "test_demo_earning.py",
    "test_demo_box.py",
    "test_demo_short.py",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("punktgenau")
    group.addoption(
        "--require-browser", action="store_true", default=_strict.in_ci(), help="no Chromium is a failure, not a skip"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests last: they are slow, and the driver keeps an event loop running in this thread.

    First of all that look at the tests, or `-m browser` would select none.
    """
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")
    items.sort(key=_place)


def _place(item: pytest.Item) -> tuple[bool, int]:
    if item.get_closest_marker("browser") is None:
        return False, 0
    name = item.path.name
    return True, _LONGEST_FIRST.index(name) if name in _LONGEST_FIRST else len(_LONGEST_FIRST)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = [report for report in terminalreporter.getreports("skipped") if _NOT_RUN in str(report.longrepr)]
    if skipped:
        line = f"NOT RUN: {len(skipped)} browser test(s): {_browser.ADVICE}"
        terminalreporter.write_line(line, red=True, bold=True)


@pytest.fixture(scope="session")
def _playwright() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def browser(request: pytest.FixtureRequest) -> Iterator[Browser]:
    """A running Chromium; without one the test is skipped, or failed with --require-browser or CI=true."""
    try:
        executable = _browser.find()
        playwright: Playwright = request.getfixturevalue("_playwright")
    except (_browser.BrowserError, Error) as error:
        pytest.fail(str(error))
    if executable is None and not Path(playwright.chromium.executable_path).is_file():
        give_up = pytest.fail if request.config.getoption("require_browser") else pytest.skip
        give_up(f"{_NOT_RUN} {_browser.ADVICE}")
    running = playwright.chromium.launch(executable_path=executable, args=list(_FLAGS))
    yield running
    running.close()


class PageWatch:
    """What the pages of one test complained about."""

    def __init__(self) -> None:
        self._allowed: list[re.Pattern[str]] = []
        self._heard: list[str] = []

    def allow(self, pattern: str) -> None:
        """Expects console errors that this regular expression finds something in."""
        self._allowed.append(re.compile(pattern))

    def watch(self, page: Page) -> None:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self._heard.append(f"uncaught: {error}"))
        page.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._heard.append(f"{message.text} ({message.location.get('url', '')})")

    def _request(self, request: Request) -> None:
        target = urlsplit(request.url)
        if target.scheme in ("http", "https", "ws", "wss") and not _network.is_loopback(target.hostname):
            self._heard.append(f"asked for {request.url}, which is not on this machine")

    def complaints(self) -> list[str]:
        return [text for text in self._heard if not any(pattern.search(text) for pattern in self._allowed)]


@pytest.fixture
def _page_watch() -> Iterator[PageWatch]:
    watch = PageWatch()
    yield watch
    if watch.complaints():
        pytest.fail("the page complained:\n  " + "\n  ".join(watch.complaints()), pytrace=False)


@pytest.fixture
def allow_console(_page_watch: PageWatch) -> Callable[[str], None]:
    """allow_console(pattern): expects console errors and failed loads in which the regular expression is found."""
    return _page_watch.allow


@pytest.fixture
def new_page(browser: Browser, _page_watch: PageWatch) -> Iterator[Callable[..., Page]]:
    """new_page(locale=, width=, height=, dark=, script=): a page with cookies of its own; sizes in pixels."""
    contexts = []

    def open_page(
        *, locale: str = "en-GB", width: int = 1280, height: int = 900, dark: bool = False, script: bool = True
    ) -> Page:
        context = browser.new_context(
            locale=locale,
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            java_script_enabled=script,
            timezone_id="Europe/Berlin",
            reduced_motion="reduce",
        )
        contexts.append(context)
        context.set_default_timeout(_PATIENCE_MS)
        context.on("page", _page_watch.watch)
        return context.new_page()

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def page(new_page: Callable[..., Page], request: pytest.FixtureRequest) -> Page:
    """A desktop page in English; another language by an indirect parameter: `indirect=True`, "de-DE"."""
    return new_page(locale=getattr(request, "param", "en-GB"))


@pytest.fixture
def axe() -> Callable[..., None]:
    """axe(page, allow=()): fails with a list of what people with assistive tools would stumble over."""

    def check(page: Page, *, allow: tuple[str, ...] = ()) -> None:
        page.evaluate(Axe().axe_script)
        # Only what is wrong: all that is right would be megabytes on its way here.
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']}).then(results => results.violations)")
        lines = [
            f"{violation['id']}: {violation['help']} at {', '.join(str(node['target']) for node in violation['nodes'])}"
            for violation in found
            if violation["id"] not in allow
        ]
        if lines:
            pytest.fail("not accessible:\n  " + "\n  ".join(lines), pytrace=False)

    return check
