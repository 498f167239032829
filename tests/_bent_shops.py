"""Shops that are wrong in one way each: the shop in one file with a few words of it changed."""

from __future__ import annotations

Edits = tuple[tuple[str, str], ...]

DUE = ".due.amount_minor\n"
CAPTURE = "            points.capture(reference)\n"
CANCEL = "        points.cancel(reference)\n"
REFUSED = "            run(UNCLAIM, reference)\n            raise\n"
CLAIMED = "    if run(CLAIM, reference):\n"
SUMMARY = "{{ punktgenau_summary(order.reference) }}"

BENT: dict[str, tuple[str, Edits]] = {
    "the card is charged the whole bill": ("part", ((DUE, ".total.amount_minor\n"),)),
    "a cent too little is charged": ("one-point", ((DUE, ".due.amount_minor - 1\n"),)),
    "points are never taken": ("part", ((CAPTURE, ""),)),
    "a card is asked although nothing is due": ("all-by-points", (("due_minor == 0 or charge", "charge"),)),
    "a declined card pays": ("declined", (("due_minor == 0 or charge", "True or charge"),)),
    "the cart stays, so a second click is a second order": (
        "double-place",
        (('session.pop("cart", {})', 'session.get("cart", {})'), ('session.get("reference", "")', "uuid4().hex[:12]")),
    ),
    "a second payment is charged": (
        "double-pay",
        ((CLAIMED, "    if True:\n"), ("charged_minor = ? WHERE", "charged_minor = charged_minor + ? WHERE")),
    ),
    "points stay with a cancelled order": ("cancel-paid", ((CANCEL, "        pass\n"),)),
    "a cancelled order is paid": ("pay-cancelled", ((" AND state = 'pending' RETURNING", " RETURNING"),)),
    "the page does not show the points": ("page", ((SUMMARY, ""),)),
    "the page shows an error's name": ("page", ((SUMMARY, f"{SUMMARY} HoldExpiredError"),)),
    "unknown is charged in full": ("unconfirmed", ((REFUSED, "            due_minor = 5715\n"),)),
    "unknown is not shown": ("unconfirmed", ((SUMMARY, "Thank you."),)),
    "nothing is sold without the provider": (
        "away",
        ((CLAIMED, f'    points.checkout.balance(session["customer"])\n{CLAIMED}'),),
    ),
    "trying again goes on without": ("unconfirmed-then-paid", ((DUE, ".total.amount_minor\n"),)),
    "a capture whose answer was lost is taken back": (
        "capture-lost",
        (
            (
                CAPTURE,
                f"{CAPTURE}            points.find(reference).state == 'capturing' and points.cancel(reference)\n",
            ),
        ),
    ),
}
"""What is wrong: the check that has to notice, and the words that are changed."""
