"""The answer of `GET quote`: the numbers of a quote and the texts that the box shows for them."""

from __future__ import annotations

from typing import TypedDict

from flask_punktgenau.earns import Earns
from flask_punktgenau.language import Language
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
    texts: PreviewTexts


def preview(quote: CartQuote, t: Language, earns: Earns | None = None) -> Preview:
    """A quote as the box's script reads it, in the customer's language, with what the cart earns by it."""
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
        texts=PreviewTexts(
            points=t.points(quote.points),
            value=t.money(quote.value),
            due=t.money(quote.due),
            sentence=t.sentence(quote),
            earns=t.earns(earns) if earns is not None else "",
        ),
    )


def _money(amount: Money) -> PreviewMoney:
    return PreviewMoney(amount_minor=amount.amount_minor, currency=amount.currency)
