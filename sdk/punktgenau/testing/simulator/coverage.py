"""Which combinations a run has reached: crashes, faults, steps of the state graph; and why some cannot be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cache

from punktgenau.profiles import PROFILES
from punktgenau.testing.simulator import faults, graph, plans
from punktgenau.testing.simulator.faults import OPERATIONS, WRITES
from punktgenau.testing.simulator.seams import CRASH, ON_THE_WIRE, SPOTS

Cell = tuple[str, str, str]
EDGE = "edge"
EARNING_EDGE = "earning edge"
EARNING = "earning"
VARIANT = "variant"
HINT = "hint"
BY_ITSELF = "by itself"
_HEARD = ("matched", "early", "repeated")
_NOBODY_ELSE = "edges: nobody but the shop captures its redemptions at the provider"
_CROSSING = "edges: only where two rare things cross; told when it is reached, not asked for"
_NO_EDGE: dict[graph.Edge, str] = {
    ("authorized", "captured"): _NOBODY_ELSE,
    ("capturing", "reversed"): _CROSSING,
    ("authorizing", "voided"): _CROSSING,
    ("voided", "short"): _CROSSING,
    ("voided", "captured"): _CROSSING,
    ("partially_captured", "captured"): _CROSSING,
    ("short", "declined"): _CROSSING,
    ("expired", "captured"): "edges: the sandbox never takes back that a hold has ended",
    ("authorizing", "abandoned"): "edges: a tombstone is only laid for an attempt that is abandoning by then",
}
_NO_EDGE |= dict.fromkeys(
    (
        *(("extending", now) for now in ("capturing", "voiding", "captured", "voided")),
        *(("needs_attention", now) for now in graph.AFTER_A_PERSON),
        *(("short", now) for now in ("captured", "reversing", "partially_reversed", "reversed")),
        *((was, "short") for was in ("extending", "reversing", "voiding")),
        *((was, "partially_reversed") for was in ("capturing", "voiding")),
        # Lost on its way to a provider without keys, and looked at until that is proven.
        *((was, "authorized") for was in ("capturing", "voiding")),
        ("extending", "partially_captured"),
        ("partially_captured", "extending"),
        ("voiding", "partially_captured"),
        *graph.UNASKED,
        *(("abandoning", now) for now in ("declined", "needs_attention", "reversed")),
    ),
    _CROSSING,
)
_NO_EARNING_EDGE: dict[graph.Edge, str] = dict.fromkeys(
    (
        *(("needs_attention", now) for now in ("pending", "posted", "reversed", "declined", "planned")),
        *((was, "needs_attention") for was in ("accruing", "posting", "reversing")),
        ("accruing", "declined"),
        ("accruing", "reversed"),
        ("posting", "pending"),
        ("posting", "reversed"),
    ),
    _CROSSING,
)
SEVERAL = "several tenders"
VOUCHER = "voucher"
_PAID_OPERATIONS = ("authorize", "capture", "void", "reverse", "cancel_by_key")
"""What vouchers and points go through together."""
_VOUCHERS = (
    "bought with points", "bought and used", "too few points for one",
    "brought along", "own", "keeps the rest", "loses the rest", "another shop's", "several in one order",
    "in two carts", "alone", "with points", "with a gift card", "with reward articles", "and money earns",
    "held", "refused when held", "used up", "a part left over", "rest lost", "let go", "hold ended", "taken anew",
    "returned in part", "returned wholly", "back after its end", "expired while held",
)  # fmt: skip
"""What becomes of vouchers in a history."""
_EARNING_SETTINGS = ("to zero", "below zero", "pending", "posted at once", "with a welcome", "without a welcome")
_WIDTH = 16


@cache
def cells() -> Mapping[Cell, str]:
    """Every cell of the table; with its reason where it is out of reach, else with an empty text."""
    found: dict[Cell, str] = {}
    for operation in OPERATIONS:
        for spot in SPOTS:
            found[CRASH, operation, spot] = _no_crash(operation, spot)
        for kind, when in faults.kinds(operation):
            found["fault", operation, f"{kind} {when}"] = ""
    for was, now in graph.EDGES | graph.MORE_EDGES | graph.UNASKED:
        found[EDGE, was or "(new)", now] = _NO_EDGE.get((was, now), "")
    for was, now in graph.EARNING_EDGES:
        found[EARNING_EDGE, was or "(new)", now] = _NO_EARNING_EDGE.get((was, now), "")
    for setting in _EARNING_SETTINGS:
        found[EARNING, setting, ""] = ""
    for variety in _VOUCHERS:
        found[VOUCHER, variety, ""] = ""
    for operation in _PAID_OPERATIONS:
        for spot in SPOTS:
            found[SEVERAL, operation, spot] = _no_crash(operation, spot)
    for kind in plans.BY_ITSELF:
        found[BY_ITSELF, kind, ""] = ""
    for heard in _HEARD:
        found[HINT, heard, ""] = ""
    for name in PROFILES:
        found[VARIANT, name, ""] = ""
    return found


def edges(taken: Counter[graph.Edge]) -> Counter[Cell]:
    """Steps of the graph as cells."""
    return Counter({(EDGE, was or "(new)", now): count for (was, now), count in taken.items()})


def earned(earns: plans.Earns | None, taken: Counter[graph.Edge]) -> Counter[Cell]:
    """How orders earn in a history, and the steps that they took."""
    found = Counter({(EARNING_EDGE, was or "(new)", now): count for (was, now), count in taken.items()})
    if earns is not None:
        found[EARNING, "below zero" if earns.below_zero else "to zero", ""] += 1
        found[EARNING, "pending" if earns.pending_s else "posted at once", ""] += 1
        found[EARNING, "with a welcome" if earns.welcome_points else "without a welcome", ""] += 1
    return found


def vouchers(reached: Counter[Cell], varieties: Iterable[str]) -> Counter[Cell]:
    """What became of vouchers in a history, and where its processes died."""
    found = Counter({(SEVERAL, cell[1], cell[2]): count for cell, count in reached.items() if cell[0] == CRASH})
    found.update((VOUCHER, variety, "") for variety in set(varieties))
    return Counter({cell: count for cell, count in found.items() if cell in cells()})


def missing(reached: Counter[Cell]) -> list[Cell]:
    """Cells that could have been reached and were not."""
    return sorted(cell for cell, reason in cells().items() if not reason and not reached[cell])


def table(reached: Counter[Cell]) -> Iterator[str]:
    """The coverage table, line by line."""
    yield "A process dies: operation x crash point"
    yield from _grid(reached, CRASH, OPERATIONS, SPOTS)
    yield "Something goes wrong with a request: operation x fault x before, after or late"
    kinds = list(dict.fromkeys(f"{kind} {when}" for operation in OPERATIONS for kind, when in faults.kinds(operation)))
    yield from _grid(reached, "fault", OPERATIONS, tuple(kinds))
    yield "Steps of the state graph"
    known = cells()
    for was, now in sorted((cell[1], cell[2]) for cell in known if cell[0] == EDGE):
        yield f"  {was:>13} -> {now:<16}{_count(reached, known, (EDGE, was, now)):>9}"
    yield "Steps of what orders earn"
    for was, now in sorted((cell[1], cell[2]) for cell in known if cell[0] == EARNING_EDGE):
        yield f"  {was:>15} -> {now:<16}{_count(reached, known, (EARNING_EDGE, was, now)):>7}"
    for setting in _EARNING_SETTINGS:
        yield f"  {'earning, ' + setting:<33}{_count(reached, known, (EARNING, setting, '')):>9}"
    yield "Vouchers, and what becomes of them"
    for variety in _VOUCHERS:
        yield f"  {variety:<33}{_count(reached, known, (VOUCHER, variety, '')):>9}"
    yield "A process dies where several tenders pay: operation x crash point"
    yield from _grid(reached, SEVERAL, _PAID_OPERATIONS, SPOTS)
    yield "Histories by kind of provider"
    for name in sorted(PROFILES):
        yield f"  {name:<33}{_count(reached, known, (VARIANT, name, '')):>9}"
    yield "The provider changes something by itself; its events are heard"
    for about, names in ((BY_ITSELF, plans.BY_ITSELF), (HINT, _HEARD)):
        for name in names:
            yield f"  {about + ', ' + name:<33}{_count(reached, known, (about, name, '')):>9}"
    yield "The journal fails"
    for cell, count in sorted(reached.items()):
        if cell[0] == "journal":
            yield f"  {cell[1]:<28}{cell[2]:<10}{count:>9}"
    reasons = sorted({reason for reason in known.values() if reason} | set(_left_out()))
    yield "Out of reach (.):"
    yield from (f"  {reason}" for reason in reasons)


def _grid(reached: Counter[Cell], about: str, columns: tuple[str, ...], rows: tuple[str, ...]) -> Iterator[str]:
    known = cells()
    yield " " * 30 + "".join(f"{column:>{_WIDTH}}" for column in columns)
    for row in rows:
        counts = (_count(reached, known, (about, column, row)) for column in columns)
        yield f"  {row:<28}" + "".join(f"{count:>{_WIDTH}}" for count in counts)


def _count(reached: Counter[Cell], known: Mapping[Cell, str], cell: Cell) -> str:
    if reached[cell]:
        return str(reached[cell])
    return "." if known.get(cell, "no such") else "MISSING"


def _no_crash(operation: str, spot: str) -> str:
    if operation in WRITES or spot in ON_THE_WIRE or spot in ("before the transaction", "asleep"):
        return ""
    return "crash points: a read, or the partner's token, has no intent, no claim and no result of its own"


def _left_out() -> Iterator[str]:
    yield f"by itself: {', '.join(plans.UNSEEN)}: not where nothing can be looked up, because nobody could ever know"
    for what, why in faults.LEFT_OUT.items():
        yield f"faults: {what}: {why}"
