"""What faults look like to the one who called."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable

from flask import Response, request

from .answering import refuse
from .faults import ON_WIRE, Fault, FaultOnWire
from .problems import Refusal
from .seen import note_request

HUGE_BYTES = 8 * 1024 * 1024
BOMB_BYTES = 64 * 1024 * 1024

_HTML = "<!doctype html><title>{0}</title><h1>{0}</h1><p>The page of something in between.</p>"


def instead_of_answer(fault: Fault) -> Response | None:
    """What is answered although nothing was executed. None: the request goes on."""
    if fault.is_in_routes:
        return None
    return _play(fault, Response(json.dumps({"id": "red_0000"}), 200, mimetype="application/json"))


def instead_of_reply(fault: Fault, response: Response) -> Response:
    """What is answered instead of the proper reply, whose effect is committed."""
    return response if fault.is_in_routes else _play(fault, response)


def _play(fault: Fault, proper: Response) -> Response:
    if fault.kind in ON_WIRE:
        note_request(None)
        headers = tuple(proper.headers.items())
        raise FaultOnWire(fault, status=proper.status_code, headers=headers, body=proper.get_data())
    if fault.kind == "wrong_echo":
        return _wrong_echo(fault, proper)
    return _REPLIES[fault.kind](fault)


def _refused(code: str) -> Callable[[Fault], Response]:
    def played(fault: Fault) -> Response:
        response = refuse(Refusal(code, "Told to."))
        if fault.retry_after is not None:
            response.headers["Retry-After"] = fault.retry_after
        return response

    return played


def _text(body: str, status: int, mimetype: str) -> Callable[[Fault], Response]:
    return lambda fault: Response(body, status, mimetype=mimetype)


def _huge(fault: Fault) -> Response:
    return Response(b'{"id": "' + b"x" * HUGE_BYTES + b'"}', 200, mimetype="application/json")


def _bomb(fault: Fault) -> Response:
    packed = gzip.compress(b'{"id": "' + b"x" * BOMB_BYTES + b'"}', compresslevel=9)
    return Response(packed, 200, {"Content-Encoding": "gzip"}, mimetype="application/json")


def _redirect(fault: Fault) -> Response:
    return Response(b"", 307, {"Location": f"{request.path}/elsewhere"})


_REPLIES: dict[str, Callable[[Fault], Response]] = {
    "html_200": _text(_HTML.format("Welcome"), 200, "text/html"),
    "html_502": _text(_HTML.format("Bad gateway"), 502, "text/html"),
    "empty_200": _text("", 200, "application/json"),
    "other_json_200": _text('{"hello": "world"}', 200, "application/json"),
    "malformed_json": _text('{"id": "red_00', 200, "application/json"),
    "status_500": _refused("internal_error"),
    "status_503": _refused("unavailable"),
    "status_429": _refused("rate_limited"),
    "in_progress_409": _refused("operation_in_progress"),
    "huge_body": _huge,
    "gzip_bomb": _bomb,
    "redirect": _redirect,
}


def _wrong_echo(fault: Fault, proper: Response) -> Response:
    """The proper reply with one thing that was never asked for. A refusal stays what it is."""
    body = proper.get_json(silent=True)
    if proper.status_code >= 300 or not isinstance(body, dict):
        return proper
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
    proper.set_data(json.dumps(body))
    return proper
