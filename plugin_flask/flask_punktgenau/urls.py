"""Where our forms and links lead, in the app that is running."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from urllib.parse import quote

from flask import current_app, request, url_for

from flask_punktgenau.panel import Urls
from flask_punktgenau.state import AppState

BLUEPRINT = "punktgenau"
_ORDERS_MAX = 20
_ADDRESSES_MAX = 16
_PLAIN = "/:?@,;!$'()*"
"""What may stand in a query as it is, and is easier to read so."""

try:
    VERSION = version("punktgenau")
except PackageNotFoundError:
    VERSION = "0"


def panel_urls(state: AppState, *, back: str) -> Urls:
    """Every URL that a page of ours may offer; `back` is the page to return to."""
    own = _own_urls(state)
    onward = f"next={quote(back, safe=_PLAIN)}"
    return replace(
        own,
        panel=_with_query(own.panel, onward),
        connect=_with_query(own.connect, onward) if state.can_link else "",
        vouchers=_with_query(own.vouchers, onward) if own.vouchers else "",
        back=back,
    )


def _own_urls(state: AppState) -> Urls:
    """The URLs that are the same for everybody who comes by this address; built once for each.

    A shop that adds to every URL (`url_defaults`) may do so by visitor: then they are built each time.
    """
    if current_app.url_default_functions:
        return _build(state)
    address = (request.scheme, request.host, request.script_root)
    urls = state.urls.get(address)
    if urls is None:
        if len(state.urls) >= _ADDRESSES_MAX:
            # Addresses are what strangers write into their requests.
            state.urls.clear()
        urls = state.urls[address] = _build(state)
    return urls


def _build(state: AppState) -> Urls:
    offers = state.config.profile
    return Urls(
        apply=url_for(f"{BLUEPRINT}.apply"),
        remove=url_for(f"{BLUEPRINT}.remove"),
        quote=url_for(f"{BLUEPRINT}.quote"),
        panel=url_for(f"{BLUEPRINT}.panel"),
        connect=url_for(f"{BLUEPRINT}.connect"),
        disconnect=url_for(f"{BLUEPRINT}.disconnect"),
        history=url_for(f"{BLUEPRINT}.history"),
        exchange=url_for(f"{BLUEPRINT}.exchange") if offers.vouchers or offers.payouts else "",
        **_voucher_urls(state),
        retry=url_for(f"{BLUEPRINT}.retry"),
        without=url_for(f"{BLUEPRINT}.without"),
        sign_in=state.config.sign_in_url,
        style=static_url("punktgenau.css"),
        script=static_url("punktgenau.js"),
    )


def _voucher_urls(state: AppState) -> dict[str, str]:
    if not (state.config.vouchers and state.config.profile.vouchers):
        return {}
    return {
        "vouchers": url_for(f"{BLUEPRINT}.vouchers"),
        "add_voucher": url_for(f"{BLUEPRINT}.add_voucher"),
        "use_voucher": url_for(f"{BLUEPRINT}.use_voucher"),
        "remove_voucher": url_for(f"{BLUEPRINT}.remove_voucher"),
    }


def _with_query(url: str, query: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}{query}"


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
