"""The documentation of the API as a page that needs nothing from elsewhere."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from flask import Blueprint, Response

from . import pages_frame

# The library styles what it draws by itself, and searches in a worker.
_POLICY = pages_frame.POLICY + "; style-src 'self' 'unsafe-inline'; img-src 'self' data:; worker-src 'self' blob:"
# A picture in the library's corner that it would fetch from its maker's server; without it there is none.
_PICTURE_ELSEWHERE = "https://cdn.redoc.ly/redoc/logo-mini.svg"


def add_to(routes: Blueprint) -> None:
    """/docs."""
    routes.add_url_rule("/docs", view_func=docs)
    routes.add_url_rule("/docs/redoc.js", view_func=redoc)


def docs() -> Response:
    """What openapi.json says, for people."""
    page = pages_frame.show("docs.html", {})
    page.headers["Content-Security-Policy"] = _POLICY
    return page


def redoc() -> Response:
    """The library that draws the page."""
    return Response(_script(), mimetype="text/javascript", headers={"Cache-Control": "max-age=3600"})


@cache
def _script() -> str:
    script = files("flask_openapi3_redoc") / "templates" / "redoc" / "js" / "redoc.standalone.js"
    return script.read_text("utf-8").replace(_PICTURE_ELSEWHERE, "data:,")
