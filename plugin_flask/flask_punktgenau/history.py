"""The history: every movement on the linked account, one kind of them or all, page by page."""

from __future__ import annotations

from typing import get_args

from flask import request, url_for

from flask_punktgenau import csrf
from flask_punktgenau.pages import Filter, HistoryFilter, HistoryView, OnTheWay
from flask_punktgenau.redirects import local_path
from flask_punktgenau.state import AppState, logger
from flask_punktgenau.urls import BLUEPRINT, order_urls, panel_urls
from flask_punktgenau.visitor import current_visitor
from punktgenau.checkout import Checkout
from punktgenau.codes import explain
from punktgenau.errors import PunktgenauError
from punktgenau.provider import Entries, EntryGroup

CURSOR_LENGTH_MAX = 512
_FILTERS: dict[str, HistoryFilter] = {show: show for show in get_args(HistoryFilter)}
_GROUPS: dict[HistoryFilter, EntryGroup] = {
    "earned": "earned",
    "spent": "spent",
    "given_back": "given_back",
    "expired": "expired",
}


def history_view(state: AppState, *, cursor: str | None, show: str | None) -> HistoryView:
    """The page of whoever is here; a filter that does not exist shows everything."""
    shown = _FILTERS.get(show or "all", "all")
    urls = panel_urls(state, back=local_path(request.args.get("next")) or request.script_root + "/")
    first_url = _url(shown) if cursor else ""
    customer_id = current_visitor(state).customer_id
    field = csrf.form_field()
    try:
        checkout = state.require()
        if customer_id is None or checkout.find_link(customer_id) is None:
            return HistoryView(entries=(), linked=False, urls=urls, csrf=field)
        balance = checkout.balance(customer_id)
        page = _entries(checkout, customer_id, cursor=cursor, show=shown)
    except PunktgenauError as error:
        logger.info("the history cannot be shown: %s", error.brief)
        return HistoryView(entries=None, first_url=first_url, reason_code=explain(error).code, urls=urls, csrf=field)
    # An account may belong to more than one customer, and its movements to other shops with orders of the same name.
    partner_id = state.provider().partner_id
    references = dict.fromkeys(
        entry.order_reference
        for entry in page.items
        if entry.order_reference is not None and entry.partner_id == partner_id
    )
    known = tuple(one for one in references if _owner_of(state, checkout, one) == customer_id)
    return HistoryView(
        entries=page.items,
        balance=balance,
        show=shown,
        filters=tuple(Filter(show=one, url=_url(one)) for one in _FILTERS.values()),
        on_the_way=tuple(
            OnTheWay(points=one.kept, usable_at=one.pending_until, order_reference=one.order_reference)
            for one in checkout.on_the_way(customer_id)
            if one.pending_until is not None and one.kept
        ),
        next_url=_url(shown, page.next_cursor) if page.next_cursor else "",
        first_url=first_url,
        order_urls=order_urls(state, known),
        urls=urls,
        csrf=field,
    )


def _owner_of(state: AppState, checkout: Checkout, order_reference: str) -> str | None:
    """Whose order it is; where no points paid it, the shop says so."""
    owner = checkout.customer_of(order_reference)
    if owner is not None:
        return owner
    order = state.load_order(order_reference)
    return order.customer_id if order is not None else None


def _entries(checkout: Checkout, customer_id: str, *, cursor: str | None, show: HistoryFilter) -> Entries:
    group = _GROUPS.get(show)
    return checkout.entries(
        customer_id,
        cursor=cursor[:CURSOR_LENGTH_MAX] if cursor else None,
        kinds=None if group is None else (group,),
    )


def _url(show: HistoryFilter, cursor: str | None = None) -> str:
    return url_for(f"{BLUEPRINT}.history", show=None if show == "all" else show, cursor=cursor)
