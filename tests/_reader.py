"""Reads a piece of HTML for tests: its text, its elements, and whether a browser would have to mend it."""

from __future__ import annotations

import re
from html.parser import HTMLParser

VOID = frozenset({"input", "link", "meta", "br"})


class Reader(HTMLParser):
    """Reads a fragment as a browser would, and objects to what a browser would mend."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), f"an attribute of {tag} stands there twice"
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            assert not (tag == "form" and "form" in self.open), "a form in a form"
            assert not (self.open[-1:] == ["p"] and tag in ("p", "div", "form", "dl")), f"{tag} in a paragraph"
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words)).strip()

    def all(self, tag: str, **having: str) -> list[dict[str, str]]:
        return [found for name, found in self.tags if name == tag and having.items() <= found.items()]
