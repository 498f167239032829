"""Every form of the shop carries a token that is bound to the browser's session."""

import secrets

from flask import Flask, abort, current_app, request, session
from itsdangerous import BadSignature, URLSafeSerializer
from markupsafe import Markup

_KEY = "csrf"
_FIELD = "csrf_token"


def init_app(app: Flask, *, exempt_blueprints: frozenset[str] = frozenset()) -> None:
    """Check every writing request, except those of blueprints that protect their own forms."""

    @app.before_request
    def check() -> None:
        if request.method in ("GET", "HEAD", "OPTIONS") or request.blueprint in exempt_blueprints:
            return
        try:
            nonce = _signer().loads(request.form.get(_FIELD, ""))
        except BadSignature:
            abort(400)
        if not secrets.compare_digest(str(nonce), str(session.get(_KEY, ""))):
            abort(400)

    app.jinja_env.globals["csrf_field"] = field


def field() -> Markup:
    nonce = session.setdefault(_KEY, secrets.token_urlsafe(16))
    return Markup('<input type="hidden" name="{}" value="{}">').format(_FIELD, _signer().dumps(nonce))


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(str(current_app.secret_key), salt="csrf")
