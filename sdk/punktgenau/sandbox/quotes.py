"""Quote: how many points would pay how much of a total now."""

from __future__ import annotations

from . import ledger, members, programme, replies
from .database import Work
from .problems import Refusal
from .schemas import QuoteRequest


def quote(work: Work, request: QuoteRequest, *, partner_id: str) -> replies.Quote:
    """The most points within every limit, but never more than asked for. Raises Refusal."""
    member, _ = members.consenting(work, member_id=request.member_id, partner_id=partner_id)
    if member["state"] != "active":
        raise Refusal("member_blocked", "The provider has blocked this account.", field="member_id")
    rate, limits = programme.current_rate(work), programme.limits_of(work)
    if request.total.currency != rate.currency:
        raise Refusal("currency_not_offered", f"Points pay in {rate.currency} only.", field="total.currency")
    total_minor = request.total.amount_minor
    available_points = ledger.available_points(work, request.member_id)
    points = max(0, available_points) if request.points is None else request.points
    reasons: list[str] = []
    bounds = [
        ("insufficient_points", max(0, available_points)),
        *programme.most_points(limits, rate, total_minor=total_minor),
    ]
    for code, bound_points in bounds:
        if points > bound_points:
            points = bound_points
            reasons.append(code)
    # No more points than the same worth needs.
    points = min(points, rate.fewest_points_worth(rate.worth_minor(points)))
    if points % limits.step:
        points -= points % limits.step
        reasons.append("step_mismatch")
    if points < limits.min_points:
        points = 0
        reasons.append("below_minimum")
    value_minor = rate.worth_minor(points)
    return replies.Quote.model_validate(
        {
            "member_id": request.member_id, "asked_points": request.points, "points": points,
            "value": {"amount_minor": value_minor, "currency": rate.currency},
            "due": {"amount_minor": total_minor - value_minor, "currency": rate.currency},
            "available": available_points,
            "rate": programme.rate_reply(rate),
            "limits": programme.limits_reply(limits, currency=rate.currency),
            "reasons": reasons, "now": work.at, "mode": work.mode,
        }
    )  # fmt: skip
