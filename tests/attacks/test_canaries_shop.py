"""Secrets in everything that a shop is given, driven through its pages: only cookies and the wire ever carry them."""

from __future__ import annotations

import base64
import logging
import re
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from flask.testing import FlaskCliRunner

from _small_shop import Provider, SmallShop, Visitor, make_small_shop
from flask_punktgenau.cli import punktgenau
from punktgenau import ConfigurationError
from punktgenau.sandbox import Database, create_app
from punktgenau.sandbox.server import Server
from punktgenau.sandbox.state import sandbox_of
from punktgenau.sandbox.tokens import digest

WORD = "ca" + "nary"
SECRET = f"{WORD}-secret-4711"
WEBHOOK_KEY = base64.b64encode(f"{WORD}-webhook-key".encode()).decode()
NAME, MEMBER = f"{WORD.title()} Surname", f"mbr_{WORD}"
AWAY = f"postgresql://shop:{WORD}@127.0.0.1:1/shop"
CUSTOMER = f"{WORD}@customers.test"


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    """A sandbox whose partner has a secret that is easy to find again."""
    database = Database()
    app = create_app(database)
    with sandbox_of(app).work() as work:
        work.run("UPDATE partner SET secret_digest = ?", digest(SECRET))
    server = Server(app, host="127.0.0.1", port=0)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    with requests.Session() as http:
        http.trust_env = False
        one = Provider(url=f"http://127.0.0.1:{server.port}", http=http)
        one.control("POST", "/members", {"id": MEMBER, "points": 2500, "display_name": NAME})
        yield one
    server.stop()
    thread.join()
    database.close()


@pytest.fixture
def small(tmp_path: Path, provider: Provider, caplog: pytest.LogCaptureFixture) -> SmallShop:
    caplog.set_level(logging.NOTSET)
    provider.no_faults()
    return make_small_shop(
        tmp_path,
        provider=provider,
        provider_url=provider.url,
        SECRET_KEY=f"{WORD}-session-key",
        PUNKTGENAU_CLIENT_SECRET=SECRET,
        PUNKTGENAU_WEBHOOK_SECRETS=f"whsec_{WEBHOOK_KEY}",
        PUNKTGENAU_DEADLINE_S=0.5,
        PUNKTGENAU_INLINE_RECOVERY=0,
    )


