"""The tender rows of an attempt: one per voucher, with what became of it, then one of its points."""

from __future__ import annotations

import json

from sqlalchemy import BigInteger, bindparam, null, select, update

from punktgenau.checkout.database import Transaction, Value
from punktgenau.checkout.rows import RedemptionRow
from punktgenau.checkout.schema import redemption, tender
from punktgenau.checkout.vouchers import gone_of, of_cart

TAKEN = frozenset({"captured", "partially_reversed", "reversed"})
_MARK = '"vouchers":'
_NOTE = (
    update(tender)
    .where(tender.c.redemption_id == bindparam("of_redemption"), tender.c.voucher_id == bindparam("of_voucher"))
    .values(
        captured_minor=bindparam("captured_minor", type_=BigInteger),
        reversed_minor=bindparam("reversed_minor", type_=BigInteger),
    )
)

WITH_VOUCHER = redemption.c.id.in_(select(tender.c.redemption_id).where(tender.c.voucher_id == bindparam("text")))
"""Whether a voucher pays a redemption, by its id."""
_FORGET = update(tender).where(tender.c.redemption_id == bindparam("of_redemption")).values(last_four=null())
_CART = select(redemption.c.cart).where(redemption.c.id == bindparam("of_redemption"))
_KEEP = update(redemption).where(redemption.c.id == bindparam("of_redemption")).values(cart=bindparam("cart"))


def forget_vouchers(tx: Transaction, redemption_id: str) -> None:
    """Keep nothing of the codes of an order's vouchers; which ones these were is known by their ids, as ever."""
    found = tx.one(_CART, {"of_redemption": redemption_id})
    if found is None or _MARK not in str(found[0]):
        return
    cart = json.loads(str(found[0]))
    for one in cart["vouchers"]:
        one["last_four"] = ""
    text = json.dumps(cart, sort_keys=True, separators=(",", ":"))
    tx.run(_KEEP, {"of_redemption": redemption_id, "cart": text})
    tx.run(_FORGET, {"of_redemption": redemption_id})


def tenders_of(attempt: RedemptionRow) -> list[dict[str, Value]]:
    """With what an attempt pays, in this order."""
    rows: list[dict[str, Value]] = [
        {
            "kind": "voucher",
            "points": 0,
            "value_minor": one.value_minor,
            "voucher_id": one.id,
            "last_four": one.last_four,
            "captured_minor": 0,
            "reversed_minor": 0,
        }
        for one in of_cart(attempt.cart)
    ]
    if attempt.points or not rows:
        none = dict.fromkeys(("voucher_id", "last_four", "captured_minor", "reversed_minor"))
        rows.append({"kind": "points", "points": attempt.points, "value_minor": attempt.value_minor, **none})
    for position, row in enumerate(rows):
        row |= {"redemption_id": attempt.id, "position": position}
    return rows


def note_tenders(tx: Transaction, seen: RedemptionRow, changed: RedemptionRow) -> None:
    """Write down what became of the vouchers of a row, where that has changed; in the commit that changes the row."""
    is_taken_now = changed.state in TAKEN and changed.state != seen.state
    if _MARK not in changed.cart or not (is_taken_now or changed.vouchers_gone != seen.vouchers_gone):
        return
    gone = gone_of(changed.vouchers_gone)
    for one in of_cart(changed.cart):
        of: dict[str, Value] = {"of_redemption": changed.id, "of_voucher": one.id}
        tx.run(
            _NOTE,
            of | {"captured_minor": one.value_minor, "reversed_minor": gone.get(one.id, (0, 0))[0]},
        )
