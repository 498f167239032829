"""Fixtures for a shop's tests, by opt-in: `pytest_plugins = ["punktgenau.testing.plugin"]` in its conftest.py."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from punktgenau import Client
from punktgenau.testing.clock import ManualClock
from punktgenau.testing.fake import URL, FakeProvider, fake_provider


@pytest.fixture
def points_clock() -> ManualClock:
    """The time of provider and shop: moves when told to, and nothing ever waits."""
    return ManualClock()


@pytest.fixture
def points_url() -> str:
    """The provider's address. A shop whose configuration names another one overrides this fixture."""
    return URL


@pytest.fixture
def points_provider(points_clock: ManualClock, points_url: str) -> Iterator[FakeProvider]:
    """A provider with the demo members; at the end of the test its books have to balance."""
    with fake_provider(points_url, clock=points_clock) as provider:
        yield provider
        provider.assert_books_balance()


@pytest.fixture
def points_client(points_provider: FakeProvider, points_clock: ManualClock) -> Iterator[Client]:
    """A client of that provider, on the same clock."""
    with Client(
        points_provider.url,
        client_id=points_provider.client_id,
        client_secret=points_provider.client_secret,
        clock=points_clock,
    ) as client:
        yield client
