"""Writing the current request into the journal of requests."""

from __future__ import annotations

from flask import g, request
from werkzeug.exceptions import HTTPException

from .clock import stamp
from .journal import SeenRequest
from .state import request_now, request_work, sandbox


def note_request(status: int | None, *, replayed: bool = False) -> None:
    """Note what was asked and what was answered (None: nothing)."""
    if not sandbox().journal.is_kept or g.get("noted"):
        return
    g.noted = True
    sent = _sent()
    tenders = sent.get("tenders")
    listed = tenders if isinstance(tenders, list) else []
    first: dict[str, object] = next((one for one in listed if isinstance(one, dict) and "points" in one), {})
    points = sent.get("points", first.get("points"))
    fault = g.get("fault")
    order_reference, member_id = sent.get("order_reference"), sent.get("member_id")
    redemption_id = (request.view_args or {}).get("redemption_id")
    if redemption_id:
        with request_work() as work:
            row = work.one("SELECT order_reference, member_id FROM redemption WHERE id = ?", redemption_id)
            order_reference, member_id = (row["order_reference"], row["member_id"]) if row else (None, None)
    accrual_id = (request.view_args or {}).get("accrual_id")
    if accrual_id:
        with request_work() as work:
            row = work.one("SELECT order_reference, member_id FROM accrual WHERE id = ?", accrual_id)
            order_reference, member_id = (row["order_reference"], row["member_id"]) if row else (None, None)
    sandbox().journal.note(
        SeenRequest(
            at=stamp(request_now()),
            operation=g.operation,
            method=request.method,
            path=request.path,
            order_reference=_text(order_reference or request.args.get("order_reference")),
            member_id=_text(member_id or (request.view_args or {}).get("member_id")),
            points=points if type(points) is int else None,
            idempotency_key=request.headers.get("Idempotency-Key"),
            status=status,
            replayed=replayed,
            fault=fault.kind if fault is not None else None,
        )
    )


def _sent() -> dict[str, object]:
    """The body as far as it can be read."""
    try:
        body = request.get_json(silent=True)
    except HTTPException:
        return {}
    return body if isinstance(body, dict) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
