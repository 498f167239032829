"""The month's statement beside the books: what a person finds there, and what they do about it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from flask import current_app

from punktgenau import Client
from punktgenau.checkout.office import Office
from punktgenau.statement_records import StatementLine

from . import clerk, clock
from .control import SandboxControl
from .points import points


def compare(control: SandboxControl) -> None:
    """The provider makes three mistakes on this month's statement; the clerk compares two months, and settles one."""
    today = clock.now()
    period, before = f"{today:%Y-%m}", f"{today.replace(day=1) - timedelta(days=1):%Y-%m}"
    with client() as partner:
        captures = [
            line
            for line in partner.statements.lines(period=period)
            if isinstance(line, StatementLine) and line.kind == "capture"
        ]
    for line, (kind, points_more, reason) in zip(captures, _MISTAKES, strict=False):
        more = points_more or line.points
        control.add_statement_line(line.id, kind=kind, points=more, amount_minor=more, reason=reason)
    office = Office(points.checkout)
    for month in (before, period):
        office.reconcile(month, actor=clerk.NAME)
    for difference in points.checkout.differences(state="open", period=period):
        if difference.kind == "double":
            office.repair(difference.id, actor=clerk.NAME, reason="Written to the provider")


@contextmanager
def client() -> Iterator[Client]:
    """The provider, asked without the shop's engine."""
    config = current_app.config
    with Client(
        config["PUNKTGENAU_PROVIDER_URL"],
        client_id=config["PUNKTGENAU_CLIENT_ID"],
        client_secret=config["PUNKTGENAU_CLIENT_SECRET"],
    ) as client:
        yield client


_MISTAKES = (
    ("capture", 0, "Booked again"),
    ("correction", -20, "Goodwill"),
    ("correction", 15, "Late booking"),
)
"""Kind, points (0: as many as the line that it is about), reason."""
