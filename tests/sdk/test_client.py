"""The client as a whole: its names, its keys, what it shows of itself, and many threads on one of it."""

from __future__ import annotations

import inspect
import logging
import pickle
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations
from typing import Any, get_type_hints

import pytest

import punktgenau
from _calls import READS, SAMPLES, WRITES, authorize, eur, failure, key_of, reply
from _canned import Canned, Conversation, answer, close, problem
from punktgenau import Client, PunktgenauError
from punktgenau.provider import MembersPort, Provider, RedemptionsPort

# Names that others build on: one that goes is a break, one that comes is written here.
PUBLIC = [
    "CODES",
    "AlreadyCapturedError",
    "AlreadyVoidedError",
    "AmountChangedError",
    "AuthenticationError",
    "Balance",
    "CartMismatchError",
    "Client",
    "Clock",
    "Code",
    "ConfigurationError",
    "DeclinedError",
    "Entries",
    "Entry",
    "HoldExpiredError",
    "IdempotencyConflictError",
    "Identification",
    "InProgressError",
    "InsufficientPointsError",
    "InvalidArgumentError",
    "LimitError",
    "Limits",
    "LiveRedemptionError",
    "Member",
    "MemberBlockedError",
    "Money",
    "NotFoundError",
    "NotLinkedError",
    "NotSentError",
    "OpenTransactionError",
    "OutcomeUnknownError",
    "Provider",
    "ProviderError",
    "ProviderProfile",
    "PunktgenauError",
    "Quote",
    "Rate",
    "RateLimitedError",
    "Redemption",
    "RedemptionEndedError",
    "RedemptionLine",
    "ReturnConflictError",
    "Reversal",
    "ReversalExceedsCaptureError",
    "StateConflictError",
    "SystemClock",
    "Tender",
    "TenderRequest",
    "UnavailableError",
    "UnexpectedResponseError",
    "VoucherError",
    "VoucherReturn",
    "WebhookSignatureError",
]


def test_public_names_are_these() -> None:
    assert sorted(PUBLIC) == sorted(punktgenau.__all__)
    visible = {name for name, value in vars(punktgenau).items() if not name.startswith("_")}
    modules = {name for name in visible if inspect.ismodule(getattr(punktgenau, name))}
    assert visible - modules == set(PUBLIC)


def test_public_functions_say_their_types_and_none_is_any() -> None:
    for owner in (Client, type(any_client().members), type(any_client().redemptions)):
        for name, function in inspect.getmembers(owner, inspect.isfunction):
            if not name.startswith("_"):
                hints = get_type_hints(function, include_extras=True)
                assert hints.keys() == {*inspect.signature(function).parameters, "return"} - {"self"}
                assert Any not in hints.values()


def test_what_could_be_mixed_up_is_keyword_only() -> None:
    for noun in (any_client().members, any_client().redemptions):
        for name, method in inspect.getmembers(noun, inspect.ismethod):
            if not name.startswith("_"):
                kinds = [parameter.kind for parameter in inspect.signature(method).parameters.values()]
                assert kinds.count(inspect.Parameter.POSITIONAL_OR_KEYWORD) <= 1


def any_client() -> Client:
    return Client("https://points.example", client_id="demo-shop", client_secret="demo-secret")


def test_a_client_is_a_provider_as_it_stands() -> None:
    provider: Provider = any_client()
    assert (provider.partner_id, provider.mode, provider.profile.name) == ("demo-shop", None, "reference")
    for port, noun in ((MembersPort, provider.members), (RedemptionsPort, provider.redemptions)):
        for name, declared in inspect.getmembers(port, inspect.isfunction):
            if not name.startswith("_"):
                wanted = list(inspect.signature(declared).parameters.values())[1:]
                assert list(inspect.signature(getattr(noun, name)).parameters.values()) == wanted


# Keys. Computed with sha256sum: they must not change from one version to the next.

