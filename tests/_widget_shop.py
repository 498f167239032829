"""Three plain shop pages around the points box, served on this machine: every state, and a quote that answers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from flask import Flask, Response, jsonify, render_template, request, send_from_directory
from jinja2 import StrictUndefined
from werkzeug.serving import make_server

import flask_punktgenau
from _widget_states import EARN, GOT, PAGES, PANELS, SUMMARIES, cart, promised, quoted
from flask_punktgenau.language import Language
from flask_punktgenau.preview import preview

PACKAGE = Path(flask_punktgenau.__file__).parent
THEMES = {
    "bare": "body{margin:0;background:#fff;color:#222;font:16px/1.5 Arial,sans-serif}"
    "input{width:100%}button{background:#eee}",
    "dark": "body{margin:0;background:#14161a;color:#e9e6df;font:15px/1.6 sans-serif;"
    "--pg-accent:#8ecbff;--pg-line:#343a43;--pg-radius:0}",
    "warm": "body{margin:0;background:#faf5ec;color:#3b2f24;font:17px/1.55 serif;"
    "--pg-accent:#a4482c;--pg-surface:#fffdf8;--pg-radius:10px}",
}
CARTS = {"small_rest": cart(450), "ready_gift_card": cart(gift_card_minor=1000)}
KINDS = {"panel": PANELS, "field": PANELS, "summary": SUMMARIES}
EARNING = {"earned": tuple(GOT), "earn": tuple(EARN)}


@dataclass
class WidgetShop:
    """Where the pages are, and what was sent to them."""

    url: str = ""
    posted: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


@contextmanager
def widget_shop() -> Iterator[WidgetShop]:
    """`/<theme>/<kind>/<state>?lang=`: that state in a shop's page, `all` of them in one; `/pages/<name>`: ours."""
    shop = WidgetShop()
    server = make_server("127.0.0.1", 0, _app(shop), threaded=True)
    shop.url = f"http://127.0.0.1:{server.port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield shop
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _app(shop: WidgetShop) -> Flask:
    app = Flask("widget_shop", template_folder=str(PACKAGE / "templates"), static_folder=None)
    app.jinja_env.undefined = StrictUndefined

    @app.after_request
    def guard(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = "default-src 'self'"
        return response

    @app.get("/theme/<name>.css")
    def theme(name: str) -> Response:
        return Response(f"{THEMES[name]} main{{max-width:40rem;margin:auto;padding:1rem}}", mimetype="text/css")

    @app.get("/favicon.ico")
    def icon() -> tuple[str, int]:
        return "", 204

    @app.get("/points/static/<name>")
    def static_file(name: str) -> Response:
        return send_from_directory(PACKAGE / "static", name)

    @app.get("/points/quote")
    def quote() -> Response:
        shop.asked.append(request.args["points"])
        of = CARTS.get(request.args.get("state", ""), cart())
        points = int(request.args["points"])
        return jsonify(preview(quoted(points, of=of), _language(), promised((5990 - points) // 200)))

    @app.get("/points/panel")
    def panel() -> str:
        return _box("panel", "applied")

    @app.post("/<path:path>")
    def sent(path: str) -> str:
        shop.posted.append((path, request.form.to_dict()))
        return "<!doctype html><html lang=en><title>Sent</title><h1>Sent</h1></html>"

    @app.get("/pages/<name>")
    def page(name: str) -> str:
        template, view = PAGES[name]
        return render_template(f"punktgenau/{template}", view=view, t=_language())

    @app.get("/<theme>/<kind>/<state>")
    def states(theme: str, kind: str, state: str) -> str:
        names = list(EARNING[kind] if kind in EARNING else KINDS[kind])
        render = _earning if kind in EARNING else _box
        boxes = "".join(render(kind, name) for name in names if state in ("all", name))
        if kind == "field":
            boxes = f'<form method="post" action="/order">{boxes}<button>Order</button></form>'
        head = '<meta charset=utf-8><meta name=viewport content="width=device-width"><title>Shop</title>'
        style = f'<link rel=stylesheet href="/theme/{theme}.css">'
        return f"<!doctype html><html lang=en>{head}{style}<main><h1>Cart</h1>{boxes}</main></html>"

    return app


def _box(kind: str, name: str) -> str:
    view = KINDS[kind][name]
    asked = f"{view.urls.quote}?lang={_language().locale}&state={name}"
    shown = replace(view, id=f"pg-{name}", urls=replace(view.urls, quote=asked))
    return render_template(f"punktgenau/{kind}.html", view=shown, t=_language())


def _earning(kind: str, name: str) -> str:
    view = EARN[name] if kind == "earn" else replace(GOT[name], id=f"pg-{name}")
    return render_template(f"punktgenau/{kind}.html", view=view, t=_language())


def _language() -> Language:
    return Language(request.args.get("lang", "en"), "Europe/Berlin")
