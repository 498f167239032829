"""What may be logged: operation, status, time, and identifiers cut short; never bodies, secrets or whole keys."""

from __future__ import annotations

import logging
import re
from base64 import b64decode
from collections.abc import Mapping
from urllib.parse import parse_qs, quote_plus, unquote

logger = logging.getLogger("punktgenau")
logger.addHandler(logging.NullHandler())


_PASSWORD = re.compile(r"//[^/\s]*@")


class Hidden(str):
    """A text that does not show itself where a crash report prints the variables of a trace."""

    def __repr__(self) -> str:
        return "'…'"


class _Words(str):
    """What is left of an exception's text."""

    reason: object = None


def short(identifier: str | None) -> str:
    """Enough of an identifier to match two log lines, too little to use it."""
    if not identifier:
        return "-"
    clean = "".join(ch if ch.isalnum() or ch in "-_." else "?" for ch in identifier[:64])
    return clean if len(clean) <= 4 else f"{clean[:4]}…{clean[-2:]}" if len(clean) > 8 else f"{clean[:4]}…"


def secrets_sent(headers: Mapping[str, str], body: bytes | str | None) -> tuple[str, ...]:
    """What a request carried that must not come back in a text for people: credentials, a code, its verifier."""
    scheme, _, credential = headers.get("Authorization", "").partition(" ")
    secrets = [credential]
    if scheme == "Basic":
        secrets += [password := b64decode(credential).decode().partition(":")[2], unquote(password)]
    if headers.get("Content-Type") == "application/x-www-form-urlencoded" and body:
        form = parse_qs(body.decode() if isinstance(body, bytes) else body)
        given = [value for name in ("code", "code_verifier") for value in form.get(name, ())]
        secrets += [*given, *map(quote_plus, given)]
    # A shorter one would be found in ordinary words, and hides nothing from who can guess it.
    return tuple(secret for secret in secrets if len(secret) >= 8)


def hide(text: str, secrets: tuple[str, ...]) -> str:
    """The text without them, whoever has put them there."""
    for secret in secrets:
        text = text.replace(secret, "…")
    return text


def plain_words(cause: Exception, address: str) -> str:
    """What an exception of the lower layers says, without passwords and without whom the address names."""
    return _PASSWORD.sub("//…@", str(cause)).replace(address, "…")


def speak_plainly(cause: Exception, address: str) -> None:
    """Let such an exception itself say no more than that; its reason stays, for who has to judge it again."""
    words = _Words(plain_words(cause, address))
    if words != str(cause):
        words.reason = getattr(cause.args[0], "reason", None) if cause.args else None
        cause.__dict__.clear()
        cause.args = (words,)
