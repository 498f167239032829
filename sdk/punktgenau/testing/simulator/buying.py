"""Points that became vouchers, judged by plain SQL on both books: each form once, or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from punktgenau.testing.simulator.audit import LINKS

if TYPE_CHECKING:
    from punktgenau.checkout import Exchange
    from punktgenau.testing.simulator.shop import Bought
    from punktgenau.testing.simulator.world import World

_BOUGHT = "SELECT * FROM voucher WHERE voucher_reference IS NOT NULL ORDER BY number"


def compare(world: World, order: Bought, told: Exchange) -> None:
    """What a purchase was told to be has to be so at the provider when it is told."""
    row = next((row for row in world.provider.rows(_BOUGHT) if row["voucher_reference"] == told.reference), None)
    if told.state == "done" and (row is None or row["id"] != told.provider_id or row["points"] != told.points):
        world.watch.wrong("I5", f"a voucher for {order.reference} was told to be bought, the provider has sold none")
    if told.state == "declined" and row is not None:
        world.watch.wrong("I5", f"a voucher for {order.reference} was told to be refused, the provider has sold it")
    if told.code is not None and (row is None or told.code.replace("-", "") != row["code"]):
        world.watch.wrong("I5", f"another code than its own was told of the voucher for {order.reference}")


def once(world: World) -> Iterator[str]:
    """I2: a form buys one voucher at most, however often it is sent."""
    forms = {row["reference"]: row["form"] for row in world.auditor.rows("SELECT * FROM punktgenau_exchange")}
    sold: dict[str, int] = {}
    for row in world.provider.rows(_BOUGHT):
        form = forms.get(row["voucher_reference"], "")
        sold[form] = sold.get(form, 0) + 1
    yield from (f"form {form} has bought {times} vouchers" for form, times in sold.items() if times > 1)


def nothing_lost(world: World) -> Iterator[str]:
    """I3: what was sold is in the journal as it is there, and nothing stays under way for ever."""
    sold = {row["voucher_reference"]: row for row in world.provider.rows(_BOUGHT)}
    for row in world.auditor.rows("SELECT * FROM punktgenau_exchange"):
        there = sold.pop(row["reference"], None)
        named = f"the voucher of form {row['form']}"
        if row["state"] == "sending" or (row["state"] == "needs_attention" and not world.asks_a_person):
            yield f"{named} is still {row['state']} ({row['code']})"
        if row["state"] == "needs_attention":
            continue
        if (there is not None) != (row["state"] == "done"):
            yield f"{named} is {row['state']} in the journal, the provider has sold {'it' if there else 'nothing'}"
        elif there is not None:
            said = (row["provider_id"], row["points"], row["value_minor"], row["hint"], row["member_id"])
            if said != (there["id"], there["points"], there["value_minor"], there["code"][-4:], there["member_id"]):
                yield f"{named} is {said} in the journal, and something else at the provider"
    yield from (f"{one} was sold, and the journal does not know of it" for one in sold)


def paid(world: World) -> Iterator[str]:
    """I1: as many points as a voucher cost went out of its member's account for it, and no others."""
    for member, _ in LINKS.values():
        moved = world.provider.rows(
            "SELECT coalesce(sum(e.points), 0) AS points FROM entry e JOIN movement m ON m.number = e.movement_number"
            " JOIN account a ON a.id = e.account_id"
            " WHERE m.kind = 'voucher' AND a.kind = 'available' AND a.member_id = ?",
            member,
        )[0]["points"]
        cost = sum(row["points"] for row in world.provider.rows(_BOUGHT) if row["member_id"] == member)
        if moved != -cost:
            yield f"{member} has bought vouchers for {cost} points, {-moved} went out of the account"


JUDGES: tuple[tuple[str, Callable[[World], Iterator[str]]], ...] = (
    ("I1", paid),
    ("I2", once),
    ("I3", nothing_lost),
)
