"""The demo's bank: another site, in another process. It tells the shop about the money by `till.confirm_payment`.

Started by the launcher; by hand: SHOP_DATA=FOLDER python -m examples.shop.bank
"""

import argparse
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import waitress
from flask import Flask, abort, redirect, render_template, request, url_for
from werkzeug import Response

from . import language, orders, payments, till
from .app import create_app, send_headers
from .payments import Payment
from .points import anew_minor
from .settings import Settings


def create_bank(shop: Flask, *, shop_port: int) -> Flask:
    """The bank's two pages. `shop` is the shop's app in this process: its database, its clock, its till."""
    bank = Flask("bank", template_folder=shop.root_path + "/templates", static_folder=shop.root_path + "/static")
    language.init_app(bank)
    bank.after_request(send_headers)

    @contextmanager
    def payment_of(token: str) -> Iterator[Payment]:
        with shop.app_context():
            yield payments.by_token(token) or abort(404)

    @bank.get("/payments/<token>")
    def show(token: str) -> str:
        with payment_of(token) as payment:
            order = orders.find(payment.order_reference) or abort(404)
            anew = anew_minor(order.reference)
        language.use(order.language)
        host = request.host.rsplit(":", 1)[0]
        return render_template(
            "bank.html",
            payment=payment,
            order=order,
            anew_minor=anew,
            shop_url=f"http://{host}:{shop_port}/orders/{order.reference}",
        )

    @bank.post("/payments/<token>/confirm")
    def confirm(token: str) -> Response:
        with payment_of(token) as payment:
            till.confirm_payment(payment.order_reference)
        return redirect(url_for("show", token=token), 303)

    @bank.post("/payments/<token>/refuse")
    def refuse(token: str) -> Response:
        with payment_of(token) as payment:
            till.refuse_payment(payment.order_reference)
        return redirect(url_for("show", token=token), 303)

    @bank.get("/healthz")
    def healthz() -> str:
        return "ok\n"

    return bank


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m examples.shop.bank", description=__doc__)
    parser.parse_args(argv)
    settings = Settings.of_running_shop()
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    bank = create_bank(create_app(settings), shop_port=settings.shop_port)
    waitress.serve(bank, host="127.0.0.1", port=settings.bank_port, threads=4, _quiet=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
