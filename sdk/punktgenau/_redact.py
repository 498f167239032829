"""What may be logged: operation, status, time, and identifiers cut short; never bodies, secrets or whole keys."""

from __future__ import annotations

import json
import logging
import re
from base64 import b64decode
from collections.abc import Mapping
from urllib.parse import parse_qs, quote_plus, unquote

logger = logging.getLogger("punktgenau")
logger.addHandler(logging.NullHandler())


_CODE_IN = b'"code":'
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
    if headers.get("Content-Type") == "application/json" and body and _CODE_IN in body_bytes(body):
        secrets += voucher_codes(body_bytes(body))
    # A shorter one would be found in ordinary words, and hides nothing from who can guess it.
    return tuple(secret for secret in secrets if len(secret) >= 8)


def body_bytes(body: bytes | str) -> bytes:
    """A body as it went out."""
    return body.encode() if isinstance(body, str) else body


def voucher_codes(body: bytes) -> list[str]:
    """The codes of vouchers that a body carries, however deep, each in the ways in which it could be written."""
    found: list[str] = []
    waiting: list[object] = [json.loads(body)]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            code = part.get("code")
            found += [str(code)] if isinstance(code, str) else []
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part
    bare = [code.replace("-", "").replace(" ", "") for code in found]
    grouped = ["-".join(code[at : at + 4] for at in range(0, len(code), 4)) for code in bare]
    ways = [*found, *bare, *grouped]
    return list(dict.fromkeys([*ways, *(way.upper() for way in ways)]))


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
