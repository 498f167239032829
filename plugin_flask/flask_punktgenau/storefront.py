"""The routes of the points box: see it, preview a number, use it, remove it, look at the history."""

from __future__ import annotations

from flask import Blueprint, jsonify, make_response, render_template, request
from werkzeug import Response
from werkzeug.exceptions import BadRequest

from flask_punktgenau import choices, csrf, exchanging, linking, voucher_routes, webhook
from flask_punktgenau.answers import make_private, wants_json
from flask_punktgenau.earning import ask_earns
from flask_punktgenau.history import history_view
from flask_punktgenau.locales import current_language
from flask_punktgenau.preview import Preview, preview
from flask_punktgenau.problems import problem_response
from flask_punktgenau.redirects import next_page, see_other
from flask_punktgenau.session import Notice, Points, Wish, drop_wish, keep_notice, keep_wish
from flask_punktgenau.state import AppState, current_state
from flask_punktgenau.urls import BLUEPRINT, VERSION
from flask_punktgenau.visitor import current_visitor
from flask_punktgenau.voucher_wish import has_chosen, look
from flask_punktgenau.vouchers import VoucherBox
from flask_punktgenau.widgets import order_view, panel_view
from flask_punktgenau.wishing import require_usable
from punktgenau.checkout import Cart, CartQuote, parse_points
from punktgenau.errors import ConfigurationError, InvalidArgumentError, NotLinkedError, PunktgenauError

STATIC_AGE_S = 365 * 86_400
BODY_LENGTH_MAX = 16 * 1024


class Storefront(Blueprint):
    """The blueprint; files whose URL names their version may be kept for a year."""

    def get_send_file_max_age(self, filename: str | None) -> int | None:
        """Seconds that browsers may keep a file."""
        return STATIC_AGE_S if request.args.get("v") == VERSION else None


def make_storefront() -> Blueprint:
    """The routes under /points, for one app."""
    pages = Storefront(
        BLUEPRINT,
        __name__,
        url_prefix="/points",
        template_folder="templates",
        static_folder="static",
        static_url_path="/static",
    )
    pages.before_request(_require_own_form)
    pages.after_request(_headers)
    pages.register_error_handler(PunktgenauError, problem_response)
    pages.get("/panel")(panel)
    pages.get("/quote")(quote)
    pages.post("/apply")(apply)
    pages.post("/remove")(remove)
    pages.get("/history")(history)
    pages.get("/healthz")(healthz)
    choices.add_routes(pages)
    exchanging.add_routes(pages)
    linking.add_routes(pages)
    voucher_routes.add_routes(pages)
    webhook.add_routes(pages)
    return pages


def panel() -> Response:
    """The box as a fragment, for scripts that refresh it; `form=field`: as it stands in a shop's own form."""
    state = current_state()
    is_field, order_reference = request.args.get("form") == "field", request.args.get("order_reference", "")
    if is_field and 0 < len(order_reference) <= choices.ORDER_REFERENCE_LENGTH_MAX and order_reference.isprintable():
        view = order_view(state, order_reference, id="again", back=next_page())
    else:
        view = panel_view(state, back=next_page())
    template = "punktgenau/field.html" if is_field else "punktgenau/panel.html"
    text = "" if view is None else render_template(template, view=view, t=current_language(state))
    return make_response(text)


def quote() -> Response:
    """What so many points would do to this cart, as JSON; changes nothing."""
    state = current_state()
    return jsonify(_preview(state, *_quote(state, parse_points(request.args.get("points")))))


def apply() -> Response:
    """Use so many points, from now on and instead of the number before; or refuse and leave all as it was."""
    state = current_state()
    entered = _entered()
    try:
        points = parse_points(entered)
        made, cart, customer_id, box = _quote(state, points)
        require_usable(made, points)
    except PunktgenauError as error:
        if wants_json():
            raise
        keep_notice(Notice(code=error.code, entered=str(entered or ""), remaining=error.remaining))
        return _back()
    keep_wish(Wish(points=points, shown=made.points), customer_id=customer_id, currency=cart.currency)
    return jsonify(_preview(state, made, cart, customer_id, box)) if wants_json() else _back()


def remove() -> Response:
    """Use no points."""
    drop_wish()
    if wants_json():
        return make_response("", 204)
    return _back()


def history() -> Response:
    """Every movement on the linked account, newest first."""
    state = current_state()
    view = history_view(state, cursor=request.args.get("cursor"), show=request.args.get("show"))
    return make_response(render_template("punktgenau/history.html", view=view, t=current_language(state)))


def healthz() -> Response:
    """Whether points can be used, for monitors; the provider is not asked."""
    reason = current_state().off_reason()
    return jsonify({"points": "on" if reason is None else "off", "reason": reason})


def _quote(state: AppState, points: Points) -> tuple[CartQuote, Cart, str, VoucherBox | None]:
    """The quote for so many points, with the cart and the customer that it is for, and what vouchers pay before."""
    if state.off_reason() is not None:
        raise ConfigurationError("Points are off in this shop.", code="points_off")
    customer_id = current_visitor(state).customer_id
    if customer_id is None:
        raise NotLinkedError("No account is linked in this browser.")
    cart = state.loaders.load_cart()
    if cart is None:
        raise InvalidArgumentError("There is no cart to pay with points.", field="cart")
    checkout, box = state.require(), None
    if has_chosen(state, checkout, customer_id) and checkout.find_link(customer_id) is not None:
        paid, box = look(state, checkout, customer_id, cart)
        cart = paid.cart
    return checkout.quote(customer_id, cart, points=points), cart, customer_id, box


def _preview(state: AppState, made: CartQuote, cart: Cart, customer_id: str, box: VoucherBox | None) -> Preview:
    earns = ask_earns(state, state.require(), cart, customer_id=customer_id, quote=made)
    return preview(made, current_language(state), earns, vouchers=box)


def _entered() -> object:
    """What was asked for, as it came: text of a form, or a value of a JSON body. Nothing else is read from either."""
    if not request.is_json:
        return request.form.get("points")
    try:
        body = request.get_json()
    except (BadRequest, RecursionError) as error:
        raise InvalidArgumentError("The body is not JSON.", code="points_missing", field="points") from error
    return body.get("points") if isinstance(body, dict) else None


def _back() -> Response:
    return see_other(next_page())


def _require_own_form() -> None:
    if webhook.is_webhook():
        return
    request.max_content_length = BODY_LENGTH_MAX
    if request.method == "POST":
        csrf.check()


def _headers(response: Response) -> Response:
    return response if request.endpoint == f"{BLUEPRINT}.static" else make_private(response)
