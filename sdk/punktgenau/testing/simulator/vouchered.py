"""Histories of orders that several tenders pay: vouchers first, then points, then money."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from punktgenau.profiles import PROFILES
from punktgenau.testing.simulator.faults import LOOK_UPS, aim
from punktgenau.testing.simulator.odds import odds
from punktgenau.testing.simulator.plans import (
    HOLD_S,
    REFERENCE,
    REWARD_POINTS,
    THE_PROVIDER,
    TOTAL_MINOR,
    Earns,
    Order,
    Plan,
    Step,
    Voucher,
)
from punktgenau.testing.simulator.stories import BOUGHT, VOUCHERS
from punktgenau.testing.simulator.timing import LATE_S, in_order, rounds, tell

_TAKING = tuple(sorted(name for name, profile in PROFILES.items() if profile.vouchers))
_LOOKING = ("no_keys", "replays_errors", "short_window")
"""Where much is looked up before it is sent again."""
_WORTH_MINOR = (333, 1000, 1000, 2500, 2500, 5000, 10_000)
_FOR_LONG_S = 400 * 86_400
_ALMOST_MORE_THAN_ALL = 0.6
"""So often an order gets a second voucher, and again a third."""
_COMES_BACK = 0.6
"""So often goods of the first order come back, whatever happens to the others."""


def plan(seed: int) -> Plan:
    """Two or three orders, of which two mostly share a voucher."""
    chance, aimed = Random(f"paid by vouchers {seed}"), aim(seed, about="vouchers")
    vouchers = tuple(_voucher(chance) for _ in range(chance.choice((2, 3, 3, 4))))
    orders = tuple(_order(chance, vouchers) for _ in range(chance.choice((2, 2, 3))))
    if chance.random() < 0.35:
        # The same voucher in two carts, and each hopes for it.
        shared = orders[0].vouchers[:1]
        second = replace(orders[1], vouchers=tuple(dict.fromkeys((*shared, *orders[1].vouchers))))
        orders = (orders[0], _fitting(second, vouchers), *orders[2:])
    told = {"web1": list[tuple[float, Step]](), "web2": list[tuple[float, Step]](), THE_PROVIDER: []}
    earns = Earns(chance.choice((0, 600)), chance.random() < 0.4, 0) if chance.random() < 0.2 else None
    # What an amount without goods takes back of what was earned is reckoned elsewhere.
    stories = tuple(one for one in VOUCHERS if earns is None or "amount" not in one[0])
    if chance.random() < 0.35:
        # One that is bought with points for it.
        customer = chance.choice(("anna", "anna", "anna", "anna", "ben"))
        own = Order(
            customer,
            chance.choice((0, 0, 42, 427)),
            3,
            gets=chance.choice(("voucher_10", "voucher_10", "voucher_10", "voucher_25")),
        )
        orders = (*orders[:-1], own)
    returned = tuple(one for one in stories if "return" in one[0])
    for number, order in enumerate(orders):
        comes_back = number == 0 and chance.random() < _COMES_BACK
        tell(chance, number, told, (returned if comes_back else stories) if order.vouchers else BOUGHT)
    processes = [(name, in_order(steps)) for name, steps in told.items() if steps]
    end_s = max((at for steps in told.values() for at, _ in steps), default=0.0)
    processes.append(("worker1", rounds(chance, end_s)))
    if chance.random() < 0.15:
        processes.append(("hooks", tuple(Step("hear", wait_s=chance.choice((0.3, 1.0, 5.0))) for _ in range(3))))
    variant = REFERENCE if chance.random() < 0.6 else chance.choice(_TAKING)
    if aimed.operation in LOOK_UPS and aimed.kind in ("lagging", "slow_lookup"):
        variant = chance.choice(_LOOKING)
    if not PROFILES[variant].accrues:
        earns = None
    ahead_s = chance.choice((0, 0, 0, 3_600, -3_600))
    taken = "placed" if earns is None and chance.random() < 0.1 else "paid"
    return Plan(
        seed,
        orders,
        tuple(processes),
        replace(odds(chance), crash=chance.choice((0.0, 0.004, 0.004, 0.012, 0.03))),
        aimed,
        ahead_s,
        variant,
        "placed" if taken == "placed" else "paid",
        balances_known=True,
        earns=earns,
        vouchers=vouchers,
    )


def _voucher(chance: Random) -> Voucher:
    """Now and then one that ends while it is held, or that another shop sold for itself."""
    owner = chance.choice(("anna", None, None))
    valid_s = chance.choice((*(_FOR_LONG_S,) * 6, HOLD_S // 2, round(LATE_S + HOLD_S / 2)))
    residual = "keeps" if chance.random() < 0.6 else "lost"
    return Voucher(
        chance.choice(_WORTH_MINOR),
        "keeps" if residual == "keeps" else "lost",
        owner,
        valid_s,
        elsewhere=chance.random() < 0.03,
    )


def _order(chance: Random, vouchers: tuple[Voucher, ...]) -> Order:
    customer = chance.choice(("anna", "anna", "anna", "ben"))
    fitting = [number for number, one in enumerate(vouchers) if one.owner in (None, customer)]
    count = 1 + (chance.random() < _ALMOST_MORE_THAN_ALL) + (chance.random() < _ALMOST_MORE_THAN_ALL)
    some = tuple(chance.sample(fitting, k=min(len(fitting), count)))
    points = chance.choice((0, 0, 1, 42, 427, 1000) if customer == "anna" else (0, 7, 20, 42))
    is_reward = customer == "anna" and chance.random() < 0.12
    order = Order(
        customer,
        max(points, 2 * REWARD_POINTS) if is_reward else points,
        3,
        chance.random() < 0.75,
        rewards=is_reward,
        vouchers=some,
        gift_minor=0 if is_reward or chance.random() < 0.65 else 301,
        looks_again=chance.random() < 0.5,
    )
    return _fitting(order, vouchers)


def _fitting(order: Order, vouchers: tuple[Voucher, ...]) -> Order:
    """No more points than the vouchers leave something for, so that what is asked for is what is quoted."""
    left_minor = TOTAL_MINOR - order.gift_minor
    kept: list[int] = []
    for number in order.vouchers:
        # Of an order with reward articles something must be left for their points.
        if order.rewards and vouchers[number].value_minor > 2500:
            continue
        kept.append(number)
        left_minor -= vouchers[number].value_minor
    least = 2 * REWARD_POINTS if order.rewards else 0
    if order.rewards:
        kept = kept[:1]
        return replace(order, vouchers=tuple(kept), points=max(least, min(order.points, 1000)))
    left_minor = max(0, left_minor)
    return replace(order, points=min(order.points, left_minor), other_points=min(3, left_minor))
