"""Called inside the host's open transaction: a typed error at once, nothing sent, no lock waited for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Column, Integer, String, insert, text
from sqlalchemy.orm import Session

from _small_shop import Provider, SmallShop, cart_of
from flask_punktgenau import Punktgenau
from punktgenau import OpenTransactionError


class Host:
    """A shop with Flask-SQLAlchemy, initialised before or after the points."""

    def __init__(self, small: SmallShop, folder: Path) -> None:
        small.app.config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{folder / 'shop.sqlite'}"
        self.db = SQLAlchemy()

        class ShopOrder(self.db.Model):  # type: ignore[misc, name-defined]
            id = Column(Integer, primary_key=True)
            reference = Column(String)

        self.row = ShopOrder
        self.db.init_app(small.app)

    @property
    def session(self) -> Session:
        return self.db.session()  # type: ignore[no-any-return]


@pytest.fixture
def host(small: SmallShop, tmp_path: Path) -> Iterator[Host]:
    host = Host(small, tmp_path)
    with small.app.app_context():
        host.db.create_all()
        host.session.add(host.row(reference="A-0"))
        host.session.commit()
        yield host
        host.session.rollback()
        for engine in host.db.engines.values():
            engine.dispose()


def add(host: Host) -> None:
    host.session.add(host.row(reference="A-1"))


def add_and_flush(host: Host) -> None:
    add(host)
    host.session.flush()


def change(host: Host) -> None:
    host.session.query(host.row).first().reference = "A-2"


def delete(host: Host) -> None:
    host.session.delete(host.session.query(host.row).first())


def core_insert(host: Host) -> None:
    host.session.execute(insert(host.row).values(reference="A-1"))


def by_hand(host: Host) -> None:
    host.session.execute(text("  UPDATE shop_order SET reference = 'A-3'"))


def flush_and_release_a_savepoint(host: Host) -> None:
    with host.session.begin_nested():
        add(host)


@pytest.mark.scenario("T2", "inside the shop's own transaction: refused, so no inner commit ever ends a lock of ours")
@pytest.mark.parametrize(
    "write", [add, add_and_flush, change, delete, core_insert, by_hand, flush_and_release_a_savepoint]
)
def test_pending_and_flushed_writes_are_an_error(
    small: SmallShop, host: Host, provider: Provider, write: Callable[[Host], None]
) -> None:
    write(host)
    with pytest.raises(OpenTransactionError):
        small.points.authorize("A-1", cart_of(5990), customer_id="anna", points=427)
    for goal in (small.points.capture, small.points.void, small.points.cancel):
        with pytest.raises(OpenTransactionError):
            goal("A-1")
    assert "authorize" not in provider.operations()
    assert small.points.find("A-1") is None


def read(host: Host) -> None:
    host.session.query(host.row).all()
    host.session.execute(text("SELECT 1"))


def write_and_commit(host: Host) -> None:
    add_and_flush(host)
    host.session.commit()


def write_and_roll_back(host: Host) -> None:
    add_and_flush(host)
    host.session.rollback()


@pytest.mark.parametrize("use", [read, write_and_commit, write_and_roll_back])
def test_reading_and_what_is_over_do_not_count(
    small: SmallShop, host: Host, provider: Provider, use: Callable[[Host], None]
) -> None:
    use(host)
    small.points.authorize("A-1", cart_of(5990), customer_id="anna", points=427)
    assert provider.states("A-1") == [("authorized", 427)]


def test_in_a_view_it_is_a_page_and_never_500(small: SmallShop, host: Host) -> None:
    @small.app.post("/wrong-order")
    def wrong_order() -> str:
        add(host)
        small.points.capture("A-1")
        return "captured"

    assert small.app.test_client().post("/wrong-order").status_code == 503


def test_a_shop_without_that_extension_is_not_looked_into(small: SmallShop) -> None:
    assert isinstance(small.points, Punktgenau)
    with small.app.app_context():
        assert small.points.capture("A-1") is None
