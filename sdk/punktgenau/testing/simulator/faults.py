"""What can go wrong with one request: by the network, or by what the provider answers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

from punktgenau.profiles import ProviderProfile
from punktgenau.sandbox.faults import IN_ROUTES, Echo, Kind
from punktgenau.testing.simulator.provider import Fault
from punktgenau.testing.simulator.script import Place, Script

About = Literal["points", "earning", "vouchers"]
"""What a history is mostly about."""
When = Literal["before", "after", "late"]
"""Before the change, which then never happens; after it; or the caller has given up and the change comes later."""

PAYING = ("token", "balance", "authorize", "capture", "extend", "void", "reverse", "cancel_by_key", "get", "find")
EARNING = ("accrue", "post_accrual", "reverse_accrual", "get_accrual", "find_accruals")
VOUCHERS = ("buy_voucher", "voucher_products", "look_up_voucher", "vouchers", "get_voucher")
OPERATIONS = (*PAYING, *EARNING, *VOUCHERS)
EARNING_WRITES = frozenset(EARNING[:3])
WRITES = (
    frozenset({"authorize", "capture", "extend", "void", "reverse", "cancel_by_key", "buy_voucher"}) | EARNING_WRITES
)

_ON_THE_WAY: tuple[tuple[str, When], ...] = (
    ("refused", "before"),
    ("connect timeout", "before"),
    ("stale connection", "before"),
    ("reset", "before"),
    ("reset", "after"),
    ("timeout", "before"),
    ("timeout", "after"),
    ("truncated", "after"),
)
_ONLY_WRITES: tuple[tuple[str, When], ...] = (("timeout", "late"), ("duplicate", "after"), ("duplicate", "late"))
_ANSWERS: tuple[tuple[Kind, tuple[When, ...]], ...] = (
    ("html_200", ("before", "after")),
    ("html_502", ("before", "after")),
    ("empty_200", ("before", "after")),
    ("other_json_200", ("before", "after")),
    ("malformed_json", ("before", "after")),
    ("status_500", ("before", "after")),
    ("status_503", ("before", "after")),
    ("status_429", ("before",)),
    ("redirect", ("before", "after")),
)
_WRITE_ANSWERS: tuple[tuple[Kind, tuple[When, ...]], ...] = (
    ("in_progress_409", ("before", "after")),
    ("wrong_echo", ("after",)),
)
LOOK_UPS = frozenset({"get", "find", "get_accrual", "find_accruals"})
LAGGING = "lagging"
"""A look-up is answered from a copy of the books that is behind, by no more than the provider's settle time."""
_BY_ROUTE: tuple[Kind, ...] = ("rate_changed", "slow_lookup", "expired_early")
_FORGOTTEN_S = 86_400
"""A provider that forgets keys sooner than that leaves only look-ups."""
_ECHOES: tuple[Echo, ...] = ("currency", "points", "order_reference", "member_id", "idempotency_key")
_ECHOES_OF: dict[str, tuple[Echo, ...]] = {
    # What is cancelled by its key may never have been, and nothing has no currency.
    "cancel_by_key": _ECHOES[1:],
    "accrue": _ECHOES[1:],
    "post_accrual": (),
    "reverse_accrual": ("points",),
    "buy_voucher": ("member_id", "idempotency_key"),
}
_RETRY_AFTER = (None, "0", "1", "86400", "-5", "soon")

SELDOM = {
    "token": 0.4,
    "balance": 0.8,
    "void": 1.5,
    "extend": 6.0,
    "get": 2.0,
    "reverse": 2.5,
    "cancel_by_key": 3.0,
    "find": 4.0,
    "accrue": 1.5,
    "post_accrual": 2.0,
    "reverse_accrual": 2.5,
    "get_accrual": 12.0,
    "find_accruals": 12.0,
    "look_up_voucher": 0.5,
    "vouchers": 0.5,
    "get_voucher": 1.5,
    "buy_voucher": 2.5,
}
"""How much more, or less, often than others these meet trouble: some are sent seldom, some with each start."""

