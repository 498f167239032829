"""M-J1 and M-J5: what needs no clock. Counted at the driver and at the provider, through the client, on SQLite."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

import requests

from _commits import connections_in_use_while_asking, counted_commits
from bench.measure import Row, counted
from bench.servers import sandbox
from bench.stub import CART, POINTS, engine
from punktgenau import Client
from punktgenau.checkout import Checkout

MEMBER = "mbr_0"


def rows(*, quick: bool, figures: frozenset[str]) -> list[Row]:
    """One checkout after another has warmed everything."""
    with sandbox() as url, requests.Session() as http, tempfile.TemporaryDirectory() as folder:
        http.trust_env = False
        http.post(f"{url}/sandbox/members", json={"id": MEMBER, "points": 10**9}, timeout=10).raise_for_status()
        client = Client(url, client_id="demo-shop", client_secret="demo-secret")
        with client, engine(f"sqlite:///{Path(folder) / 'journal.sqlite'}", provider=client) as checkout:
            _order(checkout, "warm")
            return _counted(checkout, http, url)


def _counted(checkout: Checkout, http: requests.Session, url: str) -> list[Row]:
    before = _asked(http, url)
    database = checkout._database
    with counted_commits(database) as commits, connections_in_use_while_asking(database) as in_use:
        checkout.authorize("A-1", CART, customer_id="customer-0", points=POINTS)
        authorize_commits, placed = len(commits), _asked(http, url) - before
        checkout.capture("A-1")
        asked = _asked(http, url) - before
        capture_commits = len(commits) - authorize_commits
        checkout.authorize("A-2", CART, customer_id="customer-0", points=POINTS)
        checkout.void("A-2")
        void_commits = len(commits) - 3 * 2
    not_counted = sum(placed[name] for name in ("token", "balance"))
    return [
        counted("M-J1", "commits of an undisturbed authorize", authorize_commits, most=2, exactly=True),
        counted("M-J1", "commits of a capture", capture_commits, most=2, exactly=True),
        counted("M-J1", "commits of a void", void_commits, most=2, exactly=True),
        counted("M-J1", "provider calls of a checkout", asked.total(), most=2, exactly=True),
        counted("M-J1", "of them before the customer sees the order", placed.total(), most=1, exactly=True),
        counted("M-J1", "token and balance calls while an order is placed, warm", not_counted, most=0, exactly=True),
        counted("M-J5", "journal connections in use while the provider is asked", max(in_use), most=0, exactly=True),
    ]


def _order(checkout: Checkout, reference: str) -> None:
    checkout.authorize(reference, CART, customer_id="customer-0", points=POINTS)
    checkout.capture(reference)


def _asked(http: requests.Session, url: str) -> Counter[str]:
    items = http.get(f"{url}/sandbox/requests", timeout=10).json()["items"]
    return Counter(item["operation"] for item in items)
