"""The record: what an article can say, and when it counts."""

from datetime import UTC, datetime

import pytest

from punktgenau import InvalidArgumentError
from punktgenau.checkout import Article

NEW_YEAR = datetime(2027, 1, 1, tzinfo=UTC)
MAY = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("sku", {"sku": ""}),
        ("sku", {"sku": "x" * 65}),
        ("sku", {"sku": "lamp\n"}),
        ("points", {"points": -1}),
        ("points", {"points": 1_000_001}),
        ("points", {"points": 1.0}),
        ("points", {"points": True}),
        ("price_points", {"price_points": 0}),
        ("price_points", {"price_points": 1_000_000_001}),
        ("copayment_minor", {"copayment_minor": 3000, "currency": "EUR"}),
        ("currency", {"price_points": 25, "copayment_minor": 3000}),
        ("currency", {"currency": "eur"}),
        ("currency", {"currency": "EURO"}),
        ("exclusive", {"exclusive": True}),
        ("exclusive", {"exclusive": 1, "price_points": 5}),
        ("valid_until", {"valid_from": MAY, "valid_until": MAY}),
        ("valid_until", {"valid_from": NEW_YEAR, "valid_until": MAY}),
        ("valid_from", {"valid_from": datetime(2026, 5, 1)}),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(field: str, values: dict[str, object]) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        Article(**{"sku": "lamp"} | values)  # type: ignore[arg-type]
    assert caught.value.field == field


def test_an_article_counts_from_its_first_moment_to_before_its_last() -> None:
    article = Article(sku="lamp", points=5, valid_from=MAY, valid_until=NEW_YEAR)
    assert [
        article.is_valid(at)
        for at in (
            datetime(2026, 4, 30, 23, 59, tzinfo=UTC),
            MAY,
            datetime(2026, 12, 31, 23, 59, tzinfo=UTC),
            NEW_YEAR,
        )
    ] == [False, True, True, False]
    assert Article(sku="lamp").is_valid(MAY)
