"""The provider's codes about vouchers and payouts, one row each; `tests/wire/errors.json` says the same, by hand."""

from __future__ import annotations

from punktgenau import errors as e
from punktgenau._code import NONE_MOVED, STILL_HELD, Code, row

VOUCHER_CODES: tuple[Code, ...] = (
    row(
        "voucher_unknown",
        e.VoucherError,
        "There is no such voucher, or the shop has not been shown its code.",
        NONE_MOVED,
        "Let the customer enter the code again.",
    ),
    row(
        "voucher_used",
        e.VoucherError,
        "Nothing is left of the voucher.",
        NONE_MOVED,
        "Leave the voucher out.",
    ),
    row(
        "voucher_expired",
        e.VoucherError,
        "The voucher's time is over, or the provider has withdrawn it.",
        NONE_MOVED,
        "Leave the voucher out.",
    ),
    row(
        "voucher_not_valid_here",
        e.VoucherError,
        "The voucher is for other shops.",
        NONE_MOVED,
        "Leave the voucher out.",
    ),
    row(
        "voucher_currency",
        e.VoucherError,
        "The voucher pays in another currency.",
        NONE_MOVED,
        "Leave the voucher out.",
    ),
    row(
        "voucher_held",
        e.VoucherError,
        "The voucher waits for another order.",
        NONE_MOVED,
        "Let the customer finish or cancel that order, or leave the voucher out.",
    ),
    row(
        "voucher_value",
        e.VoucherError,
        "The voucher cannot pay as much, or nothing was to be paid with it.",
        NONE_MOVED,
        "Look the voucher up again and take what is left.",
    ),
    row(
        "payout_account_missing",
        e.DeclinedError,
        "The member has not told the provider any bank account.",
        NONE_MOVED,
        "Let the customer name one at the provider, then ask again.",
    ),
)

OWN_VOUCHER_CODES: tuple[Code, ...] = (
    row(
        "voucher_tries",
        e.LimitError,
        "Too many voucher codes were tried lately, by this customer or with this account.",
        NONE_MOVED,
        "Let the customer wait ten minutes.",
    ),
    row(
        "voucher_chosen",
        e.VoucherError,
        "The voucher was added to this cart before.",
        NONE_MOVED,
        "Nothing: it pays once.",
    ),
    row(
        "vouchers_many",
        e.VoucherError,
        "No more than 20 vouchers pay one order.",
        NONE_MOVED,
        "Remove one, then add another.",
    ),
    row(
        "not_amendable",
        e.StateConflictError,
        "Vouchers pay the order, and they are taken whole, so it is not changed.",
        STILL_HELD,
        "Return parts of it, or cancel it and place it anew.",
    ),
)
"""What engine and shop's side find about vouchers by themselves."""
