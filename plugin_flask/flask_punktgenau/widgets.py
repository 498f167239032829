"""What the shop's templates place: the points box, its inputs for the shop's own form, an order's summary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import quote

from flask import g, has_request_context, render_template
from markupsafe import Markup

from flask_punktgenau import csrf
from flask_punktgenau.answers import keep_page_private
from flask_punktgenau.asking import ask_quote
from flask_punktgenau.box import Box
from flask_punktgenau.earning import ask_earns
from flask_punktgenau.earns import Earns
from flask_punktgenau.loaders import GUEST_PREFIX
from flask_punktgenau.locales import current_language
from flask_punktgenau.panel import PanelView, SummaryForm, Urls, build_panel
from flask_punktgenau.placing import FIELD_ON_PAGE
from flask_punktgenau.redirects import this_page
from flask_punktgenau.state import AppState, current_state, logger
from flask_punktgenau.urls import order_urls, panel_urls
from flask_punktgenau.visitor import current_visitor, find_own_order
from flask_punktgenau.voucher_wish import has_chosen, look
from flask_punktgenau.wishing import OVER, find_wish
from punktgenau.checkout.quote import RewardQuote, rewards_of
from punktgenau.errors import PunktgenauError

_REWARDS = "_punktgenau_rewards"
_SUMMARY_TEMPLATES: dict[SummaryForm, str] = {"box": "summary.html", "rows": "summary_rows.html", "text": "summary.txt"}


def punktgenau_panel(*, id: str = "punktgenau") -> Markup:
    """The points box with forms of its own, for a cart page; empty without a cart."""
    return _widget("panel.html", back=this_page(), id=id)


def punktgenau_field(*, order_reference: str = "", id: str = "punktgenau") -> Markup:
    """The same as inputs only, inside the shop's one-page checkout form; empty without a cart.

    On a page that answers a form which could not be taken, the number that was typed stands there again. With
    `order_reference`, inside the form of another try to pay that order: it starts with the points that were asked for
    the last time; where they are held still, they go along unseen.
    """
    if not order_reference:
        return _widget("field.html", back=this_page(), id=id)
    state = current_state()
    keep_page_private()
    view = order_view(state, order_reference, id=id)
    if view is None:
        return Markup('<input type="hidden" name="{}" value="1">').format(FIELD_ON_PAGE)
    return Markup(render_template("punktgenau/field.html", view=view, t=current_language(state)))


def punktgenau_missing(line_id: str) -> str:
    """Why a line of the cart in front, which must be paid with points, cannot be; empty: it can, or needs none.

    For the shop's own page, beside the line; the rest of the cart stays.
    """
    state = current_state()
    rewards, is_known = _rewards(state)
    one = rewards.get(line_id)
    if one is None or (is_known and one.reason is None):
        return ""
    return render_template("punktgenau/missing.txt", one=one, is_known=is_known, t=current_language(state))


def punktgenau_summary(order_reference: str, *, form: SummaryForm = "box", locale: str | None = None) -> str:
    """What points pay of an order: a box for the order's page, `rows` of a table, or `text` for a mail.

    Empty where no points were asked for. The shop decides who may see the page that this stands on.
    """
    state = current_state()
    checkout = state.journal()
    payment = checkout.find(order_reference) if checkout is not None else None
    if payment is None or payment.state == "none":
        return Markup("")
    on_page = has_request_context() and form == "box"
    if on_page:
        keep_page_private()
    view = build_panel(
        payment=payment,
        provider_name=state.config.provider_name,
        urls=panel_urls(state, back=this_page()) if on_page else Urls(),
        csrf=csrf.form_field() if on_page else None,
    )
    language = current_language(state, locale=locale)
    made = render_template(f"punktgenau/{_SUMMARY_TEMPLATES[form]}", view=view, t=language)
    # Plain text is no HTML: put into a page it has to be escaped like any other.
    return made if form == "text" else Markup(made)


def panel_view(state: AppState, *, back: str, id: str = "punktgenau") -> PanelView | None:
    """What the box shows to the one who is here now; None without a cart. Says a waiting notice, once."""
    cart = state.loaders.load_cart()
    if cart is None or not cart.total:
        return None
    urls = panel_urls(state, back=back)
    checkout = state.journal() if state.off_reason() is None else None
    visitor = current_visitor(state)
    if checkout is None:
        wish = find_wish(cart, customer_id=visitor.customer_id)
        return build_panel(
            cart=cart,
            enabled=False,
            signed_in=visitor.signed_in,
            wish=wish.points if wish is not None else None,
            urls=urls,
            csrf=csrf.form_field(),
            id=id,
        )
    box = Box(state, checkout, cart=cart, customer_id=visitor.customer_id)
    box.look()
    return _view(state, box, signed_in=visitor.signed_in, urls=urls, id=id)


def order_view(state: AppState, order_reference: str, *, id: str, back: str = "") -> PanelView | None:
    """The box for another try to pay an order; None where no points can go along."""
    checkout = state.journal() if state.off_reason() is None else None
    own = find_own_order(state, checkout, order_reference) if checkout is not None else None
    if checkout is None or own is None or own.order.state != "pending":
        return None
    payment = checkout.find(order_reference)
    if payment is not None and payment.state not in OVER:
        return build_panel(payment=payment, id=id)
    is_guest = own.customer_id.startswith(GUEST_PREFIX)
    if is_guest and checkout.find_link(own.customer_id) is None:
        # A guest's link was for that one try; a new one would be somebody else's.
        return None
    box = Box(state, checkout, cart=own.cart, customer_id=own.customer_id, order_reference=order_reference)
    box.look()
    # The live preview is about the cart in front; here the page's own arithmetic has to do.
    urls = panel_urls(state, back=back or this_page())
    urls = replace(
        urls, quote="", vouchers=urls.vouchers and f"{urls.vouchers}&order_reference={quote(order_reference)}"
    )
    return _view(state, box, signed_in=not is_guest, urls=urls, id=id)


def _view(state: AppState, box: Box, *, signed_in: bool, urls: Urls, id: str) -> PanelView:
    notice = box.notice
    return build_panel(
        cart=box.cart,
        vouchers=box.vouchers,
        linked=box.linked,
        at_once=box.at_once,
        earns=_earns(state, box),
        signed_in=signed_in,
        balance=box.balance,
        offer=box.offer,
        quote=box.quote,
        wish=box.wish.points if box.wish is not None else None,
        notice=notice.code if notice is not None else None,
        entered=notice.entered if notice is not None else "",
        remaining=notice.remaining if notice is not None else None,
        reclamped_from=box.wish.reclamped_from if box.wish is not None else None,
        error=box.error,
        elsewhere=box.elsewhere,
        order_urls=order_urls(state, (one.order_reference for one in box.elsewhere)),
        provider_name=state.config.provider_name,
        urls=urls,
        csrf=csrf.form_field(),
        id=id,
    )


def _earns(state: AppState, box: Box) -> Earns | None:
    """What the cart would earn with the points that are used now; of an order that is paid again as well."""
    return ask_earns(state, box.checkout, box.cart, customer_id=box.customer_id, quote=box.quote)


def _rewards(state: AppState) -> tuple[Mapping[str, RewardQuote], bool]:
    """The cart's lines that must be paid with points, by their id; and whether it is known which of them can be."""
    found: tuple[Mapping[str, RewardQuote], bool] | None = g.get(_REWARDS)
    if found is None:
        found = _find_rewards(state)
        setattr(g, _REWARDS, found)
    return found


def _find_rewards(state: AppState) -> tuple[Mapping[str, RewardQuote], bool]:
    cart = state.loaders.load_cart()
    if cart is None or not cart.reward_points:
        return {}, True
    keep_page_private()
    rewards, is_known = rewards_of(cart), False
    checkout = state.journal() if state.off_reason() is None else None
    customer_id = current_visitor(state).customer_id
    if checkout is not None and customer_id is not None:
        try:
            if has_chosen(state, checkout, customer_id) and checkout.find_link(customer_id) is not None:
                cart = look(state, checkout, customer_id, cart)[0].cart
            rewards, is_known = ask_quote(checkout, customer_id, cart, points=0).rewards, True
        except PunktgenauError as error:
            logger.info("which articles points can pay is not known: %s", error.brief)
    return {one.line_id: one for one in rewards}, is_known


def _widget(template: str, *, back: str, id: str) -> Markup:
    state = current_state()
    keep_page_private()
    view = panel_view(state, back=back, id=id)
    if view is None:
        return Markup("")
    return Markup(render_template(f"punktgenau/{template}", view=view, t=current_language(state)))
