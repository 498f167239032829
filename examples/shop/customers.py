"""The demo's customers, and who is in front of this browser."""

import secrets
from dataclasses import dataclass

from flask import session

from . import cart, database

_CUSTOMER = "customer"
_GUEST = "guest"
SEEDED = "seed_"
"""How the ids of customers begin who are only there to fill the shop."""


@dataclass(frozen=True, kw_only=True)
class Customer:
    id: str
    points: int
    email: str
    street: str
    postcode: str
    city: str


def everyone() -> tuple[Customer, ...]:
    """Those that one can sign in as."""
    rows = database.connect().execute(
        "SELECT * FROM customers WHERE substr(id, 1, ?) != ? ORDER BY points DESC", (len(SEEDED), SEEDED)
    )
    return tuple(Customer(**dict(row)) for row in rows)


def find(customer_id: str) -> Customer | None:
    row = database.connect().execute("SELECT * FROM customers WHERE id = ?", (customer_id,)).fetchone()
    return Customer(**dict(row)) if row else None


def current() -> Customer | None:
    """The customer who is signed in here, or None for a guest."""
    customer_id = session.get(_CUSTOMER)
    return find(customer_id) if customer_id else None


def owner() -> str:
    """Whose orders this browser may see: the customer's, or those made as a guest in this browser."""
    customer = current()
    if customer:
        return customer.id
    return str(session.setdefault(_GUEST, f"guest_{secrets.token_urlsafe(16)}"))


def sign_in(customer: Customer) -> None:
    session[_CUSTOMER] = customer.id


def sign_out() -> None:
    session.pop(_CUSTOMER, None)
    cart.clear()
