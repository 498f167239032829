"""The fake provider: the sandbox's ledger, seen through a client and through the fake's own attributes."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from punktgenau import (
    Client,
    IdempotencyConflictError,
    LimitError,
    MemberBlockedError,
    Money,
    NotLinkedError,
    NotSentError,
    OutcomeUnknownError,
    PunktgenauError,
    TenderRequest,
)
from punktgenau.members import pkce_pair
from punktgenau.testing import FakeProvider, ManualClock, MemberBalance, fake_provider

TOTAL = Money(amount_minor=5990, currency="EUR")


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    with fake_provider() as provider:
        yield provider
        provider.assert_books_balance()


@pytest.fixture
def client(provider: FakeProvider) -> Iterator[Client]:
    with client_of(provider) as client:
        yield client


def client_of(provider: FakeProvider) -> Client:
    return Client(
        provider.url, client_id=provider.client_id, client_secret=provider.client_secret, clock=provider.clock
    )


def test_pays_and_gives_back(provider: FakeProvider, client: Client) -> None:
    red = client.redemptions.authorize(member_id="mbr_2500", order_reference="A-1", total=TOTAL, points=427)
    assert provider.balance("mbr_2500") == MemberBalance(available=2073, held=427)
    client.redemptions.capture(red.id)
    client.redemptions.reverse(red.id, points=100, return_reference="R-1")
    assert provider.balance("mbr_2500") == MemberBalance(available=2173, held=0)
    [now] = provider.redemptions("A-1")
    assert (now.state, now.captured_points, now.reversed_points) == ("partially_reversed", 427, 100)
    moved = [(entry.kind, entry.points) for entry in provider.entries("mbr_2500") if entry.order_reference == "A-1"]
    assert moved == [("hold", -427), ("capture", 0), ("reversal", 100)]


def test_begins_with_the_demo_members(provider: FakeProvider) -> None:
    found = [provider.balance(member_id).available for member_id in ("mbr_2500", "mbr_42", "mbr_0")]
    assert found == [2500, 42, 0]
    assert provider.redemptions() == ()
    assert provider.requests == ()


def test_keys_mean_what_they_mean_over_tcp(client: Client) -> None:
    def hold(points: int) -> bool:
        red = client.redemptions.authorize(
            member_id="mbr_2500", order_reference="A-1", total=TOTAL, points=points, idempotency_key="k-1"
        )
        return red.replayed

    assert (hold(427), hold(427)) == (False, True)
    with pytest.raises(IdempotencyConflictError):
        hold(428)


def test_many_threads_at_once(provider: FakeProvider, client: Client) -> None:
    def hold(number: int) -> str:
        return client.redemptions.authorize(
            member_id="mbr_2500", order_reference=f"A-{number}", total=TOTAL, points=7
        ).state

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(hold, range(40))) == {"authorized"}
    assert provider.balance("mbr_2500") == MemberBalance(available=2220, held=280)
    assert [request.operation for request in provider.requests].count("authorize") == 40


def test_headers_and_refusals_are_those_of_the_contract(provider: FakeProvider) -> None:
    reply = requests.get(f"{provider.url}/v1/members/mbr_2500/balance", timeout=3.0)
    assert reply.status_code == 401
    assert reply.headers["Content-Type"] == "application/problem+json"
    assert (reply.json()["code"], reply.json()["mode"]) == ("unauthorized", "sandbox")


def test_requests_show_what_was_sent_and_no_secret(provider: FakeProvider, client: Client) -> None:
    client.redemptions.authorize(
        member_id="mbr_42", order_reference="A-1", total=TOTAL, points=7, idempotency_key="k-1"
    )
    token, authorize = provider.requests
    assert (token.operation, token.body, token.status) == ("token", None, 200)
    assert (authorize.operation, authorize.idempotency_key, authorize.status) == ("authorize", "k-1", 201)
    assert authorize.body == {
        "member_id": "mbr_42",
        "order_reference": "A-1",
        "total": {"amount_minor": 5990, "currency": "EUR"},
        "tenders": [{"kind": "points", "points": 7}],
    }
    told = repr(provider.requests) + repr(provider)
    assert provider.client_secret not in told
    assert "pat_" not in told


def test_lost_answer_is_repeated_with_the_same_key(provider: FakeProvider, client: Client) -> None:
    provider.faults.next("authorize", "reset", when="after")
    red = client.redemptions.authorize(member_id="mbr_2500", order_reference="A-1", total=TOTAL, points=427)
    assert (red.replayed, red.sends) == (True, 2)
    sent = [request for request in provider.requests if request.operation == "authorize"]
    assert [request.status for request in sent] == [None, 200]
    assert len({request.idempotency_key for request in sent}) == 1
    assert provider.balance("mbr_2500").held == 427


def test_hang_lasts_as_long_as_the_caller_waits_and_takes_no_time(provider: FakeProvider, client: Client) -> None:
    began = provider.clock.monotonic()
    provider.faults.next("authorize", "hang", when="after")
    with pytest.raises(OutcomeUnknownError) as caught:
        client.redemptions.authorize(
            member_id="mbr_2500", order_reference="A-1", total=TOTAL, points=427, deadline_s=6.0
        )
    assert caught.value.sends == 1
    assert provider.clock.monotonic() - began == pytest.approx(6.0, abs=0.01)
    [held] = client.redemptions.find(idempotency_key=caught.value.idempotency_key)
    assert held.state == "authorized"


def test_faults_are_met_in_the_order_in_which_they_were_asked_for(provider: FakeProvider, client: Client) -> None:
    provider.faults.next("balance", "status_503", times=2)
    provider.faults.next("balance", "html_502")
    provider.faults.next("capture", "reset")
    waiting = ["balance: status_503", "balance: status_503", "balance: html_502", "capture: reset"]
    assert list(provider.faults.waiting) == waiting
    with pytest.raises(PunktgenauError):
        client.members.balance(member_id="mbr_42")
    assert [request.status for request in provider.requests] == [200, 503, 503, 502]
    assert list(provider.faults.waiting) == waiting[3:]
    provider.faults.clear()
    assert list(provider.faults.waiting) == []


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"operation": "pay"}, "operation"),
        ({"kind": "explode"}, "kind"),
        ({"when": "later"}, "when"),
        ({"times": 0}, "times"),
        ({"echo": "colour"}, "echo"),
        ({"operation": "balance", "kind": "partial_approval"}, "partial_approval does not fit balance"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_fault_that_cannot_be_played_is_said_at_once(
    provider: FakeProvider, wrong: dict[str, object], named: str
) -> None:
    asked: dict[str, object] = {"operation": "authorize", "kind": "reset", **wrong}
    with pytest.raises(ValueError, match=named):
        provider.faults.next(**asked)  # type: ignore[arg-type]


def test_away_is_not_sent(provider: FakeProvider, client: Client) -> None:
    with provider.away(), pytest.raises(NotSentError):
        client.redemptions.authorize(member_id="mbr_2500", order_reference="A-1", total=TOTAL, points=427)
    assert provider.requests == ()
    assert client.members.balance(member_id="mbr_2500").available == 2500


def test_refuse_with_a_duration_ends_by_the_clock(provider: FakeProvider, client: Client) -> None:
    provider.faults.next("any", "refuse", delay_s=60)
    with pytest.raises(NotSentError):
        client.members.balance(member_id="mbr_2500")
    provider.clock.advance(60)
    assert client.members.balance(member_id="mbr_2500").available == 2500


def test_hold_ends_by_the_clock_even_when_nobody_asks(provider: FakeProvider, client: Client) -> None:
    client.redemptions.authorize(member_id="mbr_2500", order_reference="A-1", total=TOTAL, points=427, hold_s=7200)
    provider.clock.advance(7199)
    assert provider.balance("mbr_2500").held == 427
    provider.clock.advance(1)
    assert provider.balance("mbr_2500") == MemberBalance(available=2500, held=0)
    assert [red.state for red in provider.redemptions()] == ["expired"]


def test_token_ends_and_is_fetched_again(provider: FakeProvider, client: Client) -> None:
    client.members.balance(member_id="mbr_42")
    provider.clock.advance(4000)
    client.members.balance(member_id="mbr_42")
    assert [request.operation for request in provider.requests] == ["token", "balance", "token", "balance"]


def test_member_has_exactly_so_many_points(provider: FakeProvider, client: Client) -> None:
    anna = provider.member("mbr_anna", 700)
    assert client.members.balance(member_id=anna).available == 700
    for points in (31, 0, 1000):
        provider.member(anna, points)
        assert provider.balance(anna).available == points
    with pytest.raises(ValueError, match="points"):
        provider.member(anna, -1)


def test_points_end_by_their_date(provider: FakeProvider) -> None:
    soon = provider.clock.now() + timedelta(days=3)
    provider.member("mbr_anna", 700, expires_at=soon)
    provider.clock.advance(3 * 86_400)
    assert provider.balance("mbr_anna").available == 0


def test_blocked_and_unlinked_members_are_refused(provider: FakeProvider, client: Client) -> None:
    provider.member("mbr_blocked", 700, blocked=True)
    provider.member("mbr_stranger", 700, consent=False)
    provider.withdraw_consent("mbr_42")
    with pytest.raises(MemberBlockedError):
        client.redemptions.authorize(member_id="mbr_blocked", order_reference="A-1", total=TOTAL, points=7)
    for member_id in ("mbr_stranger", "mbr_42"):
        with pytest.raises(NotLinkedError):
            client.members.balance(member_id=member_id)


def test_rate_and_limits_can_be_others(provider: FakeProvider, client: Client) -> None:
    rate_id = provider.set_rate(points=3, amount_minor=2)
    red = client.redemptions.authorize(member_id="mbr_2500", order_reference="A-1", total=TOTAL, points=427)
    # 427 points at 2 cents for 3 points are 284 2/3 cents, rounded down.
    assert (red.rate.id, red.value.amount_minor) == (rate_id, 284)
    provider.set_limits(min_points=100)
    with pytest.raises(LimitError) as caught:
        client.redemptions.authorize(member_id="mbr_2500", order_reference="A-2", total=TOTAL, points=99)
    assert caught.value.code == "below_minimum"
    with pytest.raises(ValueError, match="at least 1"):
        provider.set_rate(points=0, amount_minor=1)


CALLBACK = "http://localhost/points/callback"


def test_customer_agrees_at_the_providers_page(provider: FakeProvider, client: Client) -> None:
    verifier, challenge = pkce_pair(provider.clock)
    provider.member("mbr_anna", 700, consent=False)
    there = client.members.consent_url(redirect_uri=CALLBACK, state="st-1", code_challenge=challenge)
    back = urlsplit(provider.agree(there, member_id="mbr_anna"))
    answer = {name: values[0] for name, values in parse_qs(back.query).items()}
    assert f"{back.scheme}://{back.netloc}{back.path}" == CALLBACK
    assert answer["state"] == "st-1"
    found = client.members.identify(code=answer["code"], redirect_uri=CALLBACK, code_verifier=verifier)
    assert found.member_id == "mbr_anna"
    assert client.members.balance(member_id="mbr_anna").available == 700
    assert all(verifier not in repr(request) for request in provider.requests)


def test_customer_does_not_agree(provider: FakeProvider, client: Client) -> None:
    _, challenge = pkce_pair(provider.clock)
    there = client.members.consent_url(redirect_uri=CALLBACK, state="st-1", code_challenge=challenge)
    assert provider.decline(there) == f"{CALLBACK}?error=access_denied&state=st-1"


@pytest.mark.parametrize(
    "wrong", [{"redirect_uri": "https://elsewhere.example/points/callback"}, {"code_challenge_method": "plain"}]
)
def test_address_that_no_provider_takes_is_refused(
    provider: FakeProvider, client: Client, wrong: dict[str, str]
) -> None:
    query = parse_qs(urlsplit(client.members.consent_url(redirect_uri=CALLBACK, state="s", code_challenge="c")).query)
    asked = {name: values[0] for name, values in query.items()} | wrong
    address = requests.Request("GET", f"{provider.url}/oauth/authorize", params=asked).prepare().url
    with pytest.raises(ValueError, match=r"redirect_uri|S256"):
        provider.agree(str(address), member_id="mbr_42")


def test_shop_that_redirects_nowhere_is_told(provider: FakeProvider) -> None:
    with pytest.raises(ValueError, match="nowhere"):
        provider.agree(None, member_id="mbr_42")


UNBALANCED = {
    "UPDATE account SET points = points + 1 WHERE kind = 'clearing'": {
        "an account differs from its entries: clearing:demo-shop, 8, 7",
        "what a partner took differs from its captures: demo-shop, 7, 8",
    },
    "UPDATE redemption SET held_points = 0, released_points = 427, is_live = 0, expires_at = NULL"
    " WHERE held_points = 427": {"a hold differs from the books: red_0002, 0, 427"},
    "INSERT INTO entry (movement_number, account_id, points) SELECT 1, id, 5 FROM account WHERE kind = 'issued'": {
        "all entries together are not zero: 5",
        "a movement is not balanced: 1",
        "an account differs from its entries: issued, -2542, -2537",
    },
}


@pytest.mark.parametrize("change", UNBALANCED, ids=["account", "hold", "entry"])
def test_books_that_do_not_balance_are_told(change: str) -> None:
    with fake_provider() as provider, client_of(provider) as client:
        red = client.redemptions.authorize(member_id="mbr_2500", order_reference="A-1", total=TOTAL, points=7)
        client.redemptions.capture(red.id)
        client.redemptions.authorize(member_id="mbr_2500", order_reference="A-2", total=TOTAL, points=427)
        provider.assert_books_balance()
        with provider._state.work() as work:
            work.run(change)
        with pytest.raises(AssertionError) as caught:
            provider.assert_books_balance()
    heading, *found = str(caught.value).split("\n  ")
    assert heading == "the provider's books do not balance:"
    assert set(found) == UNBALANCED[change]


def test_clock_of_the_shop_is_the_providers() -> None:
    clock = ManualClock(datetime(2026, 3, 1, 12, tzinfo=UTC))
    with fake_provider(clock=clock) as provider, client_of(provider) as client:
        red = client.redemptions.authorize(
            member_id="mbr_2500", order_reference="A-1", total=TOTAL, points=427, hold_s=600
        )
    assert provider.clock is clock
    assert red.expires_at == datetime(2026, 3, 1, 12, 10, tzinfo=UTC)


@pytest.mark.parametrize("url", ["points.example", "ftp://points.example", "https://points.example/?a=1", "https://"])
def test_address_that_cannot_be_one_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="not the address of a provider"), fake_provider(url):
        raise AssertionError("not reached")


def test_requests_never_show_a_vouchers_code(provider: FakeProvider, client: Client) -> None:
    voucher_id = provider.voucher("GIFT-2026-WINT-ER25", 2500)
    assert client.vouchers.look_up(code="gift 2026 winter25").id == voucher_id
    tenders = [TenderRequest(kind="voucher", code="GIFT-2026-WINT-ER25"), TenderRequest(points=7)]
    client.redemptions.authorize(member_id="mbr_42", order_reference="A-1", total=TOTAL, tenders=tenders)
    _, look_up, authorize = provider.requests
    assert (look_up.operation, look_up.body) == ("look_up_voucher", None)
    assert authorize.body is not None
    assert authorize.body["tenders"] == [{"kind": "voucher", "code": "…"}, {"kind": "points", "points": 7}]
    assert "ER25" not in f"{provider.requests} {tenders} {client.vouchers.list(member_id='mbr_42')}"
    provider.assert_books_balance()
