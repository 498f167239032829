"""Events on their way to the shop: early, late, in any order, some of them twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from punktgenau.events import Event
from punktgenau.sandbox.clock import moment
from punktgenau.testing.simulator.provider import SimulatedProvider
from punktgenau.testing.simulator.seams import Seams

_NOW, _TWICE = 0.6, 0.25


@dataclass
class Post:
    """What the provider has told, and what of it has not arrived yet."""

    provider: SimulatedProvider
    seams: Seams
    waiting: dict[int, Event] = field(default_factory=dict)
    _told: int = 0

    def arriving(self, *, all_of_it: bool = False) -> Iterator[tuple[int, Event]]:
        """What arrives now, one after the other; the rest is late."""
        self._fetch()
        script, place = self.seams.script, self.seams.place("post")
        for sequence in sorted(self.waiting, key=lambda one: script.fraction(place, f"order {one}")):
            event = self.waiting.get(sequence)
            if event is not None and (all_of_it or script.fraction(place, f"now {sequence}") < _NOW):
                yield sequence, event

    def taken(self, sequence: int) -> None:
        """The shop has answered that it has it; some come once more all the same."""
        if self.seams.script.over or self.seams.script.fraction(self.seams.place("post"), "twice") >= _TWICE:
            self.waiting.pop(sequence, None)

    def _fetch(self) -> None:
        for row in self.provider.rows("SELECT * FROM event WHERE sequence > ? ORDER BY sequence", self._told):
            self._told = row["sequence"]
            self.waiting[self._told] = Event(
                id=row["id"],
                type=row["type"],
                timestamp=moment(row["at"]),
                sequence=row["sequence"],
                data=json.loads(row["data"]),
            )
