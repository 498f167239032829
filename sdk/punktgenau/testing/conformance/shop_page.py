"""What a customer reads on a page: its visible text, the amounts on it, and words that belong in a log."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from punktgenau.money import Money

_UNSEEN = frozenset({"script", "style", "template", "title"})
# Class names, codes and states of ours, what servers show by themselves, and the words of a stack trace.
_NOT_PLAIN = re.compile(
    r"Traceback|\b[A-Z]\w+(?:Error|Exception)\b|Internal Server Error|Bad Gateway|\bidempoten"
    r"|\b(?:not_done|outcome_unknown|same_key|new_attempt|needs_attention)\b|\b[a-z]+_[a-z_]+_(?:id|key|error)\b"
    r"|[:=] None\b|\bNone (?:EUR|points)\b"
)


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._unseen += tag in _UNSEEN

    def handle_endtag(self, tag: str) -> None:
        self._unseen -= tag in _UNSEEN

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.parts.append(data)


def visible_text(page: str) -> str:
    """The text of an HTML page, or of a plain one, in one line."""
    reader = _Text()
    reader.feed(page)
    reader.close()
    return " ".join(" ".join(reader.parts).split())


def jargon(page: str) -> str | None:
    """The first words that a customer should not have to read, or None."""
    found = _NOT_PLAIN.search(visible_text(page))
    return found.group() if found else None


def shows_amount(page: str, amount: Money, *, digits: int) -> bool:
    """Whether an amount stands on a page, whatever its separators and wherever its currency."""
    whole, rest = divmod(amount.amount_minor, 10**digits)
    return _shows(page, whole, f"[.,]{rest:0{digits}d}" if digits else "")


def shows_number(page: str, number: int) -> bool:
    """Whether a whole number stands on a page, with or without separators."""
    return _shows(page, number, "")


def _shows(page: str, whole: int, rest: str) -> bool:
    grouped = f"{whole:,}".replace(",", "[.,'’ \u00a0\u202f]?")
    return re.search(rf"(?<![\d.,]){grouped}{rest}(?![\d]|[.,]\d)", visible_text(page)) is not None
