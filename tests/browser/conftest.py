"""The demo shop for tests: as a Flask app without its neighbours, and for real, as processes with a real browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from examples.shop import create_app
from examples.shop.settings import Settings
from flask import Flask
from flask.testing import FlaskClient

from _demo import Demo, running_demo
from _shopper import Shopper
from _templates import compiled_once

CLOSED_PORT = 9  # "discard": nobody listens there, so the sandbox is away


@pytest.fixture
def shop(tmp_path: Path) -> Flask:
    """The shop's app; its sandbox is away and its points are off."""
    settings = Settings(
        data_dir=str(tmp_path),
        shop_port=5000,
        bank_port=5001,
        sandbox_url=f"http://127.0.0.1:{CLOSED_PORT}",
        secret_key="only for tests",
    )
    settings.save()
    return compiled_once(create_app(settings))


@pytest.fixture
def new_visitor(shop: Flask) -> Callable[[], FlaskClient]:
    """new_visitor(): a browser with cookies of its own."""
    return shop.test_client


@pytest.fixture(scope="session")
def _started_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with running_demo(tmp_path_factory.mktemp("demo")) as demo:
        yield demo


@pytest.fixture
def demo(_started_demo: Demo) -> Demo:
    """The demo as on its first day."""
    _started_demo.reset()
    return _started_demo


@pytest.fixture
def new_shopper(demo: Demo, new_page: Callable[..., object]) -> Callable[..., Shopper]:
    """new_shopper(customer_id, **page): a browser of its own; signed in, with the account linked on an earlier day."""

    def open_shop(customer_id: str | None = "cust_2500", *, linked: bool = True, **page: object) -> Shopper:
        shopper = Shopper(new_page(**page), demo)  # type: ignore[arg-type]  # new_page returns a Page
        if customer_id is not None:
            if linked:
                demo.link(customer_id, customer_id.replace("cust_", "mbr_"))
            shopper.sign_in(customer_id)
        return shopper

    return open_shop


@pytest.fixture
def shopper(new_shopper: Callable[..., Shopper]) -> Shopper:
    """Somebody with 2,500 points, in English."""
    return new_shopper()
