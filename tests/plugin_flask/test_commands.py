"""`flask punktgenau upgrade | recover | worker | sandbox`, in this process and as real ones."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from socket import create_server

import pytest
import requests
from click.testing import Result

from _small_shop import CREDENTIALS, Provider, SmallShop, make_small_shop
from flask_punktgenau.cli import punktgenau
from punktgenau.checkout import Order

SHOP = "from flask import Flask\nfrom flask_punktgenau import Punktgenau\napp = Flask(__name__)\nPunktgenau(app)\n"


def run(small: SmallShop, *arguments: str) -> Result:
    return small.app.test_cli_runner().invoke(punktgenau, list(arguments))


@contextmanager
def flask(folder: Path, *arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """`flask --app shop punktgenau ...` as a process; ended at the end."""
    (folder / "shop.py").write_text(SHOP)
    child = subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", "shop", "punktgenau", *arguments],
        cwd=folder,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert child.stdout is not None
    try:
        yield child
    finally:
        child.kill()
        child.wait()
        child.stdout.close()


def free_port() -> int:
    with create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def test_upgrade_makes_the_journal_and_may_be_repeated(tmp_path: Path, provider: Provider) -> None:
    url = f"sqlite:///{tmp_path / 'journal.sqlite'}"
    small = make_small_shop(tmp_path, provider=provider, provider_url=None, PUNKTGENAU_DATABASE_URL=url)
    for _ in range(2):
        result = run(small, "upgrade")
        assert (result.exit_code, result.output) == (0, "The journal is up to date.\n")


def test_upgrade_says_what_is_missing(tmp_path: Path, provider: Provider) -> None:
    small = make_small_shop(tmp_path, provider=provider, provider_url=None, TESTING=False)
    result = run(small, "upgrade")
    assert result.exit_code == 1
    assert "PUNKTGENAU_DATABASE_URL" in result.output


def test_recover_without_a_journal_says_so(tmp_path: Path, provider: Provider) -> None:
    small = make_small_shop(tmp_path, provider=provider, provider_url=None)
    result = run(small, "recover")
    assert result.exit_code == 1
    assert "provider_missing" in result.output


def test_recover_finishes_what_was_left_open(make_shop: Callable[..., SmallShop], provider: Provider) -> None:
    small = make_shop(PUNKTGENAU_DEADLINE_S=0.5)
    small.link()
    anna = small.visitor("anna")
    anna.apply("427")
    provider.fault("capture", "reset", when="before", times=50)
    anna.place("A-1")
    payment = small.find("A-1")
    assert payment is not None
    assert payment.state == "capturing"
    provider.no_faults()
    small.clock.shift += timedelta(hours=1)
    result = run(small, "recover")
    assert result.exit_code == 0
    assert result.output.startswith("finished 1, still open 0, ")
    assert provider.states("A-1") == [("captured", 427)]


def test_recover_says_what_became_of_earned_points(make_shop: Callable[..., SmallShop]) -> None:
    small = make_shop(PUNKTGENAU_EARN_POINTS=1)
    small.link()
    with small.app.app_context():
        small.shop.order("A-1", state="paid", customer_id="anna")
        small.points.checkout.capture("A-1")
    assert run(small, "recover").output.endswith("need attention 0; earned: given 1\n")
    assert run(small, "recover").output.endswith("looked at 0, need attention 0; earned: waiting 1\n")


@pytest.mark.scenario("C8", "an order that was paid while its capture was lost is captured by recovery, once")
def test_recover_asks_the_shop_what_should_become_of_a_hold(small: SmallShop, provider: Provider) -> None:
    anna = small.visitor("anna")
    anna.apply("427")
    anna.place("A-1", card="later")
    small.shop.mark("A-1", "paid")
    small.clock.shift += timedelta(minutes=10)
    run(small, "recover")
    assert provider.states("A-1") == [("captured", 427)]


def test_recover_exits_with_1_when_a_person_is_needed(small: SmallShop, provider: Provider) -> None:
    anna = small.visitor("anna")
    anna.apply("427")
    anna.place("A-1", card="later")
    small.shop.mark("A-1", "paid")
    # The hold has ended, and meanwhile the points were spent elsewhere.
    provider.control("POST", "/clock", {"advance_s": 8000})
    provider.control("POST", "/members", {"id": "mbr_2500", "points": 0})
    small.clock.shift += timedelta(seconds=8000)
    result = run(small, "recover")
    assert result.exit_code == 1
    assert "need attention 1" in result.output


def test_the_command_is_there_for_every_shop_and_the_worker_stops_when_told(tmp_path: Path, provider: Provider) -> None:
    environment = CREDENTIALS | {
        "PUNKTGENAU_PROVIDER_URL": provider.url,
        "PUNKTGENAU_DATABASE_URL": f"sqlite:///{tmp_path / 'journal.sqlite'}",
    }
    with flask(tmp_path, "upgrade", **environment) as upgrade:
        assert upgrade.wait(30) == 0
    with flask(tmp_path, "worker", "--every", "0.1", **environment) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "The worker is at work.\n"
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(30) == 0
        assert worker.stdout.read() == "The worker has ended.\n"


def test_a_worker_that_is_told_to_end_does_so_after_the_row_at_hand(
    small: SmallShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = small.visitor("anna")
    for reference in ("A-1", "A-2", "A-3"):
        anna.apply("100")
        anna.place(reference, card="later")
    small.clock.shift += timedelta(minutes=10)
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    asked: list[str] = []

    def slow_database(reference: str) -> Order:
        asked.append(reference)
        os.kill(os.getpid(), signal.SIGTERM)
        return Order(reference=reference, state="pending")

    with small.app.app_context():
        monkeypatch.setattr(small.points.checkout, "order_loader", slow_database)
    try:
        result = run(small, "worker")
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert len(asked) == 1
    assert result.output.splitlines() == [
        "The worker is at work.",
        "finished 0, still open 0, looked at 1, need attention 0",
        "The worker has ended.",
    ]


def test_the_sandbox_tells_its_three_lines_and_ends_with_its_parent(tmp_path: Path) -> None:
    port = free_port()
    with flask(tmp_path, "sandbox", "--port", str(port)) as sandbox:
        assert sandbox.stdout is not None
        lines = [sandbox.stdout.readline().strip() for _ in range(5)]
        assert lines[1:4] == [
            f"PUNKTGENAU_PROVIDER_URL=http://127.0.0.1:{port}",
            "PUNKTGENAU_CLIENT_ID=demo-shop",
            "PUNKTGENAU_CLIENT_SECRET=demo-secret",
        ]
        # The fifth line is the sandbox's own: it listens.
        with requests.Session() as http:
            http.trust_env = False
            assert http.get(f"http://127.0.0.1:{port}/sandbox/members/mbr_2500", timeout=10).status_code == 200
        sandbox.send_signal(signal.SIGTERM)
        assert sandbox.wait(30) == 0
    # Nobody is left at that port.
    create_server(("127.0.0.1", port)).close()
