"""Points for a voucher, or for money on the bank account: the page, and what its forms do.

What cannot be undone is asked twice: the page repeats what points are to become (a GET, which changes nothing), and
only the form below that does it. A voucher's code stands in the answer to the form that buys it and in no redirect,
session or log: whoever loads that page again sends the same form again, which buys nothing more and tells the code once
more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from flask import Blueprint, make_response, render_template, request, url_for
from werkzeug import Response

from flask_punktgenau import csrf
from flask_punktgenau.locales import current_language
from flask_punktgenau.panel import CsrfField, Urls
from flask_punktgenau.problems import status_of
from flask_punktgenau.redirects import local_path, see_other
from flask_punktgenau.state import AppState, current_state, logger
from flask_punktgenau.urls import BLUEPRINT, panel_urls
from flask_punktgenau.visitor import current_visitor
from flask_punktgenau.voucher_wish import takes_vouchers
from punktgenau.checkout import Checkout, Exchange, parse_points
from punktgenau.codes import explain
from punktgenau.errors import (
    ConfigurationError,
    InsufficientPointsError,
    InvalidArgumentError,
    NotLinkedError,
    PunktgenauError,
    VoucherError,
)
from punktgenau.money import Money
from punktgenau.provider import Balance
from punktgenau.voucher_records import Voucher, VoucherProduct


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is to become of so many points, said once more before it is done; `product` None: money.

    `rest`: the points that stay in the account.
    """

    points: int
    value: Money
    rest: int
    product: VoucherProduct | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeView:
    """What a member can turn points into, what they have, and what was asked for here before.

    `form` names one wish: the same form again is the same wish. `asked` is what is about to be done, `made` what the
    form that was just sent came to, `problem` the code of why it did not. `reason_code`: why nothing can be shown.
    `counts_here`: vouchers pay at this shop's checkout.
    """

    form: str
    balance: Balance | None = None
    products: tuple[VoucherProduct, ...] = ()
    vouchers: tuple[Voucher, ...] = ()
    payouts: tuple[Exchange, ...] = ()
    under_way: tuple[Exchange, ...] = ()
    offers_payouts: bool = False
    counts_here: bool = False
    asked: Asked | None = None
    made: Exchange | None = None
    problem: str | None = None
    entered: str = ""
    reason_code: str | None = None
    linked: bool = True
    urls: Urls = field(default_factory=Urls)
    csrf: CsrfField | None = None
    product_id: str = ""
    exchange_url: str = ""
    voucher_url: str = ""
    payout_url: str = ""

    @property
    def available(self) -> int:
        """Points that can be used now."""
        return max(0, self.balance.available) if self.balance is not None else 0

    @property
    def worth(self) -> Money | None:
        """What these are worth."""
        return None if self.balance is None else self.balance.rate.worth(self.available)


def add_routes(pages: Blueprint) -> None:
    """GET exchange, POST voucher, POST payout."""
    pages.get("/exchange")(exchange)
    pages.post("/voucher")(voucher)
    pages.post("/payout")(payout)


def exchange() -> Response:
    """What points can become, and what they became; with `product` or `points`, what is about to be done."""
    state = current_state()
    view = _view(state)
    if not view.linked or view.reason_code is not None or not {"product", "points"} & set(request.args):
        return _page(view)
    try:
        return _page(_with(view, asked=_asked(view)))
    except PunktgenauError as error:
        view = _with(view, problem=explain(error).code, entered=request.args.get("points", "")[:20])
        return _page(view, status=status_of(error, as_page=True))


def voucher() -> Response:
    """Turn points into a voucher; the page that answers shows its code."""
    product_id = request.form.get("product", "")
    return _done(lambda checkout, customer_id, form: checkout.buy_voucher(
        customer_id, product_id, points=_points(), form=form
    ))  # fmt: skip


def payout() -> Response:
    """Turn points into money."""
    return _done(lambda checkout, customer_id, form: checkout.request_payout(customer_id, _points(), form=form))


