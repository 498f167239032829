"""The overview for developers, and the pages behind it: one member, one redemption, ledger, requests, events."""

from __future__ import annotations

from typing import get_args

from flask import Blueprint, Response, request

from . import faults, ledger, members, pages_frame, pages_rows, profile, programme, redemptions, reversals
from .clock import stamp
from .problems import Refusal
from .state import request_now, request_work, sandbox

FEW = 8
MANY = 100
MOST_MEMBERS = 50


def add_to(routes: Blueprint) -> None:
    """/ and what is behind it."""
    routes.add_url_rule("/", view_func=dashboard)
    routes.add_url_rule("/members/<path:member_id>", view_func=member)
    routes.add_url_rule("/redemptions/<redemption_id>", view_func=redemption)
    routes.add_url_rule("/ledger", view_func=entries)
    routes.add_url_rule("/requests", view_func=requests)
    routes.add_url_rule("/events", view_func=events)


def dashboard() -> Response:
    """Everything at a glance."""
    with request_work() as work:
        values: dict[str, object] = {
            "members": pages_rows.all_members(work, limit=MOST_MEMBERS),
            "holds": pages_rows.live_holds(work, limit=MANY),
            "redemptions": pages_rows.redemptions(work, limit=FEW),
            "accounts": pages_rows.accounts(work),
            "sum": pages_rows.sum_of_entries(work),
            "movements": pages_rows.movements(work, limit=FEW),
            "events": pages_rows.events(work, limit=FEW),
            "counts": pages_rows.counts(work),
            "played": profile.current(work).name,
        }
    values["requests"] = sandbox().journal.newest_first()[:FEW]
    values["operations"] = ("any", *get_args(faults.Operation))
    values["kinds"] = faults.KINDS
    values["variants"] = tuple(profile.VARIANTS)
    return _show("dashboard.html", values)


def member(member_id: str) -> Response:
    """What the books say about a member. Raises Refusal not_found."""
    with request_work() as work:
        values: dict[str, object] = {
            "member": members.get(work, member_id),
            "available": ledger.available_points(work, member_id),
            "held": ledger.held_points(work, member_id),
            "owed": ledger.owed_points(work, member_id),
            "pending": pages_rows.pending(work, member_id),
            "accruals": pages_rows.accruals(work, member_id=member_id, limit=MANY),
            "lots": pages_rows.open_lots(work, member_id),
            "consents": members.consents_of(work, member_id),
            "holds": pages_rows.live_holds(work, member_id=member_id, limit=MANY),
            "redemptions": pages_rows.redemptions(work, member_id=member_id, limit=MANY),
            "movements": pages_rows.movements(work, member_id=member_id, limit=MANY),
        }
    return _show("member.html", values)


def redemption(redemption_id: str) -> Response:
    """What became of a redemption, told from its first hold on. Raises Refusal not_found."""
    with request_work() as work:
        row = redemptions.find(work, redemption_id)
        if row is None:
            raise Refusal("not_found", "There is no such redemption.")
        values: dict[str, object] = {
            "red": row,
            "key": redemptions.key_of(row),
            "member": members.find(work, row["member_id"]),
            "rate": programme.known_rate(work, row["rate_id"]),
            "holds": [row] if redemptions.is_holding(row) else [],
            "vouchers": pages_rows.voucher_tenders(work, redemption_id),
            "reversals": reversals.of_redemption(work, redemption_id),
            "movements": pages_rows.movements(work, redemption_id=redemption_id, limit=MANY)[::-1],
            "events": pages_rows.events(work, redemption_id=redemption_id, limit=MANY)[::-1],
        }
    seen = [one for one in sandbox().journal.newest_first() if one["order_reference"] == row["order_reference"]]
    values["requests"] = seen[::-1] if row["order_reference"] else []
    return _show("redemption.html", values)


def entries() -> Response:
    """The ledger, movement by movement, newest first."""
    before = request.args.get("before", type=int)
    with request_work() as work:
        found = pages_rows.movements(work, before=before, limit=MANY)
        values: dict[str, object] = {
            "accounts": pages_rows.accounts(work),
            "sum": pages_rows.sum_of_entries(work),
            "movements": found,
            "before": before,
            "older": found[-1]["number"] if len(found) == MANY else None,
        }
    return _show("ledger.html", values)


def requests() -> Response:
    """What partners asked lately."""
    return _show("requests.html", {"requests": sandbox().journal.newest_first()})


def events() -> Response:
    """What partners were told, or can ask for."""
    with request_work() as work:
        return _show("events.html", {"events": pages_rows.events(work, limit=MANY)})


def _show(template: str, values: dict[str, object]) -> Response:
    clock, waiting = sandbox().clock, sandbox().faults.waiting()
    frame = {"now": stamp(request_now()), "advanced_s": clock.advanced_s, "faults": waiting}
    return pages_frame.show(template, {**frame, **values})
