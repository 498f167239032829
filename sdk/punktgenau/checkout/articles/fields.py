"""What the fields of an article are called in files, and which unknown names are slips of the pen."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

FIELDS = (
    "sku", "points", "price_points", "copayment_minor", "currency", "exclusive", "valid_from", "valid_until",
)  # fmt: skip
NAMES = ", ".join(FIELDS)
NOT_READ_MOST = 20


def field_name(name: str) -> str:
    """A column's name as it is meant: spaces, hyphens and capitals make no difference."""
    return name.strip().strip('"').strip().lower().replace(" ", "_").replace("-", "_")


def meant_by(name: str) -> str | None:
    """Which field a name that is none was probably meant to be; None: something else, which is not read."""
    close = get_close_matches(field_name(name), FIELDS, n=1, cutoff=0.8)
    return close[0] if close else None


def shown(value: object, *, most: int = 40) -> str:
    """A value for a person to recognize, on one line."""
    text = value if isinstance(value, str) else repr(value)
    return repr(text if len(text) <= most else f"{text[: most - 1]}…")


class NotRead:
    """Names that are none of ours, as they are met; a handful of them is kept."""

    def __init__(self) -> None:
        self.names: dict[str, None] = {}

    def add(self, names: Iterable[str]) -> None:
        """Note them."""
        for name in names:
            if len(self.names) < NOT_READ_MOST:
                self.names[name[:40]] = None
