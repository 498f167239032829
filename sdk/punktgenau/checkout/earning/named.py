"""Names that are made with the journal's key: under which a provider knows what an order earns, and a debtor. Pure."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from hashlib import sha256

from punktgenau.checkout.database import Value


def purchase_reference(secret: bytes, shop: Mapping[str, Value], order_reference: str, member_id: str) -> str:
    """From the journal's key, so the same in a journal that was restored from before the order was planned.

    The provider takes each name once, and with it the journal finds what it has forgotten. Another journal has another
    key: a shop that begins its numbers anew meets no old name.
    """
    said = "|".join(str(shop[name]) for name in ("own_provider", "own_partner", "own_mode"))
    digest = hmac.new(secret, f"earn|{said}|{member_id}|{order_reference}".encode(), sha256).hexdigest()
    return f"earn-{digest[:28]}"


def owed_mark(secret: bytes, member_id: str) -> str:
    """By which a member is known again who owes points and was erased; nobody can tell who that is without the key."""
    return hmac.new(secret, f"owes|{member_id}".encode(), sha256).hexdigest()
