"""The list that counts: all or nothing, one import at a time, what a dead one leaves behind; SQLite and PostgreSQL."""

import io
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import sqlalchemy

from punktgenau import Client, InProgressError, SystemClock, UnavailableError
from punktgenau.checkout import Article, Cart, Checkout, Line
from punktgenau.checkout.articles import ArticleImport, editions
from punktgenau.checkout.articles.editions import PIECE, Editions
from punktgenau.checkout.articles.staging import Staging
from punktgenau.checkout.database import Database, Transaction
from punktgenau.errors import ConfigurationError

ROWS = PIECE + 7
"""Two pieces."""


class Died(BaseException):
    """The process ends here."""


def listed(points: int, *, rows: int = ROWS) -> bytes:
    return b"sku,points\n" + "".join(f"a-{number},{points}\n" for number in range(rows)).encode()


def load(shop: Checkout, data: bytes, **more: object) -> ArticleImport:
    return shop.import_articles(io.BytesIO(data), **more)  # type: ignore[arg-type]


def figures(report: ArticleImport) -> tuple[int, int, int, int]:
    return report.added, report.changed, report.removed, report.unchanged


def points_of(shop: Checkout) -> set[int | None]:
    """What all that the shop sees of the list earns."""
    found = shop.articles_of([f"a-{number}" for number in range(ROWS)])
    return {one.points for one in found.values()} if len(found) == ROWS else {-len(found)}


def rows_kept(database_url: str) -> int:
    engine = sqlalchemy.create_engine(database_url)
    with engine.connect() as connection:
        count = connection.execute(sqlalchemy.text("SELECT count(*) FROM punktgenau_article")).scalar_one()
    engine.dispose()
    return int(count)


def test_the_file_is_the_whole_list(shop: Checkout, database_url: str) -> None:
    assert shop.articles_standing() is None
    assert figures(load(shop, b"sku,points\nlamp,5\ncup,2\nbowl,1\n")) == (3, 0, 0, 0)
    report = load(shop, b"sku,points\nbowl,1\nlamp,6\nAcorn,9\nzebra,1\n")
    # Acorn and zebra are new, lamp earns more, cup is gone, bowl is as it was.
    assert figures(report) == (2, 1, 1, 1)
    assert set(shop.articles_of(["lamp", "cup", "bowl", "Acorn", "acorn", "zebra"])) == {
        "lamp",
        "bowl",
        "Acorn",
        "zebra",
    }
    standing = shop.articles_standing()
    assert standing is not None
    assert standing.articles == rows_kept(database_url) == 4


def test_every_field_comes_back(shop: Checkout) -> None:
    file = b"sku,points,price_points,copayment_minor,currency,exclusive,valid_from,valid_until\n"
    load(shop, file + b"lamp,5,25,3000,EUR,yes,2026-01-02,2199-01-02T03:04:05Z\n")
    article = shop.articles_of(["lamp"])["lamp"]
    assert article == Article(
        sku="lamp",
        points=5,
        price_points=25,
        copayment_minor=3000,
        currency="EUR",
        exclusive=True,
        valid_from=article.valid_from,
        valid_until=article.valid_until,
    )
    assert str(article.valid_from) == "2026-01-02 00:00:00+00:00"
    assert str(article.valid_until) == "2199-01-02 03:04:05+00:00"


def test_the_same_file_again_changes_nothing(shop: Checkout, database_url: str) -> None:
    first = load(shop, listed(5))
    before = shop.articles_standing()
    again = load(shop, listed(5))
    assert (figures(first), figures(again)) == ((ROWS, 0, 0, 0), (0, 0, 0, ROWS))
    assert again.changes_nothing
    assert not first.changes_nothing
    assert shop.articles_standing() == before
    assert rows_kept(database_url) == ROWS


def test_a_dry_run_says_what_would_change(shop: Checkout, database_url: str) -> None:
    load(shop, listed(5))
    report = load(shop, listed(6, rows=10), dry_run=True)
    assert (figures(report), report.is_dry_run) == ((0, 10, ROWS - 10, 0), True)
    assert points_of(shop) == {5}
    assert rows_kept(database_url) == ROWS


