"""The part of the control plane that is about webhooks."""

from __future__ import annotations

from dataclasses import asdict
from urllib.parse import urlsplit

from flask import Blueprint, Response, jsonify

from .control_bodies import DeliverBody, WebhookBody, read
from .loopback import is_loopback
from .problems import Refusal
from .seed import DEMO_PARTNER
from .state import request_work, sandbox
from .webhooks import Subscription, key_of, last_sequence


def add_routes(routes: Blueprint) -> None:
    """Below /sandbox/webhooks."""
    for method, rule, view in (
        ("GET", "/webhooks", list_webhooks),
        ("POST", "/webhooks", add_webhook),
        ("DELETE", "/webhooks", clear_webhooks),
        ("POST", "/webhooks/deliver", deliver),
    ):
        routes.add_url_rule(rule, view_func=view, methods=[method])


def list_webhooks() -> Response:
    """Who is told; secrets stay here."""
    items = [{"url": one.url, "when": one.when, "after": one.after} for one in sandbox().webhooks.listed()]
    return jsonify({"items": items})


def add_webhook() -> Response:
    """Push events to an address on this machine: soon, early (before the answer that they belong to), or when asked.

    With `after` also those of the log beyond that sequence; left out: what happens from now on.
    """
    body = read(WebhookBody)
    try:
        key = key_of(body.secret)
    except ValueError:
        raise Refusal("invalid_request", "secret: whsec_ and base64", field="secret") from None
    try:
        parts = urlsplit(body.url)
        is_here = parts.scheme == "http" and is_loopback(parts.hostname or "") and (parts.port or 80) > 0
    except ValueError:
        is_here = False
    if not is_here:
        raise Refusal("invalid_request", "url: an http address on this machine", field="url")
    with request_work() as work:
        after = last_sequence(work) if body.after is None else body.after
    added = Subscription(url=body.url, key=key, partner_id=DEMO_PARTNER, when=body.when, after=after)
    sandbox().webhooks.add(added, sandbox().work)
    response = jsonify({"url": added.url, "when": added.when, "after": added.after})
    response.status_code = 201
    return response


def clear_webhooks() -> Response:
    sandbox().webhooks.clear()
    return Response(status=204)


def deliver() -> Response:
    """Push what waits, now and once; with a fault as described in webhooks.py."""
    body = read(DeliverBody)
    items = sandbox().webhooks.deliver(sandbox().work, fault=body.fault)
    return jsonify({"items": [asdict(one) for one in items]})
