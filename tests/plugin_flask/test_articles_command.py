"""`flask punktgenau import-articles`: what it says, what it exits with, and the shop's own loader."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import Result
from flask import session

from _small_shop import Provider, SmallShop, make_small_shop
from flask_punktgenau.cli import punktgenau
from punktgenau.checkout import Article
from punktgenau.checkout.articles import ArticleLoader
from punktgenau.checkout.articles.editions import Editions

FILE = "sku;points;price_points;copayment_minor;currency;name\nlamp;5;;;;Lamp\ncup;;25;3000;EUR;Cup\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "articles.csv"
    path.write_text(FILE, "utf-8")
    return path


def run(small: SmallShop, *arguments: str, typed: bytes | None = None) -> Result:
    return small.app.test_cli_runner().invoke(punktgenau, ["import-articles", *arguments], input=typed)


def points_of(small: SmallShop, *skus: str) -> dict[str, int | None]:
    with small.app.app_context():
        return {sku: one.points for sku, one in small.points.articles_of(skus).items()}


def test_a_list_is_read_and_told(small: SmallShop, file: Path) -> None:
    result = run(small, str(file))
    assert (result.exit_code, result.stdout) == (
        0,
        "Read as CSV in UTF-8, cells between ';'. Not read: name.\n"
        "2 articles: 2 new, 0 changed, 0 removed, 0 as before. They count from now on.\n",
    )
    assert "Reading" in result.stderr
    assert points_of(small, "lamp", "cup", "bowl") == {"lamp": 5, "cup": None}
    assert run(small, str(file)).stdout.endswith("2 articles, all as before. Nothing was changed.\n")


def test_bad_lines_are_told_one_by_one(small: SmallShop, file: Path) -> None:
    run(small, str(file))
    file.write_text(FILE + "bowl;1.5;;;;\nlamp;5;;;;\nplate;;25;3000;XYZ;\n", "utf-8")
    result = run(small, str(file))
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "Line 4: points: not a whole number: '1.5'.",
        "Line 5: sku: 'lamp' stands in line 2 already.",
        "Line 6: currency: there is no such currency in ISO 4217: 'XYZ'.",
        "Read as CSV in UTF-8, cells between ';'. Not read: name.",
        "3 of 5 lines are bad. Nothing was changed.",
    ]
    assert points_of(small, "lamp", "bowl") == {"lamp": 5}
    file.write_text("sku;points\n" + "".join(f"a-{number};x\n" for number in range(1_500)), "utf-8")
    assert run(small, str(file)).stdout.splitlines()[-1] == (
        "1,500 of 1,500 lines are bad, the first 1,000 are shown. Nothing was changed."
    )


def test_a_dry_run_and_a_pipe(small: SmallShop, file: Path) -> None:
    result = run(small, "-", "--dry-run", "--format", "json", typed=b'[{"sku": "lamp", "points": 5}, {"sku": "cup"}]')
    assert (result.exit_code, result.stdout) == (
        0,
        "Read as JSON in UTF-8.\n"
        "2 articles: 2 new, 0 changed, 0 removed, 0 as before. Nothing was changed; this was a dry run.\n",
    )
    assert points_of(small, "lamp") == {}
    result = run(small, "-", typed=b'[{"sku": "lamp"}, {"sku": "cup", "points": 1.5}]')
    assert result.stdout.splitlines()[0] == "Item 2: points: not a whole number: '1.5'."
    assert result.stdout.splitlines()[-1] == "1 of 2 items are bad. Nothing was changed."


@pytest.mark.parametrize(
    ("data", "options", "points"),
    [
        ("sku\tpoints\nT\xfcr\t5\n".encode("cp1252"), ["--delimiter", "tab", "--encoding", "cp1252"], {"Tür": 5}),
        ("sku,points\n灯,5\n".encode("gb18030"), ["--encoding", "gb18030"], {"灯": 5}),
    ],
)
def test_what_is_told_of_a_file(
    small: SmallShop, file: Path, data: bytes, options: list[str], points: dict[str, int]
) -> None:
    file.write_bytes(data)
    assert run(small, str(file), *options).exit_code == 0
    assert points_of(small, *points) == points


def test_days_are_the_shops(make_shop: Callable[..., SmallShop], file: Path) -> None:
    small = make_shop(PUNKTGENAU_TIMEZONE="Europe/Berlin")
    file.write_text("sku;points;valid_until\nlamp;5;2026-07-31\n", "utf-8")
    run(small, str(file))
    with small.app.app_context():
        before, after = datetime(2026, 7, 31, 21, 59, tzinfo=UTC), datetime(2026, 7, 31, 22, 0, tzinfo=UTC)
        assert [bool(small.points.articles_of(["lamp"], at=at)) for at in (before, after)] == [True, False]


def test_what_cannot_be_read_has_its_own_exit_status(
    small: SmallShop, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = tmp_path / "empty.csv"
    empty.touch()
    for arguments, said in (
        ((str(empty),), "The file is empty. Nothing was changed."),
        ((str(file), "--encoding", "klingon"), "There is no encoding 'klingon'"),
        ((str(file), "--delimiter", "ab"), "delimiter must be one character"),
        ((str(file), "--format", "json"), ""),
        ((str(tmp_path / "none.csv"),), "does not exist"),
    ):
        result = run(small, *arguments)
        assert (result.exit_code, said in result.output) == (2 if said else 1, True), result.output
    with small.app.app_context():
        checkout = small.points.checkout
        other = Editions(checkout._database, clock=small.clock)
        other.take()
    result = run(small, str(file))
    assert (result.exit_code, "Another import of articles is at work" in result.output) == (2, True)
    assert points_of(small, "lamp") == {}


def test_without_points_nothing_is_imported(tmp_path: Path, provider: Provider, file: Path) -> None:
    small = make_small_shop(tmp_path, provider=provider, provider_url=None)
    result = run(small, str(file))
    assert result.exit_code == 2
    assert "provider_missing" in result.output
    assert points_of(small, "lamp") == {}


def test_the_shops_own_loader(make_shop: Callable[..., SmallShop], file: Path) -> None:
    small = make_shop()

    @small.points.article_loader
    def article(sku: str) -> Article | None:
        return Article(sku=sku, points=9) if sku == "lamp" else None

    assert points_of(small, "lamp", "cup") == {"lamp": 9}
    result = run(small, str(file))
    assert result.exit_code == 0
    assert "This shop has an article_loader, so it does not read this list." in result.stderr
    assert points_of(small, "lamp", "cup") == {"lamp": 9}


def test_help_names_every_column(small: SmallShop) -> None:
    shown = run(small, "--help").stdout
    for name in (
        "sku",
        "points",
        "price_points",
        "copayment_minor",
        "currency",
        "exclusive",
        "valid_from",
        "valid_until",
    ):
        assert f"  {name} " in shown


def doctor(small: SmallShop) -> dict[str, tuple[str, str]]:
    """Level and words of what the doctor says about articles, by code."""
    found = small.app.test_cli_runner().invoke(punktgenau, ["doctor", "--json"])
    told = json.loads(found.stdout)["findings"]
    return {one["code"]: (one["level"], one["what"]) for one in told if "article" in one["code"]}


def test_the_doctor_names_the_list(small: SmallShop, file: Path) -> None:
    assert doctor(small) == {}
    run(small, str(file))
    [(code, (level, what))] = doctor(small).items()
    assert (code, level) == ("articles", "fine")
    assert what.startswith("There is a list of 2 articles, imported ")


@pytest.mark.parametrize(
    ("answer", "code", "level"),
    [
        (lambda sku: None, "article_loader", "fine"),
        (lambda sku: Article(sku=sku, points=1), "article_loader", "fine"),
        (lambda sku: Article(sku="lamp"), "article_loader_answer", "broken"),
        (lambda sku: {"points": 5}, "article_loader_answer", "broken"),
        (lambda sku: session["sku"], "article_loader_fails", "broken"),
    ],
)
def test_the_doctor_asks_the_loader(
    make_shop: Callable[..., SmallShop], file: Path, answer: ArticleLoader, code: str, level: str
) -> None:
    small = make_shop()
    run(small, str(file))
    small.points.article_loader(answer)
    told = doctor(small)
    assert {known: said[0] for known, said in told.items()} == {code: level, "articles_unread": "note"}
    assert told["articles_unread"][1].startswith("The list of 2 articles, imported ")


def numbered(path: Path, *, count: int, first: int = 1) -> str:
    lines = [f"a-{number};{number}" for number in range(first, first + count)]
    path.write_text("\n".join(["sku;points", *lines, ""]), "utf-8")
    return str(path)


def test_a_file_that_drops_most_of_the_list_is_held_back(small: SmallShop, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    assert run(small, numbered(path, count=20)).exit_code == 0
    # Half of them may go without a word, one more may not.
    held = run(small, numbered(path, count=9))
    assert held.exit_code == 1
    assert held.stdout.splitlines()[-2:] == [
        "9 articles: 0 new, 0 changed, 11 removed, 9 as before. That would remove 11 of 20, over half.",
        "Nothing was changed. If that is meant, run it again with --drop.",
    ]
    assert points_of(small, "a-20") == {"a-20": 20}
    assert "would remove" in run(small, str(path), "--dry-run").stdout
    assert run(small, str(path), "--drop").exit_code == 0
    assert points_of(small, "a-9", "a-20") == {"a-9": 9}
    # Nine are few: the same again is nobody's mistake.
    assert run(small, numbered(path, count=2)).exit_code == 0


def test_half_of_the_list_may_go_and_more_than_twice_as_many_are_remarked(small: SmallShop, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    run(small, numbered(path, count=20))
    assert run(small, numbered(path, count=10)).exit_code == 0
    remark = "The list before had 10 articles; look whether this file is the right one."
    assert remark not in run(small, numbered(path, count=20), "--dry-run").stdout
    more = run(small, numbered(path, count=21))
    assert (more.exit_code, remark in more.stdout) == (0, True)