def _done(wish: Callable[[Checkout, str, str], Exchange]) -> Response:
    state, form = current_state(), request.form.get("form", "")
    try:
        if state.off_reason() is not None:
            raise ConfigurationError("Points are off in this shop.", code="points_off")
        customer_id = current_visitor(state).customer_id
        if customer_id is None:
            raise NotLinkedError("No account is linked in this browser.")
        made = wish(state.require(), customer_id, form)
        state.vouchers.seen.forget(customer_id)
    except PunktgenauError as error:
        logger.info("points were not exchanged: %s", error.brief)
        entered = request.form.get("points", "")[:20]
        view = _view(state, problem=explain(error).code, entered=entered)
        return _page(view, status=status_of(error, as_page=True))
    if made.kind == "payout" and made.state == "requested":
        return see_other(url_for(f"{BLUEPRINT}.exchange", next=local_path(request.form.get("next"))))
    return _page(_view(state, made=made, form=form))


def _asked(view: ExchangeView) -> Asked:
    """Raises InvalidArgumentError, VoucherError and InsufficientPointsError for what cannot be done."""
    if "product" in request.args:
        product = next((one for one in view.products if one.id == request.args["product"]), None)
        if product is None:
            raise VoucherError("There is no such voucher to be had.", code="voucher_unknown", field="product")
        points, value = product.price_points, product.value
    else:
        product, points = None, _points()
        if view.balance is None or not view.offers_payouts:
            raise ConfigurationError("This provider pays nothing out.", code="not_offered")
        value = view.balance.rate.worth(points)
    if points > view.available:
        raise InsufficientPointsError(
            f"{points} points are needed, {view.available} are there.", field="points", remaining=view.available
        )
    return Asked(points=points, value=value, rest=view.available - points, product=product)


def _points() -> int:
    points = parse_points(request.values.get("points"))
    if points == "all":
        raise InvalidArgumentError("A number of points is needed.", code="points_not_whole", field="points")
    return points


def _view(
    state: AppState,
    *,
    made: Exchange | None = None,
    form: str | None = None,
    problem: str | None = None,
    entered: str = "",
) -> ExchangeView:
    # Only what is still unknown is asked for again under its name; all else is a new wish.
    is_open = made is not None and made.state == "sending"
    view = ExchangeView(
        form=form if form and is_open else state.clock.random_bytes(16).hex(),
        made=made,
        product_id=request.form.get("product", "")[:64],
        problem=problem,
        entered=entered,
        urls=panel_urls(state, back=local_path(request.values.get("next")) or request.script_root + "/"),
        csrf=csrf.form_field(),
        exchange_url=url_for(f"{BLUEPRINT}.exchange"),
        voucher_url=url_for(f"{BLUEPRINT}.voucher"),
        payout_url=url_for(f"{BLUEPRINT}.payout"),
    )
    customer_id = current_visitor(state).customer_id
    try:
        checkout = state.require()
        if customer_id is None or checkout.find_link(customer_id) is None:
            return _with(view, linked=False)
        asked = checkout.exchanges(customer_id)
        # Told from the journal, whether or not the provider can be asked.
        view = _with(view, under_way=tuple(one for one in asked if one.state in {"sending", "needs_attention"}))
        return _with(
            view,
            balance=checkout.balance(customer_id),
            products=checkout.voucher_products(),
            vouchers=checkout.vouchers(customer_id),
            payouts=tuple(one for one in asked if one.kind == "payout" and one.provider_id is not None),
            offers_payouts=checkout.offers_payouts,
            counts_here=takes_vouchers(state, checkout),
        )
    except PunktgenauError as error:
        logger.info("what points can become cannot be shown: %s", error.brief)
        return _with(view, reason_code=explain(error).code)


def _with(view: ExchangeView, **changes: object) -> ExchangeView:
    kept = {name: getattr(view, name) for name in view.__dataclass_fields__}
    return ExchangeView(**kept | changes)


def _page(view: ExchangeView, *, status: int = 200) -> Response:
    page = render_template("punktgenau/exchange.html", view=view, t=current_language(current_state()))
    return make_response(page, status)
