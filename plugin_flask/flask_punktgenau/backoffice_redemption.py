"""One redemption in the back office: its story, what the provider says, and what a person may do about it."""

from __future__ import annotations

from typing import get_args

from flask import request
from werkzeug import Response

from flask_punktgenau.backoffice_gate import language, office, operator, page, to
from flask_punktgenau.backoffice_language import ToldError
from flask_punktgenau.redirects import see_other
from flask_punktgenau.state import current_state
from flask_punktgenau.urls import order_urls
from punktgenau.checkout.office import Whole
from punktgenau.checkout.resolving import Resolution
from punktgenau.checkout.vouchers import CartVoucher, worth_minor
from punktgenau.errors import NotFoundError, PunktgenauError
from punktgenau.money import Money


def redemption(redemption_id: str, *, error: PunktgenauError | None = None) -> Response:
    """The page of one redemption; with `?ask=1` also what the provider has of it now."""
    its = office()
    try:
        whole = its.whole(redemption_id)
    except NotFoundError as missing:
        return page("problem.html", here="redemptions", error=missing)
    asked = its.ask_provider(redemption_id) if request.args.get("ask") == "1" and request.method == "GET" else None
    return page(
        "redemption.html",
        here="redemptions",
        error=error,
        whole=whole,
        asked=asked,
        order_url=order_urls(current_state(), [whole.row.order_reference]).get(whole.row.order_reference, ""),
        returned_units=returned_units(whole),
        vouchers=_vouchers(whole),
        vouchers_value=Money(
            amount_minor=worth_minor(whole.payment.asked_vouchers), currency=whole.payment.total.currency
        ),
        earned=its.earned_with(whole.row.order_reference),
    )


def retry(redemption_id: str) -> Response:
    """Do now what is due for it anyway."""
    try:
        office().retry(redemption_id, actor=operator(), reason=request.form.get("reason", ""))
    except PunktgenauError as error:
        return redemption(redemption_id, error=error)
    return done(redemption_id, "retry")


def resolve(redemption_id: str, *, error: PunktgenauError | None = None) -> Response:
    """What a person may decide, and what each choice leads to."""
    whole = office().whole(redemption_id)
    return page("resolve.html", here="redemptions", error=error, whole=whole, entered=request.form)


def do_resolve(redemption_id: str) -> Response:
    """Decide, with a reason."""
    try:
        as_ = _resolution(request.form.get("as", ""))
        office().resolve(
            redemption_id,
            as_=as_,
            actor=operator(),
            reason=request.form.get("reason", ""),
            operation_id=request.form.get("operation"),
        )
    except PunktgenauError as error:
        return resolve(redemption_id, error=error)
    return done(redemption_id, "resolve")


def cancel(redemption_id: str, *, error: PunktgenauError | None = None) -> Response:
    """What would go back if the order did not happen."""
    whole = office().whole(redemption_id)
    return page("cancel.html", here="redemptions", error=error, whole=whole, entered=request.form)


def do_cancel(redemption_id: str) -> Response:
    """Give everything back, with a reason."""
    try:
        office().give_back(redemption_id, actor=operator(), reason=request.form.get("reason", ""))
    except PunktgenauError as error:
        return cancel(redemption_id, error=error)
    return done(redemption_id, "cancel")


def done(redemption_id: str, deed: str) -> Response:
    """Back to the redemption, which says what was done; a reload repeats nothing."""
    return see_other(to("redemption", redemption_id=redemption_id, done=deed))


def returned_units(whole: Whole) -> dict[str, int]:
    """How many units of each line came back so far."""
    units: dict[str, int] = {}
    for told in whole.story:
        if told.kind == "return" and told.attempt == whole.row.attempt:
            for line, count in (told.units or {}).items():
                units[line] = units.get(line, 0) + count
    return units


def _resolution(text: str) -> Resolution:
    for as_ in get_args(Resolution):
        if as_ == text:
            known: Resolution = as_
            return known
    raise ToldError(language().gettext("Choose what to do."), field="as")


def _vouchers(whole: Whole) -> tuple[tuple[CartVoucher, Money], ...]:
    """The vouchers that the order was placed with, and what went back onto each; all of it where none pays any more."""
    pays = {one.id: one.value_minor for one in whole.payment.vouchers}
    currency = whole.payment.total.currency
    return tuple(
        (one, Money(amount_minor=one.value_minor - pays.get(one.id, 0), currency=currency))
        for one in whole.payment.asked_vouchers
    )
