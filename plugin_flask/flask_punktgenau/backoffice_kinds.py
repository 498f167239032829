"""What the back office has words for: kinds of sentences in a story, causes, states of orders, refusals."""

from __future__ import annotations

from typing import get_args

from punktgenau.checkout.exchanging.told import ExchangeKind, ExchangeState

STORY_CALLS = ("authorize", "capture", "void", "reverse", "cancel_by_key", "extend", "give_up", "accrue")
EARN_CALLS = ("accrue", "post", "claw_back")
STORY_ENDS = ("asked", "done", "not_done", "unknown")
STORY_KINDS = (
    *(f"{call}.{end}" for call in STORY_CALLS for end in STORY_ENDS),
    *("placed", "taken_anew", "return", "return.customer", "money_refunded", "amended", "shipment", "event"),
    *("ended.expired", "ended.short", "reverse.return", "capture.shipment"),
    *(f"action.{kind}" for kind in ("retry", "cancel", "money_refunded", "settle_return", "repair", "dismiss")),
    *(f"action.resolve_{how}" for how in ("done", "not_done", "give_back", "written_off", "paid_otherwise")),
    *("action.new_points_given", "action.new_points_again", "action.settle_expired"),
    *("action.reconcile", "action.reconcile_file", "action.reconcile_cut"),
    *(f"earn.{call}.{end}" for call in EARN_CALLS for end in STORY_ENDS),
    *("earn.planned", "earn.set_off", "earn.returned", "earn.never"),
    *(f"exchange.asked.{kind}" for kind in get_args(ExchangeKind)),
    *(f"exchange.{state}" for state in get_args(ExchangeState)),
    *("action.earned_retry", "action.earned_again", "action.earned_left"),
    *("action.exchange_retry", "action.exchange_done", "action.exchange_not_done"),
    *("action.erase", "action.purge", "action.refund", "action.other"),
)
ORDER_STATES = ("pending", "paid", "cancelled", "missing")
CAUSES = (
    "payment_failed", "order_cancelled", "order_gone", "without_points", "given_up", "late_evidence", "written_off",
    "paid_otherwise", "ended",
)  # fmt: skip
"""Causes that the engine itself gives; a shop's own are shown as they are."""
REFUSALS = ("not_offered", "declined", "invalid_request")
"""What providers answer that do not take the points of a return back."""
