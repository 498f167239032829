"""Holds: authorize, extend, void, and the end by time."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from datetime import timedelta

from . import captures, events, ledger, lots, members, profile, programme, redemptions, voucher_tenders
from .arithmetic import ProgrammeRate
from .clock import moment, stamp
from .database import Work
from .problems import Refusal
from .profile import Profile
from .schemas import DEFAULT_HOLD_S, AuthorizeRequest, ExtendRequest, MoneyIn, TenderIn


@dataclass(frozen=True)
class Price:
    """The points of an authorize and what they pay."""

    points: int
    value_minor: int
    rate: ProgrammeRate


def authorize(work: Work, request: AuthorizeRequest, *, partner_id: str, key: str) -> sqlite3.Row:
    """Hold points of a member for an order; with `capture: now` take them at once. Raises Refusal."""
    played = profile.current(work)
    at_once = request.capture == "now"
    profile.need(at_once or played.longest_hold_s > 0, "Points are taken at once: capture now.", field="capture")
    hold_s = _checked_hold_s(played, request.hold_s or min(DEFAULT_HOLD_S, played.longest_hold_s), at_once=at_once)
    member, _ = members.consenting(work, member_id=request.member_id, partner_id=partner_id)
    if member["state"] != "active":
        raise Refusal("member_blocked", "The provider has blocked this account.", field="member_id")
    live = redemptions.live_for_order(work, request.order_reference, partner_id=partner_id)
    if live is not None:
        detail = f"Redemption {live['id']} is live for order {request.order_reference}."
        raise Refusal("order_has_live_redemption", detail, field="order_reference", redemption_id=live["id"])
    vouchers = _vouchers_asked(work, request, partner_id=partner_id)
    vouchers_minor = sum(one.value_minor for one in vouchers)
    price = _priced(work, request, vouchers_minor=vouchers_minor)
    available_points = ledger.available_points(work, member["id"])
    if played.approves_in_part and 0 < available_points < price.points:
        price = Price(available_points, price.rate.worth_minor(available_points), price.rate)
    _check_available(available_points, price)
    red = _insert(work, request, price, partner_id=partner_id, key=key, hold_s=hold_s, vouchers_minor=vouchers_minor)
    if price.points:
        lots.hold(work, red, points=price.points)
    voucher_tenders.hold(work, red, vouchers)
    if at_once:
        return captures.in_one_step(work, red)
    events.redemption_changed(work, red)
    return red


def extend(work: Work, red: sqlite3.Row, request: ExtendRequest) -> sqlite3.Row:
    """Keep a hold until `hold_s` from now, or as long as it already lasts. Raises Refusal."""
    played = profile.current(work)
    profile.need(played.extends, "A hold ends when it was said to end.")
    hold_s = _checked_hold_s(played, request.hold_s)
    redemptions.check_can_act_on_hold(red)
    until = max(work.now + timedelta(seconds=hold_s), moment(red["expires_at"]))
    return redemptions.change(work, red, expires_at=until)


def void(work: Work, red: sqlite3.Row) -> sqlite3.Row:
    """Release what is held. Of a hold captured in part the captured points stay paid. Raises Refusal."""
    redemptions.check_can_act_on_hold(red)
    return end(work, red, ended_as="voided", reason=f"Released, order {red['order_reference']}")


def end(work: Work, red: sqlite3.Row, *, ended_as: redemptions.EndedAs, reason: str) -> sqlite3.Row:
    """Give everything that is held back to the member."""
    points = red["held_points"]
    if points:
        lots.release(work, red, points=points, reason=reason)
    vouchers_minor = voucher_tenders.release(work, red)
    return redemptions.change(
        work, red, release_points=points, release_vouchers_minor=vouchers_minor, ended_as=ended_as
    )


NEXT_END = "SELECT min(expires_at) FROM redemption WHERE expires_at <= ?1"
"""When the first of the holds that have run out by ?1 did so; NULL: no hold has."""


def expire_due(work: Work) -> None:
    """End every hold whose time has passed, the earliest first."""
    due = work.all("SELECT * FROM redemption WHERE expires_at <= ? ORDER BY expires_at, number", work.at)
    for red in due:
        end(work, red, ended_as="expired", reason=f"Hold ended, order {red['order_reference']}")


def expire_early(work: Work, red: sqlite3.Row | None) -> None:
    """End a hold before its time. Played as a fault; no rule leads here."""
    if red is not None and redemptions.is_holding(red):
        end(work, red, ended_as="expired", reason=f"Hold ended early, order {red['order_reference']}")


def in_part(work: Work, request: AuthorizeRequest) -> AuthorizeRequest:
    """The same request for half the points, at least one. Played as a fault; no rule leads here."""
    points, _ = _points_asked(request)
    half = max(1, points // 2) if points else None
    if request.tenders is None or half is None:
        return request.model_copy(update={"points": half, "value": None} if half is not None else {})
    tenders = [
        one if one.kind == "voucher" else one.model_copy(update={"points": half, "value": None})
        for one in request.tenders
    ]
    return request.model_copy(update={"tenders": tenders})


def _checked_hold_s(played: Profile, hold_s: int, *, at_once: bool = False) -> int:
    if hold_s > played.longest_hold_s and not at_once:
        raise Refusal("hold_too_long", f"The longest hold is {played.longest_hold_s} seconds.", field="hold_s")
    return hold_s


def _vouchers_asked(work: Work, request: AuthorizeRequest, *, partner_id: str) -> list[voucher_tenders.Wanted]:
    """Vouchers pay before points: they may pay everything that is to be paid."""
    if request.tenders is None:
        return []
    return voucher_tenders.checked(
        work, request.tenders, partner_id=partner_id, member_id=request.member_id, currency=request.total.currency,
        room_minor=request.total.amount_minor,
    )  # fmt: skip


def _priced(work: Work, request: AuthorizeRequest, *, vouchers_minor: int) -> Price:
    """What is asked for, checked against rate, limits and total."""
    points, value = _points_asked(request)
    current = programme.current_rate(work)
    rate = programme.known_rate(work, request.rate_id) if request.rate_id else current
    for name, money in (("total", request.total), ("value", value)):
        if money is not None and money.currency != rate.currency:
            raise Refusal("currency_not_offered", f"Points pay in {rate.currency} only.", field=f"{name}.currency")
    if points:
        programme.check(programme.limits_of(work), rate, points=points, total_minor=request.total.amount_minor)
    value_minor = rate.worth_minor(points) if value is None else value.amount_minor
    if not rate.fits(points=points, amount_minor=value_minor, line_count=len(request.lines or [])):
        detail = f"{points} points are worth {rate.worth_minor(points)}, not {value_minor}."
        raise Refusal("value_mismatch", detail, field="value")
    if value_minor + vouchers_minor > request.total.amount_minor:
        paid = f"points were to pay {value_minor}" + (f", vouchers {vouchers_minor}" if vouchers_minor else "")
        detail = f"The order costs {request.total.amount_minor}, {paid}."
        raise Refusal("exceeds_total", detail, field="value")
    return Price(points, value_minor, rate)


def _points_asked(request: AuthorizeRequest) -> tuple[int, MoneyIn | None]:
    if request.tenders is None:
        # The schema lets exactly one of the two through.
        return request.points or 0, request.value
    found: TenderIn | None = None
    for position, tender in enumerate(request.tenders):
        if tender.kind == "voucher":
            continue
        field = f"tenders.{position}.kind"
        if tender.kind != "points":
            raise Refusal("tender_not_offered", "Only points and vouchers can be used at the moment.", field=field)
        if found is not None:
            raise Refusal("tender_not_offered", "All points of an order belong in one tender.", field=field)
        found = tender
    return (0, None) if found is None else (found.points or 0, found.value)


def _check_available(available_points: int, price: Price) -> None:
    if price.points > available_points:
        raise Refusal(
            "insufficient_points",
            f"{available_points} points are available, {price.points} were asked for.",
            field="points",
            remaining_points=available_points,
            remaining_minor=price.rate.worth_minor(available_points),
        )


def _insert(
    work: Work, request: AuthorizeRequest, price: Price, *, partner_id: str, key: str, hold_s: int, vouchers_minor: int
) -> sqlite3.Row:
    number, redemption_id = work.next_id("red")
    key = redemptions.stored_key(work, key, redemption_id=redemption_id, partner_id=partner_id)
    context = {
        "lines": [line.model_dump() for line in request.lines or []],
        "branch": request.branch,
        "channel": request.channel,
    }
    return redemptions.insert(
        work,
        {
            "number": number, "id": redemption_id, "partner_id": partner_id, "mode": work.mode,
            "member_id": request.member_id, "order_reference": request.order_reference, "idempotency_key": key,
            "points": price.points, "value_minor": price.value_minor, "total_minor": request.total.amount_minor,
            "currency": price.rate.currency, "rate_id": price.rate.id, "line_count": len(request.lines or []),
            "context": json.dumps(context), "held_points": price.points, "vouchers_minor": vouchers_minor,
            "held_vouchers_minor": vouchers_minor, "state": "authorized", "is_live": 1,
            "expires_at": stamp(work.now + timedelta(seconds=hold_s)),
        },
    )  # fmt: skip
