"""How far a long command is, on stderr, beside what is told."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import click
from click._termui_impl import ProgressBar


@contextmanager
def bars(labels: Mapping[str, str]) -> Iterator[Callable[[str, int, int], None]]:
    """One bar per step, beside what is told, which may go into a file."""
    shown: dict[str, ProgressBar[int]] = {}

    def told(what: str, done: int, total: int) -> None:
        bar = shown.get(what)
        if bar is None:
            end()
            label = labels.get(what, what)
            # Without a length nobody knows how far it is, only that it goes on.
            bar = click.progressbar(iter(()), length=total or None, label=label, show_pos=True, file=sys.stderr)
            shown[what] = bar
            bar.render_progress()
        if total:
            bar.length = total
        bar.update(done - bar.pos)

    def end() -> None:
        for bar in shown.values():
            bar.render_finish()
        shown.clear()

    try:
        yield told
    finally:
        end()