TOTAL = eur(5990)
KEYS: dict[str, Callable[[Client], object]] = {
    "pk_6d6225036cb24b8d658b2f654a4a1f8c55155c08": lambda c: place(c, "A-1001"),
    "pk_8884115d33bd847233ca115a7c2c9a5521a58de0": lambda c: place(c, "A-1001", attempt=2),
    "pk_be5d8d7ecce9c5808c88062e203854d178fe6452": lambda c: place(c, "A-1002"),
    "pk_603143569c73c687bfd1fa46ebe7143af06e190d": lambda c: c.redemptions.capture("red_0001"),
    "pk_1bc744a10a3608affd34fb8f554666c323d113d5": lambda c: c.redemptions.capture("red_0001", capture_reference="S-1"),
    "pk_e2972a2f88ab3201c9d9461bb31eab6b1039a5e4": lambda c: c.redemptions.capture("red_0002"),
    "pk_3e504a22f99905db779637ba4820a1460905765d": lambda c: c.redemptions.void("red_0001"),
    "pk_c0109a5497295d75badae30ff929c3f4fa4184bb": lambda c: c.redemptions.extend("red_0001", hold_s=7200),
    "pk_80a32afcc4ae877e44a689b46d6b1df2d793b291": lambda c: c.redemptions.extend("red_0001", hold_s=7201),
    "pk_d3f6d1e24c07a4ac51a166556a5b3bbb7b969f38": lambda c: c.redemptions.reverse(
        "red_0001", points=1, return_reference="R-1"
    ),
    "pk_860710e85f1b544fc00344f5dd9196720ecbbf9d": lambda c: c.redemptions.reverse(
        "red_0001", points=1, return_reference="R-2"
    ),
    "pk_224f872790f13869fdd34cb90340823307e980e7": lambda c: c.redemptions.cancel_by_key(target_key="key-1"),
}
# The same intention with other content has the same key, so that the provider can tell.
SAME_INTENTION: dict[str, tuple[Callable[[Client], object], ...]] = {
    "pk_6d6225036cb24b8d658b2f654a4a1f8c55155c08": (
        lambda c: place(c, "A-1001", points=100, total=eur(1), member_id="mbr_42", hold_s=900, capture="now"),
    ),
    "pk_603143569c73c687bfd1fa46ebe7143af06e190d": (lambda c: c.redemptions.capture("red_0001", points=1),),
    "pk_d3f6d1e24c07a4ac51a166556a5b3bbb7b969f38": (
        lambda c: c.redemptions.reverse("red_0001", points=2, value=eur(2), return_reference="R-1"),
    ),
}


def place(client: Client, order_reference: str, **more: Any) -> object:
    arguments = {"member_id": "mbr_2500", "total": TOTAL, "points": 427, **more}
    return client.redemptions.authorize(order_reference=order_reference, **arguments)


def sent_key(client: Client, server: Canned, call: Callable[[Client], object]) -> str | None:
    server.next(problem("insufficient_points", 422))
    with pytest.raises(PunktgenauError) as caught:
        call(client)
    assert caught.value.idempotency_key == server.keys()[-1]
    return server.keys()[-1]


@pytest.mark.parametrize("key", KEYS)
def test_a_missing_key_is_made_of_the_intention(key: str, client: Client, server: Canned) -> None:
    assert sent_key(client, server, KEYS[key]) == key
    for call in SAME_INTENTION.get(key, ()):
        assert sent_key(client, server, call) == key


def test_another_partner_has_another_key_for_the_same_order(server: Canned) -> None:
    with Client(server.url, client_id="other-shop", client_secret="x") as client:
        key = sent_key(client, server, lambda c: place(c, "A-1001"))
    assert key == "pk_780fc9970a1499195000fe4e5c07c26b6e231d05"


def test_a_key_that_is_given_is_the_one_that_is_sent(client: Client, server: Canned) -> None:
    for name in WRITES:
        server.next(answer(reply(name)))
        SAMPLES[name](client)
    assert server.keys() == [key_of(name) for name in WRITES]


