"""Files as they come: delimiters, encodings, spreadsheets' habits, JSON in both shapes, files that are cut off."""

import io
import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from articles.conftest import Import, told
from punktgenau import InvalidArgumentError
from punktgenau.checkout import Article, Checkout

UNREAD = "nothing behind it was read"
BERLIN = ZoneInfo("Europe/Berlin")


def only(shop: Checkout, sku: str) -> Article:
    return shop.articles_of([sku], at=datetime(2026, 6, 1, tzinfo=UTC))[sku]


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(read: Import, own_shop: Checkout, sign: str) -> None:
    report = read(sign.join(("sku", '"Name"', "points")) + "\n" + sign.join(("lamp", '"a, b; c | d"', "5")) + "\n")
    assert (report.delimiter, report.added, report.not_read) == (sign, 1, ("Name",))
    assert only(own_shop, "lamp").points == 5


def test_the_delimiter_is_told(read: Import) -> None:
    assert read("sku^points\nlamp^5\n", delimiter="^").added == 1
    with pytest.raises(InvalidArgumentError) as caught:
        read("sku^points\nlamp^5\n", delimiter="^^")
    assert caught.value.field == "delimiter"


def test_habits_of_spreadsheets(read: Import, own_shop: Checkout) -> None:
    file = 'sep=;\r\n"SKU";Price Points;Points;Copayment-Minor;Currency;Exclusive;Valid until\r\n'
    file += '"lamp ""2""";25; 5 ;3000;EUR;WAHR;9999-12-31\r\n;;;;;;\r\n'
    report = read(file)
    assert (report.lines, report.bad, report.added) == (1, 0, 1)
    assert only(own_shop, 'lamp "2"') == Article(
        sku='lamp "2"', points=5, price_points=25, copayment_minor=3000, currency="EUR", exclusive=True
    )


def test_a_text_in_quotation_marks_goes_over_lines(read: Import, own_shop: Checkout) -> None:
    report = read('sku,text,points\nlamp,"two\nlines, and\n""more""",5\ncup,"never closed,6\nbowl,,x\n')
    assert told(report) == ["5 a quotation mark that opens and never closes", "6 points: not a whole number: 'x'"]
    assert report.lines == 3
    assert read('sku,text,points\nlamp,"two\nlines",5\n').added == 1
    assert only(own_shop, "lamp").points == 5


@pytest.mark.parametrize(
    ("encoding", "mark", "found"),
    [
        ("utf-8", b"", "utf-8"),
        ("utf-8", b"\xef\xbb\xbf", "utf-8-sig"),
        ("utf-16-le", b"\xff\xfe", "utf-16"),
        ("utf-16-be", b"\xfe\xff", "utf-16"),
        ("utf-16-le", b"", "utf-16-le"),
        ("utf-16-be", b"", "utf-16-be"),
        ("utf-32-le", b"\xff\xfe\x00\x00", "utf-32"),
        ("cp1252", b"", "cp1252"),
    ],
)
def test_the_encoding_is_found(read: Import, own_shop: Checkout, encoding: str, mark: bytes, found: str) -> None:
    report = read(mark + "sku;points\r\nGlühlampe;5\r\n".encode(encoding))
    assert (report.encoding, report.bad) == (found, 0)
    assert only(own_shop, "Glühlampe").points == 5


def test_an_encoding_shows_only_far_behind(read: Import, own_shop: Checkout) -> None:
    plain = "".join(f"lamp-{number};1\n" for number in range(30_000))
    assert read(b"sku;points\n" + (plain + "Tür;2\n").encode("cp1252")).encoding == "cp1252"
    assert only(own_shop, "Tür").points == 2


def test_a_line_in_another_encoding_than_the_rest(read: Import) -> None:
    report = read("sku;points\nTür;1\n".encode() + "Glühlampe;5\n".encode("cp1252"))
    assert report.encoding == "utf-8"
    assert told(report) == [
        "3 has bytes that are not UTF-8; the file may be in another encoding (--encoding)",
    ]


def test_an_encoding_that_is_told(read: Import, own_shop: Checkout) -> None:
    assert read("sku;points\n灯;5\n".encode("gb18030"), encoding="GB18030").encoding == "gb18030"
    assert only(own_shop, "灯").points == 5
    assert "3 has bytes that are no characters in ascii" in told(read("sku;points\na;1\nü;5\n", encoding="ascii"))