class Seen:
    """What was shown to anybody: pages, headers without cookies, addresses."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor, self.parts = visitor, list[str]()

    def get(self, path: str) -> str:
        return self._kept(self.visitor.browser.get(path))

    def post(self, path: str, **form: object) -> str:
        return self._kept(self.visitor.post(path, **form))

    def place(self, reference: str, **form: object) -> str:
        return self._kept(self.visitor.place(reference, **form))

    def _kept(self, answer: object) -> str:
        headers = [f"{name}: {value}" for name, value in answer.headers if name != "Set-Cookie"]  # type: ignore[attr-defined]
        self.parts += [answer.text, *headers]  # type: ignore[attr-defined]
        return str(answer.headers.get("Location", ""))  # type: ignore[attr-defined]


def linked(seen: Seen, provider: Provider) -> list[str]:
    """Link the account on the real way; the secrets of that way."""
    there = seen.get("/points/connect?next=/cart")
    with seen.visitor.browser.session_transaction() as kept:
        [[state, verifier, *_]] = kept["_punktgenau_link"]
    code = provider.agree(there, member_id=MEMBER)
    # Only the browser itself may carry the state there and back.
    seen.parts = [part for part in seen.parts if state not in part or "oauth/authorize" not in part]
    assert verifier not in there
    assert seen.get(f"/points/callback?state={state}&code={code}") == "/cart"
    return [state, verifier, code]


def refused_link(seen: Seen) -> list[str]:
    """Come back with a code that the provider does not take; what this browser kept for it."""
    seen.visitor.browser.get("/points/connect")
    with seen.visitor.browser.session_transaction() as kept:
        [[state, verifier, *_]] = kept["_punktgenau_link"]
    assert seen.get(f"/points/callback?state={state}&code={WORD}-code") == ""
    return [verifier, f"{WORD}-code"]


FAULTS: tuple[tuple[str, str], ...] = (
    ("authorize", "reset"),
    ("authorize", "html_502"),
    ("authorize", "other_json_200"),
    ("authorize", "wrong_echo"),
    ("authorize", "status_429"),
    ("authorize", "status_500"),
    ("authorize", "redirect"),
    ("token", "status_503"),
    ("balance", "malformed_json"),
    ("entries", "status_500"),
    ("capture", "reset"),
)


@pytest.mark.scenario("S15", "no secret of a shop in pages, addresses, logs, the journal or the provider's overview")
def test_no_secret_leaves_the_shop(small: SmallShop, provider: Provider, caplog: pytest.LogCaptureFixture) -> None:
    visitor = small.visitor(CUSTOMER)
    seen = Seen(visitor)
    secrets = linked(seen, provider)
    for number, (operation, kind) in enumerate((("balance", ""), *FAULTS)):
        if kind:
            provider.fault(operation, kind, when="after" if kind in ("reset", "wrong_echo") else "before", times=9)
        with small.app.app_context():
            # Forgotten, so that the token is asked for again.
            small.points.checkout._provider._transport._token._header = None  # type: ignore[attr-defined]
        seen.post("/points/apply", points="10", next="/cart")
        seen.place(f"A-{number}")
        for path in ("/cart", "/checkout", f"/orders/A-{number}", "/points/history", "/points/quote?points=5"):
            seen.get(path)
        seen.post("/points/retry", order_reference=f"A-{number}")
        provider.no_faults()
    seen.get("/points/callback?state=x&code=y")
    secrets += refused_link(seen)
    with small.app.app_context():
        small.points.checkout.recover()
    cookie = visitor.browser.get_cookie("session")
    assert cookie is not None
    secrets += [SECRET, WEBHOOK_KEY, cookie.value, f"{WORD}-session-key", base64.b64encode(SECRET.encode()).decode()]
    everything = "\n".join(seen.parts)
    assert [secret for secret in [*secrets, MEMBER, NAME, "pat_", "mat_"] if secret in everything] == []
    ours = "\n".join(one.getMessage() for one in caplog.records if not one.name.startswith("urllib3"))
    assert "answered with a problem" in ours
    assert [secret for secret in [*secrets, MEMBER, NAME, CUSTOMER, "pat_", visitor.token()] if secret in ours] == []
    # The wire's own library writes addresses into its debug log; state and code stand in those of the browser alone.
    assert [secret for secret in [*secrets[3:], secrets[1], NAME, CUSTOMER, "pat_"] if secret in caplog.text] == []
    journal = (Path(small.app.instance_path) / "punktgenau.sqlite").read_bytes()
    with closing(sqlite3.connect(Path(small.app.instance_path) / "punktgenau.sqlite")) as rows:
        dump = "\n".join(rows.iterdump())
    assert [secret for secret in [*secrets, NAME, "pat_", "mat_"] if secret in dump or secret.encode() in journal] == []
    overview = "".join(provider.http.get(f"{provider.url}{path}", timeout=20).text for path in ("/", "/requests"))
    overview += str(provider.control("GET", "/requests"))
    assert [secret for secret in [*secrets, "pat_", "mat_", CUSTOMER] if secret in overview] == []
    assert not re.search(f"{WORD}(?!@)", repr(small.app.extensions["punktgenau"].config))


@pytest.mark.scenario("S15", "the command line says what is wrong, without the password that is wrong or too late")
@pytest.mark.parametrize("command", ["upgrade", "recover", "worker"])
def test_no_secret_on_the_command_line(
    tmp_path: Path, provider: Provider, caplog: pytest.LogCaptureFixture, command: str
) -> None:
    caplog.set_level(logging.NOTSET)
    config = {"PUNKTGENAU_DATABASE_URL": AWAY, "PUNKTGENAU_CLIENT_SECRET": SECRET}
    small = make_small_shop(tmp_path, provider=provider, provider_url=provider.url, **config)
    result = FlaskCliRunner(small.app).invoke(punktgenau, [command])
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit), result.exception
    assert "Error: " in result.output
    assert WORD not in f"{result.output} {caplog.text}"


WRONG = (
    ("PUNKTGENAU_PROVIDER_URL", f"https://u:{WORD}@points.example"),
    ("PUNKTGENAU_PROVIDER_URL", f"https://points.example/?key={WORD}"),
    ("PUNKTGENAU_PROVIDER_URL", f"http://{WORD}.example"),
    ("PUNKTGENAU_CLIENT_SECRET", f"{WORD}\nx"),
    ("PUNKTGENAU_DATABASE_URL", f"mysql://shop:{WORD}@127.0.0.1/shop"),
    ("PUNKTGENAU_DATABASE_URL", f"postgresql://shop:x@{WORD}:y@127.0.0.1:1/shop"),
    ("PUNKTGENAU_DATABASE_URL", WORD),
    ("PUNKTGENAU_WEBHOOK_SECRETS", f"whsec_{WORD}!"),
)


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_wrong_setting_is_refused_at_start_without_its_value(
    tmp_path: Path, provider: Provider, name: str, value: str
) -> None:
    """Later it would be an error on every page that asks for points."""
    with pytest.raises(ConfigurationError) as caught:
        make_small_shop(tmp_path, provider=provider, provider_url=provider.url, **{name: value})
    error: BaseException | None = caught.value
    while error is not None:
        assert WORD not in f"{error} {error!r}"
        error = error.__cause__


@pytest.mark.parametrize(
    "path",
    ["/cart", "/checkout", "/points/panel", "/points/quote?points=1", "/points/connect", "/points/history"],
)
def test_a_database_that_is_away_is_no_crash_and_no_secret(
    tmp_path: Path, provider: Provider, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    caplog.set_level(logging.NOTSET)
    small = make_small_shop(tmp_path, provider=provider, provider_url=provider.url, PUNKTGENAU_DATABASE_URL=AWAY)
    answer = small.visitor("anna").browser.get(path)
    assert answer.status_code in (200, 503)
    assert WORD not in f"{answer.text} {answer.headers} {caplog.text}"


def test_what_the_flow_sends_away_is_only_what_it_must(small: SmallShop, provider: Provider) -> None:
    there = small.visitor(CUSTOMER).browser.get("/points/connect").location
    asked = parse_qs(urlsplit(there or "").query)
    assert asked.keys() == {
        "response_type", "client_id", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method",
        "ui_locales",
    }  # fmt: skip
