"""What the sandbox starts with."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo


def test_the_last_day_of_every_lot_is_the_same_day_in_utc_and_in_berlin(frozen: Any) -> None:
    lots = [
        lot
        for member_id in ("mbr_2500", "mbr_42")
        for lot in frozen.ask(f"/v1/members/{member_id}/balance")["expiring"]
    ]
    ends = [datetime.fromisoformat(lot["expires_at"]) - timedelta(seconds=1) for lot in lots]
    assert len(ends) == 5
    assert [end.astimezone(ZoneInfo("Europe/Berlin")).date() for end in ends] == [
        end.astimezone(UTC).date() for end in ends
    ]
