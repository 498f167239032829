"""What kind of provider is played: the reference, or one that lacks something. Data in the books, until a reset."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import cache
from types import MappingProxyType
from typing import Literal

from .clock import stamp
from .database import Work
from .problems import Refusal

FORGOTTEN = "\x1f"
"""Stands in a stored key before what no partner ever sends, so that rows stay apart although their keys do not."""
_FORMATS = {
    "text": r"[\x21-\x7e]+",
    "hex": r"[0-9a-f]+",
    "uuid": r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
}


@dataclass(frozen=True, kw_only=True)
class Profile:
    """One kind of provider; times in seconds.

    `has_keys` false: the Idempotency-Key is ignored and every write is executed. `is_silent`: a known key with other
    content is answered as the first time. `replays_errors`: a 5xx is answered again whenever its key comes again.
    `settle_s`: what was made is found only after so long. `longest_hold_s` 0: nothing is held, only taken at once.
    """

    name: str
    has_keys: bool = True
    key_format: Literal["text", "hex", "uuid"] = "text"
    key_length_max: int = 255
    key_window_s: int = 400 * 86_400
    is_silent: bool = False
    replays_errors: bool = False
    finds_by_key: bool = True
    finds_by_order: bool = True
    settle_s: int = 0
    cancels_by_key: bool = True
    longest_hold_s: int = 604_800
    extends: bool = True
    captures_in_parts: bool = True
    reverses_in_parts: bool = True
    quotes_reversals: bool = True
    approves_in_part: bool = False
    accrues: bool = True
    accrual_pending: bool = True
    vouchers: bool = True
    payouts: bool = True


_KINDS = (
    Profile(name="reference"),
    Profile(name="no_holds", longest_hold_s=0, extends=False, captures_in_parts=False),
    Profile(name="no_lookup", finds_by_key=False, finds_by_order=False),
    Profile(name="no_keys", has_keys=False, finds_by_key=False, cancels_by_key=False, settle_s=120),
    Profile(name="neither", has_keys=False, finds_by_key=False, finds_by_order=False, cancels_by_key=False),
    Profile(name="silent_mismatch", is_silent=True),
    Profile(name="replays_errors", replays_errors=True),
    Profile(name="one_capture", captures_in_parts=False),
    Profile(name="no_partial_reversal", reverses_in_parts=False),
    Profile(name="no_reversal_quotes", quotes_reversals=False),
    Profile(name="no_accruals", accrues=False, accrual_pending=False),
    Profile(name="points_only", vouchers=False, payouts=False),
    Profile(name="partial_approval", approves_in_part=True),
    Profile(name="slow_lookup", settle_s=90),
    Profile(name="short_window", key_window_s=600, settle_s=30),
    Profile(name="short_holds", longest_hold_s=900),
    Profile(name="short_holds_fixed", longest_hold_s=900, extends=False),
    Profile(name="no_cancel_by_key", cancels_by_key=False, settle_s=60),
    Profile(name="uuid_keys", key_format="uuid", key_length_max=36),
    Profile(name="short_keys", key_format="hex", key_length_max=32),
    Profile(
        name="classic",
        has_keys=False,
        finds_by_key=False,
        cancels_by_key=False,
        settle_s=120,
        longest_hold_s=0,
        extends=False,
        captures_in_parts=False,
        reverses_in_parts=False,
        quotes_reversals=False,
        accrues=False,
        accrual_pending=False,
        vouchers=False,
        payouts=False,
    ),
)
VARIANTS: Mapping[str, Profile] = MappingProxyType({one.name: one for one in _KINDS})
REFERENCE = VARIANTS["reference"]


def current(work: Work) -> Profile:
    """The kind of provider that is played."""
    return REFERENCE if work.profile is None else _read(work.profile)


@cache
def _read(text: str) -> Profile:
    return Profile(**json.loads(text))


def play(work: Work, profile: Profile) -> None:
    """From the next unit of work on be this kind of provider. What was done before stays as it is."""
    work.run("INSERT OR REPLACE INTO profile VALUES (1, ?)", json.dumps(asdict(profile)))


def oldest_key(work: Work) -> str:
    """Keys of what was made before are forgotten."""
    return stamp(work.now - timedelta(seconds=current(work).key_window_s))


def check_key(profile: Profile, key: str) -> None:
    """Raise the Refusal that a key of another form gets."""
    fits = len(key) <= profile.key_length_max and re.fullmatch(_FORMATS[profile.key_format], key)
    if profile.has_keys and not fits:
        detail = f"Idempotency-Key: at most {profile.key_length_max} characters, as {profile.key_format}"
        raise Refusal("invalid_request", detail, field="Idempotency-Key")


def need(is_offered: bool, what: str, *, field: str | None = None) -> None:
    """Raise the Refusal that this kind of provider does not do that."""
    if not is_offered:
        raise Refusal("not_offered", what, field=field)
