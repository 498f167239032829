"""The control plane under /sandbox: for developers and tests, from this machine only."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import datetime

from flask import Blueprint, Response, jsonify, request

from . import (
    control_bodies,
    control_elsewhere,
    control_vouchers,
    control_webhooks,
    members,
    overview,
    payouts,
    profile,
    programme,
    statements,
)
from .arithmetic import ProgrammeRate
from .clock import moment, stamp
from .control_bodies import ClockBody, FaultBody, LineBody, MemberBody, NoBody, ProfileBody, ProgrammeBody, read
from .faults import Fault
from .loopback import host_in, is_loopback
from .problems import Refusal
from .seed import DEMO_PARTNER
from .state import request_work, sandbox


def control_routes() -> Blueprint:
    """Everything below /sandbox that is JSON."""
    routes = Blueprint("control", __name__, url_prefix="/sandbox")
    routes.before_request(only_from_here)
    for method, rule, view in (
        ("POST", "/reset", reset),
        ("GET", "/members", list_members),
        ("POST", "/members", put_member),
        ("GET", "/members/<member_id>", show_member),
        ("POST", "/members/<member_id>/withdraw-consent", withdraw_consent),
        ("GET", "/clock", show_clock),
        ("POST", "/clock", move_clock),
        ("GET", "/faults", list_faults),
        ("POST", "/faults", add_fault),
        ("DELETE", "/faults", clear_faults),
        ("GET", "/entries", list_entries),
        ("GET", "/redemptions", list_redemptions),
        ("GET", "/requests", list_requests),
        ("POST", "/statement-lines", add_line),
        ("POST", "/programme", set_programme),
        ("GET", "/vouchers", control_vouchers.list_vouchers),
        ("POST", "/vouchers", control_vouchers.make_voucher),
        ("POST", "/vouchers/<voucher_id>/withdraw", control_vouchers.withdraw_voucher),
        ("GET", "/payouts", control_vouchers.list_payouts),
        ("POST", "/payouts/<payout_id>", control_vouchers.decide_payout),
        ("GET", "/profile", show_profile),
        ("POST", "/profile", play_profile),
    ):
        routes.add_url_rule(rule, view_func=view, methods=[method])
    control_elsewhere.add_routes(routes)
    control_webhooks.add_routes(routes)
    return routes


def only_from_here() -> None:
    """Refuse whoever is not on this machine, and pages of other sites in a browser that is."""
    hosts = [request.remote_addr or "", host_in(f"//{request.host}")]
    origin = request.headers.get("Origin")
    # Also a page of another port of this machine is another site's.
    is_foreign = origin is not None and origin.partition("://")[2] != request.host
    if is_foreign or not all(is_loopback(host) for host in hosts):
        raise Refusal("forbidden", "The control plane answers to this machine only.")


def reset() -> Response:
    """Back to the seed, with no faults waiting."""
    read(NoBody)
    sandbox().reset()
    return Response(status=204)


def put_member() -> Response:
    """Create a member who has agreed to the demo partner, or set one to exactly so many points."""
    body = read(MemberBody)
    if body.points is not None and body.lots is not None:
        raise Refusal("invalid_request", "lots: give either points or lots, and not both", field="lots")
    with request_work() as work:
        is_new = members.find(work, body.id) is None
        if is_new:
            members.create(work, member_id=body.id, display_name=body.display_name or body.id)
        if body.lots is not None:
            shares = [(lot.points, _expiry(lot)) for lot in body.lots]
            members.credit(work, member_id=body.id, shares=shares, reason="Opening balance")
            control_elsewhere.name_issuers(work, body.id, [lot.issued_by for lot in body.lots])
        elif body.points is not None and is_new and body.points:
            members.credit(work, member_id=body.id, shares=[(body.points, None)], reason="Opening balance")
        elif body.points is not None:
            members.set_available(work, member_id=body.id, points=body.points)
        if body.bank_account is not None:
            payouts.set_account(work, member_id=body.id, hint=body.bank_account or None)
        if body.state is not None:
            members.set_state(work, member_id=body.id, state=body.state)
        if body.consent:
            members.give_consent(work, member_id=body.id, partner_id=DEMO_PARTNER)
        shown = overview.member(work, body.id)
    response = jsonify(shown)
    response.status_code = 201 if is_new else 200
    return response


def list_members() -> Response:
    with request_work() as work:
        return jsonify({"items": overview.all_members(work), "now": work.at})


def show_member(member_id: str) -> Response:
    with request_work() as work:
        return jsonify(overview.member(work, member_id))


def withdraw_consent(member_id: str) -> Response:
    """What the member does on the provider's page."""
    read(NoBody)
    with request_work() as work:
        members.get(work, member_id)
        members.withdraw_consent(work, member_id=member_id, partner_id=DEMO_PARTNER)
    return Response(status=204)


