"""Who stands behind the counter: one clerk, signed in by a click, as everybody is in this demo."""

from flask import session

_KEY = "clerk"
NAME = "counter-1"
"""What the books say of who decided."""


def current() -> str | None:
    """The clerk in this browser, or None."""
    return NAME if session.get(_KEY) == NAME else None


def sign_in() -> None:
    session[_KEY] = NAME


def sign_out() -> None:
    session.pop(_KEY, None)
