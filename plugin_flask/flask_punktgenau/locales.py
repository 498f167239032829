"""Which language a page speaks: the shop's loader, else Flask-Babel where the shop uses it, else the browser's wish."""

from __future__ import annotations

import re
import sys
from datetime import tzinfo

from flask import current_app, has_request_context, request

from flask_punktgenau.formatting import FALLBACK, LANGUAGES
from flask_punktgenau.language import Language
from flask_punktgenau.state import AppState

_TAG = re.compile(r"[A-Za-z]{2}(-[A-Za-z]{4})?(-[A-Za-z]{2})?")


def current_language(state: AppState, *, locale: str | None = None) -> Language:
    """How to speak now; `locale` overrides, for a mail to somebody else than the one whose request this is."""
    return Language(locale or _locale(state), _timezone(state))


def _locale(state: AppState) -> str:
    loaded = state.loaders.locale() if state.loaders.locale is not None else None
    if loaded:
        return loaded
    babel = _from_flask_babel("get_locale")
    if babel is not None:
        return str(babel)
    if has_request_context():
        # By the browser's own order: best_match() would put an exact match of a lower wish before "de-AT" for "de".
        for wanted, _quality in request.accept_languages:
            if _TAG.fullmatch(wanted) and wanted[:2].lower() in LANGUAGES:
                return wanted
    return FALLBACK


def _timezone(state: AppState) -> tzinfo | str | None:
    if state.config.timezone is not None:
        return state.config.timezone
    zone = _from_flask_babel("get_timezone")
    return zone if isinstance(zone, tzinfo) else None


def _from_flask_babel(name: str) -> object:
    # Looked up, not imported: a shop that uses it has it loaded, and others need not have it installed.
    module = sys.modules.get("flask_babel")
    if module is None or "babel" not in current_app.extensions:
        return None
    return getattr(module, name)()
