"""Writing the current request into the journal of requests."""

from __future__ import annotations

from .call import Call
from .clock import stamp
from .journal import SeenRequest


def note_request(call: Call, status: int | None, *, replayed: bool = False) -> None:
    """Note what was asked and what was answered (None: nothing)."""
    if not call.provider.journal.is_kept or call.is_noted:
        return
    call.is_noted = True
    sent: dict[str, object] = call.json if isinstance(call.json, dict) else {}
    tenders = sent.get("tenders")
    listed = tenders if isinstance(tenders, list) else []
    first: dict[str, object] = next((one for one in listed if isinstance(one, dict) and "points" in one), {})
    points = sent.get("points", first.get("points"))
    order_reference, member_id = sent.get("order_reference"), sent.get("member_id")
    for table in ("redemption", "accrual"):
        if row_id := call.named.get(f"{table}_id"):
            with call.work() as work:
                row = work.one(f"SELECT order_reference, member_id FROM {table} WHERE id = ?", row_id)
                order_reference, member_id = (row["order_reference"], row["member_id"]) if row else (None, None)
    call.provider.journal.note(
        SeenRequest(
            at=stamp(call.now),
            operation=call.operation,
            method=call.request.method,
            path=call.request.path,
            order_reference=_text(order_reference or call.request.args.get("order_reference")),
            member_id=_text(member_id or call.named.get("member_id")),
            points=points if type(points) is int else None,
            idempotency_key=call.key,
            status=status,
            replayed=replayed,
            fault=call.fault.kind if call.fault is not None else None,
        )
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