@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        ("klingon", "There is no encoding 'klingon'"),
        ("hex", "There is no encoding 'hex'"),
        ("cp1252", "The file says by its first bytes that it is UTF-8, not cp1252."),
    ],
)
def test_an_encoding_that_cannot_be(read: Import, encoding: str, said: str) -> None:
    with pytest.raises(InvalidArgumentError, match="Nothing was changed") as caught:
        read(b"\xef\xbb\xbfsku,points\nlamp,5\n", encoding=encoding)
    assert said in str(caught.value)


def test_days_begin_where_the_shop_is(read: Import, own_shop: Checkout) -> None:
    read("sku,points,valid_from,valid_until\nlamp,5,2026-03-01,2026-06-30\n", zone=BERLIN)
    found = only(own_shop, "lamp")
    assert found.valid_from == datetime(2026, 2, 28, 23, tzinfo=UTC)
    # The last day counts to its end, in summer time.
    assert found.valid_until == datetime(2026, 6, 30, 22, tzinfo=UTC)
    read("sku,points,valid_from,valid_until\nlamp,5,2026-03-01T12:00,2026-06-30 18:00:30+00:00\n", zone=BERLIN)
    found = only(own_shop, "lamp")
    assert found.valid_from == datetime(2026, 3, 1, 11, tzinfo=UTC)
    assert found.valid_until == datetime(2026, 6, 30, 18, 0, 30, tzinfo=UTC)


def test_what_is_not_valid_is_not_there(read: Import, own_shop: Checkout) -> None:
    read("sku,points,valid_from,valid_until\nlamp,5,2026-03-01,2026-06-30\n")
    days = [datetime(2026, month, day, tzinfo=UTC) for month, day in ((2, 28), (3, 1), (6, 30), (7, 1))]
    assert [bool(own_shop.articles_of(["lamp"], at=day)) for day in days] == [False, True, True, False]


ARTICLES = [
    {"sku": "lamp", "points": 5, "name": "Lamp"},
    {"sku": "cup", "price_points": "25", "copayment_minor": 3000, "currency": "EUR", "exclusive": True},
    {"sku": 4711, "points": 0, "valid_until": None},
]


@pytest.mark.parametrize("shape", ["array", "lines", "pretty"])
def test_json_in_each_shape(read: Import, own_shop: Checkout, shape: str) -> None:
    file = {
        "array": json.dumps(ARTICLES),
        "pretty": json.dumps(ARTICLES, indent=2),
        "lines": "\n".join(json.dumps(one) for one in ARTICLES),
    }[shape]
    report = read(f"\ufeff{file}\n")
    assert (report.format, report.numbers, report.added, report.not_read) == (
        "json",
        "line" if shape == "lines" else "item",
        3,
        ("name",),
    )
    assert only(own_shop, "cup") == Article(
        sku="cup", price_points=25, copayment_minor=3000, currency="EUR", exclusive=True
    )
    assert only(own_shop, "4711").points == 0


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ("5", "not an article in braces: '5'"),
        ('"lamp"', "not an article in braces: 'lamp'"),
        ("[1]", "not an article in braces: '[1]'"),
        ("null", "not an article in braces: 'None'"),
        ('{"points": 5}', "sku: missing"),
        ('{"sku": "a", "points": 5.0}', "points: not a whole number: '5.0'"),
        ('{"sku": "a", "points": true}', "points: not a whole number: 'True'"),
        ('{"sku": "a", "points": NaN}', "points: not a whole number: 'NaN'"),
        ('{"sku": "a", "points": -1}', "points: not from 0 to 1000000: '-1'"),
        ('{"sku": "a", "points": [1]}', "points: not a whole number: '[1]'"),
        ('{"sku": "a", "points": 1, "points": 2}', "names a field twice"),
        ('{"sku": "a", "point": 1}', "there is no field 'point'; is points meant?"),
        ('{"sku": "\\ud800", "points": 1}', "sku: has characters that cannot be printed"),
        ('{"sku": {"a": 1}, "points": 1}', "sku: not a text: \"{'a': 1}\""),
        ('{"sku": "a", "currency": 7}', "currency: not a text: '7'"),
    ],
)
def test_an_item_that_cannot_be_meant(read: Import, item: str, said: str) -> None:
    good = '{"sku": "b", "points": 1}'
    assert told(read(f"[{good}, {item}]")) == [f"2 {said}"]
    report = read(f"{good}\n\n{item}\n")
    assert (report.lines, told(report)) == (2, [f"3 {said}"])


