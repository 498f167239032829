"""What can be done on the overview: move the clock, add and change members, faults, begin again."""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, request, url_for
from pydantic import ValidationError
from werkzeug import Response as AnyResponse

from . import members, pages_frame, pages_rows, profile
from .control_bodies import ClockBody, FaultBody, MemberBody
from .faults import Fault
from .pages_frame import say
from .seed import DEMO_PARTNER
from .state import request_work, sandbox


def add_to(routes: Blueprint) -> None:
    """Forms of the overview."""
    for rule, view in (
        ("/clock", move_clock),
        ("/members", add_member),
        ("/members/<path:member_id>/points", set_points),
        ("/members/<path:member_id>/state", set_state),
        ("/members/<path:member_id>/consent", set_consent),
        ("/faults", add_fault),
        ("/faults/clear", clear_faults),
        ("/profile", play_profile),
        ("/reset", reset),
    ):
        routes.add_url_rule(rule, view_func=view, methods=["POST"])


def move_clock() -> AnyResponse:
    """Move on, and let everything happen that falls due on the way."""
    try:
        body = ClockBody(advance_s=_number("advance_s"))
    except ValidationError:
        return _not_done("said.no_number")
    now = sandbox().clock.advance(body.advance_s)
    sandbox().remember_clock()
    sandbox().catch_up(now)
    say("said.clock")
    return pages_frame.go_to(url_for("pages.dashboard"))


def add_member() -> AnyResponse:
    """A new member with points that never expire."""
    try:
        body = MemberBody(
            id=request.form.get("member_id", "").strip(),
            points=_number("points"),
            display_name=request.form.get("display_name", "").strip() or None,
            consent="consent" in request.form,
        )
    except ValidationError:
        return _not_done("said.no_member")
    with request_work() as work:
        is_new = members.find(work, body.id) is None
        if is_new:
            members.create(work, member_id=body.id, display_name=body.display_name or body.id)
            if body.points:
                members.credit(work, member_id=body.id, shares=[(body.points, None)], reason="Opening balance")
            if body.consent and pages_rows.has_partner(work, DEMO_PARTNER):
                members.give_consent(work, member_id=body.id, partner_id=DEMO_PARTNER)
    say("said.member" if is_new else "said.member_exists", is_done=is_new, member=body.id)
    return pages_frame.go_to(url_for("pages.member", member_id=body.id))


def set_points(member_id: str) -> AnyResponse:
    """Bring what is available to exactly so many points. Raises Refusal not_found."""
    try:
        body = MemberBody(id=member_id, points=_number("points"))
    except ValidationError:
        return _not_done("said.no_number", member_id=member_id)
    with request_work() as work:
        members.get(work, member_id)
        members.set_available(work, member_id=member_id, points=body.points or 0)
    say("said.points")
    return pages_frame.go_to(url_for("pages.member", member_id=member_id))


def set_state(member_id: str) -> AnyResponse:
    """Block the account, or let it be used again. Raises Refusal not_found."""
    state = "blocked" if request.form.get("state") == "blocked" else "active"
    with request_work() as work:
        members.get(work, member_id)
        members.set_state(work, member_id=member_id, state=state)
    say(f"said.{state}")
    return pages_frame.go_to(url_for("pages.member", member_id=member_id))


def set_consent(member_id: str) -> AnyResponse:
    """What the member could do: agree to the demo partner, or withdraw. Raises Refusal not_found."""
    is_given = request.form.get("consent") == "given"
    with request_work() as work:
        members.get(work, member_id)
        if is_given and pages_rows.has_partner(work, DEMO_PARTNER):
            members.give_consent(work, member_id=member_id, partner_id=DEMO_PARTNER)
        else:
            members.withdraw_consent(work, member_id=member_id, partner_id=request.form.get("partner_id", DEMO_PARTNER))
    say("said.given" if is_given else "said.withdrawn")
    return pages_frame.go_to(url_for("pages.member", member_id=member_id))


def add_fault() -> AnyResponse:
    """Let something go wrong with the next requests of an operation."""
    sent = {name: request.form.get(name, "") for name in ("operation", "kind", "when")}
    try:
        body = FaultBody.model_validate({**sent, "times": _number("times")})
    except ValidationError:
        return _not_done("said.no_fault")
    fault = Fault(operation=body.operation, kind=body.kind, when=body.when, times=body.times)
    fault = replace(fault, when=fault.moment)
    if fault.operation != "any" and not fault.fits(fault.operation):
        return _not_done("said.unfit_fault", kind=fault.kind, operation=fault.operation)
    sandbox().faults.add(fault)
    say("said.fault")
    return pages_frame.go_to(url_for("pages.dashboard"))


def clear_faults() -> AnyResponse:
    """From now on everything is answered as it should be."""
    sandbox().faults.clear()
    say("said.cleared")
    return pages_frame.go_to(url_for("pages.dashboard"))


def play_profile() -> AnyResponse:
    """Be another kind of provider from now on."""
    chosen = profile.VARIANTS.get(request.form.get("name", ""), profile.REFERENCE)
    with request_work() as work:
        profile.play(work, chosen)
    say("said.profile", name=chosen.name)
    return pages_frame.go_to(url_for("pages.dashboard"))


def reset() -> AnyResponse:
    """Back to the demo members, with no faults waiting."""
    sandbox().reset()
    say("said.reset")
    return pages_frame.go_to(url_for("pages.dashboard"))


def _number(name: str) -> int:
    """A whole number in plain digits; anything else is -1, which nothing here takes."""
    text = request.form.get(name, "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else -1


def _not_done(key: str, *, member_id: str | None = None, **values: object) -> AnyResponse:
    say(key, is_done=False, **values)
    if member_id is not None:
        return pages_frame.go_to(url_for("pages.member", member_id=member_id))
    return pages_frame.go_to(url_for("pages.dashboard"))
