"""Points in this shop, all of it: what the extension is told here, the calls of it are in `till.py` and the views."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from flask import Flask, has_request_context

from flask_punktgenau import Punktgenau
from punktgenau import CODES, DeclinedError, PunktgenauError
from punktgenau.checkout import Cart, Line, Order, Payment
from punktgenau.checkout.earning.rules import Campaign
from punktgenau.checkout.vouchers import worth_minor

from . import cart, catalogue, clerk, clock, customers, language, orders
from .cart import ShopCart
from .catalogue import Article
from .settings import Settings

points = Punktgenau()


def init_app(app: Flask, settings: Settings) -> None:
    app.config.update(
        PUNKTGENAU_PROVIDER_URL=settings.sandbox_url,
        PUNKTGENAU_CLIENT_ID="demo-shop",
        PUNKTGENAU_CLIENT_SECRET="demo-secret",
        PUNKTGENAU_DATABASE_URL=f"sqlite:///{settings.points_database}",
        PUNKTGENAU_SIGN_IN_URL="/account",
        # A point for every two euros that are paid in money; articles in `articles.csv` say their own.
        PUNKTGENAU_EARN_POINTS=1,
        PUNKTGENAU_EARN_PER_MINOR=200,
        PUNKTGENAU_WELCOME_POINTS=50,
    )
    if isinstance(language.ZONE, ZoneInfo):
        app.config["PUNKTGENAU_TIMEZONE"] = language.ZONE.key
    points.init_app(app, clock=clock.of(app))
    app.add_template_global(anew_minor)
    app.add_template_global(to_earn)
    app.add_template_global(shown_due_minor, "due_minor")
    app.add_template_global(vouchers_minor)


@points.customer_loader
def customer_id() -> str | None:
    customer = customers.current()
    return customer.id if customer else None


@points.cart_loader
def cart_in_front() -> Cart | None:
    current = cart.current()
    return to_pay(current) if current.lines else None


@points.order_loader
def order(reference: str) -> Order | None:
    found = orders.find(reference)
    return _told(found) if found else None


@points.orders_loader
def orders_placed(since: datetime, until: datetime) -> Iterator[Order]:
    return map(_told, orders.placed_between(since, until))


@points.operator_loader
def operator_id() -> str | None:
    return clerk.current()


@points.campaign_loader
def campaigns() -> tuple[Campaign, ...]:
    """Double points on lamps, always this month: a demo has no other calendar."""
    begun = clock.now().astimezone(language.ZONE).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    lamps = frozenset(article.sku for article in catalogue.on_shelf("lamps"))
    ends = (begun + timedelta(days=32)).replace(day=1)
    return (
        Campaign(id=f"lamps-{begun:%Y-%m}", name="Lichtwochen", starts_at=begun, ends_at=ends, percent=200, skus=lamps),
    )


@points.locale_loader
def locale() -> str | None:
    return language.current().locale if has_request_context() else None


def due_minor(what: ShopCart | orders.Order) -> int:
    """What is left to pay in money, in cents, with the points and vouchers that the customer chose.

    Raises PunktgenauError: they cannot be used like that, or it is not known whether they are held.
    """
    reference = what.reference if isinstance(what, orders.Order) else ""
    held = points.find(reference) if reference else None
    if held and (held.points or held.vouchers):
        return held.due.amount_minor
    quote = points.quote(to_pay(what), order_reference=reference)
    return quote.due.amount_minor if quote else what.sums.total_minor


def shown_due_minor(what: ShopCart | orders.Order) -> int:
    """The same for a page, below the points box: where no points can be used, that says why."""
    try:
        return due_minor(what)
    except PunktgenauError:
        return what.sums.total_minor


def vouchers_minor(what: ShopCart | orders.Order) -> int:
    """What vouchers pay of it, before points do, in cents; 0 where none do, or nobody can say now."""
    try:
        quote = points.quote(to_pay(what))
    except PunktgenauError:
        return 0
    return worth_minor(quote.vouchers) if quote else 0


def paid_minor(payment: Payment) -> int:
    """What points and vouchers pay of an order together, in cents, by what was agreed when it was placed."""
    return payment.agreed_value.amount_minor + worth_minor(payment.agreed_vouchers)


def is_refused(short: Payment) -> bool:
    """Whether the points of an order that is short were refused when they were to be taken anew."""
    refused = short.reason in CODES and issubclass(CODES[short.reason].error, DeclinedError)
    return refused and not short.reason.startswith("hold_")


def anew_minor(reference: str) -> int:
    """The worth of points that a payment would take anew now, because their hold has ended, in cents; 0 for none."""
    held = points.find(reference)
    if held is None or held.is_unknown:
        return 0
    has_ended = held.hold_until is not None and held.hold_until <= clock.now()
    if held.state != "expired" and not (held.state == "authorized" and has_ended):
        return 0
    return paid_minor(held)


def to_earn(article: Article) -> Line:
    """One of an article by itself, for what its page says about earning: on what is paid in money."""
    return Line(sku=article.sku, quantity=1, unit_price_minor=article.copayment_minor, vat_rate=article.vat_rate)


def to_pay(what: ShopCart | orders.Order) -> Cart:
    """A cart, or an order made of one, as something that points can pay a part of."""
    return Cart(
        currency="EUR",
        lines=[
            Line(
                sku=line.sku,
                quantity=line.quantity,
                unit_price_minor=line.unit_price_minor,
                vat_rate=line.vat_rate,
                points_allowed=line.points_allowed,
                reward_points=line.reward_points,
                name=language.text(f"{line.sku}.name") if line.reward_points else "",
            )
            for line in what.lines
        ],
        shipping_minor=what.sums.shipping_minor,
        shipping_vat_rate=what.sums.shipping_vat_rate,
        total_minor=what.sums.total_minor,
    )


def _told(found: orders.Order) -> Order:
    return Order(
        reference=found.reference,
        state=found.state,
        cart=to_pay(found),
        customer_id=found.customer_id,
        placed_at=found.placed_at,
        url=f"/orders/{found.reference}",
    )
