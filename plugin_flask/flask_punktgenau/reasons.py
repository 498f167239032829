"""Reasons of movements that are known by their shape: the engine's, and what providers say in English by themselves."""

from __future__ import annotations

import re

_ENGINES = re.compile(
    r"Order .+: (?:(?P<welcome>welcome points)|points earned(?: \((?P<names>.+)\))?"
    r"|(?P<back>cancelled|returned), so its points are taken back)"
)
"""What the engine gives to the provider, with the names of campaigns."""
_PROVIDERS = re.compile(r"(?P<what>Returned|Released|Cancelled|Hold ended(?: early)?), order (?P<order>.+)")
_PROVIDERS_WORDS = {
    "Cancelled": "told.cancelled",
    "Hold ended": "told.hold_ended",
    "Hold ended early": "told.hold_ended",
}
"""Those without words say no more than the movement does."""


def known(reason: str, order_reference: str | None) -> tuple[str, str] | None:
    """The id of its words, or a text that is shown as it is; None: it is nobody's that is known here."""
    said = _PROVIDERS.fullmatch(reason)
    if said is not None and said["order"] == order_reference:
        return _PROVIDERS_WORDS.get(said["what"], ""), ""
    found = _ENGINES.fullmatch(reason)
    if found is None:
        return None
    if found["welcome"]:
        return "Welcome gift", ""
    return (f"told.{found['back']}", "") if found["back"] else ("", found["names"] or "")
