"""Three weeks of trade at once: hundreds of orders in all states, each made by the shop's own till and the real engine.

Started by the drawer's button or by hand: SHOP_DATA=FOLDER python -m examples.shop.fill
"""

import argparse
import sys
from collections.abc import Iterator

import click

from . import clearing, filling
from .app import create_app
from .control import SandboxAwayError, SandboxControl
from .points import points
from .rare_stories import RARE, UNKNOWN
from .stories import ENDINGS, ORDINARY
from .trade import Story, Trade

ORDERS = 300
_DAYS = 21
_RECENT = 14
_EACH = 25
"""So many orders are followed by one look of the worker's."""


def fill(control: SandboxControl, wanted: int) -> Iterator[int]:
    """Trade until there are so many orders; tells how many there are. Raises SandboxAwayError."""
    trade = Trade(control)
    trade.open_accounts()
    rare = _places(wanted - _RECENT) | {wanted: UNKNOWN}
    minutes = _DAYS * 24 * 60 // wanted
    for number in range(1, wanted + 1):
        is_recent = number > wanted - _RECENT
        story = rare.get(number) or _story(trade, number, is_recent=is_recent)
        story.after(trade, trade.order(number, story))
        if not is_recent:
            trade.later(trade.chance.randint(minutes // 2, minutes * 3 // 2))
        if number % _EACH == 0 and number < wanted:
            points.checkout.recover()
        if number == wanted - _RECENT:
            clearing.compare(control)
        filling.note(number)
        yield number


def _story(trade: Trade, number: int, *, is_recent: bool) -> Story:
    if is_recent:
        return ORDINARY[ENDINGS[number % len(ENDINGS)]]
    names, weights = list(ORDINARY), [story.weight for story in ORDINARY.values()]
    return ORDINARY[trade.chance.choices(names, weights)[0]]


def _places(most: int) -> dict[int, Story]:
    """Which orders become one of the rare stories, each of which is told once: spread evenly, the first ones first."""
    return {most * place // (len(RARE) + 1): story for place, story in enumerate(RARE, start=1)}


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m examples.shop.fill", description=__doc__)
    parser.add_argument("--orders", type=int, default=ORDERS, help=f"how many orders ({ORDERS})")
    wanted = parser.parse_args(argv).orders
    app = create_app()
    control: SandboxControl = app.extensions["shop_control"]
    with app.app_context():
        if not filling.begin(wanted):
            print("This shop has been filled already.")
            return 0
        try:
            with click.progressbar(fill(control, wanted), length=wanted, label="Orders", file=sys.stderr) as bar:
                for _ in bar:
                    pass
        except SandboxAwayError as error:
            print(f"The sandbox has gone. {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
