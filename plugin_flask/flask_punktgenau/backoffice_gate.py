"""Who may come in: nobody whom the shop's `operator_loader` does not name. And what every page of the office needs."""

from __future__ import annotations

from dataclasses import dataclass

from flask import abort, g, make_response, render_template, request, url_for
from werkzeug import Response
from werkzeug.exceptions import ServiceUnavailable

from flask_punktgenau import csrf
from flask_punktgenau.answers import make_private
from flask_punktgenau.backoffice_language import OfficeLanguage
from flask_punktgenau.locales import current_language
from flask_punktgenau.panel import CsrfField
from flask_punktgenau.problems import status_of
from flask_punktgenau.state import current_state, logger
from flask_punktgenau.urls import static_url
from punktgenau.checkout.attention import Attention
from punktgenau.checkout.earning.told import told_state
from punktgenau.checkout.moments import moment
from punktgenau.checkout.office import Office
from punktgenau.errors import ConfigurationError, PunktgenauError
from punktgenau.money import Money

OFFICE = "punktgenau_office"
"""The blueprint's name."""
BODY_LENGTH_MAX = 64 * 1024
FILE_LENGTH_MAX = 2 * 1024 * 1024
"""A month's statement as a file: as many lines as a page takes on, and room."""
OPERATOR_LENGTH_MAX = 200
_OPERATOR = "_punktgenau_operator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What stands around every page: who is at work, where one can go, how much needs a person."""

    operator: str
    style: str
    here: str
    csrf: CsrfField
    attention: Attention | None
    problem: str = ""
    done: str = ""


def let_in() -> None:
    """Before every request to the office. Deny by default: no loader, or no operator, and there is nothing here."""
    loader = current_state().loaders.operator
    operator = loader() if loader is not None else None
    if operator is None:
        abort(404)
    if not isinstance(operator, str) or not 1 <= len(operator) <= OPERATOR_LENGTH_MAX or not operator.isprintable():
        raise ConfigurationError(
            f"operator_loader must return a printable text of 1 to {OPERATOR_LENGTH_MAX} characters, or None.",
            field="operator_loader",
        )
    setattr(g, _OPERATOR, operator)
    request.max_content_length = FILE_LENGTH_MAX if request.endpoint == f"{OFFICE}.compare" else BODY_LENGTH_MAX
    if request.method == "POST":
        csrf.check()


def keep_private(response: Response) -> Response:
    """After every request: kept nowhere, framed by nobody, and no search engine looks."""
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return make_private(response)


def operator() -> str:
    """Who is at work; recorded with everything that is changed."""
    name: str = getattr(g, _OPERATOR)
    return name


def office() -> Office:
    """The engine's side of the office. Raises ConfigurationError with code points_off while points are not set up."""
    return Office(current_state().require())


def language() -> OfficeLanguage:
    """How to speak to this operator."""
    spoken = current_language(current_state())
    return OfficeLanguage(spoken.locale, spoken.timezone)


def page(
    template: str, *, here: str, status: int = 200, error: PunktgenauError | None = None, **view: object
) -> Response:
    """A page of the office; `error` is told at its top."""
    t = language()
    done = request.args.get("done", "") if request.method == "GET" else ""
    frame = Frame(
        operator=operator(),
        style=static_url("admin.css"),
        here=here,
        csrf=csrf.form_field(),
        attention=_attention(),
        problem="" if error is None else problem_text(t, error),
        done=t.done(done) if done in DEEDS else "",
    )
    text = render_template(
        f"punktgenau/admin/{template}",
        frame=frame,
        t=t,
        to=to,
        amount=_amount,
        moment=moment,
        told_state=told_state,
        **view,
    )
    return make_response(text, status if error is None else status_of(error, as_page=True))


def problem_response(error: PunktgenauError) -> Response:
    """The page for an error that no page of the office has told itself."""
    logger.info("the back office answered with a problem: %s", error.brief)
    if not hasattr(g, _OPERATOR):
        # Refused before anybody was let in: nothing of the office is shown.
        return ServiceUnavailable().get_response(request.environ)
    return page("problem.html", here="", error=error)


def problem_text(t: OfficeLanguage, error: PunktgenauError) -> str:
    """What went wrong, for an operator: what became of the deed, and why."""
    return f"{t.gettext('office.outcome.' + error.outcome)} {t.error(error)}"


def to(page_name: str, **values: object) -> str:
    """The URL of a page of the office."""
    return url_for(f"{OFFICE}.{page_name}", **values)  # type: ignore[arg-type]


DEEDS = ("retry", "resolve", "cancel", "refund", "money", "settle", "settle_due", "compare", "decide")
"""What an operator can have done, as the address says afterwards."""


def _amount(amount_minor: int, currency: str) -> Money:
    return Money(amount_minor=amount_minor, currency=currency)


def _attention() -> Attention | None:
    """How much needs a person; None where the journal does not answer: the page says so by itself."""
    try:
        return office().counts()
    except PunktgenauError:
        return None
