"""Returns in the back office: what is wanted, its preview under every policy, then the return; and its money half."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from flask import request
from werkzeug import Response
from werkzeug.datastructures import MultiDict

from flask_punktgenau import formatting
from flask_punktgenau.backoffice_gate import language, office, operator, page
from flask_punktgenau.backoffice_language import ToldError
from flask_punktgenau.backoffice_redemption import done, redemption, returned_units
from punktgenau.checkout.cart import SHIPPING_ID
from punktgenau.checkout.office import Office, Whole
from punktgenau.checkout.refund import Refund, RefundPreview
from punktgenau.errors import InvalidArgumentError, PunktgenauError

REFERENCE_MAX = 36
_NUMBER = re.compile(r"[0-9]{1,9}")
_FIGURE = re.compile(r"[0-9]{1,15}")
"""Points, or an amount in the smallest unit, as a form of ours has them."""
_AMOUNT = re.compile(r"([0-9]{1,12})(?:[.,]([0-9]{1,4}))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a form asks to take back: units by line, and amounts of the shipping or of the whole order."""

    lines: dict[str, int]
    shipping_minor: int
    amount_minor: int | None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is asked for (yet)."""
        return not (self.lines or self.shipping_minor or self.amount_minor)


def take_return(redemption_id: str, *, error: PunktgenauError | None = None) -> Response:
    """The form; once something is entered, with the preview of what would go back."""
    its = office()
    whole = its.whole(redemption_id)
    said: MultiDict[str, str] = request.form if request.method == "POST" else request.args
    preview: RefundPreview | None = None
    wanted: Wanted | None = None
    try:
        wanted = _wanted(whole, said)
        if not wanted.is_empty:
            preview = its.preview(
                redemption_id,
                lines=wanted.lines,
                shipping_minor=wanted.shipping_minor,
                amount_minor=wanted.amount_minor,
            )
    except PunktgenauError as refused:
        error = error or _in_words(refused)
    return page(
        "return.html",
        here="redemptions",
        error=error,
        whole=whole,
        said=said,
        wanted=wanted,
        preview=preview,
        came_back=returned_units(whole),
        shipping=next((line for line in whole.cart.lines if line.id == SHIPPING_ID), None),
        reference=said.get("reference") or _next_reference(whole),
        reference_max=REFERENCE_MAX,
    )


def refund(redemption_id: str) -> Response:
    """Take the return in, just as it was shown."""
    try:
        wanted = _wanted(office().whole(redemption_id), request.form)
        if wanted.is_empty:
            raise ToldError(language().gettext("Nothing is to come back."), field="lines")
        office().refund(
            redemption_id,
            return_reference=request.form.get("reference", "").strip(),
            lines=wanted.lines,
            shipping_minor=wanted.shipping_minor,
            amount_minor=wanted.amount_minor,
            seen=_seen(),
            actor=operator(),
            reason=request.form.get("reason", ""),
        )
    except PunktgenauError as error:
        return take_return(redemption_id, error=_in_words(error))
    return done(redemption_id, "refund")


def money(redemption_id: str) -> Response:
    """The money half of a return was paid; no more of it than was shown."""
    try:
        office().money_refunded(
            redemption_id,
            return_reference=request.form.get("return_reference", ""),
            psp_reference=request.form.get("psp_reference", "").strip(),
            actor=operator(),
            seen_minor=_shown(
                "owed", told=language().gettext("Look at what is owed before its payment is written down.")
            ),
        )
    except PunktgenauError as error:
        return redemption(redemption_id, error=error)
    return done(redemption_id, "money")


def settle(redemption_id: str) -> Response:
    """What becomes of a return's points that the provider refused, or of new ones for those that had expired."""
    its = office()
    choices: dict[str, Callable[..., Refund]] = {
        "again": its.refund_again,
        "money": its.pay_instead,
        "now": its.retry_new_points,
        "given": partial(its.settle_new_points, given=True),
        "not_given": partial(its.settle_new_points, given=False),
        "expired": partial(_settle_expired, its),
    }
    try:
        settled = choices.get(request.form.get("as", ""))
        if settled is None:
            raise ToldError(language().gettext("Choose what to do."), field="as")
        after = settled(
            redemption_id,
            return_reference=request.form.get("return_reference", ""),
            actor=operator(),
            reason=request.form.get("reason", ""),
        )
    except PunktgenauError as error:
        return redemption(redemption_id, error=error)
    return done(redemption_id, "settle_due" if after.money_due.amount_minor else "settle")


