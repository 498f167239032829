"""Where a person goes next: only ever to a page of this shop."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import redirect, request
from werkzeug import Response
from werkzeug.exceptions import RequestEntityTooLarge

_LENGTH_MAX = 2000


def local_path(candidate: str | None) -> str | None:
    """The candidate if it is a path on this host, else None.

    Browsers read a backslash as a slash and skip control characters, so neither may be in it.
    """
    if not candidate or len(candidate) > _LENGTH_MAX or "\\" in candidate:
        return None
    if not candidate.startswith("/") or candidate.startswith("//"):
        return None
    if any(character <= " " or character == "\x7f" for character in candidate):
        return None
    return candidate


def this_page() -> str:
    """The path and query of the page that is being made."""
    path = request.script_root + request.path
    query = request.query_string.decode("latin-1")
    return local_path(f"{path}?{query}" if query else path) or request.script_root + "/"


def next_page() -> str:
    """Where a form of ours returns to: its `next`, else the page it was on, else the shop's front page."""
    return local_path(_given_page()) or _referring_page() or request.script_root + "/"


def see_other(path: str) -> Response:
    """A 303 answer: the browser goes there with GET, and a reload repeats nothing."""
    return redirect(path, 303)


def _given_page() -> str | None:
    try:
        given = request.form.get("next") if request.method == "POST" else None
    except RequestEntityTooLarge:
        # Asked while another refusal of the same form is answered, which this must not turn into an error.
        given = None
    return given or request.args.get("next")


def _referring_page() -> str | None:
    if not request.referrer:
        return None
    try:
        referring = urlsplit(request.referrer)
    except ValueError:
        return None
    if referring.netloc != request.host:
        return None
    return local_path(f"{referring.path}?{referring.query}" if referring.query else referring.path)
