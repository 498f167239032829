"""How providers behave, as data: the profile that the engine asks, and the ones that have a name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from punktgenau.errors import ConfigurationError

LookupBy = Literal["key", "order"]
KeyFormat = Literal["text", "hex", "uuid"]
_KEY_LENGTH_MIN = 20
"""Fewer characters would not keep two keys apart for ever."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderProfile:
    """What a provider can do and promises; times in seconds. Every field but the name has the reference's value.

    `name` names the provider in the journal: keep it when other fields are corrected.

    Keys: `keys` is where an idempotency key travels ("none": the provider has no keys, so a write that may have arrived
    is never repeated); `key_format` and `key_length_max` are what it takes; `key_window_s` is how long it remembers
    one; `mismatch` is what it does about a known key with other content ("silent": it answers as the first time);
    `replays_errors`: an answer 5xx is kept under its key, whatever it hides.

    Looking up: `lookup` is what a redemption can be found by (empty: not at all, by its id neither); `settle_s` is
    how long after the last byte of a write "nothing there" may still be wrong, because a request is still being worked
    on or because what is asked lags behind; `cancel_by_key`: an authorize can be ended, and buried, by its key.

    Holds: `longest_hold_s` is 0 where there are none; `shortest_hold_s`; `extend`: a live hold can be made longer;
    `captures`: in one piece or in several; `partial_reversal`: a part can be given back; `quotes_reversals`: it tells
    before what would come back already expired; `partial_approval`: fewer points than asked for may be held.

    `accrues`: a partner can give points to members and take them back, through `accruals`; `accrual_pending`: they can
    be pending first, else they are posted at once. `vouchers`: points can become vouchers, and vouchers pay orders,
    through `vouchers`; `payouts`: points can become money, through `payouts`.

    `calls_per_s` is the most that recovery may send (None: no limit is known; Retry-After is always obeyed). What is
    unknown for longer than `resolution_bound_s` needs a person.

    Raises ConfigurationError for abilities that cannot be had together; `.field` names one of them.
    """

    name: str = "reference"
    keys: Literal["header", "none"] = "header"
    key_format: KeyFormat = "text"
    key_length_max: int = 255
    key_window_s: int = 400 * 86_400
    mismatch: Literal["error", "silent"] = "error"
    replays_errors: bool = False
    lookup: frozenset[LookupBy] = field(default_factory=lambda: frozenset({"key", "order"}))
    settle_s: int = 0
    cancel_by_key: bool = True
    shortest_hold_s: int = 300
    longest_hold_s: int = 7 * 86_400
    extend: bool = True
    captures: Literal["one", "many"] = "many"
    partial_reversal: bool = True
    quotes_reversals: bool = True
    partial_approval: bool = False
    accrues: bool = True
    accrual_pending: bool = True
    vouchers: bool = True
    payouts: bool = True
    calls_per_s: int | None = None
    resolution_bound_s: int = 86_400

    def __post_init__(self) -> None:
        for wrong, name in (
            (not 1 <= len(self.name) <= 64, "name"),
            (self.key_format == "uuid" and self.key_length_max < 36, "key_length_max"),
            (not _KEY_LENGTH_MIN <= self.key_length_max <= 255, "key_length_max"),
            (not self.lookup <= {"key", "order"}, "lookup"),
            (self.keys == "none" and self.cancel_by_key, "cancel_by_key"),
            (self.keys == "none" and "key" in self.lookup, "lookup"),
            # Without a tombstone only time makes "nothing there" true.
            (bool(self.lookup) and not self.cancel_by_key and self.settle_s <= 0, "settle_s"),
            (self.longest_hold_s != 0 and self.longest_hold_s < self.shortest_hold_s, "longest_hold_s"),
            (self.calls_per_s is not None and self.calls_per_s < 1, "calls_per_s"),
            (min(self.key_window_s, self.settle_s, self.longest_hold_s, self.resolution_bound_s) < 0, "settle_s"),
        ):
            if wrong:
                raise ConfigurationError(f"A provider cannot be like this: {name} of {self.name!r}.", field=name)

    @property
    def has_holds(self) -> bool:
        """Whether points can be held; without holds they leave the member at once."""
        return self.longest_hold_s > 0

    def remembers(self, age_s: float) -> bool:
        """Whether a key that was first sent `age_s` seconds ago still stands for what it was sent with."""
        return self.keys != "none" and age_s < self.key_window_s

    def key_of(self, digest: bytes, *, prefix: str = "pg_") -> str:
        """An idempotency key as this provider takes it, from 32 random-looking bytes."""
        text = digest.hex()
        if self.key_format == "uuid":
            # The digits that say which kind of UUID it is: a random one.
            text = f"{text[:12]}4{text[13:16]}8{text[17:32]}"
            return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
        if self.key_format == "hex":
            return text[: min(40, self.key_length_max)]
        return (prefix + text[:40])[: self.key_length_max]


_BY_ORDER: frozenset[LookupBy] = frozenset({"order"})
_NOTHING: frozenset[LookupBy] = frozenset()
_VARIANTS = (
    ProviderProfile(),
    ProviderProfile(name="no_holds", longest_hold_s=0, extend=False, captures="one"),
    ProviderProfile(name="no_lookup", lookup=_NOTHING),
    ProviderProfile(name="no_keys", keys="none", cancel_by_key=False, lookup=_BY_ORDER, settle_s=120),
    ProviderProfile(name="neither", keys="none", cancel_by_key=False, lookup=_NOTHING),
    ProviderProfile(name="silent_mismatch", mismatch="silent"),
    ProviderProfile(name="replays_errors", replays_errors=True),
    ProviderProfile(name="one_capture", captures="one"),
    ProviderProfile(name="no_partial_reversal", partial_reversal=False),
    ProviderProfile(name="no_reversal_quotes", quotes_reversals=False),
    ProviderProfile(name="no_accruals", accrues=False, accrual_pending=False),
    ProviderProfile(name="points_only", vouchers=False, payouts=False),
    ProviderProfile(name="partial_approval", partial_approval=True),
    ProviderProfile(name="slow_lookup", settle_s=90),
    ProviderProfile(name="short_window", key_window_s=600, settle_s=30),
    ProviderProfile(name="short_holds", longest_hold_s=900),
    ProviderProfile(name="short_holds_fixed", longest_hold_s=900, extend=False),
    ProviderProfile(name="no_cancel_by_key", cancel_by_key=False, settle_s=60),
    ProviderProfile(name="uuid_keys", key_format="uuid", key_length_max=36),
    ProviderProfile(name="short_keys", key_format="hex", key_length_max=32),
    ProviderProfile(
        name="classic",
        keys="none",
        lookup=_BY_ORDER,
        settle_s=120,
        cancel_by_key=False,
        longest_hold_s=0,
        extend=False,
        captures="one",
        partial_reversal=False,
        quotes_reversals=False,
        accrues=False,
        accrual_pending=False,
        vouchers=False,
        payouts=False,
    ),
)
PROFILES: Mapping[str, ProviderProfile] = MappingProxyType({profile.name: profile for profile in _VARIANTS})
"""Profiles to play and to test with: the reference, each ability missing by itself, and most of them at once."""
