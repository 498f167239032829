"""What a browser or a JSON body may say about points; everything else is refused by name, before any arithmetic."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from punktgenau.checkout.quote import parse_points
from punktgenau.codes import CODES
from punktgenau.errors import InvalidArgumentError


@pytest.mark.parametrize(
    ("given_points", "points"),
    [
        ("427", 427),
        (427, 427),
        ("1", 1),
        (" 427 ", 427),
        ("427\r\n", 427),
        ("all", "all"),
        (" all ", "all"),
        ("1000000000000000", 10**15),
        (2**31, 2**31),
    ],
)
def test_plain_numbers_and_all(given_points: object, points: object) -> None:
    assert parse_points(given_points) == points


@pytest.mark.scenario(
    "B1", "only clean positive whole numbers pass; bool, float, signs, other digits are refused by code"
)
@pytest.mark.parametrize(("given_points", "code"), [
    (None, "points_missing"),
    ("", "points_missing"),
    ("  ", "points_missing"),
    (0, "points_zero"),
    ("0", "points_zero"),
    (-1, "points_negative"),
    ("-1", "points_negative"),
    ("-" + "9" * 10_000, "points_negative"),
    (10**100, "points_too_large"),
    (str(10**100), "points_too_large"),
    ("1000000000000001", "points_too_large"),
    ("9" * 1_000_000, "points_too_large"),
    ("1e3", "points_not_whole"),
    ("1.0", "points_not_whole"),
    ("1,0", "points_not_whole"),
    ("1.000", "points_not_whole"),
    ("1_000", "points_not_whole"),
    ("4 27", "points_not_whole"),
    ("+427", "points_not_whole"),
    ("-0", "points_not_whole"),
    ("00", "points_not_whole"),
    ("0427", "points_not_whole"),
    ("0x1f", "points_not_whole"),
    ("٤٢٧", "points_not_whole"),
    ("４２７", "points_not_whole"),
    ("٣", "points_not_whole"),
    ("4²", "points_not_whole"),
    ("\u00a0427", "points_not_whole"),
    ("427\x00", "points_not_whole"),
    ("ALL", "points_not_whole"),
    ("NaN", "points_not_whole"),
    ("Infinity", "points_not_whole"),
    (True, "points_not_whole"),
    (False, "points_not_whole"),
    (1.0, "points_not_whole"),
    (float("nan"), "points_not_whole"),
    ([427], "points_not_whole"),
    ({"points": 427}, "points_not_whole"),
    (b"427", "points_not_whole"),
])  # fmt: skip
def test_everything_else_is_refused(given_points: object, code: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        parse_points(given_points)
    error = caught.value
    assert (error.code, error.field, error.outcome) == (code, "points", "not_done")
    assert CODES[code].error is InvalidArgumentError
    assert len(str(error)) < 200


@settings(deadline=None)
@given(text=st.text() | st.from_regex(r"[-+ 0-9a-z.,٠-٩]{1,20}", fullmatch=True))
def test_any_text_is_a_positive_number_all_or_refused(text: str) -> None:
    blanks = " \t\r\n"
    plain = text.strip(blanks)
    if plain == "all" or (plain[:1] in tuple("123456789") and set(plain) <= set("0123456789") and len(plain) <= 15):
        assert str(parse_points(text)) == plain
    else:
        with pytest.raises(InvalidArgumentError) as caught:
            parse_points(text)
        assert caught.value.code in CODES
