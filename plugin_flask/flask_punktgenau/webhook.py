"""`POST /points/webhook`: the provider's events, verified over the raw bytes and written down; nothing else happens.

204: taken, for the first time or again. 401: not signed by the provider, too old, or no event. 404: no secret is
configured, so there is no such door. 413: too big. 503: could not be written down; the provider says it again.
"""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, abort, current_app, make_response, request
from werkzeug import Response
from werkzeug.exceptions import RequestEntityTooLarge

from flask_punktgenau.problems import problem_json
from flask_punktgenau.state import current_state, logger
from flask_punktgenau.urls import BLUEPRINT
from punktgenau.errors import PunktgenauError, WebhookSignatureError
from punktgenau.webhooks import verify

ENDPOINT = f"{BLUEPRINT}.webhook"
BODY_LENGTH_MAX = 64 * 1024


def add_routes(pages: Blueprint) -> None:
    """The door, and what it needs of a shop that guards its forms."""
    pages.url_value_preprocessor(_without_form_token)
    pages.post("/webhook")(webhook)


def is_webhook() -> bool:
    """Whether the current request comes by this door: from a server, without session and form token."""
    return request.endpoint == ENDPOINT


def webhook() -> Response:
    """Take one event."""
    state = current_state()
    if not state.config.webhook_secrets:
        abort(404)
    request.max_content_length = BODY_LENGTH_MAX
    try:
        body = request.get_data(cache=False)
        event = verify(body, request.headers, secrets=state.config.webhook_secrets, now=state.clock.now())
        heard = state.require().hear(event)
    except RequestEntityTooLarge:
        return make_response("", 413)
    except WebhookSignatureError as error:
        # Why, is for the log: who knocks is told the same whatever was wrong.
        logger.warning("a webhook was refused: %s", error.brief)
        return problem_json(state, error, status=401)
    except PunktgenauError as error:
        logger.error("a webhook could not be taken: %s", error.brief)
        return problem_json(state, error, status=503)
    logger.info("heard %s: %s", event.type, heard)
    return make_response("", 204)


def _without_form_token(endpoint: str | None, values: dict[str, object] | None) -> None:
    """Runs before the shop's own before_request functions, whichever of the two extensions was set up first."""
    if endpoint == ENDPOINT:
        exempt: Callable[[str], object] | None = getattr(current_app.extensions.get("csrf"), "exempt", None)
        if exempt is not None:
            exempt(f"{webhook.__module__}.{webhook.__name__}")
