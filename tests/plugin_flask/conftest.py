"""The extension in a very small shop, at a real sandbox behind a socket."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from _small_shop import Provider, SmallShop, Visitor, make_small_shop
from _world import begin_again, provider_url

__all__ = ["provider_url"]


@pytest.fixture(scope="session")
def _one_provider(provider_url: str) -> Iterator[Provider]:
    """One sandbox for all tests."""
    with requests.Session() as http:
        http.trust_env = False
        yield Provider(url=provider_url, http=http)


@pytest.fixture
def provider(_one_provider: Provider) -> Provider:
    """The sandbox in its first state, and at the machine's time."""
    begin_again(_one_provider.url)
    return _one_provider


@pytest.fixture(scope="session")
def made_journal(tmp_path_factory: pytest.TempPathFactory, _one_provider: Provider) -> Path:
    """A journal with its tables and nothing in them, to copy: making one takes longer than most tests."""
    made = make_small_shop(tmp_path_factory.mktemp("made"), provider=_one_provider, provider_url=_one_provider.url)
    with made.app.app_context():
        made.points.checkout.close()
    return Path(made.app.instance_path) / "punktgenau.sqlite"


@pytest.fixture
def make_shop(tmp_path: Path, made_journal: Path, provider: Provider) -> Callable[..., SmallShop]:
    """make_shop(NAME=value ...): a shop with that configuration besides the usual."""

    def make(*, provider_url: str | None = provider.url, name: str = "small_shop", **config: object) -> SmallShop:
        instance = tmp_path / f"{name}_instance"
        if not instance.exists():
            instance.mkdir()
            shutil.copy(made_journal, instance)
        return make_small_shop(tmp_path, provider=provider, provider_url=provider_url, name=name, **config)

    return make


@pytest.fixture
def small(make_shop: Callable[..., SmallShop]) -> SmallShop:
    """The usual shop; its customer `anna` has linked the account with 2,500 points."""
    small = make_shop()
    small.link()
    return small


@pytest.fixture
def anna(small: SmallShop) -> Visitor:
    """A signed-in customer with 2,500 points and a cart of 59.90 EUR."""
    return small.visitor("anna")
