"""States of a redemption that are told apart in more than one place. Pure."""

from __future__ import annotations

HELD = frozenset({"authorized", "partially_captured"})
"""Points are held, and nothing is under way."""
UNDER_WAY = frozenset({"authorizing", "capturing", "voiding", "reversing", "abandoning", "extending"})
"""With an open operation; whoever finishes it says what comes next."""
UNRESOLVED = UNDER_WAY | {"needs_attention"}
"""With an operation under way, or one that nobody could resolve so far."""
