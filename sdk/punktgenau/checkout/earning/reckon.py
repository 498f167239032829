"""What an order earns, and what of it is left after returns. Pure.

All is reckoned from the order's frozen basis and the money that is kept of each line. A claw-back is the difference of
two such states, so any order of returns ends exact: all returned is all taken.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from math import lcm

from punktgenau.checkout.allocation import AllocatedLine, Allocation
from punktgenau.checkout.cart import SHIPPING_ID, GrossLine
from punktgenau.checkout.earning.rules import Campaign, EarnRules, HasPoints
from punktgenau.checkout.returned import History, goods_minor
from punktgenau.money import AMOUNT_MINOR_MAX, largest_remainder


@dataclass(frozen=True, slots=True, kw_only=True)
class EarnLine:
    """One line as it was placed: what it cost, what of that money paid, and what it earns by.

    `points`: per unit, in place of the rule for money (None). `percent` of that, by the campaign of that id ("": none).
    """

    id: str
    sku: str
    quantity: int
    vat_rate: str
    amount_minor: int
    money_minor: int
    points: int | None = None
    percent: int = 100
    campaign: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plus:
    """What a campaign gives besides, once per order, while money pays one of its lines."""

    id: str
    name: str
    points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """Everything that decides what an order earns, frozen when it is planned; `value_minor`: what points pay of it."""

    points: int
    per_minor: int
    shipping: bool
    currency: str
    lines: tuple[EarnLine, ...]
    campaigns: tuple[Plus, ...] = ()
    value_minor: int = 0

    def text(self) -> str:
        """As the journal keeps it."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))

    def allocation(self) -> Allocation:
        """The same as what returns are reckoned over, where no points pay."""
        lines = tuple(
            AllocatedLine(
                id=line.id,
                quantity=line.quantity,
                vat_rate=line.vat_rate,
                amount_minor=line.amount_minor,
                other_minor=line.amount_minor - line.money_minor,
                value_minor=0,
                start_minor=0,
            )
            for line in self.lines
        )
        return Allocation(points=0, value_minor=0, currency=self.currency, lines=lines)


def basis_from(text: str) -> Basis:
    """The journal's text as a basis again."""
    content = json.loads(text)
    lines = tuple(EarnLine(**line) for line in content.pop("lines"))
    campaigns = tuple(Plus(**one) for one in content.pop("campaigns"))
    return Basis(lines=lines, campaigns=campaigns, **content)


def basis_of(
    gross: Sequence[GrossLine],
    allocation: Allocation,
    *,
    rules: EarnRules,
    articles: Mapping[str, HasPoints],
    campaigns: Sequence[Campaign],
) -> Basis:
    """What an order with these lines earns by; `campaigns` are those that run when it is placed."""
    paid: dict[str, int] = {}
    for part in allocation.lines:
        paid[part.id] = paid.get(part.id, 0) + part.money_minor
    lines = tuple(
        EarnLine(
            id=line.id,
            sku=line.sku,
            quantity=line.quantity,
            vat_rate=line.vat_rate,
            amount_minor=line.amount_minor,
            money_minor=paid[line.id],
            points=None if (known := articles.get(line.sku)) is None else known.points,
        )
        for line in gross
    )
    basis = Basis(
        points=rules.points,
        per_minor=rules.per_minor,
        shipping=rules.shipping,
        currency=allocation.currency,
        lines=lines,
        value_minor=allocation.value_minor,
    )
    return _with_campaigns(basis, campaigns)


