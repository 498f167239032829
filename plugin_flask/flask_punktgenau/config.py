"""Every PUNKTGENAU_* key in one place: from `app.config`, else from the environment variable of the same name."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from punktgenau.checkout.settings import Settings
from punktgenau.errors import ConfigurationError
from punktgenau.provider import PROFILES, ProviderProfile
from punktgenau.records import Mode
from punktgenau.webhooks import is_secret

Kind = Literal["text", "secret", "flag", "whole", "seconds"]
Value = str | bool | int | float

PREFIX = "PUNKTGENAU_"
_FLAGS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key: its name without the prefix, what kind of value it takes, what holds without it, and what it means."""

    name: str
    kind: Kind
    default: Value | None
    meaning: str

    @property
    def full_name(self) -> str:
        """The name as it stands in `app.config` and in the environment."""
        return PREFIX + self.name


KEYS: tuple[Key, ...] = (
    Key(name="PROVIDER_URL", kind="text", default=None, meaning="Where the provider is; missing: points are off."),
    Key(name="CLIENT_ID", kind="text", default=None, meaning="The shop's name at the provider."),
    Key(name="CLIENT_SECRET", kind="secret", default=None, meaning="The shop's secret at the provider."),
    Key(
        name="MODE",
        kind="text",
        default=None,
        meaning="sandbox or live: what every answer must say, and whose rows in the journal are meant; set it in "
        "production. Unset: the provider's first answer decides.",
    ),
    Key(
        name="PROVIDER_PROFILE",
        kind="text",
        default="reference",
        meaning="What the provider can do and promises: one of `punktgenau.profiles.PROFILES`, by name. The journal's "
        "rows carry it, so choose before the first order.",
    ),
    Key(
        name="DATABASE_URL",
        kind="secret",
        default=None,
        meaning="The journal: SQLite or PostgreSQL, made by `flask punktgenau upgrade`. Unset with debug or testing: "
        "an SQLite file in the instance folder, made at first use; unset otherwise: points are off.",
    ),
    Key(name="REQUIRED", kind="flag", default=False, meaning="A missing key is an error at start, not points off."),
    Key(name="ENABLED", kind="flag", default=True, meaning="0: no new quotes and holds; what is begun goes on."),
    Key(
        name="CAPTURE",
        kind="text",
        default="paid",
        meaning="paid; placed: capture at placement, reverse on cancel; shipped: only as the shop says, parcel by "
        "parcel.",
    ),
    Key(name="HOLD_S", kind="whole", default=7200, meaning="How long points are kept for an unpaid order, in seconds."),
    Key(name="MIN_MONEY_MINOR", kind="whole", default=50, meaning="The least that a card takes, in the smallest unit."),
    Key(
        name="REFUND_POLICY", kind="text", default="proportional", meaning="proportional, points_first or money_first."
    ),
    Key(
        name="EXPIRED_POINTS",
        kind="text",
        default="tell",
        meaning="Points that come back already expired: tell the customer; money: pay them; new_points: give new ones.",
    ),
    Key(
        name="TAX_MODE",
        kind="text",
        default="tender",
        meaning="tender: points leave VAT alone; discount: for a shop's own programme.",
    ),
    Key(name="DEADLINE_S", kind="seconds", default=4.0, meaning="The longest that a page waits for the provider."),
    Key(name="WORKER_DEADLINE_S", kind="seconds", default=8.0, meaning="The same for one call in the worker."),
    Key(
        name="WEBHOOK_SECRETS",
        kind="secret",
        default=None,
        meaning="What the provider signs its webhooks with, whsec_..., several with commas; unset: no /points/webhook.",
    ),
    Key(
        name="INLINE_RECOVERY",
        kind="flag",
        default=True,
        meaning="0: requests do not help, after their answer, where no worker was seen for two minutes.",
    ),
    Key(name="MIN_POINTS", kind="whole", default=1, meaning="The shop's own least points per order."),
    Key(name="MAX_POINTS", kind="whole", default=None, meaning="The shop's own most points per order."),
    Key(name="STEP", kind="whole", default=1, meaning="Points are used in multiples of this."),
    Key(
        name="MAX_SHARE_PERCENT", kind="whole", default=None, meaning="How much of an order points may pay, in percent."
    ),
    Key(name="SHIPPING_ALLOWED", kind="flag", default=True, meaning="Whether points may pay shipping."),
    Key(
        name="REWARDS_BEYOND_LIMITS",
        kind="flag",
        default=False,
        meaning="Whether what reward articles must be paid with may exceed MAX_POINTS and MAX_SHARE_PERCENT.",
    ),
    Key(
        name="EARN_POINTS",
        kind="whole",
        default=None,
        meaning="Points for each EARN_PER_MINOR that is paid in money; 0: only by articles; unset: nothing is earned.",
    ),
    Key(name="EARN_PER_MINOR", kind="whole", default=100, meaning="For how much money, in the smallest unit."),
    Key(name="EARN_SHIPPING", kind="flag", default=False, meaning="Whether what is paid for shipping earns points."),
    Key(
        name="EARN_PENDING_S",
        kind="whole",
        default=14 * 86_400,
        meaning="How long earned points are pending, in seconds: as long as orders may come back.",
    ),
    Key(
        name="CLAW_BACK",
        kind="text",
        default="to_zero",
        meaning="Earned points of what comes back, where they are spent: to_zero: the next orders earn that much less; "
        "below_zero: the member's account goes below zero.",
    ),
    Key(name="WELCOME_POINTS", kind="whole", default=0, meaning="Points with a member's first order, once."),
    Key(
        name="VOUCHERS",
        kind="flag",
        default=True,
        meaning="0: the checkout takes no vouchers, if the provider has any.",
    ),
    Key(name="PROVIDER_NAME", kind="text", default="", meaning="What customers call the programme; shown in texts."),
    Key(name="SIGN_IN_URL", kind="text", default="", meaning="Where guests sign in to the shop; empty: not offered."),
    Key(
        name="TIMEZONE", kind="text", default=None, meaning="IANA name of the zone that times are shown in; unset: UTC."
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """What one app is configured to do; secrets are kept out of its repr."""

    provider_url: str | None
    client_id: str | None
    client_secret: str | None = field(repr=False)
    mode: Mode | None
    profile: ProviderProfile
    database_url: str | None = field(repr=False)
    required: bool
    provider_name: str
    sign_in_url: str
    timezone: str | None
    webhook_secrets: tuple[str, ...] = field(repr=False)
    inline_recovery: bool
    vouchers: bool
    settings: Settings

    @property
    def missing_provider_keys(self) -> tuple[str, ...]:
        """The keys without which no provider can be reached."""
        given = {"PROVIDER_URL": self.provider_url, "CLIENT_ID": self.client_id, "CLIENT_SECRET": self.client_secret}
        return tuple(PREFIX + name for name, value in given.items() if not value)


def read_config(app_config: Mapping[str, object], environment: Mapping[str, str] | None = None) -> Config:
    """The configuration of one app.

    Raises ConfigurationError, whose `.field` and message name the key, for a value that cannot be meant.
    """
    values = {key.name: _value(key, app_config, os.environ if environment is None else environment) for key in KEYS}
    return Config(
        provider_url=_text(values["PROVIDER_URL"]),
        client_id=_text(values["CLIENT_ID"]),
        client_secret=_text(values["CLIENT_SECRET"]),
        mode=_mode(values["MODE"]),
        profile=_profile(values["PROVIDER_PROFILE"]),
        database_url=_text(values["DATABASE_URL"]),
        required=values["REQUIRED"] is True,
        provider_name=_text(values["PROVIDER_NAME"]) or "",
        sign_in_url=_text(values["SIGN_IN_URL"]) or "",
        timezone=_timezone(values["TIMEZONE"]),
        webhook_secrets=_webhook_secrets(values["WEBHOOK_SECRETS"]),
        inline_recovery=values["INLINE_RECOVERY"] is True,
        vouchers=values["VOUCHERS"] is True,
        settings=_settings(values),
    )


def _settings(values: Mapping[str, Value | None]) -> Settings:
    wanted = {name: values[name.upper()] for name in Settings.__dataclass_fields__}
    try:
        return Settings(**wanted)  # type: ignore[arg-type]  # each field checks its own value
    except ConfigurationError as error:
        name = PREFIX + (error.field or "").upper()
        raise ConfigurationError(f"{name}: {error.message}", field=name) from error


def _mode(value: Value | None) -> Mode | None:
    if value is None:
        return None
    if value in ("sandbox", "live"):
        return "live" if value == "live" else "sandbox"
    raise ConfigurationError(f"{PREFIX}MODE must be sandbox or live, not {value!r}.", field=f"{PREFIX}MODE")


def _profile(value: Value | None) -> ProviderProfile:
    profile = PROFILES.get(_text(value) or "")
    if profile is None:
        name = PREFIX + "PROVIDER_PROFILE"
        raise ConfigurationError(f"{name} must be one of {', '.join(PROFILES)}, not {value!r}.", field=name)
    return profile


def _timezone(value: Value | None) -> str | None:
    name = _text(value)
    if name is not None:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError) as error:
            field_name = PREFIX + "TIMEZONE"
            raise ConfigurationError(f"{field_name}: there is no time zone {name!r}.", field=field_name) from error
    return name


def _webhook_secrets(value: Value | None) -> tuple[str, ...]:
    secrets = tuple(secret for part in (_text(value) or "").split(",") if (secret := part.strip()))
    if not all(is_secret(secret) for secret in secrets):
        name = PREFIX + "WEBHOOK_SECRETS"
        raise ConfigurationError(f"{name} must be secrets such as whsec_... (base64), with commas.", field=name)
    return secrets


def _text(value: Value | None) -> str | None:
    return value if isinstance(value, str) else None


def _value(key: Key, app_config: Mapping[str, object], environment: Mapping[str, str]) -> Value | None:
    given = app_config.get(key.full_name)
    if given is None:
        given = environment.get(key.full_name)
    if given is None or given == "":
        return key.default
    value = _converted(key.kind, given)
    if value is None:
        wanted = {"flag": "1 or 0", "whole": "a whole number", "seconds": "a number of seconds"}.get(key.kind, "a text")
        # A secret that was given in the wrong type is still a secret.
        shown = "" if key.kind == "secret" else f", not {given!r}"
        raise ConfigurationError(f"{key.full_name} must be {wanted}{shown}.", field=key.full_name)
    return value


def _converted(kind: Kind, given: object) -> Value | None:
    if kind in ("text", "secret"):
        return given.strip() if isinstance(given, str) else None
    if kind == "flag":
        return given if isinstance(given, bool) else _FLAGS.get(str(given).strip().lower())
    if isinstance(given, bool):
        return None
    if isinstance(given, int) or (kind == "seconds" and isinstance(given, float)):
        return given
    if not isinstance(given, str) or not re.fullmatch(r"[0-9]{1,18}(\.[0-9]{1,6})?", given.strip(), re.ASCII):
        return None
    if kind == "seconds":
        return float(given)
    return int(given) if "." not in given else None