@pytest.mark.parametrize("count", [1, 2, 3, 5, 64, 65, 5_000])
def test_a_cart_is_one_statement(shop: Checkout, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    load(shop, listed(5, rows=count))
    asked: list[object] = []
    run = Transaction.run

    def counted(self: Transaction, statement: sqlalchemy.ClauseElement, values: dict[str, str | int | None]) -> int:
        asked.append(statement)
        return run(self, statement, values)

    monkeypatch.setattr(Transaction, "run", counted)
    skus = [f"a-{number}" for number in range(count)]
    assert set(shop.articles_of([*skus, "missing", "a-0"])) == set(skus)
    # More than 4,096 are no cart.
    assert len(asked) == (2 if count == 5_000 else 1)
    assert shop.articles_of([]) == {}
    assert len(asked) == (2 if count == 5_000 else 1)


def test_the_shop_reads_the_list_before_until_the_new_one_is_whole(
    shop: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(shop, listed(5))
    seen: list[set[int | None]] = []
    add, name, delete = Editions.add, Editions.name, Editions._delete

    def watch(stage: str) -> None:
        seen.append(points_of(shop))

    monkeypatch.setattr(Editions, "add", lambda self, *rest: (add(self, *rest), watch("add"))[0])
    monkeypatch.setattr(Editions, "name", lambda self, *rest, **more: (name(self, *rest, **more), watch("name"))[0])
    monkeypatch.setattr(Editions, "_delete", lambda self, *rest: (delete(self, *rest), watch("delete"))[0])
    load(shop, listed(6))
    assert seen == [{5}, {5}, {6}, {6}]


def test_an_import_that_dies_at_any_commit(shop: Checkout, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    load(shop, listed(5))
    commit = Database._commit
    left = None
    for dies_after in range(40):
        count = 0

        def counted(self: Database, connection: object, dies_after: int = dies_after) -> None:
            nonlocal count
            commit(self, connection)  # type: ignore[arg-type]
            count += 1
            if count > dies_after:
                raise Died

        points = 6 + dies_after
        with monkeypatch.context() as patch:
            # What a process that is gone does no more.
            patch.setattr(Editions, "give_back", lambda self: None)
            patch.setattr(Database, "_commit", counted)
            try:
                load(shop, listed(points))
            except Died:
                pass
            else:
                left = dies_after
        assert points_of(shop) in ({points}, {points - 1}), dies_after
        forget_the_dead(database_url)
        # Whoever comes next, with whatever, leaves nothing of it behind.
        report = load(shop, listed(points))
        assert report.is_good
        assert points_of(shop) == {points}
        assert rows_kept(database_url) == ROWS
        if left is not None:
            break
    # Begun, read, written in two pieces, named, cleared away: far more than ten commits.
    assert left is not None
    assert left > 10


def forget_the_dead(database_url: str) -> None:
    """A minute later."""
    engine = sqlalchemy.create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("UPDATE punktgenau_article_edition SET lease_until = 0"))
    engine.dispose()


def test_a_second_import_at_the_same_moment_is_told(
    shop: Checkout, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(shop, listed(5))
    add = Editions.add
    refused: list[InProgressError] = []

    def meanwhile(self: Editions, made: int, rows: list[editions.Row]) -> None:
        add(self, made, rows)
        if not refused:
            with pytest.raises(InProgressError) as caught:
                load(shop, listed(7))
            refused.append(caught.value)
            # A look is no import.
            assert load(shop, listed(8), dry_run=True).changed == ROWS

    monkeypatch.setattr(Editions, "add", meanwhile)
    load(shop, listed(6))
    assert "Another import of articles is at work, since 20" in refused[0].message
    assert points_of(shop) == {6}
    # That one has ended: nobody is in the way any more.
    assert load(shop, listed(7)).changed == ROWS


def test_an_import_that_was_not_heard_of_for_too_long_writes_nothing_more(
    shop: Checkout, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(shop, listed(5))
    add = Editions.add
    others = 0

    def meanwhile(self: Editions, made: int, rows: list[editions.Row]) -> None:
        nonlocal others
        if others == 0:
            others += 1
            # It stood still for a minute; another one came, and ended.
            forget_the_dead(database_url)
            assert load(shop, listed(6)).changed == ROWS
        add(self, made, rows)

    monkeypatch.setattr(Editions, "add", meanwhile)
    with pytest.raises(InProgressError, match="not heard of for too long"):
        load(shop, listed(7))
    assert points_of(shop) == {6}
    assert rows_kept(database_url) == ROWS


def test_shops_of_one_database_have_lists_of_their_own(database_url: str) -> None:
    shops = []
    for partner in ("one", "two"):
        client = Client("http://127.0.0.1:9", client_id=partner, client_secret="nothing")
        shops.append((client, Checkout(client, database_url)))
    (_, one), (_, two) = shops
    load(one, b"sku,points\nlamp,5\n")
    load(two, b"sku,points\nlamp,7\ncup,1\n")
    assert one.articles_of(["lamp", "cup"])["lamp"].points == 5
    assert set(one.articles_of(["lamp", "cup"])) == {"lamp"}
    assert two.articles_of(["lamp", "cup"])["lamp"].points == 7
    for client, checkout in shops:
        checkout.close()
        client.close()


@pytest.fixture
def without_tables(empty_database_url: str) -> Iterator[Checkout]:
    with Client("http://127.0.0.1:9", client_id="a", client_secret="b") as client:
        made = Checkout(client, empty_database_url)
        yield made
        made.close()


def test_without_tables_nothing_is_imported(without_tables: Checkout) -> None:
    with pytest.raises(UnavailableError):
        load(without_tables, b"sku,points\nlamp,5\n")


def test_the_shops_own_loader_stands_in_for_the_list(own_shop: Checkout) -> None:
    load(own_shop, b"sku,points\nlamp,5\ncup,5\n")
    asked: list[str] = []

    def article(sku: str) -> Article | None:
        asked.append(sku)
        return Article(sku=sku, points=9) if sku == "lamp" else None

    own_shop.article_loader = article
    assert own_shop.articles_of(["lamp", "cup", "lamp"]) == {"lamp": Article(sku="lamp", points=9)}
    assert asked == ["lamp", "cup"]
    for wrong in (lambda sku: Article(sku="other"), lambda sku: {"sku": sku}):
        own_shop.article_loader = wrong  # type: ignore[assignment]
        with pytest.raises(ConfigurationError, match="article_loader must return the Article 'lamp' or None"):
            own_shop.articles_of(["lamp"])


def test_an_import_keeps_its_place_by_the_clock(database_url: str) -> None:
    clock = SystemClock()
    database = Database(database_url, clock=clock, identity={"provider": "p", "partner": "q", "mode": ""})
    mine, other = Editions(database, clock=clock), Editions(database, clock=clock)
    mine.take()
    with pytest.raises(InProgressError):
        other.take()
    mine.give_back()
    other.take()
    with pytest.raises(InProgressError):
        mine.begin()
    database.close()


def test_no_room_to_sort(own_shop: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    load(own_shop, b"sku,points\nlamp,5\n")

    def full(self: Staging) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(Staging, "sort", full)
    with pytest.raises(UnavailableError, match=r"could not be sorted on disk: database or disk is full .* Nothing was"):
        load(own_shop, b"sku,points\nlamp,6\n")
    assert own_shop.articles_of(["lamp"])["lamp"].points == 5


def test_orders_earn_by_the_list(own_shop: Checkout) -> None:
    load(own_shop, b"sku,points,valid_until\nlamp,25,\ncup,7,2020-12-31\n")
    lines = [Line(sku=sku, quantity=2, unit_price_minor=1000, vat_rate="19") for sku in ("lamp", "cup", "bowl")]
    preview = own_shop.preview_earned(Cart(currency="EUR", lines=lines))
    # No rule for money here: two lamps of 25; what the cup said is over.
    assert preview.points == 50
    assert (
        own_shop.preview_earned(Cart(currency="EUR", lines=lines), at=datetime(2020, 12, 31, 12, tzinfo=UTC)).points
        == 64
    )
