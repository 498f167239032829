"""Webhooks by Standard Webhooks 1.0: verified over the raw bytes, then parsed. Whatever does not fit is one error."""

from __future__ import annotations

import hmac
import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256

from pydantic import ValidationError

from punktgenau.errors import WebhookSignatureError
from punktgenau.events import ID_PATTERN, Event

__all__ = ["Event", "is_secret", "verify"]

SECRET_PREFIX = "whsec_"
SECRET_BYTES_MIN = 16
HEADER_LENGTH_MAX = 4096
SIGNATURES_MAX = 32

Headers = Mapping[str, str] | Iterable[tuple[str, str]]


def verify(body: bytes, headers: Headers, *, secrets: Sequence[str], now: datetime, tolerance_s: int = 300) -> Event:
    """The event in a webhook that the provider has signed with one of `secrets` at most `tolerance_s` seconds from now.

    `body` is what came in, byte for byte; `secrets` are `whsec_` and base64, several while they are rotated; `now` is
    aware. Who repeats a genuine webhook within the tolerance is known by `Event.id`: keep it, as the engine does.
    Raises WebhookSignatureError for everything else, whatever it is.
    """
    given = _wanted(headers)
    event_id, stamp = given["webhook-id"], given["webhook-timestamp"]
    if not re.fullmatch(ID_PATTERN, event_id) or not re.fullmatch(r"[0-9]{1,12}", stamp, re.ASCII):
        raise WebhookSignatureError("The webhook's id or timestamp cannot be meant.")
    signed = f"{event_id}.{stamp}.".encode() + body
    genuine = [b64encode(hmac.digest(_key(secret), signed, sha256)) for secret in secrets]
    # Texts are compared, so that no second spelling of the same base64 counts; all of them, whichever fits first.
    sent = given["webhook-signature"].encode("utf-8", "replace").split(b" ")[:SIGNATURES_MAX]
    matches = [hmac.compare_digest(b"v1," + ours, theirs) for ours in genuine for theirs in sent]
    if not any(matches):
        raise WebhookSignatureError("The webhook is not signed with a secret that is known here.")
    if abs(now.timestamp() - int(stamp)) > tolerance_s:
        raise WebhookSignatureError("The webhook was signed too long ago, or in the future.")
    return _parsed(body, event_id)


def is_secret(text: str) -> bool:
    """Whether a text can be a webhook secret: `whsec_` and the base64 of at least 16 bytes."""
    try:
        return bool(_key(text))
    except WebhookSignatureError:
        return False


def _wanted(headers: Headers) -> dict[str, str]:
    """The three headers, each once and of a bearable length."""
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    found: dict[str, str] = {}
    for name, value in pairs:
        if (known := name.lower()) in ("webhook-id", "webhook-timestamp", "webhook-signature"):
            if known in found or len(value) > HEADER_LENGTH_MAX:
                raise WebhookSignatureError(f"The header {known} came twice, or is too long.")
            found[known] = value
    if len(found) < 3:
        raise WebhookSignatureError("The webhook is not signed.")
    return found


def _key(secret: str) -> bytes:
    try:
        key = b64decode(secret.removeprefix(SECRET_PREFIX).encode("ascii"), validate=True)
    except (Base64Error, ValueError) as error:
        raise WebhookSignatureError("A webhook secret of this shop is not base64.") from error
    if not secret.startswith(SECRET_PREFIX) or len(key) < SECRET_BYTES_MIN:
        raise WebhookSignatureError("A webhook secret of this shop is empty, too short, or not a webhook secret.")
    return key


def _parsed(body: bytes, event_id: str) -> Event:
    try:
        event = Event.model_validate_json(body)
    except ValidationError as error:
        raise WebhookSignatureError("The webhook is signed, and is not an event.") from error
    if event.id != event_id:
        raise WebhookSignatureError("The webhook is signed, and contradicts its own id.")
    return event
