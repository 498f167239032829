"""What all pages have in common: frame, language, headers, and the answer to a form."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from werkzeug import Response as AnyResponse

from .pages_session import csrf_token, signed_in
from .state import sandbox
from .texts import LANGUAGES, current_language

POLICY = "default-src 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'"
_HEADERS = {
    "Content-Security-Policy": f"{POLICY}; form-action 'self'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


def show(template: str, values: Mapping[str, object], *, status: int = 200) -> Response:
    """A page."""
    return make_response(render_template(template, **values), status)


def go_to(address: str) -> AnyResponse:
    """The answer to a form: the browser fetches the page that comes next."""
    return redirect(address, 303)


def say(key: str, *, is_done: bool = True, **values: object) -> None:
    """Tell the person on the next page what became of the form."""
    flash(current_language().text(key, **values), "done" if is_done else "problem")


def protect(response: Response) -> Response:
    """The headers of every page; a page may bring its own."""
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def everywhere() -> dict[str, object]:
    """What every template can use."""
    language = current_language()
    return {
        "language": language,
        "languages": LANGUAGES.values(),
        "t": language.text,
        "csrf_token": csrf_token,
        "signed_in": signed_in(),
        "mode": sandbox().mode,
        "in_language": _in_language,
    }


def _in_language(code: str) -> str:
    """This page in another language; after a form, the way in."""
    if request.method != "GET" or request.endpoint is None:
        return url_for("pages.dashboard", lang=code)
    kept = [(name, value) for name, value in request.args.items(multi=True) if name not in ("lang", "ui_locales")]
    # Never as arguments of `url_for`, which takes some names for orders of its own.
    return f"{url_for(request.endpoint, **(request.view_args or {}))}?{urlencode([*kept, ('lang', code)])}"
