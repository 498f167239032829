"""The noun money half: what a shop pays of a return, in one payment or in several. Pure."""

from __future__ import annotations

from punktgenau.checkout.schema_returns import ReturnRow
from punktgenau.errors import InvalidArgumentError, ReturnConflictError
from punktgenau.money import Money


def require_payable(amount: Money | None, *, currency: str) -> None:
    """Raises InvalidArgumentError for what cannot have been paid of an order in that currency; None: not said."""
    if amount is not None and (not isinstance(amount, Money) or amount.currency != currency or not amount.amount_minor):
        raise InvalidArgumentError(f"amount must be Money in {currency}, and more than nothing.", field="amount")


def newly_paid_minor(one: ReturnRow, told_minor: int | None, *, amount_minor: int | None) -> int | None:
    """What a payment adds to those known of a return, in the smallest unit; None: nothing, it is known.

    `told_minor` is what its reference was told with before (None: it is new), `amount_minor` what it is told with now
    (None: all that is owed). Raises ReturnConflictError, InvalidArgumentError.
    """
    if told_minor is not None:
        if amount_minor not in (None, told_minor):
            raise ReturnConflictError(
                f"This payment of return {one.reference} was told before as {told_minor}, now as {amount_minor} "
                "(smallest unit). The first word stands; give another payment its own reference.",
                field="amount",
            )
        return None
    if one.owed_minor == 0 and one.money_refunded_at is not None:
        raise ReturnConflictError(
            f"The money of return {one.reference} was paid before, as {one.psp_reference}. Nothing was changed; "
            "look whether it was paid twice.",
            field="psp_reference",
        )
    if amount_minor is not None and amount_minor > one.owed_minor:
        raise InvalidArgumentError(
            f"Of return {one.reference} {one.owed_minor} are owed in money, {amount_minor} were told (smallest unit). "
            "Nothing was changed; look whether too much was paid.",
            field="amount",
        )
    return one.owed_minor if amount_minor is None else amount_minor