def show_clock() -> Response:
    clock = sandbox().clock
    return jsonify({"now": stamp(clock.now()), "advanced_s": clock.advanced_s})


def move_clock() -> Response:
    """Move the clock, and let everything happen that falls due on the way."""
    now = sandbox().clock.advance(read(ClockBody).advance_s)
    sandbox().remember_clock()
    sandbox().catch_up(now)
    return show_clock()


def list_faults() -> Response:
    return jsonify({"items": [asdict(fault) for fault in sandbox().faults.waiting()]})


def add_fault() -> Response:
    body = read(FaultBody)
    after = None if body.retry_after is None else str(body.retry_after)
    fault = Fault(
        operation=body.operation, kind=body.kind, when=body.when, times=body.times, delay_s=body.delay_s,
        retry_after=after, echo=body.echo,
    )  # fmt: skip
    if fault.operation != "any" and not fault.fits(fault.operation):
        raise Refusal("invalid_request", f"kind: {fault.kind} does not fit {fault.operation}", field="kind")
    sandbox().faults.add(fault)
    response = jsonify(asdict(fault))
    response.status_code = 201
    return response


def clear_faults() -> Response:
    sandbox().faults.clear()
    return Response(status=204)


def list_entries() -> Response:
    """Every entry and their sum, which is zero. `?member_id=` narrows it to the movements of one member."""
    with request_work() as work:
        items = overview.all_entries(work, member_id=request.args.get("member_id"))
        return jsonify({"items": items, "sum": sum(int(str(item["points"])) for item in items), "now": work.at})


def list_redemptions() -> Response:
    """Redemptions, newest first. `?order_reference=` and `?member_id=` narrow it."""
    with request_work() as work:
        items = overview.all_redemptions(
            work, order_reference=request.args.get("order_reference"), member_id=request.args.get("member_id")
        )
        return jsonify({"items": items, "now": work.at})


def list_requests() -> Response:
    """The last requests of partners, newest first."""
    return jsonify({"items": sandbox().journal.newest_first()})


def set_programme() -> Response:
    """Another rate, other limits. Redemptions keep the rate they were made with."""
    body = read(ProgrammeBody)
    with request_work() as work:
        if body.rate is not None:
            if work.one("SELECT id FROM rate WHERE id = ?", body.rate.id):
                raise Refusal("invalid_request", "rate.id: this rate exists and never changes", field="rate.id")
            rate = body.rate
            programme.set_rate(work, ProgrammeRate(rate.id, rate.points, rate.amount_minor, rate.currency))
        if body.limits is not None:
            programme.set_limits(work, programme.Limits(**body.limits.model_dump()))
        rate_now = programme.current_rate(work)
        limits = programme.limits_reply(programme.limits_of(work), currency=rate_now.currency)
        return jsonify({"rate": programme.rate_reply(rate_now).model_dump(), "limits": limits.model_dump()})


def add_line() -> Response:
    """Put a line on this month's statement: a correction, or a mistake that a partner has to notice."""
    body = read(LineBody)
    with request_work() as work:
        line = statements.book_again(
            work, body.line_id, body.kind, points=body.points, amount_minor=body.amount_minor, reason=body.reason
        )
    response = jsonify(line.model_dump())
    response.status_code = 201
    return response


def show_profile() -> Response:
    """What kind of provider is played, and which there are by name."""
    with request_work() as work:
        return jsonify({**asdict(profile.current(work)), "variants": list(profile.VARIANTS)})


def play_profile() -> Response:
    """Be another kind of provider from now on: a variant by its name, in single points different if that is said."""
    body = read(ProfileBody)
    if body.name not in profile.VARIANTS:
        names = ", ".join(profile.VARIANTS)
        raise Refusal("invalid_request", f"name: one of {names}", field="name")
    changed = body.model_dump(exclude={"name"}, exclude_none=True)
    with request_work() as work:
        profile.play(work, replace(profile.VARIANTS[body.name], **changed))
    return show_profile()


def _expiry(lot: control_bodies.LotBody) -> datetime | None:
    return moment(lot.expires_at) if lot.expires_at else None
