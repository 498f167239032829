"""What a history is about: orders, vouchers, the processes of a shop, and what each of them is asked to do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from punktgenau.testing.simulator.faults import Aim
from punktgenau.testing.simulator.odds import Odds

Kind = Literal[
    "place", "buy", "get", "other", "without", "pay", "decline", "void", "cancel", "capture", "show",
    "return", "rest", "amount", "parcel", "last",
    "voided", "ended", "corrected", "revoked",
    "recover", "work", "help", "hear",
]  # fmt: skip
Taken = Literal["paid", "placed", "shipped"]
"""When a shop takes the points."""

NO_ORDER = ("recover", "work", "help", "hear")
"""All that is open, as cron does; all that is due, as a worker does; one thing that is due, as a request does; and what
the provider tells by itself.
"""
BY_ITSELF = ("voided", "ended", "corrected", "revoked")
"""What a provider does that nobody asked for: a hold ends, or is voided; a capture is taken back, in part or whole."""
UNSEEN = ("corrected", "revoked")
"""What of that nobody would ever know where nothing can be looked up: an event alone changes nothing."""
THE_PROVIDER = "provider"
REFERENCE = "reference"
TOTAL_MINOR = 5480
REWARD_POINTS = 25
"""What must pay a lamp that is a reward article; there are two in an order."""
POINTS_PER_EURO = 2
HOLD_S = 7200


@dataclass(frozen=True, slots=True)
class Step:
    """One request that a process serves, or one round of a worker, `wait_s` after the one before."""

    kind: Kind
    order: int = 0
    wait_s: float = 0.0
    crossing: bool = False
    """Another process gets a step of the same order at about the same time."""

    def __str__(self) -> str:
        what = self.kind if self.kind in NO_ORDER else f"{self.kind} A-{self.order}"
        return f"{what} after {self.wait_s:g} s" if self.wait_s else what


@dataclass(frozen=True, slots=True)
class Order:
    """An order of 54.80 EUR: whose points, how many, how many instead when they change their mind.

    `written_first`: the shop writes the order before it asks for the points, otherwise after.
    """

    customer: str
    points: int
    other_points: int
    written_first: bool = True
    seen_due_minor: int | None = None
    """What the browser says that the customer was shown, if it says it; anything may stand there."""
    rewards: bool = False
    """Its lamps are reward articles: so many points must pay each of them."""
    vouchers: tuple[int, ...] = ()
    """Which vouchers of the history pay it before its points do, in this order."""
    gift_minor: int = 0
    """What a gift card of the shop's own pays of it."""
    gets: str = "voucher_10"
    """What its customer may buy with points for it: a voucher that then pays after the others."""
    looks_again: bool = True
    """Its vouchers are asked for each time it is placed; otherwise what was seen the first time counts."""


@dataclass(frozen=True, slots=True)
class Voucher:
    """One that is there when the history begins. `owner` None: somebody brings it along by its code.

    `residual`: what an order leaves over stays on it ("keeps"), or is gone ("lost").
    """

    value_minor: int
    residual: Literal["keeps", "lost"]
    owner: str | None
    valid_s: int
    elsewhere: bool = False
    """Only another shop takes it."""


@dataclass(frozen=True, slots=True)
class Earns:
    """What orders earn: `POINTS_PER_EURO` for each full euro that money pays of their goods, pending for so long."""

    pending_s: int
    below_zero: bool
    welcome_points: int


@dataclass(frozen=True, slots=True)
class Plan:
    """One history before anything happens."""

    seed: int
    orders: tuple[Order, ...]
    processes: tuple[tuple[str, tuple[Step, ...]], ...]
    odds: Odds
    aimed: Aim
    """What should go wrong in it, if it can."""
    provider_ahead_s: int = 0
    variant: str = REFERENCE
    """What kind of provider it is."""
    taken: Taken = "paid"
    """When the shop captures."""
    balances_known: bool = True
    """The customers have seen their balances just before."""
    earns: Earns | None = None
    vouchers: tuple[Voucher, ...] = ()

    def without_process(self, name: str) -> Plan:
        """The same without one process."""
        return replace(self, processes=tuple(one for one in self.processes if one[0] != name))

    def without_step(self, name: str, position: int) -> Plan:
        """The same without one step of a process."""
        return replace(
            self,
            processes=tuple(
                (one, steps[:position] + steps[position + 1 :] if one == name else steps)
                for one, steps in self.processes
            ),
        )
