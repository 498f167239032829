"""Webhooks from anybody: only what the provider has signed, lately, is an event; all else is one and the same error."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from punktgenau import PunktgenauError, WebhookSignatureError
from punktgenau.webhooks import Event, is_secret, verify

KEY, OLD_KEY = b"k" * 24, b"o" * 32
SECRET, OLD_SECRET = (f"whsec_{base64.b64encode(key).decode()}" for key in (KEY, OLD_KEY))
NOW = datetime(2026, 11, 22, 10, 0, 0, tzinfo=UTC)
NOW_S = 1795341600
SAMPLES = json.loads((Path(__file__).parent.parent / "wire" / "events.json").read_text("utf-8"))["reply"]["body"][
    "items"
]
BODY = json.dumps(SAMPLES[2]).encode()


def sign(body: bytes = BODY, *, event_id: str = "evt_0003", at: object = NOW_S, key: bytes = KEY) -> str:
    """A signature by hand, as the standard says: HMAC-SHA256 over id, timestamp and body, joined by dots."""
    mac = hmac.new(key, b"%s.%s.%s" % (event_id.encode(), str(at).encode(), body), hashlib.sha256)
    return "v1," + base64.b64encode(mac.digest()).decode()


def headers(*, event_id: str = "evt_0003", at: object = NOW_S, signature: str | None = None) -> dict[str, str]:
    signed = sign(event_id=event_id, at=at) if signature is None else signature
    return {"webhook-id": event_id, "webhook-timestamp": str(at), "webhook-signature": signed}


def heard(body: bytes = BODY, sent: Any = None, *, secrets: Any = (SECRET,), now: datetime = NOW) -> Event:
    return verify(body, headers() if sent is None else sent, secrets=secrets, now=now)


def refused(*arguments: Any, **named: Any) -> str:
    with pytest.raises(WebhookSignatureError) as caught:
        heard(*arguments, **named)
    assert (caught.value.code, caught.value.outcome) == ("webhook_signature", "not_done")
    return str(caught.value)


def test_the_example_that_the_standard_is_known_by() -> None:
    """Its signature fits; only what was signed is no event of ours, which is said after the signature."""
    sent = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    body, secret = b'{"test": 2432232314}', "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    at = datetime.fromtimestamp(1614265330, UTC)
    assert "is not an event" in refused(body, sent, secrets=[secret], now=at)
    assert "not signed with a secret" in refused(body + b" ", sent, secrets=[secret], now=at)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample["type"])
def test_every_event_of_the_contract(sample: dict[str, Any]) -> None:
    body = json.dumps(sample).encode()
    event = heard(body, headers(event_id=sample["id"], signature=sign(body, event_id=sample["id"])))
    assert (event.id, event.type, event.sequence) == (sample["id"], sample["type"], sample["sequence"])
    assert dict(event.data) == sample["data"]
    assert event.timestamp == NOW
    assert event.idempotency_key == sample["data"].get("idempotency_key")
    assert event.order_reference == sample["data"].get("order_reference")
    assert event.redemption_id == sample["data"].get("redemption_id")
    assert event.state == sample["data"].get("state")
    assert event.member_id == sample["data"].get("member_id")


def test_an_event_cannot_be_changed() -> None:
    event = heard()
    with pytest.raises(ValueError, match="frozen"):
        event.type = "other"  # type: ignore[misc]
    with pytest.raises(TypeError):
        event.data["state"] = "voided"  # type: ignore[index]


@pytest.mark.scenario("B7", "a type of the future is an event like any other, with all that it says")
def test_a_type_that_nobody_knows_yet() -> None:
    body = b'{"id":"evt_9","type":"member.merged","timestamp":"2026-11-22T10:00:00Z","data":{"into":[1,{"a":null}]}}'
    event = heard(body, headers(event_id="evt_9", signature=sign(body, event_id="evt_9")))
    assert (event.type, dict(event.data), event.sequence) == ("member.merged", {"into": [1, {"a": None}]}, None)
    assert (event.idempotency_key, event.state) == (None, None)


@pytest.mark.parametrize("value", [7, None, "", "x" * 256, "a\x00b", "a\nb", ["k"]])
def test_what_cannot_be_meant_is_as_if_it_was_not_said(value: object) -> None:
    body = json.dumps(SAMPLES[2] | {"data": {"idempotency_key": value}}).encode()
    assert heard(body, headers(signature=sign(body))).idempotency_key is None


@pytest.mark.parametrize("secrets", [(SECRET, OLD_SECRET), (OLD_SECRET, SECRET)])
def test_while_secrets_are_rotated_any_of_them_may_fit(secrets: tuple[str, ...]) -> None:
    for key in (KEY, OLD_KEY):
        assert heard(sent=headers(signature=sign(key=key)), secrets=secrets).id == "evt_0003"
    both = f"{sign(key=b'x' * 24)} v2,unknown {sign(key=OLD_KEY)}"
    assert heard(sent=headers(signature=both), secrets=secrets).id == "evt_0003"


def test_headers_as_frameworks_have_them() -> None:
    spelled = [(name.title(), value) for name, value in headers().items()]
    assert heard(sent=[("Host", "shop"), *spelled, ("Host", "shop")]).id == "evt_0003"


@pytest.mark.scenario("S6", "forged, unsigned, by another merchant's secret, body or id altered: refused")
@pytest.mark.parametrize(
    ("body", "sent"),
    [
        (BODY, {}),
        (BODY, headers(signature=sign(key=b"n" * 24))),
        (BODY, headers(signature="")),
        (BODY.replace(b"A-1001", b"A-1002"), headers()),
        (BODY + b"\n", headers()),
        (b"", headers()),
        (BODY, headers(event_id="evt_0004", signature=sign())),
        (BODY, headers(at=NOW_S + 1, signature=sign())),
        *((BODY, {k: v for k, v in headers().items() if k != name}) for name in headers()),
    ],
)
def test_forged(body: bytes, sent: dict[str, str]) -> None:
    refused(body, sent)


@pytest.mark.scenario("S7", "signed too long ago or in the future: refused, to the second, both ways")
def test_the_tolerance_holds_both_ways() -> None:
    for away_s, fits in ((300, True), (-300, True), (301, False), (-301, False), (-(10**9), False), (10**11, False)):
        sent = headers(at=NOW_S + away_s)
        if fits:
            assert heard(sent=sent).id == "evt_0003"
        else:
            refused(sent=sent)
    with pytest.raises(WebhookSignatureError):
        verify(BODY, headers(at=NOW_S - 6), secrets=[SECRET], now=NOW, tolerance_s=5)


@pytest.mark.parametrize("at", ["nan", "NaN", "inf", "-1", "1e9", "1795341600.0", " 1795341600", "", "٣", "9" * 5000])
def test_timestamps_that_are_no_number_of_seconds(at: str) -> None:
    refused(sent=headers(at=at))


def _respelled() -> str:
    """The same bytes in another base64: the last character's unused bits are set."""
    genuine = sign()
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    other = f"{genuine[:-2]}{alphabet[alphabet.index(genuine[-2]) ^ 1]}="
    assert base64.b64decode(other[3:]) == base64.b64decode(genuine[3:])
    return other