def earned(basis: Basis, kept: Sequence[int] | None = None) -> int:
    """The points for so much kept money by line, in the smallest unit; None: for all that money paid.

    Where lines earn different percents, the full amounts that earn points are counted from the highest percent on: so
    less money is never more points.
    """
    moneys = [line.money_minor for line in basis.lines] if kept is None else kept
    of_money: dict[int, int] = {}
    points, alive = 0, set()
    for line, money in zip(basis.lines, moneys, strict=True):
        if money <= 0 or (line.id == SHIPPING_ID and not basis.shipping):
            continue
        alive.add(line.campaign)
        if line.points is None:
            of_money[line.percent] = of_money.get(line.percent, 0) + money
        else:
            points += line.points * line.quantity * line.percent * money // (100 * line.amount_minor)
    percents, sum_minor, hundredths = sorted(of_money, reverse=True), 0, 0
    for percent, lower in zip(percents, (*percents[1:], 0), strict=False):
        sum_minor += of_money[percent]
        hundredths += (percent - lower) * basis.points * (sum_minor // basis.per_minor)
    points += hundredths // 100 + sum(plus.points for plus in basis.campaigns if plus.id in alive)
    return min(points, AMOUNT_MINOR_MAX)


def kept_money(
    basis: Basis, gone: Mapping[str, int], *, most: Mapping[str, int] | None = None, cancelled: bool = False
) -> tuple[int, ...]:
    """The money that is kept of each line, of which goods for so much are `gone`; `most` is all that pays it by now."""
    if cancelled:
        return tuple(0 for _ in basis.lines)
    kept = []
    for line in basis.lines:
        back = min(max(0, gone.get(line.id, 0)), line.amount_minor)
        left = line.money_minor - (line.money_minor * back // line.amount_minor if line.amount_minor else 0)
        kept.append(left if most is None else min(left, most.get(line.id, 0)))
    return tuple(kept)


def has_goods(basis: Basis, gone: Mapping[str, int]) -> bool:
    """Whether anything but shipping is kept; an order that is returned in full has nothing."""
    goods = [line for line in basis.lines if line.id != SHIPPING_ID] or list(basis.lines)
    return any(gone.get(line.id, 0) < line.amount_minor for line in goods)


def gone_of(basis: Basis, allocation: Allocation, history: History) -> dict[str, int]:
    """What is gone of each line of the basis, where the order is `allocation` by now and `history` came back of that.

    An order that was changed since has lost what its newest version does not have.
    """
    here: dict[str, int] = {}
    for line in allocation.lines:
        left = line.amount_minor - goods_minor(line, history.of(line))
        here[line.id] = here.get(line.id, 0) + left
    return {line.id: max(0, line.amount_minor - here.get(line.id, 0)) for line in basis.lines}


def money_of(allocation: Allocation, history: History) -> dict[str, int]:
    """The money that pays what is kept of each line of an order as it is by now."""
    kept: dict[str, int] = {}
    for line in allocation.lines:
        goods = goods_minor(line, history.of(line))
        back = line.money_minor * goods // line.amount_minor if line.amount_minor else 0
        kept[line.id] = kept.get(line.id, 0) + line.money_minor - back
    return kept


def by_line(basis: Basis) -> tuple[tuple[EarnLine, int], ...]:
    """The points of an order over the lines that earn them, exact in their sum: by what each one earns by itself."""
    shares = [_alone(basis, line) for line in basis.lines]
    unit = lcm(*(share.denominator for share in shares))
    plus = [one for one in basis.campaigns if any(_counts(basis, line, one.id) for line in basis.lines)]
    points = _split(earned(basis) - sum(one.points for one in plus), [int(share * unit) for share in shares])
    for one in plus:
        more = _split(one.points, [line.money_minor * _counts(basis, line, one.id) for line in basis.lines])
        points = [sum(both) for both in zip(points, more, strict=True)]
    return tuple(zip(basis.lines, points, strict=True))


def _counts(basis: Basis, line: EarnLine, campaign: str) -> bool:
    """Whether a line earns anything at all, and by that campaign."""
    return line.campaign == campaign and line.money_minor > 0 and (line.id != SHIPPING_ID or basis.shipping)


def _split(points: int, weights: list[int]) -> list[int]:
    whole = sum(weights)
    return list(largest_remainder(points, [weight * max(1, points) for weight in weights])) if whole else weights


def _alone(basis: Basis, line: EarnLine) -> Fraction:
    """What a line earns by itself, before anything is rounded, and without what its campaign gives besides."""
    if line.money_minor <= 0 or (line.id == SHIPPING_ID and not basis.shipping):
        return Fraction(0)
    if line.points is None:
        return Fraction(basis.points * line.money_minor * line.percent, basis.per_minor * 100)
    return Fraction(line.points * line.quantity * line.percent * line.money_minor, 100 * line.amount_minor)


def _with_campaigns(basis: Basis, campaigns: Sequence[Campaign]) -> Basis:
    """The same with the best campaign for each line, reckoned over the whole order."""
    best: list[EarnLine] = []
    for line in basis.lines:
        fitting = [one for one in campaigns if one.fits(line.sku)] if line.id != SHIPPING_ID or basis.shipping else []
        most = max(fitting, key=lambda one: (one.percent, one.plus_points, one.id), default=None)
        is_any = most is not None and (most.percent > 100 or most.plus_points > 0)
        best.append(line if most is None or not is_any else _by(line, most))
    made = _told(replace(basis, lines=tuple(best)), campaigns)
    for plus in sorted(campaigns, key=lambda one: (-one.plus_points, one.id)):
        other = _with_one_line_by(made, plus, campaigns)
        if other is not None and earned(other) > earned(made):
            made = other
    return made


def _with_one_line_by(basis: Basis, plus: Campaign, campaigns: Sequence[Campaign]) -> Basis | None:
    """One line changes to a campaign that gives points once per order: the one that loses least by that."""
    if plus.plus_points == 0:
        return None
    fitting = [
        (_alone(basis, line) * (line.percent - plus.percent) / line.percent, number)
        for number, line in enumerate(basis.lines)
        if plus.fits(line.sku) and line.money_minor > 0 and (line.id != SHIPPING_ID or basis.shipping)
    ]
    if not fitting:
        return None
    number = min(fitting)[1]
    lines = [_by(line, plus) if place == number else line for place, line in enumerate(basis.lines)]
    return _told(replace(basis, lines=tuple(lines)), campaigns)


def _by(line: EarnLine, campaign: Campaign) -> EarnLine:
    return replace(line, percent=campaign.percent, campaign=campaign.id)


def _told(basis: Basis, campaigns: Sequence[Campaign]) -> Basis:
    used = {line.campaign for line in basis.lines if line.money_minor > 0}
    chosen = {one.id: Plus(id=one.id, name=one.name, points=one.plus_points) for one in campaigns if one.id in used}
    return replace(basis, campaigns=tuple(chosen[name] for name in sorted(chosen)))
