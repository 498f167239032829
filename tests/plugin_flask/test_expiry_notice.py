"""`points.expiring`: who gets a mail because points end soon; told to nobody who cannot get one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from _small_shop import Provider, SmallShop
from punktgenau import InvalidArgumentError, NotSentError, UnavailableError


@pytest.fixture
def linked(make_shop: Callable[..., SmallShop]) -> SmallShop:
    """Anna and ben; and a guest who has linked an account for one order."""
    made = make_shop()
    made.link("anna", "mbr_2500")
    made.link("ben", "mbr_42")
    made.link("cora", "mbr_0")
    made.visitor().link(member_id="mbr_2500")
    return made


def told(small: SmallShop, **asked: int | str) -> list[tuple[str, int, int]]:
    with small.app.app_context():
        return [(one.customer_id, one.points, len(one.lots)) for one in small.points.expiring(**asked)]  # type: ignore[arg-type]


def test_customers_with_points_that_end_soon_and_no_guests(linked: SmallShop) -> None:
    # Of anna's lots 313 end after 92 days, of ben's 17 after 61.
    assert told(linked) == []
    assert told(linked, days=70) == [("ben", 17, 1)]
    assert told(linked, days=100) == [("anna", 313, 1), ("ben", 17, 1)]
    assert told(linked, days=400) == [("anna", 1013, 2), ("ben", 42, 2)]
    assert told(linked, days=100, after="anna") == [("ben", 17, 1)]


def test_what_a_mail_says(linked: SmallShop) -> None:
    with linked.app.app_context():
        [first, _] = linked.points.expiring(days=100)
    assert (first.value.amount_minor, first.value.currency) == (313, "EUR")
    assert first.expires_at == first.lots[0].expires_at


def test_a_shop_without_points_tells_nobody(make_shop: Callable[..., SmallShop]) -> None:
    off = make_shop(provider_url=None, name="off")
    assert told(off, days=100) == []


def test_a_provider_that_is_away_is_no_reason_to_tell_nobody(linked: SmallShop, provider: Provider) -> None:
    provider.fault("balance", "status_503", times=20)
    with pytest.raises((UnavailableError, NotSentError)):
        told(linked, days=100)
    provider.no_faults()


@pytest.mark.parametrize("days", [0, -1])
def test_days_are_a_number_that_can_be_meant(linked: SmallShop, days: int) -> None:
    with pytest.raises(InvalidArgumentError):
        told(linked, days=days)
