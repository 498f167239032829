"""Looking at the provider's books: what a test asserts about them, and whether they balance."""

from __future__ import annotations

from dataclasses import dataclass

from punktgenau.sandbox import ledger
from punktgenau.sandbox.database import Work


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberBalance:
    """Points of one member, whatever partner asks: `available` to spend, `held` for orders, `pending` to come.

    `available` is below zero where points are owed.
    """

    available: int
    held: int
    pending: int = 0


def balance(work: Work, member_id: str) -> MemberBalance:
    """Points of one member; an unknown one has none."""
    return MemberBalance(
        available=ledger.available_points(work, member_id),
        held=ledger.held_points(work, member_id),
        pending=ledger.pending_points(work, member_id),
    )


# What each finds is wrong. Written against the tables, so that it does not trust the code that fills them.
_CHECKS = {
    "all entries together are not zero": "SELECT sum(points) FROM entry HAVING coalesce(sum(points), 0) <> 0",
    "a movement is not balanced": "SELECT movement_number FROM entry GROUP BY movement_number HAVING sum(points) <> 0",
    "an account differs from its entries": (
        "SELECT account.name, account.points, coalesce(sum(entry.points), 0) FROM account"
        " LEFT JOIN entry ON entry.account_id = account.id GROUP BY account.id"
        " HAVING account.points <> coalesce(sum(entry.points), 0)"
    ),
    "an account is below zero": "SELECT name, points FROM account WHERE kind NOT IN ('issued', 'owed') AND points < 0",
    "more was settled than owed": "SELECT name, points FROM account WHERE kind = 'owed' AND points > 0",
    "points are owed although there are some": (
        "SELECT owed.member_id, owed.points, sum(lots.points) FROM account AS owed JOIN account AS lots"
        " ON lots.member_id = owed.member_id AND lots.kind = 'available'"
        " WHERE owed.kind = 'owed' AND owed.points < 0 GROUP BY owed.id HAVING sum(lots.points) > 0"
    ),
    "what is pending differs from the books": (
        "SELECT accrual.id, state, accrual.points - reversed_points, coalesce(account.points, 0) FROM accrual"
        " LEFT JOIN account ON account.accrual_id = accrual.id AND account.kind = 'pending'"
        " WHERE coalesce(account.points, 0)"
        " <> CASE state WHEN 'pending' THEN accrual.points - reversed_points ELSE 0 END"
    ),
    "what was taken back differs from its reversals": (
        "SELECT accrual.id, reversed_points, taken_points FROM accrual LEFT JOIN accrual_reversal AS taken"
        " ON taken.accrual_id = accrual.id GROUP BY accrual.id"
        " HAVING reversed_points <> coalesce(sum(taken.points), 0)"
        " OR taken_points <> coalesce(sum(taken.points - taken.not_taken), 0)"
    ),
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
    "all values of vouchers together are not zero": (
        "SELECT sum(amount_minor) FROM voucher_entry HAVING coalesce(sum(amount_minor), 0) <> 0"
    ),
    "a voucher's account differs from its entries": (
        "SELECT voucher_account.name, voucher_account.amount_minor, coalesce(sum(voucher_entry.amount_minor), 0)"
        " FROM voucher_account LEFT JOIN voucher_entry ON account_id = voucher_account.id GROUP BY voucher_account.id"
        " HAVING voucher_account.amount_minor <> coalesce(sum(voucher_entry.amount_minor), 0)"
    ),
    "what redemptions hold of vouchers differs from the books": (
        "SELECT held.redemption_id, held_vouchers_minor, sum(held.amount_minor) FROM voucher_account AS held"
        " JOIN redemption ON redemption.id = held.redemption_id WHERE held.kind = 'held' GROUP BY held.redemption_id"
        " HAVING held_vouchers_minor <> sum(held.amount_minor)"
    ),
    "what a partner took of vouchers differs from its captures": (
        "SELECT partner_id, sum(captured_vouchers_minor - reversed_vouchers_minor) AS taken,"
        " (SELECT coalesce(sum(amount_minor), 0) FROM voucher_account"
        "  WHERE kind = 'clearing' AND voucher_account.partner_id = redemption.partner_id) AS booked"
        " FROM redemption GROUP BY partner_id HAVING taken <> booked"
    ),
    "what a partner gave differs from its accruals": (
        "SELECT partner_id, sum(points - taken_points) AS given,"
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
