"""What faults look like to the one who called."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import replace

from .answering import JSON, refuse
from .call import Call, Reply
from .faults import ON_WIRE, Fault, FaultOnWire
from .problems import Refusal
from .seen import note_request

HUGE_BYTES = 8 * 1024 * 1024
BOMB_BYTES = 64 * 1024 * 1024
HTML = "text/html; charset=utf-8"
_Played = Callable[[Call, Fault], Reply]

_HTML = "<!doctype html><title>{0}</title><h1>{0}</h1><p>The page of something in between.</p>"


def instead_of_answer(call: Call, fault: Fault) -> Reply | None:
    """What is answered although nothing was executed. None: the request goes on."""
    if fault.is_in_routes:
        return None
    return _play(call, fault, _said(json.dumps({"id": "red_0000"}).encode()))


def instead_of_reply(call: Call, fault: Fault, proper: Reply) -> Reply:
    """What is answered instead of the proper reply, whose effect is committed."""
    return proper if fault.is_in_routes else _play(call, fault, proper)


def _play(call: Call, fault: Fault, proper: Reply) -> Reply:
    if fault.kind in ON_WIRE:
        note_request(call, None)
        raise FaultOnWire(fault, status=proper.status, headers=tuple(proper.headers.items()), body=proper.content)
    if fault.kind == "wrong_echo":
        return _wrong_echo(fault, proper)
    return _REPLIES[fault.kind](call, fault)


def _said(body: bytes, status: int = 200, content_type: str = JSON) -> Reply:
    return Reply(status, {"Content-Type": content_type}, body)


def _refused(code: str) -> _Played:
    def played(call: Call, fault: Fault) -> Reply:
        refused = refuse(call, Refusal(code, "Told to."))
        return refused if fault.retry_after is None else refused.saying("Retry-After", fault.retry_after)

    return played


def _text(body: str, status: int, content_type: str) -> _Played:
    return lambda call, fault: _said(body.encode(), status, content_type)


def _huge(call: Call, fault: Fault) -> Reply:
    return _said(b'{"id": "' + b"x" * HUGE_BYTES + b'"}')


def _bomb(call: Call, fault: Fault) -> Reply:
    packed = gzip.compress(b'{"id": "' + b"x" * BOMB_BYTES + b'"}', compresslevel=9)
    return _said(packed).saying("Content-Encoding", "gzip")


def _redirect(call: Call, fault: Fault) -> Reply:
    return _said(b"", 307, HTML).saying("Location", f"{call.request.path}/elsewhere")


_REPLIES: dict[str, _Played] = {
    "html_200": _text(_HTML.format("Welcome"), 200, HTML),
    "html_502": _text(_HTML.format("Bad gateway"), 502, HTML),
    "empty_200": _text("", 200, JSON),
    "other_json_200": _text('{"hello": "world"}', 200, JSON),
    "malformed_json": _text('{"id": "red_00', 200, JSON),
    "status_500": _refused("internal_error"),
    "status_503": _refused("unavailable"),
    "status_429": _refused("rate_limited"),
    "in_progress_409": _refused("operation_in_progress"),
    "huge_body": _huge,
    "gzip_bomb": _bomb,
    "redirect": _redirect,
}


def _wrong_echo(fault: Fault, proper: Reply) -> Reply:
    """The proper reply with one thing that was never asked for. A refusal stays what it is."""
    if proper.status >= 300 or proper.headers["Content-Type"] != JSON:
        return proper
    body = json.loads(proper.content)
    red = body.get("redemption", body)
    for echo, wrong in (("member_id", "mbr_other"), ("order_reference", "OTHER-1"), ("idempotency_key", "other-key")):
        if fault.echo == echo:
            red[echo] = wrong
    if fault.echo == "points":
        red["points"] = red.get("points", 0) + 1
        for tender in red.get("tenders", ()):
            if "points" in tender:
                tender["points"] += 1
    if fault.echo == "currency" and "value" in red:
        red["value"]["currency"] = "XTS"
    return replace(proper, body=json.dumps(body).encode())
