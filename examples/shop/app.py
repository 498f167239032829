"""The shop as a Flask app: what is wired together."""

from collections.abc import Mapping

from flask import Flask, Response, redirect, render_template, url_for
from werkzeug.exceptions import HTTPException

from flask_punktgenau.signals import redemption_reversed

from . import cart, clerk, csrf, customers, database, filling, language, points, return_desk
from .clock import SandboxClock
from .control import SandboxControl
from .settings import Settings
from .views import account, catalogue, checkout, demo, orders, receipts, returns
from .views import cart as cart_pages
from .views import clerk as clerk_pages


def create_app(settings: Settings | None = None, config: Mapping[str, object] | None = None) -> Flask:
    """The shop for one data folder; without settings, the one that SHOP_DATA names. `config`: what else differs."""
    settings = settings or Settings.of_running_shop()
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY=settings.secret_key,
        # Cookies do not know ports: the sandbox lives on the same host and has a session, too.
        SESSION_COOKIE_NAME="halbschatten_session",
        SESSION_COOKIE_SAMESITE="Lax",
        MAX_CONTENT_LENGTH=64 * 1024,
    )
    app.config.update(config or {})
    control = SandboxControl(settings.sandbox_url)
    app.extensions.update(shop_settings=settings, shop_control=control, shop_clock=SandboxClock(control))
    database.init_app(app, settings.database)
    language.init_app(app)
    points.init_app(app, settings)
    redemption_reversed.connect(return_desk.learn, app)
    # Its forms carry a token of its own, bound to the same session.
    csrf.init_app(app, exempt_blueprints=frozenset({"punktgenau", "punktgenau_office"}))
    for views in (catalogue, cart_pages, checkout, orders, returns, receipts, account, clerk_pages, demo):
        app.register_blueprint(views.pages)
    app.context_processor(lambda: {"customer": customers.current(), "cart": cart.current(), "clerk": clerk.current()})
    app.add_template_global(filling.progress, "filled_shop")
    app.register_error_handler(HTTPException, _error_page)
    app.after_request(send_headers)
    app.add_url_rule("/healthz", "healthz", _healthz)
    # The page of the back office names no picture, so browsers ask for this one.
    app.add_url_rule("/favicon.ico", "favicon", lambda: redirect(url_for("static", filename="mark.svg")))
    return app


def _healthz() -> tuple[str, int]:
    database.connect().execute("SELECT 1 FROM orders LIMIT 1")
    return "ok\n", 200


def _error_page(error: HTTPException) -> tuple[str, int]:
    code = error.code or 500
    page = str(code) if code in (400, 404) else "other"
    return render_template("error.html", page=page), code


def send_headers(response: Response) -> Response:
    response.headers.setdefault(
        "Content-Security-Policy", "default-src 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    return response
