"""What the shop's templates place about earning: what a cart or an article brings, and what an order has brought."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from flask import has_request_context, render_template
from markupsafe import Markup

from flask_punktgenau.answers import keep_page_private
from flask_punktgenau.earns import EarnOf, Earns
from flask_punktgenau.locales import current_language
from flask_punktgenau.panel import SummaryForm, Urls
from flask_punktgenau.redirects import this_page
from flask_punktgenau.state import AppState, current_state, logger
from flask_punktgenau.urls import panel_urls
from flask_punktgenau.visitor import current_visitor
from punktgenau.checkout import Cart, CartQuote, Checkout, Line
from punktgenau.checkout.earning.told import Earned
from punktgenau.errors import PunktgenauError

_EARNED_TEMPLATES: dict[SummaryForm, str] = {"box": "earned.html", "rows": "earned_rows.html", "text": "earned.txt"}


@dataclass(frozen=True, slots=True, kw_only=True)
class EarnView:
    """The sentence of `earn.html`."""

    earns: Earns
    urls: Urls = field(default_factory=Urls)


@dataclass(frozen=True, slots=True, kw_only=True)
class EarnedView:
    """What one order has earned, for each reason: `earned.html`, `earned_rows.html`, `earned.txt`."""

    earned: tuple[Earned, ...]
    urls: Urls = field(default_factory=Urls)
    id: str = "punktgenau-earned"


def punktgenau_earn(of: Cart | Line | None = None, *, currency: str = "EUR") -> Markup:
    """What a cart earns, or one article (a `Line`, in that currency); the cart in front without either.

    A sentence; empty where nothing is earned. Without a linked account it leads there.
    """
    state = current_state()
    keep_page_private()
    cart = Cart(currency=currency, lines=[of]) if isinstance(of, Line) else of or state.loaders.load_cart()
    checkout = state.journal() if state.off_reason() is None else None
    if checkout is None or cart is None:
        return Markup("")
    kind: EarnOf = "article" if isinstance(of, Line) else "order"
    earns = ask_earns(state, checkout, cart, customer_id=current_visitor(state).customer_id, of=kind)
    if earns is None:
        return Markup("")
    view = EarnView(earns=earns, urls=panel_urls(state, back=this_page()))
    return Markup(render_template("punktgenau/earn.html", view=view, t=current_language(state)))


def punktgenau_earned(order_reference: str, *, form: SummaryForm = "box", locale: str | None = None) -> str:
    """What an order has earned and what became of it: a box for its page, `rows` of a table, or `text` for a mail.

    Empty where it earns nothing. The shop decides who may see the page that this stands on.
    """
    state = current_state()
    checkout = state.journal()
    earned = checkout.earned(order_reference) if checkout is not None and checkout.settings.earns else ()
    if not earned:
        return Markup("")
    on_page = has_request_context() and form == "box"
    if on_page:
        keep_page_private()
    view = EarnedView(earned=earned, urls=panel_urls(state, back=this_page()) if on_page else Urls())
    made = render_template(f"punktgenau/{_EARNED_TEMPLATES[form]}", view=view, t=current_language(state, locale=locale))
    # Plain text is no HTML: put into a page it has to be escaped like any other.
    return made if form == "text" else Markup(made)


def ask_earns(
    state: AppState,
    checkout: Checkout,
    cart: Cart,
    *,
    customer_id: str | None,
    quote: CartQuote | None = None,
    of: EarnOf = "order",
) -> Earns | None:
    """What a cart would earn while points pay of it what `quote` says; None where orders earn nothing, or nobody knows.

    What vouchers pay earns nothing: the cart is the one that was quoted, which says itself what they pay.
    A page of the shop does not fail for a promise.
    """
    if not checkout.settings.earns:
        return None
    try:
        value, points = (quote.value, quote.points) if quote is not None else (0, 0)
        preview = checkout.preview_earned(cart, points_value=value, points=points, customer_id=customer_id)
    except PunktgenauError as error:
        logger.info("what a cart earns cannot be shown: %s", error.brief)
        return None
    usable_from = state.clock.now() + timedelta(seconds=preview.pending_s) if preview.pending_s else None
    return Earns(of=of, preview=preview, usable_from=usable_from)
