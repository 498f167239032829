"""The back office under /points/admin: every redemption, what needs a person, figures, who did what.

There is nothing here for anybody until the shop registers an `operator_loader`, and for nobody whom it does not name.
"""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, abort
from flask.typing import RouteCallable
from werkzeug import Response
from werkzeug.exceptions import RequestEntityTooLarge

from flask_punktgenau import backoffice_clearing as clearing
from flask_punktgenau import backoffice_earned as earned
from flask_punktgenau import backoffice_lists as lists
from flask_punktgenau import backoffice_redemption as redemption
from flask_punktgenau import backoffice_returns as returns
from flask_punktgenau import backoffice_tax as tax
from flask_punktgenau.backoffice_gate import OFFICE, keep_private, let_in, problem_response
from punktgenau.errors import PunktgenauError

ID = "<redemption_id>"
DIFFERENCE = "<difference_id>"
EARNING, EXCHANGE = "<earning_id>", "<exchange_id>"


class _Pages(Blueprint):
    """Routes that never redirect to a tidier address: that would tell a stranger that there is something."""

    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: RouteCallable | None = None,
        provide_automatic_options: bool | None = None,
        **options: bool | Sequence[str],
    ) -> None:
        plain = {"strict_slashes": False, "merge_slashes": False}
        super().add_url_rule(rule, endpoint, view_func, provide_automatic_options, **(plain | options))


def make_backoffice() -> Blueprint:
    """The routes under /points/admin, for one app."""
    pages = _Pages(OFFICE, __name__, url_prefix="/points/admin")
    pages.before_request(let_in)
    pages.after_request(keep_private)
    pages.register_error_handler(PunktgenauError, problem_response)
    pages.register_error_handler(RequestEntityTooLarge, clearing.too_large)
    pages.get("/")(lists.redemptions)
    pages.get("/redemptions.csv")(lists.redemptions_csv)
    pages.get("/attention")(lists.attention)
    pages.get("/figures")(lists.figures)
    pages.get("/figures.csv")(lists.figures_csv)
    pages.get("/log")(lists.log)
    pages.get(f"/redemptions/{ID}")(redemption.redemption)
    pages.post(f"/redemptions/{ID}/retry")(redemption.retry)
    pages.get(f"/redemptions/{ID}/resolve")(redemption.resolve)
    pages.post(f"/redemptions/{ID}/resolve", endpoint="do_resolve")(redemption.do_resolve)
    pages.get(f"/redemptions/{ID}/cancel")(redemption.cancel)
    pages.post(f"/redemptions/{ID}/cancel", endpoint="do_cancel")(redemption.do_cancel)
    pages.get(f"/redemptions/{ID}/return", endpoint="take_return")(returns.take_return)
    pages.post(f"/redemptions/{ID}/return", endpoint="refund")(returns.refund)
    pages.post(f"/redemptions/{ID}/money", endpoint="money")(returns.money)
    pages.post(f"/redemptions/{ID}/settle", endpoint="settle")(returns.settle)
    pages.get("/earned")(earned.earned)
    pages.get(f"/earned/{EARNING}")(earned.earning)
    pages.post(f"/earned/{EARNING}/retry")(earned.retry_earned)
    pages.post(f"/earned/{EARNING}/settle")(earned.settle_earned)
    pages.get("/exchanged")(earned.exchanged)
    pages.get(f"/exchanged/{EXCHANGE}")(earned.exchange)
    pages.post(f"/exchanged/{EXCHANGE}/retry")(earned.retry_exchange)
    pages.post(f"/exchanged/{EXCHANGE}/settle")(earned.settle_exchange)
    pages.get("/clearing")(clearing.clearing)
    pages.post("/clearing", endpoint="compare")(clearing.compare)
    pages.get(f"/clearing/{DIFFERENCE}")(clearing.difference)
    pages.post(f"/clearing/{DIFFERENCE}", endpoint="decide")(clearing.decide)
    pages.get("/tax")(tax.tax)
    pages.get("/tax.csv")(tax.tax_csv)
    # Whatever else is asked for meets the door first: to a stranger all of it is as if it were not there.
    writing = ["POST", "PUT", "PATCH", "DELETE"]
    pages.add_url_rule("/", "nothing", nothing, methods=writing)
    pages.add_url_rule("/<path:elsewhere>", "nothing", nothing, methods=["GET", *writing])
    return pages


def nothing(elsewhere: str = "") -> Response:
    """There is no such page."""
    abort(404)
