"""The same shop, where points pay any part of the bill: flask --app after --debug run"""

import json
import os
import sqlite3
from contextlib import closing
from uuid import uuid4

from flask import Flask, abort, redirect, render_template_string, request, session
from werkzeug import Response

from flask_punktgenau import Punktgenau
from punktgenau import PunktgenauError
from punktgenau.checkout import Cart, Line, Order

ARTICLES = {"lamp": ("Desk lamp", 4990), "pen": ("Fountain pen", 1835), "pot": ("Pencil pot", 725)}  # cents, with VAT
TABLE = "CREATE TABLE IF NOT EXISTS orders (reference PRIMARY KEY, customer, lines, state, charged_minor)"
# Of two tabs that pay the same order, one gets it; the other one's form changes nothing.
CLAIM = "UPDATE orders SET state = 'paying' WHERE reference = ? AND state = 'pending' RETURNING reference"
UNCLAIM = "UPDATE orders SET state = 'pending' WHERE reference = ? AND state = 'paying'"

CART = """<!doctype html><title>Cart</title><h1>Cart of {{ session.customer }}</h1>
{% for sku, (name, price) in articles.items() %}
<form method=post action=/cart>{{ lines.get(sku, 0) }} x {{ name }}, {{ "%.2f" % (price / 100) }} EUR each
<button name=sku value={{ sku }}>Add one</button></form>
{% endfor %}
{{ punktgenau_panel() }}
<form method=post action=/orders>Total: {{ "%.2f" % (total / 100) }} EUR
<label>Card number <input name=card></label> <button>Place the order</button></form>"""
ORDER = """<!doctype html><title>Order</title><h1>Order {{ order.reference }} is {{ order.state }}</h1>
<p>Total: {{ "%.2f" % (total / 100) }} EUR. Charged: {{ "%.2f" % (order.charged_minor / 100) }} EUR.</p>
<form method=post action=/orders/{{ order.reference }}/pay><label>Card number <input name=card></label>
<button>Pay</button> <button formaction=/orders/{{ order.reference }}/cancel>Cancel</button></form>
{{ punktgenau_summary(order.reference) }}"""

app = Flask(__name__)
app.config.update(SECRET_KEY=os.environ.get("SECRET_KEY", "change me"), SESSION_COOKIE_SAMESITE="Lax")
points = Punktgenau(app)


def run(statement: str, *values: object) -> list[sqlite3.Row]:
    with closing(sqlite3.connect(os.environ.get("SHOP_DATABASE", "shop.sqlite"))) as database, database:
        database.row_factory = sqlite3.Row
        database.execute(TABLE)
        return database.execute(statement, values).fetchall()


def own_order(reference: str) -> sqlite3.Row:
    rows = run("SELECT * FROM orders WHERE reference = ? AND customer = ?", reference, session.get("customer"))
    return rows[0] if rows else abort(404)


def total_minor(lines: dict[str, int]) -> int:
    return sum(ARTICLES[sku][1] * quantity for sku, quantity in lines.items())


@points.customer_loader
def customer_id() -> str | None:
    return session.get("customer")


@points.cart_loader
def cart() -> Cart:
    return cart_of(session.get("cart", {}))


@points.order_loader
def find_order(reference: str) -> Order | None:
    for row in run("SELECT * FROM orders WHERE reference = ?", reference):
        state, lines = row["state"].replace("paying", "pending"), json.loads(row["lines"])
        return Order(reference=reference, state=state, cart=cart_of(lines), url=f"/orders/{reference}")
    return None


def cart_of(lines: dict[str, int]) -> Cart:
    articles = [(sku, ARTICLES[sku][1], quantity) for sku, quantity in lines.items()]
    return Cart(
        currency="EUR",
        lines=[Line(sku=sku, unit_price_minor=price, quantity=many, vat_rate="19") for sku, price, many in articles],
    )


def charge(card: str, amount_minor: int) -> bool:
    """Your payment provider. This one declines every card that does not begin with a 4."""
    return card.startswith("4")


@app.get("/sign-in/<customer>")
def sign_in(customer: str) -> Response:
    session["customer"] = customer
    return redirect("/")


@app.get("/")
def show_cart() -> str:
    lines = session.get("cart", {})
    return render_template_string(CART, articles=ARTICLES, lines=lines, total=total_minor(lines))


@app.post("/cart")
def add_to_cart() -> Response:
    sku, lines = request.form["sku"], session.get("cart", {})
    session["cart"] = lines | {sku: lines.get(sku, 0) + 1} if sku in ARTICLES else lines
    session["reference"] = uuid4().hex[:12]  # what this cart is ordered as, however many tabs order it
    return redirect("/", 303)


@app.post("/orders")
def place_order() -> Response:
    customer, lines, reference = session.get("customer"), session.pop("cart", {}), session.get("reference", "")
    if not customer or not lines:
        abort(400)
    run("INSERT OR IGNORE INTO orders VALUES (?, ?, ?, 'pending', 0)", reference, customer, json.dumps(lines))
    return pay(reference)


@app.post("/orders/<reference>/pay")
def pay(reference: str) -> Response:
    order, card = own_order(reference), request.form["card"]
    if run(CLAIM, reference):
        try:
            due_minor = points.authorize(reference, cart_of(json.loads(order["lines"]))).due.amount_minor
        except PunktgenauError:  # refused or unknown: nothing is charged, and the extension's page says what to do
            run(UNCLAIM, reference)
            raise
        if due_minor == 0 or charge(card, due_minor):
            run("UPDATE orders SET state = 'paid', charged_minor = ? WHERE reference = ?", due_minor, reference)
            points.capture(reference)
        else:
            points.void(reference)
            run(UNCLAIM, reference)
    return redirect(f"/orders/{reference}", 303)


@app.post("/orders/<reference>/cancel")
def cancel(reference: str) -> Response:
    run("UPDATE orders SET state = 'cancelled' WHERE reference = ? AND state != 'paying'", own_order(reference)[0])
    if own_order(reference)["state"] == "cancelled":
        points.cancel(reference)
    return redirect(f"/orders/{reference}", 303)


@app.get("/orders/<reference>")
def show_order(reference: str) -> str:
    order = own_order(reference)
    return render_template_string(ORDER, order=order, total=total_minor(json.loads(order["lines"])))
