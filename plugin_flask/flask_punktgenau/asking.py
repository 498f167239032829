"""Balance and quotes for one page: a provider that is silent is waited for once per request, not once per look."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from flask import g

from flask_punktgenau.session import Points
from punktgenau.checkout import Cart, CartQuote, Checkout, Link
from punktgenau.errors import NotSentError, PunktgenauError, UnavailableError
from punktgenau.provider import Balance
from punktgenau.voucher_records import Voucher

_SILENT = "_punktgenau_silent"
Answer = TypeVar("Answer")


def ask_balance(checkout: Checkout, link: Link) -> Balance:
    """See `Checkout.balance`."""
    return _once(lambda: checkout.balance(link.customer_id, link=link))


def ask_quote(
    checkout: Checkout, customer_id: str, cart: Cart, *, points: Points, balance: Balance | None = None
) -> CartQuote:
    """See `Checkout.quote`."""
    return _once(lambda: checkout.quote(customer_id, cart, points=points, balance=balance))


def ask_own_vouchers(checkout: Checkout, customer_id: str) -> tuple[Voucher, ...]:
    """See `Checkout.vouchers`."""
    return _once(lambda: checkout.vouchers(customer_id))


def ask_vouchers(checkout: Checkout, voucher_ids: Sequence[str]) -> tuple[Voucher, ...]:
    """See `Checkout.vouchers_now`."""
    return _once(lambda: checkout.vouchers_now(voucher_ids))


def _once(ask: Callable[[], Answer]) -> Answer:
    silent: PunktgenauError | None = g.get(_SILENT)
    if silent is not None:
        raise silent
    try:
        return ask()
    except (NotSentError, UnavailableError) as error:
        setattr(g, _SILENT, error)
        raise
