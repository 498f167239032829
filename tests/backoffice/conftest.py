"""The back office at a real sandbox: alone as the engine's side, and as the pages of a small shop."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from _databases import journal_file
from _office_shop import OPERATOR, open_office
from _small_shop import Provider as Sandbox
from _small_shop import SmallShop, Visitor, make_small_shop
from _world import World, begin_again, checkout, provider, provider_url, world
from punktgenau.checkout import Checkout
from punktgenau.checkout.office import Office

__all__ = ["checkout", "provider", "provider_url", "world"]


@pytest.fixture
def office(world: World, checkout: Checkout) -> Office:
    """The back office of the world's shop."""
    return Office(checkout)


@pytest.fixture
def more_config() -> dict[str, str]:
    """What a module's shop is set up with besides."""
    return {}


@pytest.fixture
def open_shop(tmp_path: Path, provider_url: str, more_config: dict[str, str]) -> Iterator[SmallShop]:
    """A small shop with an operator's door; nobody is linked."""
    with requests.Session() as http:
        http.trust_env = False
        sandbox = Sandbox(url=provider_url, http=http)
        begin_again(provider_url)
        journal_file(tmp_path / "small_shop_instance" / "punktgenau.sqlite")
        small = make_small_shop(
            tmp_path,
            provider=sandbox,
            provider_url=provider_url,
            PUNKTGENAU_INLINE_RECOVERY=False,
            PUNKTGENAU_TIMEZONE="Europe/Berlin",
            **more_config,
        )
        open_office(small)
        yield small


@pytest.fixture
def shop(open_shop: SmallShop) -> SmallShop:
    """The same where `anna` is linked, who has 2,500 points."""
    open_shop.link()
    return open_shop


@pytest.fixture
def mira(shop: SmallShop) -> Visitor:
    """An operator's browser."""
    visitor = Visitor(shop, shop.app.test_client())
    assert visitor.browser.post("/operator", data={"operator": OPERATOR}).status_code == 200
    return visitor
