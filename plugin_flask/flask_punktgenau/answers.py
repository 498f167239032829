"""How a request wants its answer, and the headers of what is only for this customer."""

from __future__ import annotations

from flask import Request, after_this_request, request
from werkzeug import Response

# Not a content security policy: that is the shop's, and ours would stand in the place of it.
_PRIVATE = (
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "SAMEORIGIN"),
    ("Referrer-Policy", "same-origin"),
)
_VARY = ("Cookie", "Accept", "Accept-Language")


def wants_json() -> bool:
    """Whether a script is asking: it sends JSON, or prefers it to a page."""
    return _prefers_json(request)


def make_private(response: Response) -> Response:
    """Never to be kept by browser or proxy, different for everybody, and in no frame of another site."""
    headers = response.headers
    given = {name.lower() for name, _ in headers}
    headers["Cache-Control"] = "no-store"
    for name, value in _PRIVATE:
        if name.lower() not in given:
            headers.add(name, value)
    if "vary" in given:
        response.vary.update(_VARY)
    else:
        headers.add("Vary", ", ".join(_VARY))
    return response


def keep_page_private() -> None:
    """The page that is being made shows somebody's points: no proxy keeps it, unless the shop itself says so."""

    @after_this_request
    def _private(response: Response) -> Response:
        response.headers.setdefault("Cache-Control", "no-store")
        return response


def _prefers_json(asking: Request) -> bool:
    if asking.is_json:
        return True
    accepted = asking.accept_mimetypes
    if not accepted:
        return False
    return max(accepted["application/json"], accepted["application/problem+json"]) > accepted["text/html"]
