"""A journal alone, on SQLite and a clock that is moved by hand: what one process of a shop does with it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from _databases import journal_file
from punktgenau.checkout.database import Database
from punktgenau.checkout.intent import Claim
from punktgenau.checkout.links import Links
from punktgenau.checkout.order_journal import OrderJournal
from punktgenau.checkout.schema import RedemptionRow
from punktgenau.testing.clock import ManualClock

IDENTITY = {"provider": "reference", "partner": "demo-shop", "mode": "sandbox"}


def row_for(order: str, *, state: str = "authorizing", number: int = 1) -> RedemptionRow:
    """427 points worth 4.27 EUR for an order of anna's."""
    return RedemptionRow(
        id=f"row-{order}-{number}",
        provider="reference",
        partner="demo-shop",
        mode="sandbox",
        order_reference=order,
        attempt=number,
        key="",
        live_key=f"live-{order}",
        cause="placed",
        state=state,
        version=1,
        customer_id="anna",
        member_id="mbr_2500",
        consent_id="con_1",
        wish="427",
        points=427,
        value_minor=427,
        total_minor=5480,
        payable_minor=5480,
        currency="EUR",
        rate_id="rate_eur_1",
        rate_points=1,
        rate_amount_minor=1,
        rate_rounding="down",
        cart='{"lines": []}',
        hold_s=7200,
        provider_id=None,
        hold_until=None,
        captured_points=0,
        reversed_points=0,
        reversed_minor=0,
        release_cause=None,
        reason="",
        check_at=None,
        lease_until=0,
        lease_token=0,
        created_at=0,
        updated_at=0,
    )


class Desk:
    """One journal, and what a process does with it."""

    def __init__(self, path: Path) -> None:
        self.clock = ManualClock()
        self.database = Database(f"sqlite:///{journal_file(path)}", clock=self.clock, identity=IDENTITY)
        self.journal = OrderJournal(self.database, clock=self.clock, key_of=lambda digest: digest.hex())
        self.journal.prepare()
        self.links = Links(self.database, clock=self.clock)

    def placed(self, order: str) -> Claim:
        """Begun, leased for ten seconds and the margin."""
        row = replace(row_for(order), created_at=self.journal.now_ms())
        return self.journal.begin_attempt(row, {}, lease_s=10)

    def held(self, order: str, **changes: Any) -> RedemptionRow:
        """An attempt whose authorize is finished."""
        claim = self.placed(order)
        after = replace(claim.redemption, state="authorized", provider_id=f"red-{order}", **changes)
        return self.finish(claim, after)

    def finish(self, claim: Claim, changed: RedemptionRow, **more: Any) -> RedemptionRow:
        said = {"outcome": "done", "code": None, "reply": None, "sends": 1, "next_at": None, **more}
        return self.journal.finish(claim, changed, **said)
