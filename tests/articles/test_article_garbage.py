"""Whatever bytes a file has, an import ends in a report or in one proper refusal, and never in half a list."""

import io
import json
import random

import pytest

from punktgenau import InvalidArgumentError
from punktgenau.checkout import Checkout

HEAD = "sku;name;points;price_points;copayment_minor;currency;exclusive;valid_from;valid_until\r\n"
LINES = [
    'lamp;"Lamp; ""tall""";5;;;;;;\r\n',
    "Tür;Door;;25;3000;EUR;yes;2026-01-01;2026-12-31\r\n",
    '灯;"over\nlines";7;50;;;x;2026-01-01T10:00+01:00;\r\n',
    "cup;;0;;;;;;9999-12-31\n",
]
ITEMS = [
    {"sku": "lamp", "points": 5, "name": "Lamp \u201ctall\u201d"},
    {"sku": "Tür", "price_points": "25", "copayment_minor": 3000, "currency": "EUR", "exclusive": True},
    {"sku": 4711, "points": 7, "valid_from": "2026-01-01", "valid_until": None},
]
TEXTS = [
    HEAD + "".join(LINES),
    json.dumps(ITEMS),
    json.dumps(ITEMS, indent=1, ensure_ascii=False),
    "\n".join(json.dumps(item, ensure_ascii=False) for item in ITEMS),
]
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "gb18030"]
PIECES = [
    b'"',
    b"'",
    b"\\",
    b"\n",
    b"\r",
    b"\x00",
    b";",
    b",",
    b"{",
    b"}",
    b"[",
    b"]",
    b"=",
    b"\xff",
    b"\xc3",
    b"\xed\xa0\x80",
]
PIECES += [
    b"\xef\xbf\xbd",
    b"\xef\xbb\xbf",
    b"-",
    b"+",
    b"@",
    b"1e999",
    b"NaN",
    b"9" * 30,
    b"null",
    b"\\ud800",
    b"\xe2\x80\xa8",
]


def spoilt(chance: random.Random) -> bytes:
    data = bytearray(chance.choice(TEXTS).encode(chance.choice(ENCODINGS)))
    for _ in range(chance.randrange(5)):
        at = chance.randrange(len(data) + 1)
        what = chance.randrange(4)
        if what == 0:
            data[at:at] = chance.choice(PIECES)
        elif what == 1:
            del data[at : at + chance.randrange(1, 12)]
        elif what == 2:
            data[at : at + 1] = chance.randbytes(1)
        else:
            other = chance.randrange(len(data) + 1)
            data[at:at] = data[min(at, other) : max(at, other)]
    return bytes(data[: chance.randrange(len(data) + 1)] if chance.random() < 0.2 else data)


@pytest.mark.parametrize("seed", range(4))
def test_spoilt_files(own_shop: Checkout, seed: int) -> None:
    chance = random.Random(seed)
    good = bad = refused = 0
    own_shop.import_articles(io.BytesIO(b"sku,points\nbefore,1\n"))
    count = 1
    for number in range(60):
        data = spoilt(chance)
        encoding = chance.choice([None, None, None, "utf-8", "cp1252", "utf-16", "gb18030"])
        try:
            report = own_shop.import_articles(io.BytesIO(data), encoding=encoding)
        except InvalidArgumentError as error:
            refused += "Nothing was changed." in error.message
        else:
            assert report.is_good == (not report.faults), (seed, number)
            assert all(fault.number >= 1 and fault.reason.isprintable() for fault in report.faults), report.faults
            bad += not report.is_good
            if report.is_good:
                good += 1
                count = report.lines
        standing = own_shop.articles_standing()
        assert standing is not None
        assert standing.articles == count, (seed, number)
    # Every one ended in one of three ways, and each of them came.
    assert good + bad + refused == 60
    assert min(good, bad, refused) > 3
