"""The answer of `GET quote`: the numbers of a quote and the texts that the box shows for them."""

from __future__ import annotations

from typing import TypedDict

from flask_punktgenau.earns import Earns
from flask_punktgenau.language import Language
from flask_punktgenau.vouchers import VoucherBox, VoucherRow
from punktgenau.checkout.quote import CartQuote
from punktgenau.money import Money


class PreviewMoney(TypedDict):
    """Money as JSON writes it."""

    amount_minor: int
    currency: str


class PreviewReason(TypedDict):
    """Why the number differs from the one asked for."""

    code: str
    points: int
    text: str


class PreviewNeighbour(TypedDict):
    """A number near the one asked for that leaves a payable rest."""

    points: int
    value: PreviewMoney
    due: PreviewMoney
    text: str


class PreviewVoucher(TypedDict):
    """A voucher that was added, in the order in which they pay: what it pays, or the code of why it does not."""

    id: str
    last_four: str
    value: PreviewMoney
    left_over: PreviewMoney
    residual: str
    problem: str
    text: str


class PreviewTexts(TypedDict):
    """The numbers, formatted, one sentence for those who hear the page, and one about what the cart earns."""

    points: str
    value: str
    due: str
    sentence: str
    earns: str


class Preview(TypedDict):
    """One quote, ready for JSON."""

    asked: int
    points: int
    value: PreviewMoney
    due: PreviewMoney
    most: int
    least: int
    step: int
    mandatory: int
    unaffordable: list[str]
    reasons: list[PreviewReason]
    neighbours: list[PreviewNeighbour]
    payable: PreviewMoney
    vouchers: list[PreviewVoucher]
    texts: PreviewTexts


def preview(
    quote: CartQuote, t: Language, earns: Earns | None = None, *, vouchers: VoucherBox | None = None
) -> Preview:
    """A quote as the box's script reads it, in the customer's language, with what the cart earns by it.

    `vouchers` pay before: `payable` is what they leave to points and money.
    """
    return Preview(
        asked=quote.asked,
        points=quote.points,
        value=_money(quote.value),
        due=_money(quote.due),
        most=quote.most,
        least=quote.least,
        step=quote.step,
        mandatory=quote.mandatory,
        unaffordable=list(quote.unaffordable),
        reasons=[
            PreviewReason(code=reason.code, points=reason.points, text=t.reason(reason, quote))
            for reason in quote.reasons
        ],
        neighbours=[
            PreviewNeighbour(points=one.points, value=_money(one.value), due=_money(one.due), text=t.neighbour(one))
            for one in quote.neighbours
        ],
        payable=_money(quote.payable),
        vouchers=[_voucher(one, quote, t) for one in vouchers.rows] if vouchers is not None else [],
        texts=PreviewTexts(
            points=t.points(quote.points),
            value=t.money(quote.value),
            due=t.money(quote.due),
            sentence=t.sentence(quote),
            earns=t.earns(earns) if earns is not None else "",
        ),
    )


def _voucher(row: VoucherRow, quote: CartQuote, t: Language) -> PreviewVoucher:
    pays, currency = row.pays, quote.due.currency
    return PreviewVoucher(
        id=row.id,
        last_four=row.last_four,
        value=PreviewMoney(amount_minor=pays.value_minor if pays is not None else 0, currency=currency),
        left_over=PreviewMoney(amount_minor=pays.left_over_minor if pays is not None else 0, currency=currency),
        residual=row.voucher.residual if row.voucher is not None else "",
        problem=row.problem,
        text=t.voucher(row),
    )


def _money(amount: Money) -> PreviewMoney:
    return PreviewMoney(amount_minor=amount.amount_minor, currency=amount.currency)
