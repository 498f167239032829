"""What became of an order's points, told to whoever listens: after our commit, best effort, never a veto.

Each is sent with the Flask app as sender and `payment=`; a receiver that fails is logged and hinders nobody.
"""

from __future__ import annotations

import logging

from blinker import Namespace
from flask import Flask

from punktgenau.checkout.payment import Payment

_namespace = Namespace()

redemption_authorized = _namespace.signal("redemption_authorized")
redemption_captured = _namespace.signal("redemption_captured")
redemption_voided = _namespace.signal("redemption_voided")
redemption_expired = _namespace.signal("redemption_expired")
redemption_reversed = _namespace.signal("redemption_reversed")
redemption_short = _namespace.signal("redemption_short")
needs_attention = _namespace.signal("needs_attention")

__all__ = [
    "needs_attention",
    "redemption_authorized",
    "redemption_captured",
    "redemption_expired",
    "redemption_reversed",
    "redemption_short",
    "redemption_voided",
]

logger = logging.getLogger("flask_punktgenau")


def fire(app: Flask, name: str, payment: Payment) -> None:
    """Tell the receivers of one event; nothing that they do changes what has happened."""
    signal = _namespace.signal(name)
    for receiver in signal.receivers_for(app):
        try:
            receiver(app, payment=payment)
        except Exception:
            # The points have moved and that is written down: a receiver's fault must not look like a failed redemption.
            logger.exception("a receiver of %s failed for order %s", name, payment.order_reference)