# What it shows of itself.

SECRETS = {
    "client secret": "canary-secret-4711",
    "token": "canary-token-4712",
    "encoded pair": "ZGVtby1zaG9wOmNhbmFyeS1zZWNyZXQtNDcxMQ==",
}


@pytest.fixture
def canary(server: Canned) -> Iterator[Client]:
    """A client whose every secret is easy to find again."""
    token = {"access_token": SECRETS["token"], "token_type": "Bearer", "expires_in": 3600, "mode": "sandbox"}
    server.token = answer(token)
    with Client(server.url, client_id="demo-shop", client_secret=SECRETS["client secret"]) as client:
        yield client


ENDINGS: dict[str, Any] = {
    "done": lambda name: answer(reply(name)),
    "lost": lambda name: close,
    "declined": lambda name: problem("insufficient_points", 422),
    "refused credentials": lambda name: problem("unauthorized", 401),
    "another shape": lambda name: answer({"access_token": SECRETS["token"]}),
}


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("name", WRITES + READS)
@pytest.mark.scenario("S15", "secret, token and whole keys never stand in a log, an error, a trace or a repr")
def test_no_secret_is_ever_shown(
    name: str, ending: str, canary: Client, server: Canned, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.usual = ENDINGS[ending](name)
    shown: list[object] = []
    try:
        shown.append(SAMPLES[name](canary))
    except PunktgenauError as error:
        shown += [str(error), repr(error), vars(error), pickle.dumps(error), *variables_in_our_frames(error)]
        shown += traceback.format_exception(error)
    assert server.seen[0].headers["authorization"] == f"Bearer {SECRETS['token']}"

    own_log = [record.getMessage() for record in caplog.records if record.name.startswith("punktgenau")]
    text = "\n".join(map(str, [*shown, caplog.text, *map(repr, parts_of(canary))]))
    assert [name for name, secret in SECRETS.items() if secret in text] == []
    assert (key_of(name) or "no key") not in "\n".join(own_log)
    assert "mbr_2500" not in "\n".join(own_log)


def variables_in_our_frames(error: BaseException | None) -> Iterator[object]:
    """What a crash reporter would send along."""
    while error is not None:
        told = traceback.TracebackException.from_exception(error, capture_locals=True)
        yield from (frame.locals for frame in told.stack if "/tests/" not in frame.filename)
        error = error.__cause__ or error.__context__


def parts_of(client: Client) -> list[object]:
    return [client, client.members, client.redemptions, client._transport, client._transport._token]


def test_the_log_says_what_a_line_in_a_shops_log_needs(
    client: Client, server: Canned, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="punktgenau")
    server.next(answer(reply("authorize"), 201))
    SAMPLES["authorize"](client)
    [line] = [record for record in caplog.records if record.name == "punktgenau"]
    assert line.levelno == logging.DEBUG
    assert line.getMessage().startswith("authorize 201 in ")
    assert line.getMessage().endswith(" ms, key key-…01")


# Many threads.


@pytest.mark.parametrize("threads", [8, 32])
@pytest.mark.scenario("K12", "32 threads on one client: no answer, member or key of one reaches another")
def test_threads_never_cross(threads: int, client: Client, server: Canned) -> None:
    each = 96 // threads

    def play(talk: Conversation) -> None:
        assert talk.request is not None
        number = talk.request.path.rpartition("=")[2] or talk.request.headers["idempotency-key"]
        if talk.request.method == "GET":
            item = {**reply("get"), "order_reference": f"A-{number}", "id": f"red_{number}"}
            answer({**reply("find"), "items": [{**item, "order_reference": number}]})(talk)
        else:
            key = talk.request.headers["idempotency-key"]
            answer({**reply("authorize"), "idempotency_key": key, "order_reference": key})(talk)

    server.usual = play
    start = threading.Barrier(threads)

    def work(thread: int) -> int:
        start.wait(10)
        for turn in range(each):
            name = f"T{thread}-{turn}"
            red = authorize(client, order_reference=name, idempotency_key=name)
            assert (red.order_reference, red.idempotency_key) == (name, name)
            [found] = client.redemptions.find(order_reference=name)
            assert found.id == f"red_{name}"
        return each

    with ThreadPoolExecutor(threads) as pool:
        assert sum(pool.map(work, range(threads))) == 96
    assert len(server.seen) == 192
    sent = [(seen.headers.get("idempotency-key"), seen.body) for seen in server.seen if seen.method == "POST"]
    assert all(key is not None and f'"order_reference":"{key}"'.encode() in body for key, body in sent)
    assert all(one[0] != other[0] for one, other in combinations(sent, 2))


def test_connections_come_back_after_every_ending(client: Client, server: Canned) -> None:
    endings = [problem("insufficient_points", 422), answer(reply("authorize")), problem("not_found", 404)]
    server.next(*endings)
    failure("authorize", client)
    SAMPLES["authorize"](client)
    failure("get", client)
    assert len({seen.connection for seen in server.seen}) == 1


# Small things.


def test_a_calls_deadline_is_the_clients_unless_it_has_its_own(new_client: Callable[..., Client]) -> None:
    heard: list[float] = []
    client = new_client(deadline_s=5.0)
    moments = client._transport._clock.monotonic

    def header(fetch: object, *, ends: float) -> str:
        heard.append(ends - moments())
        return "Bearer pat_5f2c9d"

    client._transport._token.header = header  # type: ignore[method-assign, assignment]
    failure("get", client)
    failure("get", client, deadline_s=1.5)
    assert 4.5 < heard[0] <= 5.0
    assert 1.0 < heard[-1] <= 1.5


def test_found_redemptions_come_as_the_provider_orders_them(client: Client, server: Canned) -> None:
    items = [{**reply("get"), "id": f"red_000{number}"} for number in (3, 2, 1)]
    server.next(answer({**reply("find"), "items": items}))
    assert [red.id for red in client.redemptions.find(order_reference="A-1001")] == ["red_0003", "red_0002", "red_0001"]


def test_redemptions_are_found_page_by_page(client: Client, server: Canned) -> None:
    page = {**reply("find"), "items": [{**reply("get"), "id": "red_0002"}], "next_cursor": "2"}
    server.next(answer(page))
    server.next(answer({**reply("find"), "items": [{**reply("get"), "id": "red_0001"}]}))
    assert [red.id for red in client.redemptions.find(order_reference="A-1001")] == ["red_0002", "red_0001"]
    assert [seen.path for seen in server.seen[-2:]] == [
        "/v1/redemptions?order_reference=A-1001",
        "/v1/redemptions?order_reference=A-1001&cursor=2",
    ]


def test_an_answer_of_an_ended_hold_is_an_error_of_its_own(client: Client, server: Canned) -> None:
    for state in ("voided", "expired", "cancelled", "declined", "reversed"):
        server.next(answer({**reply("authorize"), "state": state}, headers={"Idempotency-Replayed": "true"}))
        error = failure("authorize", client)
        assert (type(error), error.retry) == (punktgenau.RedemptionEndedError, "new_attempt")
        assert (error.redemption_id, error.sends, error.idempotency_key) == ("red_0001", 1, "key-authorize-A-1001")


def test_leaving_a_client_closes_its_connections(server: Canned) -> None:
    ended = threading.Event()

    def play(talk: Conversation) -> None:
        answer(reply("balance"))(talk)
        talk.wait_until_left()
        ended.set()

    server.next(play)
    with Client(server.url, client_id="demo-shop", client_secret="demo-secret") as client:
        SAMPLES["balance"](client)
        assert not ended.is_set()
    assert ended.wait(10)
