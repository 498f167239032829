"""One call of the partner API as data, and a proper answer to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Generic, TypeVar

from punktgenau._arguments import json_bytes, segment
from punktgenau._auth import TokenReply
from punktgenau.profiles import ProviderProfile
from punktgenau.records import Record

R = TypeVar("R", bound=Record)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(Generic[R]):
    """One call; a write is what carries an idempotency key."""

    name: str
    method: str
    path: str = field(repr=False)
    reply: type[R] = field(repr=False)
    body: bytes | None = field(default=None, repr=False)
    content_type: str = field(default="application/json", repr=False)
    idempotency_key: str | None = field(default=None, repr=False)
    look_up: str | None = field(default=None, repr=False)
    """The call that tells what became of a write, when it has no answer."""
    authenticated: bool = True
    """With the partner's bearer token; otherwise with client id and secret."""


@dataclass(frozen=True, slots=True)
class Answer(Generic[R]):
    """A proper answer: the record, whether it repeats an earlier one, and how often this call's bytes went out."""

    record: R
    replayed: bool
    sends: int


TOKEN = Operation(
    name="token",
    method="POST",
    path="/oauth/token",
    reply=TokenReply,
    body=b"grant_type=client_credentials",
    content_type="application/x-www-form-urlencoded",
    authenticated=False,
)


def derived_key(profile: ProviderProfile, *intention: object) -> str:
    """An idempotency key that any process makes again from the same intention, as this provider takes it."""
    text = "\x1f".join(str(part) for part in intention)
    return profile.key_of(sha256(text.encode(errors="backslashreplace")).digest(), prefix="pk_")


def write(name: str, path: str, body: Mapping[str, object], key: str, reply: type[R], *, look_up: str) -> Operation[R]:
    """A write with its key; `look_up` is the call that tells what became of it."""
    return Operation(
        name=name,
        method="POST",
        path=path,
        reply=reply,
        body=json_bytes(body),
        idempotency_key=key,
        look_up=look_up,
    )


def step(
    name: str, redemption_id: str, tail: str, body: Mapping[str, object], key: str, reply: type[R]
) -> Operation[R]:
    """A write about a redemption that there is."""
    path = redemption_path(redemption_id, tail)
    return write(name, path, body, key, reply, look_up=f"redemptions.get({redemption_id!r})")


def redemption_path(redemption_id: str, tail: str = "") -> str:
    """Where a redemption is."""
    return f"/v1/redemptions/{segment(redemption_id, field='redemption_id')}{tail}"
