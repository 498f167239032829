"""The points box in a browser: bytes of script and style, and how soon a typed number is worked out on the page."""

from __future__ import annotations

import gzip
from statistics import median

from playwright.sync_api import sync_playwright

import _browser
from _widget_shop import PACKAGE, widget_shop
from bench.measure import Row, counted

BYTES_MOST = 8 * 1024
PREVIEW_MS_MOST = 16
# Each number is typed, and the moment is taken when what is left to pay stands in the page.
TYPE = """([from, to]) => {
    const number = document.querySelector(".pg-number"), due = document.querySelector("[data-pg=due]");
    const times = [];
    for (let points = from; points < to; points++) {
        const before = due.textContent, begun = performance.now();
        number.value = String(points);
        number.dispatchEvent(new InputEvent("input", { bubbles: true }));
        if (due.textContent === before) return null;
        times.push(performance.now() - begun);
    }
    return times;
}"""


def rows(*, quick: bool, figures: frozenset[str]) -> list[Row]:
    """Bytes and milliseconds."""
    both = b"".join((PACKAGE / "static" / name).read_bytes() for name in ("punktgenau.js", "punktgenau.css"))
    size = len(gzip.compress(both))
    found = [counted("cart", "script and style of the points box, gzip", size, most=BYTES_MOST, unit="B")]
    executable = _browser.find()
    with sync_playwright() as playwright, widget_shop() as shop:
        try:
            browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        except Exception as error:  # whatever keeps a browser from starting, the row says so
            return [*found, Row(figure="cart", what="live preview", ours=f"not run: {str(error).splitlines()[0][:80]}")]
        page = browser.new_page()
        page.goto(f"{shop.url}/bare/panel/ready")
        times = page.evaluate(TYPE, [400, 480 if quick else 900])
        asked = len(shop.asked)
        browser.close()
    if times is None:
        return [*found, Row(figure="cart", what="live preview", ours="does not follow at once", met=False)]
    slow = sorted(times)[int(len(times) * 0.99)]
    return [
        *found,
        Row(
            figure="cart",
            what="a typed number until what is left to pay stands in the page, median and 99 of 100",
            ours=f"{median(times):.2f} ms, {slow:.2f} ms",
            target=f"<= {PREVIEW_MS_MOST} ms: within a frame",
            met=slow <= PREVIEW_MS_MOST,
        ),
        counted("cart", f"requests while {len(times)} numbers are typed", asked, most=0, exactly=True),
    ]