@pytest.mark.scenario("S9", "stripped, downgraded, respelled, doubled or broken signatures: refused in one way")
@pytest.mark.parametrize(
    "signature",
    [
        sign()[3:],
        sign().replace("v1,", "v0,"),
        sign().replace("v1,", "v1a,"),
        sign().replace("v1,", "V1,"),
        sign().replace(",", ""),
        sign().replace(",", ";"),
        sign() + "=",
        sign()[:-1],
        f"{sign()},{sign()}",
        "v1," + sign()[3:].upper(),
        _respelled(),
        "v1,",
        "v1",
        ",",
        " ",
        "v1,!!!!",
        "v1,\xff\xfe",
        "v1,\udcff",
        "v1,\x00",
        "v1," * 5000,
        f"{'v1,AAAA ' * 40}{sign()}",
    ],
)
def test_signatures_that_are_none(signature: str) -> None:
    refused(sent=headers(signature=signature))


@pytest.mark.scenario("S9", "a header that came twice is refused, even where one of the two is genuine")
@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_headers_that_came_twice(name: str) -> None:
    once = list(headers().items())
    refused(sent=[*once, (name.upper(), headers()[name])])
    joined = headers() | {name: f"{headers()[name]},{headers()[name]}"}
    refused(sent=joined)


@pytest.mark.scenario("S9", "an empty or broken secret opens nothing, not even to a signature made with it")
@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_AAAA", "whsec_%%%", "whsec_ä", "a3f5" * 8, "sk_" + SECRET[6:]])
def test_secrets_that_are_none(secret: str) -> None:
    for key in (b"", b"\x00\x00\x00", secret.encode()):
        refused(sent=headers(signature=sign(key=key)), secrets=[secret])
    assert not is_secret(secret)
    assert is_secret(SECRET)
    refused(secrets=[])


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xfe\x00",
        b"null",
        b"[]",
        b'"evt_0003"',
        b"{" * 100_000,
        b'{"id":"evt_0003"}',
        BODY.replace(b"evt_0003", b"evt_0004"),
        BODY.replace(b'"sequence": 3', b'"sequence": 3.5'),
        BODY.replace(b'"sequence": 3', b'"sequence": -1'),
        BODY.replace(b'"sequence": 3', b'"sequence": 1' + b"0" * 40),
        BODY.replace(b"2026-11-22T10:00:00Z", b"yesterday"),
        BODY.replace(b"redemption.captured", b"redemption captured"),
        BODY.replace(b"redemption.captured", b"x" * 65),
    ],
)
def test_signed_and_still_no_event(body: bytes) -> None:
    assert "signed, and" in refused(body, headers(signature=sign(body)))


def test_nothing_secret_is_in_the_error() -> None:
    genuine = sign()
    message = refused(sent=headers(signature=sign(key=b"n" * 24)))
    assert not any(part in message for part in (SECRET[6:], genuine[3:], "A-1001", "key-authorize"))


@given(
    body=st.binary(max_size=200),
    sent=st.lists(
        st.tuples(st.sampled_from(["webhook-id", "webhook-timestamp", "Webhook-Signature", "host"]), st.text()),
        max_size=6,
    ),
    secret=st.one_of(st.just(SECRET), st.text(max_size=60)),
)
def test_whatever_comes_is_refused_in_one_way(body: bytes, sent: list[tuple[str, str]], secret: str) -> None:
    with pytest.raises(PunktgenauError) as caught:
        verify(body, sent, secrets=[secret], now=NOW)
    assert type(caught.value) is WebhookSignatureError
