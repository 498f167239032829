"""Every line that cannot be meant is told with its number, its field, and why."""

from pathlib import Path

import pytest

from articles.conftest import Import, told
from punktgenau import InvalidArgumentError
from punktgenau.checkout import Checkout

HEAD = "sku,points,price_points,copayment_minor,currency,exclusive,valid_from,valid_until\n"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("lamp,1.5,,,,,,", "points: not a whole number: '1.5'"),
        ("lamp,ten,,,,,,", "points: not a whole number: 'ten'"),
        ("lamp,1e3,,,,,,", "points: not a whole number: '1e3'"),
        ("lamp,٣,,,,,,", "points: not a whole number: '٣'"),
        ("lamp,-5,,,,,,", "points: less than nothing: '-5'"),
        ("lamp,1000001,,,,,,", "points: not from 0 to 1000000: '1000001'"),
        ("lamp,9999999999999999999,,,,,,", "points: too large: '9999999999999999999'"),
        ("lamp,,0,,,,,", "price_points: not from 1 to 1000000000: '0'"),
        (
            'lamp,,25,"30,00",EUR,,,',
            "copayment_minor: not a whole number: '30,00' (in the smallest unit: 3000 is 30.00)",
        ),
        ("lamp,,,3000,EUR,,,", "copayment_minor: there is none without price_points, the part that is paid in points"),
        ("lamp,,25,3000,,,,", "currency: missing; copayment_minor needs one, such as EUR"),
        ("lamp,,25,3000,eur,,,", "currency: not three capital letters such as EUR: 'eur'"),
        ("lamp,,25,3000,€,,,", "currency: not three capital letters such as EUR: '€'"),
        ("lamp,5,,,,yes,,", "exclusive: only an article with price_points can be sold for points alone"),
        ("lamp,5,50,,,perhaps,,", "exclusive: neither yes nor no: 'perhaps'"),
        ("lamp,5,,,,,2026-02-30,", "valid_from: there is no such day or time: '2026-02-30'"),
        (
            "lamp,5,,,,,31.12.2026,",
            "valid_from: neither a day such as 2026-12-31 nor a moment such as 2026-12-31T18:00+01:00: '31.12.2026'",
        ),
        ("lamp,5,,,,,0001-01-01,", "valid_from: not in the years 1900 to 2199: '0001-01-01'"),
        ("lamp,5,,,,,2026-05-02,2026-05-01", "valid_until: ends before it begins (valid_from)"),
        (",5,,,,,,", "sku: missing"),
        (f"{'x' * 65},5,,,,,,", "sku: longer than 64 characters"),
        ("la\x07mp,5,,,,,,", "sku: has characters that cannot be printed"),
        ("=1+1,5,,,,,,", "sku: begins like a formula: '=1+1'; write the value itself"),
        ("+lamp,5,,,,,,", "sku: begins like a formula: '+lamp'; write the value itself"),
        ("-lamp,5,,,,,,", "sku: begins like a formula: '-lamp'; write the value itself"),
        ("@lamp,5,,,,,,", "sku: begins like a formula: '@lamp'; write the value itself"),
        ("lamp,=A1,,,,,,", "points: begins like a formula: '=A1'; write the value itself"),
        ("lamp,+5,,,,,,", "points: begins like a formula: '+5'; write the value itself"),
        ("lamp,5,,,=EUR,,,", "currency: begins like a formula: '=EUR'; write the value itself"),
        ("lamp,5,,,,,,@now", "valid_until: begins like a formula: '@now'; write the value itself"),
        ("lamp,5", "2 cells instead of 8"),
        ("lamp,5,50,12,50,EUR,,,", "9 cells instead of 8; a text with ',' needs quotation marks"),
        ('"lamp,5,,,,,,', "a quotation mark that opens and never closes"),
        ('"la"mp,5,,,,,,', "quotation marks that do not fit: ',' expected after '\"'"),
        ("x" * 70_000, "longer than 65536 characters"),
    ],
)
def test_a_line_that_cannot_be_meant(read: Import, line: str, said: str) -> None:
    report = read(f"{HEAD}good,1,,,,,,\n{line}\nbetter,2,,,,,,\n")
    assert (report.lines, report.bad, told(report)) == (3, 1, [f"3 {said}"])


