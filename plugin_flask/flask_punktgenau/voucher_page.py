"""What the page about vouchers shows: of a cart, or of an order that is tried again."""

from __future__ import annotations

from dataclasses import dataclass, field

from flask_punktgenau import csrf
from flask_punktgenau.panel import CsrfField, PanelView, Urls
from flask_punktgenau.redirects import next_page, this_page
from flask_punktgenau.session import take_notice
from flask_punktgenau.state import AppState
from flask_punktgenau.urls import panel_urls
from flask_punktgenau.vouchers import VoucherBox
from flask_punktgenau.widgets import order_view, panel_view


@dataclass(frozen=True, slots=True, kw_only=True)
class VouchersView:
    """The box's own view, or None where there is nothing to pay; `box` is its part about vouchers."""

    panel: PanelView | None = None
    urls: Urls = field(default_factory=Urls)
    csrf: CsrfField | None = None
    id: str = "punktgenau"

    @property
    def vouchers(self) -> VoucherBox | None:
        """What was added, and what could be; None where none can be used here."""
        return self.panel.vouchers if self.panel is not None else None


def vouchers_view(state: AppState, *, order_reference: str) -> VouchersView:
    """The page of the one who is here now."""
    back = next_page()
    urls = panel_urls(state, back=back)
    if order_reference:
        panel = order_view(state, order_reference, id="punktgenau")
        panel = None if panel is not None and panel.payment is not None else panel
    else:
        panel = panel_view(state, back=this_page())
    if panel is None:
        take_notice()
    return VouchersView(panel=panel, urls=urls, csrf=csrf.form_field())
