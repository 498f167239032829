"""Every PUNKTGENAU_* key: app.config first, then the environment, and nothing that cannot be meant."""

from __future__ import annotations

import pytest

from flask_punktgenau.config import KEYS, read_config
from punktgenau import ConfigurationError
from punktgenau.checkout import Settings

SECRET = "sEcReT-canary"


def test_what_holds_without_any_key() -> None:
    config = read_config({}, {})
    assert config.settings == Settings()
    assert (config.settings.hold_s, config.settings.min_money_minor, config.settings.capture) == (7200, 50, "paid")
    assert (config.settings.deadline_s, config.settings.worker_deadline_s) == (4.0, 8.0)
    assert config.missing_provider_keys == (
        "PUNKTGENAU_PROVIDER_URL",
        "PUNKTGENAU_CLIENT_ID",
        "PUNKTGENAU_CLIENT_SECRET",
    )
    assert not config.required


def test_the_apps_config_goes_before_the_environment() -> None:
    config = read_config({"PUNKTGENAU_HOLD_S": 600}, {"PUNKTGENAU_HOLD_S": "900", "PUNKTGENAU_DEADLINE_S": "2.5"})
    assert (config.settings.hold_s, config.settings.deadline_s) == (600, 2.5)


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUNKTGENAU_CLIENT_ID", "from-outside")
    assert read_config({}).client_id == "from-outside"


def test_an_empty_variable_is_an_unset_one() -> None:
    assert read_config({}, {"PUNKTGENAU_HOLD_S": "", "PUNKTGENAU_DATABASE_URL": ""}) == read_config({}, {})


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("1", True),
        ("true", True),
        ("Yes", True),
        ("on", True),
        ("0", False),
        ("false", False),
        ("no", False),
        ("OFF", False),
    ],
)
def test_flags(text: str, meant: bool) -> None:
    assert read_config({"PUNKTGENAU_ENABLED": text}, {}).settings.enabled is meant
    assert read_config({}, {"PUNKTGENAU_ENABLED": text}).settings.enabled is meant


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PUNKTGENAU_HOLD_S", "2h"),
        ("PUNKTGENAU_HOLD_S", "7200.5"),
        ("PUNKTGENAU_HOLD_S", "٧٢٠٠"),
        ("PUNKTGENAU_HOLD_S", True),
        ("PUNKTGENAU_HOLD_S", 10),
        ("PUNKTGENAU_HOLD_S", "9" * 30),
        ("PUNKTGENAU_MIN_MONEY_MINOR", "-1"),
        ("PUNKTGENAU_MIN_MONEY_MINOR", 0.5),
        ("PUNKTGENAU_DEADLINE_S", "nan"),
        ("PUNKTGENAU_DEADLINE_S", "inf"),
        ("PUNKTGENAU_DEADLINE_S", 0),
        ("PUNKTGENAU_CAPTURE", "sometimes"),
        ("PUNKTGENAU_REFUND_POLICY", "fair"),
        ("PUNKTGENAU_ENABLED", "maybe"),
        ("PUNKTGENAU_PROVIDER_URL", 5),
        ("PUNKTGENAU_MAX_SHARE_PERCENT", 101),
        ("PUNKTGENAU_STEP", 0),
        ("PUNKTGENAU_PROVIDER_PROFILE", "perfect"),
        ("PUNKTGENAU_PROVIDER_PROFILE", 1),
        ("PUNKTGENAU_TIMEZONE", "Berlin"),
        ("PUNKTGENAU_TIMEZONE", "../../etc/passwd"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_its_name(name: str, value: object) -> None:
    with pytest.raises(ConfigurationError, match=name) as raised:
        read_config({name: value}, {})
    assert raised.value.field == name


def test_the_providers_profile_is_chosen_by_its_name() -> None:
    assert read_config({}, {}).profile.name == "reference"
    assert not read_config({"PUNKTGENAU_PROVIDER_PROFILE": "no_holds"}, {}).profile.has_holds


def test_an_unknown_profile_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(ConfigurationError) as raised:
        read_config({"PUNKTGENAU_PROVIDER_PROFILE": "perfect"}, {})
    for name in ("reference", "no_holds", "classic"):
        assert name in str(raised.value)


@pytest.mark.scenario(
    "S15", "client secret and database password are not in the repr or the errors of the configuration"
)
def test_secrets_stay_out_of_repr_and_errors() -> None:
    config = read_config(
        {"PUNKTGENAU_CLIENT_SECRET": SECRET, "PUNKTGENAU_DATABASE_URL": f"postgresql://shop:{SECRET}@db/shop"}, {}
    )
    assert SECRET not in repr(config)
    with pytest.raises(ConfigurationError) as raised:
        read_config({"PUNKTGENAU_CLIENT_SECRET": [SECRET]}, {})
    assert SECRET not in str(raised.value)


def test_every_setting_of_the_engine_has_its_key() -> None:
    assert {name.upper() for name in Settings.__dataclass_fields__} <= {key.name for key in KEYS}
    assert all(key.meaning.endswith(".") for key in KEYS)
