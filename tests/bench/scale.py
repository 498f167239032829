"""Checkouts per second of 1, 2 and 4 shop processes on PostgreSQL, with a long past and with none; one busy member."""

from __future__ import annotations

import multiprocessing
import random
import time
from contextlib import ExitStack
from statistics import median

from bench.filling import MEMBERS, fill_links, fill_postgres
from bench.measure import SAME_LEAST, SAME_MOST, Row
from bench.pairs import fresh
from bench.servers import postgres
from bench.stub import CART, POINTS, Stub, engine
from punktgenau.checkout import Checkout

FALL_MOST = 1.2
CROWDS = (1, 2, 4)


def rows(*, quick: bool, figures: frozenset[str]) -> list[Row]:
    """In turn, at a provider that answers at once, so that only our side is measured."""
    seconds, rounds, past = (1.0, 2, 20_000) if quick else (4.0, 5, 1_000_000)
    with ExitStack() as stack:
        urls = {name: stack.enter_context(postgres()) for name in ("with", "without")}
        for name, url in urls.items():
            with engine(url) as checkout:
                checkout.authorize("S-1", CART, customer_id="customer-0", points=POINTS)
                checkout.capture("S-1")
                fill_links(checkout, MEMBERS)
                if name == "with":
                    fill_postgres(checkout, past)
        found = [_crowd(urls, size, seconds, rounds, past) for size in CROWDS]
        return [*found, _busy(urls["with"], seconds, rounds), _same(urls["without"], seconds, rounds)]


def _crowd(urls: dict[str, str], size: int, seconds: float, rounds: int, past: int) -> Row:
    rates: dict[str, list[float]] = {name: [] for name in urls}
    for number in range(rounds):
        for name in urls if number % 2 else reversed(urls):
            rates[name].append(sum(_run(urls[name], ["any"] * size, seconds)) / seconds)
    fall = median(none / some for none, some in zip(rates["without"], rates["with"], strict=True))
    return Row(
        figure="scale",
        what=f"checkouts per second, {size} shop processes, {MEMBERS:,} members, {past:,} redemptions / none",
        ours=f"{median(rates['with']):,.0f} per s",
        beside=f"{median(rates['without']):,.0f} per s",
        ratio=f"{fall:.2f} times slower",
        target=f"<= {FALL_MOST}",
        met=fall <= FALL_MOST,
    )


def _busy(url: str, seconds: float, rounds: int) -> Row:
    """Two processes serve everybody, two more everybody as well, or one and the same customer."""
    calm, busy = [], []
    for _ in range(rounds):
        calm.append(sum(_run(url, ["any", "any", "any", "any"], seconds)[:2]) / seconds)
        busy.append(sum(_run(url, ["any", "any", "one", "one"], seconds)[:2]) / seconds)
    fall = median(before / now for before, now in zip(calm, busy, strict=True))
    return Row(
        figure="scale",
        what="two processes for everybody, beside two that serve one member alone / beside two for everybody",
        ours=f"{median(busy):,.0f} per s",
        beside=f"{median(calm):,.0f} per s",
        ratio=f"{fall:.2f} times slower",
        target=f"<= {FALL_MOST}",
        met=fall <= FALL_MOST,
    )


def _same(url: str, seconds: float, rounds: int) -> Row:
    """The same crowd on the same journal, in turn: what the run can be trusted with."""
    first, again = [], []
    for number in range(rounds):
        for found in (first, again) if number % 2 else (again, first):
            found.append(_run(url, ["any"], seconds)[0] / seconds)
    times = median(one / other for one, other in zip(again, first, strict=True))
    return Row(
        figure="scale",
        what="A/A: one shop process without a past against itself",
        ours=f"{median(again):,.0f} per s",
        beside=f"{median(first):,.0f} per s",
        ratio=f"{times:.2f}",
        target="1.00 ± 0.10",
        met=SAME_LEAST <= times <= SAME_MOST,
    )


def _run(url: str, kinds: list[str], seconds: float) -> list[int]:
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(len(kinds))
    told = [context.SimpleQueue() for _ in kinds]
    crowd = [
        context.Process(target=_shop, args=(url, kind, seconds, start, one))
        for kind, one in zip(kinds, told, strict=True)
    ]
    for one in crowd:
        one.start()
    counts = [int(one.get()) for one in told]
    for one in crowd:
        one.join()
    return counts


def _shop(url: str, kind: str, seconds: float, start: object, told: object) -> None:
    checkout = Checkout(Stub(), url)
    pick = random.Random(fresh())
    done = 0
    checkout.find("S-1")
    start.wait(60)  # type: ignore[attr-defined]
    ends = time.perf_counter() + seconds
    while time.perf_counter() < ends:
        customer = "customer-0" if kind == "one" else f"past-{pick.randrange(MEMBERS)}"
        reference = f"B-{fresh()}"
        checkout.authorize(reference, CART, customer_id=customer, points=POINTS)
        checkout.capture(reference)
        done += 1
    checkout.close()
    told.put(done)  # type: ignore[attr-defined]
