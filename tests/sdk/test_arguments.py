"""Arguments that cannot be meant: a typed error that names the field, and nothing is sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from _calls import LINES, SAMPLES, assert_not_sent, authorize, eur, failure, reply
from _canned import Canned, answer
from punktgenau import Client, ConfigurationError, InvalidArgumentError, Money, TenderRequest

# What no person means by a number of points, and the code that says why.
BAD_POINTS: list[tuple[Any, str]] = [
    (0, "points_zero"),
    (-1, "points_negative"),
    (10**15 + 1, "points_too_large"),
    (10**100, "points_too_large"),
    (True, "points_not_whole"),
    (1.0, "points_not_whole"),
    (float("nan"), "points_not_whole"),
    ("427", "points_not_whole"),
    ("1e3", "points_not_whole"),
    ("٣", "points_not_whole"),
    (" 5 ", "points_not_whole"),
    ([427], "points_not_whole"),
]
TAKE_POINTS = ("authorize", "capture", "reverse", "quote")
BAD_TEXTS: list[Any] = ["", "a\r\nX-Admin: 1", "a\x00b", "a\tb", "\u202egnp.exe", "\ud800", 5, True, b"A-1", ["A-1"]]
# call, argument, the longest that is taken
TEXTS = [
    ("authorize", "order_reference", 36),
    ("authorize", "member_id", 64),
    ("authorize", "rate_id", 64),
    ("capture", "capture_reference", 36),
    ("capture", "redemption_id", 64),
    ("extend", "redemption_id", 64),
    ("void", "redemption_id", 64),
    ("reverse", "redemption_id", 64),
    ("reverse", "return_reference", 36),
    ("get", "redemption_id", 64),
    ("find", "order_reference", 36),
    ("quote", "member_id", 64),
    ("identify", "code", 2048),
    ("identify", "redirect_uri", 2048),
    ("identify", "code_verifier", 128),
    ("balance", "member_id", 64),
    ("member", "member_id", 64),
    ("entries", "member_id", 64),
    ("entries", "cursor", 255),
]
MAY_BE_LEFT_OUT = {("authorize", "rate_id"), ("capture", "capture_reference"), ("entries", "cursor")}


@pytest.fixture
def offline(server: Canned) -> Client:
    """A client whose server must hear nothing."""
    return Client(server.url, client_id="demo-shop", client_secret="demo-secret")


CALLS: dict[str, Callable[..., Any]] = {
    **SAMPLES,
    "balance": lambda client, **more: client.members.balance(**{"member_id": "mbr_2500", **more}),
    "member": lambda client, **more: client.members.get(**{"member_id": "mbr_2500", **more}),
    "entries": lambda client, **more: client.members.entries(**{"member_id": "mbr_2500", **more}),
    "find": lambda client, **more: client.redemptions.find(**{"order_reference": "A-1001", **more}),
    "find_by_key": lambda client, **more: client.redemptions.find(**{"idempotency_key": "key-1", **more}),
}


def refused(offline: Client, server: Canned, name: str, **arguments: Any) -> InvalidArgumentError:
    with pytest.raises(InvalidArgumentError) as caught:
        CALLS[name](offline, **arguments)
    assert (server.seen, server.tokens, server.connections) == ([], [], 0)
    assert (caught.value.outcome, caught.value.retry, caught.value.sends) == ("not_done", "never", 0)
    return caught.value


@pytest.mark.parametrize(("points", "code"), BAD_POINTS)
@pytest.mark.parametrize("name", TAKE_POINTS)
@pytest.mark.scenario("B1", "0, -1, 10**100, true, 1.0, NaN, text, other digits: a typed error, nothing sent")
def test_points_that_are_none(name: str, points: Any, code: str, offline: Client, server: Canned) -> None:
    error = refused(offline, server, name, points=points)
    assert (error.code, error.field) == (code, "points")


@pytest.mark.parametrize(("points", "code"), BAD_POINTS)
def test_points_of_a_tender_that_are_none(points: Any, code: str, offline: Client, server: Canned) -> None:
    tenders = [TenderRequest(points=points)]
    error = refused(offline, server, "authorize", points=None, value=None, tenders=tenders)
    assert (error.code, error.field) == (code, "points")


def test_points_that_are_missing(offline: Client, server: Canned) -> None:
    assert refused(offline, server, "authorize", points=None).field == "points"
    assert refused(offline, server, "quote", points=None).code == "points_not_whole"
    assert refused(offline, server, "reverse", points=None).code == "points_not_whole"


@pytest.mark.parametrize("value", BAD_TEXTS, ids=repr)
@pytest.mark.parametrize(("name", "field", "longest"), TEXTS)
@pytest.mark.scenario("B5", "references and ids with line ends, NUL, marks of direction or nothing in them: refused")
@pytest.mark.scenario("S16", "no argument can begin a header or a line of its own")
def test_texts_that_cannot_be_meant(
    name: str, field: str, longest: int, value: Any, offline: Client, server: Canned
) -> None:
    assert refused(offline, server, name, **{field: value}).field == field


@pytest.mark.parametrize(("name", "field", "longest"), TEXTS)
@pytest.mark.scenario("B5", "what is longer than the provider takes is refused, never cut")
def test_texts_that_are_too_long(name: str, field: str, longest: int, offline: Client, server: Canned) -> None:
    error = refused(offline, server, name, **{field: "x" * (longest + 1)})
    assert error.field == field
    assert str(longest) in error.message


@pytest.mark.parametrize(("name", "field", "longest"), TEXTS)
def test_texts_that_are_missing(name: str, field: str, longest: int, offline: Client, server: Canned) -> None:
    if (name, field) not in MAY_BE_LEFT_OUT:
        assert refused(offline, server, name, **{field: None}).field == field


STRANGE = [
    "../../etc",
    "A 1/2?x=1&y=2#z",
    "${jndi:ldap://x}",
    "Robert'); DROP TABLE",
    "订单-7",
    "😀",
    "%2e%2e",
    "a;b:c@d",
]


@pytest.mark.parametrize("text", STRANGE)
@pytest.mark.scenario("B5", "paths, SQL, other scripts and emoji are carried as they are, as data")
def test_strange_texts_are_carried_as_data(text: str, client: Client, server: Canned) -> None:
    server.next(
        answer({**reply("authorize"), "order_reference": text}),
        answer({**reply("get"), "id": text}),
        answer({**reply("find_nothing")}),
        answer({**reply("balance"), "member_id": text}),
    )
    assert authorize(client, order_reference=text).order_reference == text
    assert client.redemptions.get(text).id == text
    client.redemptions.find(order_reference=text)
    assert client.members.balance(member_id=text).member_id == text
    paths = [seen.path for seen in server.seen]
    assert paths[1].removeprefix("/v1/redemptions/").isascii()
    assert [path.count("/") for path in paths] == [2, 3, 2, 4]
    assert [path.count("?") for path in paths] == [0, 0, 1, 0]
    assert [path.count("&") for path in paths] == [0, 0, 0, 0]


@pytest.mark.parametrize("dots", [".", ".."])
@pytest.mark.scenario("B5", "an id of dots cannot climb to another address")
def test_ids_of_dots_are_refused(dots: str, offline: Client, server: Canned) -> None:
    for name in ("get", "void", "capture"):
        assert refused(offline, server, name, redemption_id=dots).field == "redemption_id"
    assert refused(offline, server, "balance", member_id=dots).field == "member_id"


BAD_KEYS: list[Any] = ["", "a b", "a\r\nX: 1", "schlüssel", "k" * 256, 5, True, b"key"]


@pytest.mark.parametrize("key", BAD_KEYS, ids=repr)
@pytest.mark.scenario("S16", "a key that would end its header is refused")
def test_keys_that_are_none(key: Any, offline: Client, server: Canned) -> None:
    for name in ("authorize", "capture", "extend", "void", "reverse", "cancel_by_key"):
        assert refused(offline, server, name, idempotency_key=key).field == "idempotency_key"
    assert refused(offline, server, "cancel_by_key", target_key=key).field == "target_key"
    assert refused(offline, server, "find_by_key", idempotency_key=key).field == "idempotency_key"


BAD_MONEY: list[Any] = [5990, "59.90", 59.9, None, {"amount_minor": 5990, "currency": "EUR"}]


@pytest.mark.parametrize("money", BAD_MONEY, ids=repr)
def test_money_that_is_none(money: Any, offline: Client, server: Canned) -> None:
    for name, field in (("authorize", "total"), ("quote", "total"), ("authorize", "value"), ("capture", "value")):
        if money is not None or field == "total":
            assert refused(offline, server, name, **{field: money}).field == field
    if money is not None:
        assert refused(offline, server, "reverse", value=money).field == "value"


@pytest.mark.parametrize(
    ("amount", "currency"),
    [(-1, "EUR"), (1.0, "EUR"), (True, "EUR"), (10**15 + 1, "EUR"), (1, "eur"), (1, "EURO"), (1, None)],
)
def test_money_cannot_be_made_of_anything(amount: Any, currency: Any) -> None:
    with pytest.raises(InvalidArgumentError):
        Money(amount_minor=amount, currency=currency)


SECONDS: list[Any] = [0, -1, 1.5, "7200", True, 10**16]


@pytest.mark.parametrize("seconds", SECONDS, ids=repr)
def test_a_hold_that_cannot_be_meant(seconds: Any, offline: Client, server: Canned) -> None:
    for name in ("authorize", "extend"):
        error = refused(offline, server, name, hold_s=seconds)
        assert (error.code, error.field) == ("invalid_argument", "hold_s")


@pytest.mark.parametrize("attempt", [0, -1, 1.0, "1", True, None])
def test_an_attempt_that_cannot_be_meant(attempt: Any, offline: Client, server: Canned) -> None:
    assert refused(offline, server, "authorize", attempt=attempt).field == "attempt"


OTHERS: list[tuple[str, dict[str, Any], str]] = [
    ("authorize", {"capture": "later"}, "capture"),
    ("authorize", {"capture": True}, "capture"),
    ("authorize", {"tenders": [TenderRequest(points=427)]}, "points"),
    ("authorize", {"points": None, "value": None, "tenders": []}, "tenders"),
    ("authorize", {"points": None, "value": None, "tenders": TenderRequest(points=427)}, "tenders"),
    ("authorize", {"points": None, "value": None, "tenders": ["points"]}, "tenders"),
    ("authorize", {"points": None, "tenders": [TenderRequest(points=427)]}, "value"),
    ("authorize", {"lines": LINES[0]}, "lines"),
    ("authorize", {"lines": [{"id": "lamp"}]}, "lines"),
    ("authorize", {"lines": [replace(LINES[0], id="")]}, "lines.id"),
    ("authorize", {"lines": [replace(LINES[0], sku=5)]}, "lines.sku"),
    ("authorize", {"lines": [replace(LINES[0], quantity=0)]}, "lines.quantity"),
    ("authorize", {"lines": [replace(LINES[0], quantity=1.0)]}, "lines.quantity"),
    ("authorize", {"lines": [replace(LINES[0], amount_minor=-1)]}, "lines.amount_minor"),
    ("authorize", {"lines": [replace(LINES[0], vat_rate=19)]}, "lines.vat_rate"),
    ("authorize", {"lines": [replace(LINES[0], vat_rate="nineteen")]}, "lines.vat_rate"),
    ("capture", {"final": False}, "capture_reference"),
    ("capture", {"final": 1}, "final"),
    ("capture", {"final": "no", "capture_reference": "S-1"}, "final"),
    ("capture", {"final": None}, "final"),
    ("find", {"order_reference": None}, "order_reference"),
    ("find", {"idempotency_key": "key-1"}, "order_reference"),
]


@pytest.mark.parametrize(("name", "arguments", "field"), OTHERS)
def test_arguments_that_cannot_be_meant(
    name: str, arguments: dict[str, Any], field: str, offline: Client, server: Canned
) -> None:
    assert refused(offline, server, name, **arguments).field == field


def test_tenders_of_two_currencies_are_refused(offline: Client, server: Canned) -> None:
    tenders = [
        TenderRequest(points=1, value=eur(1)),
        TenderRequest(points=1, value=Money(amount_minor=1, currency="USD")),
    ]
    refused(offline, server, "authorize", points=None, value=None, tenders=tenders)


DEADLINES: list[Any] = [0, -1, 601, float("nan"), float("inf"), "8", True, []]


@pytest.mark.parametrize("deadline_s", DEADLINES, ids=repr)
def test_deadlines_that_cannot_be_meant(deadline_s: Any, offline: Client, server: Canned) -> None:
    for name in CALLS:
        assert refused(offline, server, name, deadline_s=deadline_s).field == "deadline_s"
    with pytest.raises(InvalidArgumentError):
        Client(server.url, client_id="a", client_secret="b", deadline_s=deadline_s)


# The way to the provider's page.

CONSENT = {"redirect_uri": "https://shop.example/points/callback", "state": "st-1", "code_challenge": "ch-1"}


def test_the_address_of_the_consent_page() -> None:
    with Client("https://points.example/", client_id="demo shop", client_secret="b") as client:
        url = client.members.consent_url(**CONSENT, locale="zh-CN")
    assert url == (
        "https://points.example/oauth/authorize?response_type=code&client_id=demo+shop"
        "&redirect_uri=https%3A%2F%2Fshop.example%2Fpoints%2Fcallback&scope=balance+redeem&state=st-1"
        "&code_challenge=ch-1&code_challenge_method=S256&ui_locales=zh-CN"
    )


@pytest.mark.parametrize("field", [*CONSENT, "scope", "locale"])
@pytest.mark.parametrize("value", ["", "a\r\nb", 5])
def test_a_consent_page_that_cannot_be_meant(field: str, value: Any, offline: Client) -> None:
    arguments: dict[str, Any] = {**CONSENT, field: value}
    with pytest.raises(InvalidArgumentError) as caught:
        offline.members.consent_url(**arguments)
    assert caught.value.field == field


# Addresses of providers.

GOOD_ADDRESSES = {
    "https://points.example": "https://points.example",
    "https://points.example/": "https://points.example",
    "https://points.example/api/v7/": "https://points.example/api/v7",
    "https://points.example:8443": "https://points.example:8443",
    "http://127.0.0.1:8600": "http://127.0.0.1:8600",
    "http://127.8.9.10:8600": "http://127.8.9.10:8600",
    "http://localhost:8600": "http://localhost:8600",
    "http://[::1]:8600": "http://[::1]:8600",
    "HTTPS://points.example": "https://points.example",
}
BAD_ADDRESSES: list[Any] = [
    "http://points.example",
    "http://127.0.0.1.evil.example",
    "http://127.evil.example",
    "http://localhost.evil.example",
    "http://0.0.0.0:8600",
    "http://2130706433",
    "http://[::ffff:10.0.0.1]",
    "http://192.168.0.1",
    "points.example",
    "//points.example",
    "ftp://points.example",
    "https://",
    "https:///v1",
    "https://demo:secret@points.example",
    "https://:secret@points.example",
    "https://127.0.0.1\\@points.example",
    "http://127.0.0.1\\.evil.example",
    "https://points.example?x=1",
    "https://points.example#x",
    "https://points.example:port",
    "https://points.example:99999",
    "https://points.example:0",
    "https://[::1",
    "https://points.example/\r\nX: 1",
    "https://points .example",
    "",
    None,
    5,
    b"https://points.example",
]


@pytest.mark.parametrize("address", GOOD_ADDRESSES)
def test_addresses_that_are_taken(address: str) -> None:
    with Client(address, client_id="demo-shop", client_secret="demo-secret") as client:
        assert GOOD_ADDRESSES[address] in repr(client)


@pytest.mark.parametrize("address", BAD_ADDRESSES)
@pytest.mark.scenario("S11", "https everywhere but on this machine, and this machine is not what only begins like it")
def test_addresses_that_are_refused(address: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Client(address, client_id="demo-shop", client_secret="demo-secret")
    assert caught.value.field == "base_url"
    assert "secret@" not in str(caught.value)


def test_a_name_that_no_resolver_takes_is_certainly_not_reached() -> None:
    with Client(f"https://{'a' * 64}.localhost", client_id="demo-shop", client_secret="demo-secret") as client:
        assert_not_sent(failure("authorize", client), "authorize")
