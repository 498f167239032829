"""Where our forms and links lead, in the app that is running."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version

from flask import url_for

from flask_punktgenau.panel import Urls
from flask_punktgenau.state import AppState

BLUEPRINT = "punktgenau"
_ORDERS_MAX = 20

try:
    VERSION = version("punktgenau")
except PackageNotFoundError:
    VERSION = "0"


def panel_urls(state: AppState, *, back: str) -> Urls:
    """Every URL that a page of ours may offer; `back` is the page to return to."""
    return Urls(
        apply=url_for(f"{BLUEPRINT}.apply"),
        remove=url_for(f"{BLUEPRINT}.remove"),
        quote=url_for(f"{BLUEPRINT}.quote"),
        panel=url_for(f"{BLUEPRINT}.panel", next=back),
        connect=url_for(f"{BLUEPRINT}.connect", next=back) if state.can_link else "",
        disconnect=url_for(f"{BLUEPRINT}.disconnect"),
        history=url_for(f"{BLUEPRINT}.history"),
        retry=url_for(f"{BLUEPRINT}.retry"),
        without=url_for(f"{BLUEPRINT}.without"),
        sign_in=state.config.sign_in_url,
        back=back,
        style=static_url("punktgenau.css"),
        script=static_url("punktgenau.js"),
    )


def static_url(filename: str) -> str:
    """A file of ours; the version in the query lets browsers keep it for a year."""
    return url_for(f"{BLUEPRINT}.static", filename=filename, v=VERSION)


def order_urls(state: AppState, order_references: Iterable[str]) -> dict[str, str]:
    """The shop's pages of these orders, as far as its order_loader knows them; the first few only."""
    urls: dict[str, str] = {}
    for order_reference in dict.fromkeys(order_references):
        if len(urls) == _ORDERS_MAX:
            break
        order = state.load_order(order_reference)
        if order is not None and order.url:
            urls[order_reference] = order.url
    return urls