@pytest.mark.parametrize(
    ("tail", "said"),
    [
        ("", "the file ends without the end of its array (line 2): a part of it is missing"),
        (",", "the file ends within it (line 2): a part of it is missing"),
        (',{"sku": "c", "poi', "the file ends within it (line 2): a part of it is missing"),
        (',{"sku": "c", "points": 1', "the file ends within it (line 2): a part of it is missing"),
        (',{"sku": "c", "points": tr', "the file ends within it (line 2): a part of it is missing"),
        (',{"sku": "c" "points": 1}] ' + " " * 40, "not JSON: expecting ',' delimiter (line 2); " + UNREAD),
        (",\n{" + "]" + " " * 40, f"not JSON: expecting property name enclosed in double quotes (line 3); {UNREAD}"),
        (" {}]", "a comma or the end of the array is expected, not '{' (line 2)"),
        ("] []", "'[' behind the end of the array (line 2)"),
        (',{"sku": "' + "x" * 70_000, "longer than 65536 characters (line 2); nothing behind it was read"),
        (',{"sku": "c", "points": ' + "9" * 5_000 + "}]", "not JSON: a number that is too long (line 2); " + UNREAD),
        ("," + "[" * 60_000, "not JSON: too deep (line 2); nothing behind it was read"),
    ],
)  # fmt: skip
def test_an_array_that_is_broken(read: Import, own_shop: Checkout, tail: str, said: str) -> None:
    report = read('[{"sku": "a", "points": 1},\n{"sku": "b", "points": 1}' + tail)
    assert told(report) == [f"3 {said}"]
    assert own_shop.articles_standing() is None


def test_json_that_is_neither_shape(read: Import) -> None:
    [first, *_] = told(read('{\n"articles": [{"sku": "a", "points": 1}]}\n'))
    assert first.endswith("one article per line, or one array of all is read")
    assert told(read('{"sku": "a", "points": 1} {"sku": "b", "points": 1}\n')) == [
        "1 more than one article on a line, from character 27 on"
    ]


def test_items_at_the_edges_of_what_is_read_at_once(read: Import, own_shop: Checkout) -> None:
    # 3,000 items of all lengths: wherever a piece of 65,536 characters ends, an item goes on.
    items = [{"sku": f"a-{number}", "points": number, "name": "ü" * (number % 97)} for number in range(3_000)]
    report = read(json.dumps(items, ensure_ascii=False))
    assert (report.added, report.bad) == (3_000, 0)
    found = own_shop.articles_of([f"a-{number}" for number in range(3_000)])
    assert [found[f"a-{number}"].points for number in range(3_000)] == list(range(3_000))


def test_csv_that_is_cut_off(read: Import) -> None:
    whole = "sku;points;price_points\nlamp;5;250\ncup;6;300\n"
    assert told(read(whole[:-6])) == [
        "3 2 cells instead of 3, and the file ends within this line: a part of it is missing"
    ]
    # Where every cell is there nobody can tell, so that is told beside the result.
    for shorter in (whole[:-1], whole[:-2]):
        report = read(shorter, dry_run=True)
        assert (report.bad, len(report.notes)) == (0, 1)
        assert "may be too short" in report.notes[0]
    assert read(whole, dry_run=True).notes == ()
    assert told(read("sku;points\nTür;5\nGlü".encode()[:-1]))[0].startswith("3 has bytes that are not UTF-8")
    utf16 = "sku;points\nlamp;5\n".encode("utf-16")
    assert told(read(utf16[:-1])) == ["2 has bytes that are no characters in utf-16"]


def test_the_format_is_told(read: Import) -> None:
    assert told(read("sku,points\nlamp,5\n", format="json"))[0].startswith("1 not JSON: expecting value")
    with pytest.raises(InvalidArgumentError, match="no list of articles"):
        read('[{"sku": "lamp", "points": 5}]', format="csv")
    with pytest.raises(InvalidArgumentError) as caught:
        read("sku,points\nlamp,5\n", format="xml")
    assert caught.value.field == "format"


def test_the_file_stays_open_for_whoever_gave_it(own_shop: Checkout) -> None:
    file = io.BytesIO(b"sku,points\nlamp,5\n")
    own_shop.import_articles(file)
    assert not file.closed