LEFT_OUT = {
    "status_429 after": "a 429 comes before the key is looked at, so nothing can have been done",
    "partial_approval, replayed_500": "not faults here but kinds of provider, which are played",
    "huge_body, gzip_bomb, drip": "a matter of bytes and sockets, which are not simulated; tests over TCP play them",
    "wrong_echo": "nothing but its id is told of an accrual that is posted, and an answer with another is another's",
    "duplicate": "without keys a request that comes twice is two requests, so providers without keys are spared it",
    "slow_lookup": "not where only a promised time makes a look-up's answer true",
    "lagging": "only where the profile has a settle time, and never by more than that",
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that goes wrong with one request. `fault` is what the sandbox is told to play, if it is its part."""

    kind: str
    when: When
    fault: Fault | None = None

    def __str__(self) -> str:
        return f"{self.kind} {self.when}"


def kinds(operation: str) -> list[tuple[str, When]]:
    """Everything that can go wrong with this operation; each is one cell of the coverage table."""
    found = list(_ON_THE_WAY)
    answers = list(_ANSWERS)
    if operation in WRITES:
        found += _ONLY_WRITES
        answers += [one for one in _WRITE_ANSWERS if _ECHOES_OF.get(operation) != () or one[0] != "wrong_echo"]
    found += [(kind, when) for kind, moments in answers for when in moments]
    found += [(kind, "before") for kind in _BY_ROUTE if operation in IN_ROUTES[kind]]
    if operation in LOOK_UPS:
        found.append((LAGGING, "before"))
    return found


def _weighted(operation: str) -> list[tuple[str, When]]:
    """The same, what is told apart by resolving it several times: it would be lost among the many kinds of garbage."""
    times = _WEIGHT | {"slow_lookup": 36} if operation == "find" else _WEIGHT
    return [one for one in kinds(operation) for _ in range(times.get(one[0], 2 if one[1] == "late" else 1))]


@dataclass(frozen=True, slots=True)
class Aim:
    """One cell of the coverage table, which a history would like to reach."""

    operation: str
    kind: str
    when: When


def aim(seed: int, *, about: About = "points") -> Aim:
    """The aim of a seed's history: as many seeds in a row as there are cells have each of them once."""
    aims = _AIMS[about]
    return aims[seed * _STRIDE % len(aims)]


def odds(operation: str, likely: float, aimed: Aim) -> float:
    """How likely a request of this operation meets trouble, in a history in which `likely` is usual."""
    usual = min(0.8, likely * SELDOM.get(operation, 1.0))
    return max(0.5, usual) if operation == aimed.operation else usual


def trouble(
    script: Script, place: Place, operation: str, *, aimed: Aim, never: frozenset[str], with_keys: bool = True
) -> Trouble:
    """What goes wrong here; `never` are kinds that this provider is not made for."""
    if operation == aimed.operation and script.fraction(place, "aim") < 0.6:
        kind, when = aimed.kind, aimed.when
    else:
        kind, when = script.one_of(place, _KINDS[operation], "kind")
    if kind in never:
        kind, when = "timeout", "before"
    if kind not in _SANDBOX_KINDS:
        return Trouble(kind, when)
    # A key is told only where one is.
    echoes = [one for one in _ECHOES_OF.get(operation, _ECHOES) if with_keys or one != "idempotency_key"]
    fault = Fault(
        operation,  # type: ignore[arg-type]
        kind,
        "after" if when == "after" else "before",
        retry_after=script.one_of(place, _RETRY_AFTER, "retry") if kind == "status_429" else None,
        echo=script.one_of(place, echoes or _ECHOES, "echo"),
    )
    return Trouble(kind, when, fault)


@cache
def impossible(profile: ProviderProfile) -> frozenset[str]:
    """Kinds of trouble that a provider of this kind rules out, or that nothing could be done about."""
    # Without keys a request that comes twice is two requests, whatever the shop does.
    twice = {"duplicate"} if profile.keys == "none" else set[str]()
    # Where nothing but time makes "nothing there" true, that time is a promise of the provider's; so it is where an
    # error is kept under the key, which then answers the same for ever: what a look-up shows is all there is.
    by_time = not profile.cancel_by_key or profile.key_window_s < _FORGOTTEN_S or profile.replays_errors
    slow = {"slow_lookup"} if profile.lookup and by_time else set[str]()
    # What is behind is behind by as much as the provider says that it may be.
    behind = set[str]() if profile.settle_s else {LAGGING}
    return frozenset(twice | slow | behind)


_WEIGHT = {"slow_lookup": 12, LAGGING: 12, "expired_early": 3, "wrong_echo": 4, "timeout": 2, "reset": 2}
_KINDS = {operation: _weighted(operation) for operation in OPERATIONS}
_ABOUT: dict[About, tuple[str, ...]] = {
    "points": PAYING,
    "earning": EARNING,
    "vouchers": (*VOUCHERS, *(one for one in PAYING if one not in ("token", "balance", "extend"))),
}
_AIMS = {
    about: tuple(Aim(operation, kind, when) for operation in some for kind, when in kinds(operation))
    for about, some in _ABOUT.items()
}
_STRIDE = 89
"""Has no divisor in common with the number of cells; so neighbours aim at different operations."""
_SANDBOX_KINDS = {kind for kind, _ in (*_ANSWERS, *_WRITE_ANSWERS)} | set(_BY_ROUTE)
