"""Signals: after the commit, best effort, never a veto."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask import Flask, current_app

from _small_shop import Provider, SmallShop, cart_of
from flask_punktgenau import signals
from punktgenau.checkout import Payment


@contextmanager
def heard(app: Flask) -> Iterator[list[tuple[str, str, int]]]:
    told: list[tuple[str, str, int]] = []
    receivers = []
    for name in signals.__all__:

        def receive(sender: Flask, *, payment: Payment, name: str = name) -> None:
            assert current_app._get_current_object() is sender  # type: ignore[attr-defined]
            told.append((name, payment.order_reference, payment.points))

        receivers.append(receive)
        getattr(signals, name).connect(receive, app)
    yield told


def test_what_becomes_of_an_orders_points_is_told(small: SmallShop) -> None:
    with heard(small.app) as told, small.app.app_context():
        small.points.authorize("A-1", cart_of(5990), customer_id="anna", points=427)
        small.points.capture("A-1")
        small.points.capture("A-1")
        small.points.authorize("A-2", cart_of(5990), customer_id="anna", points=42)
        small.points.void("A-2")
        small.points.cancel("A-1")
    assert told == [
        ("redemption_authorized", "A-1", 427),
        ("redemption_captured", "A-1", 427),
        ("redemption_authorized", "A-2", 42),
        ("redemption_voided", "A-2", 0),
        ("redemption_reversed", "A-1", 0),
    ]


def test_a_receiver_that_fails_changes_nothing_and_is_logged(
    small: SmallShop, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(sender: Flask, *, payment: Payment) -> None:
        raise RuntimeError("the newsletter is down")

    signals.redemption_captured.connect(fail, small.app)
    with heard(small.app) as told, small.app.app_context():
        small.points.authorize("A-1", cart_of(5990), customer_id="anna", points=427)
        payment = small.points.capture("A-1")
    assert payment is not None
    assert payment.state == "captured"
    assert ("redemption_captured", "A-1", 427) in told
    assert provider.states("A-1") == [("captured", 427)]
    assert "the newsletter is down" in caplog.text


def test_other_apps_are_not_told(small: SmallShop) -> None:
    with heard(Flask("other")) as told, small.app.app_context():
        small.points.authorize("A-1", cart_of(5990), customer_id="anna", points=427)
    assert told == []