def test_all_that_is_wrong_with_a_line_is_told_at_once(read: Import) -> None:
    report = read(f"{HEAD}=lamp,ten,0,x,eur,perhaps,never,2026-02-30\n")
    assert report.bad == 1
    assert [one.field for one in report.faults] == [
        "sku", "points", "price_points", "copayment_minor", "currency", "exclusive", "valid_from", "valid_until",
    ]  # fmt: skip


def test_a_currency_that_there_is_not(read: Import) -> None:
    report = read(f"{HEAD}lamp,,25,3000,XYZ,,,\ncup,,25,3000,EUR,,,\n", is_currency=lambda code: code == "EUR")
    assert told(report) == ["2 currency: there is no such currency in ISO 4217: 'XYZ'"]


def test_duplicates_name_both_lines(read: Import, own_shop: Checkout) -> None:
    report = read(f"{HEAD}lamp,1,,,,,,\ncup,2,,,,,,\nlamp,1,,,,,,\n\nlamp,ten,,,,,,\nLamp,3,,,,,,\n")
    assert told(report) == [
        "4 sku: 'lamp' stands in line 2 already",
        "6 points: not a whole number: 'ten'",
        "6 sku: 'lamp' stands in line 2 already",
    ]
    # What begins with a capital is another one; a line with two faults is one bad line.
    assert (report.lines, report.bad) == (5, 2)
    assert own_shop.articles_standing() is None


def test_a_thousand_are_shown_and_all_are_counted(read: Import) -> None:
    # Every third of 6,000 lines stands twice: 2,000 bad ones at the end, and 2,500 that are bad before them.
    bad = "".join(f"b-{number},x\n" for number in range(2_500))
    twice = "".join(f"c-{number % 2_000},1\n" for number in range(4_000))
    report = read(f"sku,points\n{bad}{twice}")
    assert (report.lines, report.bad, len(report.faults)) == (6_500, 4_500, 1_000)
    assert [one.number for one in report.faults] == list(range(2, 1_002))
    later = read(f"sku,points\n{twice}{bad}")
    assert later.bad == 4_500
    assert [one.number for one in later.faults] == list(range(2_002, 3_002))


def test_what_is_wrong_changes_nothing(read: Import, own_shop: Checkout) -> None:
    assert read("sku,points\nlamp,5\n").added == 1
    assert read("sku,points\nlamp,6\ncup,x\n").bad == 1
    assert own_shop.articles_of(["lamp", "cup"])["lamp"].points == 5


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "The file is empty."),
        (b"\xef\xbb\xbf", "The file is empty."),
        (b"\xff\xfe", "The file is empty."),
        (b" \r\n\n  ", "The file is empty."),
        (b"sku,points\n", "The file holds no articles."),
        (b"sku,points\n\n,\n", "The file holds no articles."),
        (b"[]", "The file holds no articles."),
        (b"lamp,5\n", "is no list of articles: its first line lacks a column sku."),
        (b"sku;name\nlamp;Lamp\n", "is no list of articles: its first line lacks any column beside sku."),
        (b"sku,point\nlamp,5\n", "The head names a column 'point'; is points meant?"),
        (b"sku,points,points\nlamp,5,6\n", "The head names points twice."),
        (b"PK\x03\x04" + bytes(200), "The file is a workbook (.xlsx, .ods) or an archive"),
        (b"\xd0\xcf\x11\xe0" + bytes(200), "The file is a workbook (.xls)"),
        (b"\x1f\x8b" + bytes(200), "The file is compressed"),
        (b"<!doctype html>\n<html>\n", "is no list of articles"),
        (bytes(range(256)) * 20, "is no list of articles"),
    ],
)
def test_a_file_that_is_no_list_of_articles(read: Import, own_shop: Checkout, data: bytes, said: str) -> None:
    read("sku,points\nlamp,5\n")
    with pytest.raises(InvalidArgumentError) as caught:
        read(data)
    assert said in str(caught.value)
    assert "Nothing was changed." in str(caught.value)
    assert own_shop.articles_of(["lamp"])["lamp"].points == 5


def test_a_pipe_is_read_as_a_file(own_shop: Checkout, tmp_path: Path) -> None:
    import os
    import threading

    back, front = os.pipe()

    def write() -> None:
        with open(front, "wb") as writer:
            writer.write(b"sku,points\nlamp,5\n")

    writing = threading.Thread(target=write)
    writing.start()
    with open(back, "rb") as file:
        assert own_shop.import_articles(file).added == 1
    writing.join()
