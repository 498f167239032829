"""The demo shop for tests: as a Flask app without its neighbours, in a folder of its own."""

from collections.abc import Callable
from pathlib import Path

import pytest
from examples.shop import create_app
from examples.shop.settings import Settings
from flask import Flask
from flask.testing import FlaskClient

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
    return create_app(settings)


@pytest.fixture
def new_visitor(shop: Flask) -> Callable[[], FlaskClient]:
    """new_visitor(): a browser with cookies of its own."""
    return shop.test_client
