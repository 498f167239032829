"""Looking at the provider's books: what a test asserts about them, and whether they balance."""

from __future__ import annotations

from dataclasses import dataclass

from punktgenau.sandbox import ledger
from punktgenau.sandbox.database import Work


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberBalance:
    """Points of one member, whatever partner asks: `available` to spend, and `held` for orders."""

    available: int
    held: int


def balance(work: Work, member_id: str) -> MemberBalance:
    """Points of one member; an unknown one has none."""
    return MemberBalance(available=ledger.available_points(work, member_id), held=ledger.held_points(work, member_id))


# What each finds is wrong. Written against the tables, so that it does not trust the code that fills them.
_CHECKS = {
    "all entries together are not zero": "SELECT sum(points) FROM entry HAVING coalesce(sum(points), 0) <> 0",
    "a movement is not balanced": "SELECT movement_number FROM entry GROUP BY movement_number HAVING sum(points) <> 0",
    "an account differs from its entries": (
        "SELECT account.name, account.points, coalesce(sum(entry.points), 0) FROM account"
        " LEFT JOIN entry ON entry.account_id = account.id GROUP BY account.id"
        " HAVING account.points <> coalesce(sum(entry.points), 0)"
    ),
    "an account is below zero": "SELECT name, points FROM account WHERE kind <> 'issued' AND points < 0",
    "held, captured and released do not add up": (
        "SELECT id, points, held_points, captured_points, released_points FROM redemption"
        " WHERE held_points + captured_points + released_points <> points"
    ),
    "more was given back than captured": (
        "SELECT id, captured_points, reversed_points FROM redemption WHERE reversed_points > captured_points"
    ),
    "a hold differs from the books": (
        "SELECT redemption.id, held_points, coalesce(sum(account.points), 0) FROM redemption"
        " LEFT JOIN account ON account.redemption_id = redemption.id AND account.kind = 'held'"
        " GROUP BY redemption.id HAVING held_points <> coalesce(sum(account.points), 0)"
    ),
    "what a partner took differs from its captures": (
        "SELECT partner_id, sum(captured_points - reversed_points) AS taken,"
        " (SELECT coalesce(sum(points), 0) FROM account"
        "  WHERE kind = 'clearing' AND account.partner_id = redemption.partner_id) AS booked"
        " FROM redemption GROUP BY partner_id HAVING taken <> booked"
    ),
    "what a partner gave differs from its accruals": (
        "SELECT partner_id, sum(points - reversed_points) AS given,"
        " (SELECT coalesce(sum(-points), 0) FROM account"
        "  WHERE kind = 'issued' AND account.partner_id = accrual.partner_id) AS booked"
        " FROM accrual GROUP BY partner_id HAVING given <> booked"
    ),
}


def findings(work: Work) -> list[str]:
    """Everything in the books that does not balance, one line each; empty when all is well."""
    return [
        f"{wrong}: {', '.join(str(value) for value in tuple(row))}"
        for wrong, statement in _CHECKS.items()
        for row in work.all(statement)
    ]
