"""Signing in: one click per demo customer."""

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug import Response

from .. import cart, customers

pages = Blueprint("account", __name__)


@pages.get("/account")
def show() -> str:
    return render_template("account.html", everyone=customers.everyone())


@pages.post("/account/sign-in")
def sign_in() -> Response:
    customers.sign_in(customers.find(request.form.get("customer", "")) or abort(404))
    return redirect(url_for("cart.show" if cart.current().lines else "catalogue.start"), 303)


@pages.post("/account/sign-out")
def sign_out() -> Response:
    customers.sign_out()
    return redirect(url_for(".show"), 303)
