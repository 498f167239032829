"""The engine's own sentences, by which the back office knows them: each is told in the operator's language.

The engine speaks English, to those who read logs. A sentence of it that is not among these is told by its code.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

_HOLE = re.compile(r"%\((\w+)\)s")


def known(text: str, among: tuple[str, ...]) -> tuple[str, Mapping[str, str]] | None:
    """The sentence that `text` is, and what stands in its holes; None: it is none of them."""
    for pattern, sentence in _patterns(among):
        if (found := pattern.fullmatch(text)) is not None:
            return sentence, found.groupdict()
    return None


@cache
def _patterns(among: tuple[str, ...]) -> tuple[tuple[re.Pattern[str], str], ...]:
    """Those that say most by themselves come first."""
    by_words = sorted(among, key=lambda sentence: len(_HOLE.sub("", sentence)), reverse=True)
    return tuple((_pattern(sentence), sentence) for sentence in by_words)


def _pattern(sentence: str) -> re.Pattern[str]:
    parts = _HOLE.split(sentence)
    made = (f"(?P<{part}>.+?)" if number % 2 else re.escape(part) for number, part in enumerate(parts))
    return re.compile("".join(made))


SENTENCES = (
    "Order %(order)s is being worked on by somebody else at this moment.",
    "Order %(order)s is not open in this way any more (%(state)s).",
    "The provider is being asked about order %(order)s at this moment.",
    "Order %(order)s is not open in this way any more. Look at it again.",
    "No points of order %(order)s can go back (%(state)s).",
    "Nothing of order %(order)s can go back (%(state)s).",
    "Points are no part of order %(order)s.",
    "No points are part of order %(order)s.",
    "More is owed for return %(reference)s than was shown. Nothing was written down; pay the rest, or "
    "enter what was paid once more.",
    "There is no such redemption.",
    "There is no such earning.",
    "There is no such exchange.",
    "Exchange %(reference)s is being worked on by somebody else at this moment.",
    "Nobody has to say what became of exchange %(reference)s, or it is being asked about at this moment. "
    "Nothing was changed; look at it again.",
    "What order %(order)s earns needs no person now. Nothing was changed.",
    "Order %(order)s has earned nothing.",
    "A newer attempt of order %(order)s has taken the place of this one.",
    "Order %(order)s is not short any more. Look at it again.",
    "%(field)s must be %(least)s to %(most)s printable characters.",
    "%(field)s must be a text of 1 to %(most)s printable characters.",
    "order_reference must be 1 to 36 printable characters.",
    "Return %(reference)s is not refused, or just being changed by somebody else. Nothing was changed; "
    "look at it again.",
    "Order %(order)s has no return %(reference)s.",
    "expired must be a whole number from 0 to %(most)s, the points of return %(reference)s.",
    "Nobody has to decide about new points of return %(reference)s, or somebody is just asking for them. "
    "Nothing was changed; look at it again.",
    "New points of return %(reference)s wait for nothing, or somebody is just asking for them. Look at it again.",
    "Nobody has to say what became of the points of return %(reference)s. Nothing was changed; look at it again.",
    "Difference %(id)s waits for the next statement. Nothing was done; reconcile that month first.",
    "There is no difference %(id)s. Nothing was done.",
    "There is no such difference.",
    "The quantity of line %(line)s must be a whole number from %(least)s to %(most)s.",
    "%(field)s must be a whole number from %(least)s to %(most)s.",
    "Line %(line)s has %(left)s units to return, %(asked)s were asked for.",
    "%(left)s can still come back, %(asked)s were asked for (smallest unit).",
    "Return lines and shipping, or an amount; not both.",
    "Nothing is to be returned: name lines or an amount.",
    "Of what has left %(left)s can come back (smallest unit); the rest is still to be shipped. Nothing "
    "was booked; what will not be, is taken off by `amend`.",
    "Of line %(line)s %(left)s units have left and can come back; the rest is still to be shipped. "
    "Nothing was booked; what will not be, is taken off by `amend`.",
    "References that begin with %(prefix)s are the engine's own; give the return another one.",
    "A parcel of order %(order)s is just being captured, and only what is captured can come back. Nothing "
    "was booked; try the same return again.",
    "The first parcel of order %(order)s is just being captured, and only what is captured can come back. "
    "Nothing was booked; try the same return again.",
    "Something else of order %(order)s came back meanwhile. Nothing was booked; look at the new figures.",
    "Return %(reference)s of order %(order)s was asked for with other content. The first one stands, this "
    "one did nothing; give it a reference of its own.",
    "Order %(order)s is being changed by others. Nothing was booked; try the same return again.",
    "The points of order %(order)s need a person first (%(state)s). Nothing was booked.",
    "Order %(order)s was cancelled (%(cause)s); all of its points go back by that. Nothing else was booked.",
    "Whose points paid order %(order)s was erased, so they can go back to nobody. Nothing was booked; pay money back.",
    "Points have paid nothing of order %(order)s (%(state)s), so none can come back. Nothing was booked; "
    "capture them first, or void them.",
    "Return %(reference)s of order %(order)s is worth %(points)s points, and %(left)s of those captured "
    "are left: the provider has given some back by itself. Nothing was booked; give money back.",
    "Return %(reference)s of order %(order)s would put %(value)s back onto vouchers, and %(left)s are left "
    "(smallest unit): the provider has given some back by itself. Nothing was booked; give money back.",
    "Points pay %(value)s of order %(order)s and %(payable)s of it is left. Nothing was changed; take the "
    "rest of it back, or cancel it.",
    "amount must be Money in %(currency)s, and more than nothing.",
    "The money of return %(reference)s was paid before, as %(psp)s. Nothing was changed; look whether it "
    "was paid twice.",
    "This payment of return %(reference)s was told before as %(first)s, now as %(second)s (smallest "
    "unit). The first word stands; give another payment its own reference.",
    "Of return %(reference)s %(owed)s are owed in money, %(told)s were told (smallest unit). Nothing was "
    "changed; look whether too much was paid.",
    "The journal's database did not take it (%(why)s). Nothing was sent.",
    "The journal's database did not confirm a change (%(why)s). Nothing was sent.",
    "The journal's tables are of an older version. Nothing was sent; run `flask punktgenau upgrade`.",
    "The journal is not upgraded: run `flask punktgenau upgrade`.",
    "The journal's file system %(why)s. Nothing was sent; use a disk of this machine, or PostgreSQL.",
    "This provider issues no statements that can be asked for; give the file that it sends.",
    "period must be a month such as '2026-11'.",
    "grace_s must be seconds, at most 14 days.",
    "statement: the pages lead nowhere. Nothing was changed.",
    "statement: %(total)s. Nothing was changed; read it again.",
    "The file is UTF-16; a statement is UTF-8. Save it as CSV UTF-8.",
    "The file is not a statement: its head lacks %(columns)s. Nothing was compared.",
    "The file is not a statement: its head names a column twice. Nothing was compared.",
    "The statement of %(month)s has more than %(most)s lines, too many for a page.",
    "Comparing %(month)s took longer than %(seconds)s seconds, too long for a page. What was found so far "
    "stands in the list.",
    "This provider does not list which of the shop's points were redeemed; give the file that it sends.",
    "period must be a month such as '2026-11' or '2026-Q4'.",
    "%(month)s has not begun yet, so nothing was redeemed in it. Nothing was made.",
    "The list of %(month)s has more than %(most)s lines, too many for a page.",
    "The report of %(month)s takes longer than %(seconds)s seconds, too long for a page.",
)
"""What errors say that an operator can meet."""
NOTED = (
    "another line is about the same",
    "this order's points are booked under another redemption",
    "the journal knows nothing of it",
    "here it is %(state)s",
    "here it is %(state)s, with %(call)s not resolved",
    "stands on the statement before",
    "neither on this statement nor on the one before",
    "may stand on the next one",
    "the statement says nothing of it",
    "the order is %(order_state)s, its points are %(state)s",
    "%(there)s points there, %(here)s here",
    "worth %(there)s there, %(here)s here",
    "%(there)s there, %(here)s here",
    "the line is dated in another month",
    "booked here in another month",
    "the order has another attempt by now",
    "the order is %(order_state)s by now",
    "the shop could not be asked for the order",
    "nothing was done: %(note)s",
    "could not be done: %(code)s",
    "was done all the same: %(note)s",
    "its repair was begun by %(actor)s; nobody knows whether that was done",
    "to be corrected by the provider",
    "accepted",
    "is being resolved: %(state)s",
    "%(state)s, %(taken)s taken, %(back)s given back; now %(state_now)s, %(taken_now)s taken, %(back_now)s given back",
    "the provider knows nothing of it; here %(state)s, %(taken)s taken, %(back)s given back",
    "the provider has %(taken)s taken, %(back)s given back; as here",
    "the provider has %(taken_there)s taken, %(back_there)s given back; here %(state)s, %(taken)s taken, "
    "%(back)s given back, now %(state_now)s, %(taken_now)s taken, %(back_now)s given back",
    "now %(state)s, %(points)s points",
    "repaired when it was %(there)s there, %(here)s here",
    "dismissed when it was %(there)s there, %(here)s here",
    "nothing",
    "%(points)s points",
)
"""What is noted of a difference, and what came of its repair."""
BROKEN = (
    "belongs to another partner",
    "its id %(id)s stands on the statement twice",
    "line %(id)s stands twice on the list",
    "it is dated in %(found)s, which is no part of %(month)s",
    "at: not between the years 2000 and 2099",
    "characters that cannot be printed",
    "longer than %(most)s bytes",
    "not UTF-8",
    "not CSV: %(why)s",
    "%(found)s cells instead of %(wanted)s",
    "%(column)s: not a whole number",
    "at: not a moment such as 2026-11-22T10:00:00Z",
    "totals that cannot be read",
    "points of a %(kind)s have the other sign",
    "The file ends without its totals, so a part of it may be missing.",
    "The file is not complete or was changed: %(total)s.",
    "it says %(lines)s lines with %(points)s points and %(amount)s, read were %(lines_read)s with "
    "%(points_read)s and %(amount_read)s",
    "its totals say nothing of %(currencies)s",
    "kind: %(why)s",
    "currency: %(why)s",
    "%(column)s: %(why)s",
)
"""Why a line of a statement cannot be read."""
JOURNAL_CODES = (
    "superseded",
    "settling",
    "not_as_written",
    "other_content",
    "order_used_before",
    "resolved_by_hand",
    "looked_up",
    "held_in_part",
    "proven_undone",
    "key_spent",
    "extend_unknown",
    "extend_refused",
    "defect",
    "hold_voided",
    "taken_anew",
    "amended",
    "refused",
    "never_arrived",
)
"""Codes that only the journal knows; all others are those of `punktgenau.codes`."""
FIELDS = (
    "reason",
    "because",
    "actor",
    "by",
    "return_reference",
    "psp_reference",
    "amount_minor",
    "shipping_minor",
)
