"""What chance decides in one history, each time from the seed and the place alone.

No stream of random numbers is shared: a decision is a digest of the seed, of who is asked and at which of its points.
So leaving one actor, step or fault out does not change what happens to the others, and a failing history can be cut
down piece by piece.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import NamedTuple, TypeVar

from punktgenau.testing.simulator.turns import Actor, Ready

T = TypeVar("T")
_WHOLE = float(2**64)


class Place(NamedTuple):
    """Where something out of the ordinary was decided: at which point of which actor, and what about."""

    actor: str
    point: int
    about: str


class Script:
    """Decisions of one history. `only`: whatever is not in there goes the ordinary way."""

    def __init__(self, seed: int, *, only: frozenset[Place] | None = None) -> None:
        self.seed = seed
        self._only = only
        self._base = blake2b(str(seed).encode(), digest_size=8)
        self.taken: list[Place] = []
        self.over = False

    def fraction(self, place: Place, detail: str = "") -> float:
        """A number in [0, 1), the same for the same place."""
        digest = self._base.copy()
        digest.update(f"{place.actor}|{place.point}|{place.about}|{detail}".encode())
        return int.from_bytes(digest.digest(), "big") / _WHOLE

    def happens(self, place: Place, odds: float) -> bool:
        """Whether something out of the ordinary happens here."""
        return odds > 0 and self.meets(*place, odds)

    def meets(self, actor: str, point: int, about: str, odds: float) -> bool:
        """The same of a place that is mostly nowhere else asked about, so it is only named when something happens."""
        if self.over:
            return False
        digest = self._base.copy()
        digest.update(f"{actor}|{point}|{about}|".encode())
        if int.from_bytes(digest.digest(), "big") / _WHOLE >= odds:
            return False
        place = Place(actor, point, about)
        if self._only is not None and place not in self._only:
            return False
        self.taken.append(place)
        return True

    def one_of(self, place: Place, choices: Sequence[T], detail: str = "") -> T:
        """One of several, each as likely."""
        return choices[int(self.fraction(place, detail) * len(choices))]

    def between(self, place: Place, least: float, most: float, detail: str = "") -> float:
        """A number in this range."""
        return least + (most - least) * self.fraction(place, detail)


class Order:
    """Who goes on: whoever has the turn, until it has to wait or the script takes it away."""

    def __init__(self, script: Script, *, switch_odds: float) -> None:
        self._script = script
        self._odds = switch_odds

    def next(self, me: Actor | None, ready: list[Ready]) -> Ready:
        """One of those that are ready."""
        if len(ready) == 1:
            return ready[0]
        if me is None:
            return min(ready, key=_waiting_longest)
        stays = me in ready
        # Nobody is interrupted for the first comer by default; whoever has waited longest follows.
        if self._script.meets(me.name, me.points, "switch", self._odds if stays else 0.5):
            place = Place(me.name, me.points, "switch")
            others = sorted((one for one in ready if one is not me), key=_waiting_longest)
            return self._script.one_of(place, others, "to")
        return me if stays else min(ready, key=_waiting_longest)


def _waiting_longest(one: Ready) -> tuple[int, int]:
    return one.ready_at_us, one.number
