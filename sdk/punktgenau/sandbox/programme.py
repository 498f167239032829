"""What a point is worth and how many an order may take."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from . import replies
from .arithmetic import ProgrammeRate
from .database import Work
from .problems import Refusal


@dataclass(frozen=True)
class Limits:
    """The programme's limits per order; None: no such limit. Values in minor units of the programme's currency."""

    min_points: int = 1
    max_points: int | None = None
    step: int = 1
    max_share_percent: int | None = None
    max_value_minor: int | None = None


def set_rate(work: Work, rate: ProgrammeRate) -> None:
    """Make `rate` the current one. Older ones stay known: redemptions keep theirs."""
    work.run("UPDATE rate SET is_current = 0")
    work.run(
        "INSERT INTO rate VALUES (?, ?, ?, ?, ?, 1)",
        rate.id, rate.points, rate.amount_minor, rate.currency, rate.rounding,
    )  # fmt: skip


def set_limits(work: Work, limits: Limits) -> None:
    """Replace the limits."""
    work.run(
        "INSERT OR REPLACE INTO programme VALUES (1, ?, ?, ?, ?, ?)",
        limits.min_points, limits.max_points, limits.step, limits.max_share_percent, limits.max_value_minor,
    )  # fmt: skip


def current_rate(work: Work) -> ProgrammeRate:
    row = work.one("SELECT * FROM rate WHERE is_current = 1")
    if row is None:
        raise LookupError("this sandbox has no programme: start it with --seed demo")
    return _rate(row)


def known_rate(work: Work, rate_id: str) -> ProgrammeRate:
    """The rate with this id, current or older. Raises Refusal rate_changed for an unknown one."""
    row = work.one("SELECT * FROM rate WHERE id = ?", rate_id)
    if row is None:
        raise Refusal("rate_changed", f"No rate {rate_id} is known; ask for the current one.", field="rate_id")
    return _rate(row)


def limits_of(work: Work) -> Limits:
    row = work.one("SELECT * FROM programme")
    if row is None:
        return Limits()
    return Limits(row["min_points"], row["max_points"], row["step"], row["max_share_percent"], row["max_value_minor"])


def most_points(limits: Limits, rate: ProgrammeRate, *, total_minor: int) -> list[tuple[str, int]]:
    """Each upper limit as (code, points), for an order of this total."""
    bounds = [("exceeds_total", rate.most_points_within(total_minor))]
    if limits.max_points is not None:
        bounds.append(("above_maximum", limits.max_points))
    if limits.max_value_minor is not None:
        bounds.append(("above_maximum", rate.most_points_within(limits.max_value_minor)))
    if limits.max_share_percent is not None:
        bounds.append(("share_exceeded", rate.most_points_within(total_minor * limits.max_share_percent // 100)))
    return bounds


def check(limits: Limits, rate: ProgrammeRate, *, points: int, total_minor: int) -> None:
    """Raise the Refusal of the first limit that `points` break."""
    if points < limits.min_points:
        raise Refusal("below_minimum", f"At least {limits.min_points} points are needed.", field="points")
    if points % limits.step:
        raise Refusal("step_mismatch", f"Points come in steps of {limits.step}.", field="points")
    for code, bound_points in most_points(limits, rate, total_minor=total_minor):
        if points > bound_points:
            raise Refusal(
                code,
                f"At most {bound_points} points can be used for this order, {points} were asked for.",
                field="points",
                remaining_points=bound_points,
                remaining_minor=rate.worth_minor(bound_points),
            )


def rate_reply(rate: ProgrammeRate) -> replies.Rate:
    return replies.Rate(
        id=rate.id, points=rate.points, amount_minor=rate.amount_minor, currency=rate.currency, rounding=rate.rounding
    )


def limits_reply(limits: Limits, *, currency: str) -> replies.Limits:
    most = limits.max_value_minor
    return replies.Limits(
        min_points=limits.min_points,
        max_points=limits.max_points,
        step=limits.step,
        max_share_percent=limits.max_share_percent,
        max_value=None if most is None else replies.Money(amount_minor=most, currency=currency),
    )


def _rate(row: sqlite3.Row) -> ProgrammeRate:
    return ProgrammeRate(row["id"], row["points"], row["amount_minor"], row["currency"])
