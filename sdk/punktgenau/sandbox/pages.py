"""The pages for people: sign-in and consent, a member's own page, the overview. From this machine only."""

from __future__ import annotations

from flask import Blueprint, Flask, Response, redirect
from werkzeug import Response as AnyResponse
from werkzeug.exceptions import HTTPException

from . import pages_account, pages_actions, pages_consent, pages_dashboard, pages_docs, pages_frame, pages_session
from .consent_request import CannotAnswer, SendBack
from .control import only_from_here
from .pages_session import StaleForm
from .problems import Refusal


def register_pages(app: Flask) -> None:
    """Put the pages into the application, with a session of their own."""
    pages_session.set_up(app)
    routes = Blueprint("pages", __name__)
    for step in (only_from_here, pages_session.recall_member, pages_session.check_form):
        routes.before_request(step)
    routes.after_request(pages_frame.protect)
    routes.context_processor(pages_frame.everywhere)
    routes.register_error_handler(Refusal, _refused)
    routes.register_error_handler(CannotAnswer, _cannot_answer)
    routes.register_error_handler(SendBack, _send_back)
    routes.register_error_handler(StaleForm, _stale_form)
    routes.register_error_handler(HTTPException, _http_problem)
    for part in (pages_consent, pages_account, pages_dashboard, pages_actions, pages_docs):
        part.add_to(routes)
    app.register_blueprint(routes)


def _problem_page(text_key: str, status: int) -> Response:
    return pages_frame.show("problem.html", {"key": text_key}, status=status)


def _refused(refusal: Refusal) -> Response:
    known = {"forbidden": "problem.not_from_here", "not_found": "problem.not_found"}
    return _problem_page(known.get(refusal.code, "problem.refused"), refusal.kind.status)


def _cannot_answer(error: CannotAnswer) -> Response:
    return _problem_page(error.text_key, 400)


def _send_back(error: SendBack) -> AnyResponse:
    return redirect(error.address, 303)


def _stale_form(error: StaleForm) -> Response:
    return _problem_page("problem.stale_form", 400)


def _http_problem(error: HTTPException) -> Response:
    return _problem_page("problem.not_found" if error.code == 404 else "problem.refused", error.code or 500)
