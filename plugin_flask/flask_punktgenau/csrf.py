"""Forms of ours are accepted only from pages of this shop: a token bound to the session, and the browser's own word.

Where the shop protects its forms with Flask-WTF, its token and its check are used instead of ours. Besides, keep
`SESSION_COOKIE_SAMESITE = "Lax"`: then other sites' forms arrive without the session in the first place.
"""

from __future__ import annotations

from functools import lru_cache
from hmac import compare_digest
from typing import Protocol
from urllib.parse import urlsplit

from flask import Flask, current_app, g, request, session
from itsdangerous import BadSignature, TimestampSigner
from werkzeug.exceptions import BadRequest

from flask_punktgenau.answers import wants_json
from flask_punktgenau.panel import CsrfField
from flask_punktgenau.session import keep
from flask_punktgenau.state import current_state
from punktgenau.errors import ConfigurationError, InvalidArgumentError

FIELD = "punktgenau_csrf"
HEADERS = ("X-Punktgenau-CSRF", "X-CSRFToken")
"""Where scripts send the token of `form_field()`; the second is the name that many of them send anyway."""
NONCE = "_punktgenau_csrf"
TOKEN_AGE_MAX_S = 24 * 3600
_SALT = "punktgenau-csrf"


class _HostProtection(Protocol):
    def protect(self) -> None: ...


def form_field() -> CsrfField:
    """The hidden field for a form of ours, in the shop's own kind where it has one."""
    if _host_protection(current_app) is not None:
        make_token = current_app.jinja_env.globals["csrf_token"]
        name = str(current_app.config.get("WTF_CSRF_FIELD_NAME", "csrf_token"))
        return CsrfField(name=name, value=str(make_token()))  # type: ignore[operator]  # a global of Flask-WTF's
    nonce = session.get(NONCE)
    if not isinstance(nonce, str):
        nonce = current_state().clock.random_bytes(16).hex()
        keep(NONCE, nonce)
    return CsrfField(name=FIELD, value=_signer().sign(nonce).decode())


def check() -> None:
    """Refuse a writing request that does not come from a form of ours in this browser session.

    Raises InvalidArgumentError with code form_expired, or for a page's form what Flask-WTF raises.
    """
    if not _from_this_site():
        raise _refused("The form was sent from another site.")
    protection = _host_protection(current_app)
    if protection is not None:
        if not g.get("csrf_valid", False):
            _protect(protection)
        return
    token = request.form.get(FIELD) or next((request.headers[name] for name in HEADERS if name in request.headers), "")
    try:
        nonce = _signer().unsign(token, max_age=TOKEN_AGE_MAX_S)
    except BadSignature as error:
        raise _refused(
            f"The form's token is missing, altered or too old. Send {FIELD} of a page of this session as a field of "
            f"the form, or in the header {' or '.join(HEADERS)}."
        ) from error
    if not compare_digest(nonce, str(session.get(NONCE, "")).encode()):
        raise _refused(f"The token is of another browser session. Send {FIELD} of a page of this session.")


def _refused(message: str) -> InvalidArgumentError:
    return InvalidArgumentError(message, code="form_expired", field="csrf")


def _protect(protection: _HostProtection) -> None:
    try:
        protection.protect()
    except BadRequest as error:
        if not wants_json():
            raise
        names = current_app.config.get("WTF_CSRF_HEADERS") or ["X-CSRFToken"]
        raise _refused(f"{error.description} Send the shop's token in the header {names[0]}.") from error


def _host_protection(app: Flask) -> _HostProtection | None:
    if not app.config.get("WTF_CSRF_ENABLED", True) or "csrf_token" not in app.jinja_env.globals:
        return None
    protection = app.extensions.get("csrf")
    return protection if callable(getattr(protection, "protect", None)) else None


def _from_this_site() -> bool:
    fetch_site = request.headers.get("Sec-Fetch-Site")
    if fetch_site is not None:
        # The browser's own comparison: right even behind a proxy that rewrites the host.
        if fetch_site == "same-origin":
            return True
        if fetch_site != "same-site":
            return fetch_site == "none"
    stated = request.headers.get("Origin") or request.referrer
    if stated is None:
        return True
    try:
        return urlsplit(stated).netloc == request.host
    except ValueError:
        return False


def _signer() -> TimestampSigner:
    secret_key = current_app.secret_key
    if not secret_key:
        raise ConfigurationError("Points need signed forms: set SECRET_KEY.", field="SECRET_KEY")
    fallbacks = current_app.config.get("SECRET_KEY_FALLBACKS") or []
    return _signer_of((*fallbacks, secret_key))


@lru_cache(maxsize=8)
def _signer_of(secret_keys: tuple[str | bytes, ...]) -> TimestampSigner:
    return TimestampSigner([key.encode() if isinstance(key, str) else key for key in secret_keys], salt=_SALT)