def _settle_expired(its: Office, redemption_id: str, *, return_reference: str, actor: str, reason: str) -> Refund:
    entered = request.form.get("expired_vouchers")
    return its.settle_expired(
        redemption_id,
        return_reference=return_reference,
        expired=_count(request.form.get("expired", "")),
        vouchers_minor=None if entered is None else _minor(entered, its.whole(redemption_id).row.currency),
        actor=actor,
        reason=reason,
    )


def _count(text: str) -> int:
    """A number as it was entered; what is none is less than any."""
    return int(text) if re.fullmatch("[0-9]{1,15}", text.strip()) else -1


def _in_words(error: PunktgenauError) -> PunktgenauError:
    """The engine counts amounts in the smallest unit, in English; what is too much is told in the operator's words."""
    if isinstance(error, InvalidArgumentError) and error.field in {"amount_minor", "shipping_minor"}:
        return ToldError(language().gettext("That is more than can still come back."), field="amount")
    return error


def _wanted(whole: Whole, said: MultiDict[str, str]) -> Wanted:
    lines: dict[str, int] = {}
    for line in whole.cart.lines:
        entered = said.get(f"line.{line.id}", "").strip()
        if line.id == SHIPPING_ID or not entered:
            continue
        if not _NUMBER.fullmatch(entered):
            told = language().gettext("%(article)s: enter a whole number of units.", article=line.sku)
            raise ToldError(told, field="lines")
        if int(entered):
            lines[line.id] = int(entered)
        if int(entered) > whole.units_left.get(line.id, 0) + whole.units_to_come.get(line.id, 0):
            left = language().points(whole.units_left.get(line.id, 0))
            told = language().gettext("%(article)s: %(left)s can still come back.", article=line.sku, left=left)
            raise ToldError(told, field="lines")
    currency = whole.row.currency
    amount_minor = _minor(said.get("amount", ""), currency)
    if amount_minor and (lines or said.get("shipping", "").strip()):
        told = language().gettext("Enter articles and shipping, or an amount of the order; not both.")
        raise ToldError(told, field="amount")
    return Wanted(
        lines=lines,
        shipping_minor=_minor(said.get("shipping", ""), currency),
        amount_minor=amount_minor or None,
    )


def _minor(entered: str, currency: str) -> int:
    """An amount as people write it, with a comma or a point, in the smallest unit.

    More digits after it than the currency has may as well be thousands, so they are refused, even where they are zeros.
    """
    entered = entered.strip()
    if not entered:
        return 0
    digits = formatting.exponent(currency)
    amount = _AMOUNT.fullmatch(entered)
    if amount is None or len(amount[2] or "") > digits:
        example = language().money_digits(1234, currency)
        told = language().gettext("Write the amount as %(example)s, and nothing between thousands.", example=example)
        raise ToldError(told, field="amount")
    return int(amount[1] + (amount[2] or "").ljust(digits, "0"))


def _seen() -> tuple[int, int]:
    told = language().gettext("Look at the preview before anything goes back.")
    return _shown("seen_points", told=told), _shown("seen_money", told=told)


def _shown(name: str, *, told: str) -> int:
    """A figure that the operator was shown. Raises InvalidArgumentError: without it nothing is done."""
    text = request.form.get(name, "")
    if not _FIGURE.fullmatch(text):
        raise ToldError(told, field=name)
    return int(text)


def _next_reference(whole: Whole) -> str:
    """A reference that no return of this order has, and that is none of the shop's own."""
    number = len(whole.references) + 1
    while (reference := f"office-{whole.row.order_reference[: REFERENCE_MAX - 11]}-{number}") in whole.references:
        number += 1
    return reference
