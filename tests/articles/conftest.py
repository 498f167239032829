"""A shop's engine on each kind of database; nobody is asked anything here."""

import io
from collections.abc import Callable, Iterator

import pytest

from punktgenau import Client
from punktgenau.checkout import Checkout
from punktgenau.checkout.articles import ArticleImport

Import = Callable[..., ArticleImport]


@pytest.fixture
def shop(database_url: str) -> Iterator[Checkout]:
    with Client("http://127.0.0.1:9", client_id="demo-shop", client_secret="nothing") as client:
        made = Checkout(client, database_url)
        yield made
        made.close()


@pytest.fixture
def own_shop(_sqlite_journal_url: str) -> Iterator[Checkout]:
    """The same on SQLite alone, for what does not meet the database."""
    with Client("http://127.0.0.1:9", client_id="demo-shop", client_secret="nothing") as client:
        made = Checkout(client, _sqlite_journal_url)
        yield made
        made.close()


@pytest.fixture
def read(own_shop: Checkout) -> Import:
    """read(bytes or text, ...): an import of it."""

    def read(data: bytes | str, **more: object) -> ArticleImport:
        raw = data.encode() if isinstance(data, str) else data
        return own_shop.import_articles(io.BytesIO(raw), **more)  # type: ignore[arg-type]

    return read


def told(report: ArticleImport) -> list[str]:
    """Every fault as an operator reads it."""
    return [f"{one.number} {one.text}" for one in report.faults]
