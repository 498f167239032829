"""A shop that page views are asked of: a real WSGI server with a single thread, no worker, no cron.

    python -m long.views_shop --port 0 --shop URL --journal URL --provider URL

`/later?seconds=5`, answered outside the app, moves the shop's clock on; one thread, so a turn has ended by then.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import waitress
from flask import Flask

from flask_punktgenau import Punktgenau
from long.orders import Orders
from punktgenau import SystemClock

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class LaterClock(SystemClock):
    """The machine's time, moved on from outside."""

    moved_s = 0.0

    def now(self) -> datetime:
        """The wall clock."""
        return datetime.now(UTC) + timedelta(seconds=self.moved_s)

    def monotonic(self) -> float:
        """Seconds, moved on as well."""
        return super().monotonic() + self.moved_s


def make_app(options: argparse.Namespace, clock: LaterClock) -> Callable[..., Iterable[bytes]]:
    """The shop, and what stands before it."""
    app = Flask("views_shop")
    app.config.update(
        SECRET_KEY="only for tests",
        PUNKTGENAU_PROVIDER_URL=options.provider,
        PUNKTGENAU_CLIENT_ID="demo-shop",
        PUNKTGENAU_CLIENT_SECRET="demo-secret",
        PUNKTGENAU_DATABASE_URL=options.journal,
    )
    points, orders = Punktgenau(), Orders(options.shop)
    points.init_app(app, clock=clock)
    points.customer_loader(lambda: None)
    points.cart_loader(lambda: None)
    points.order_loader(orders.load)

    @app.get("/")
    def page() -> str:
        return "<h1>Lamps</h1>"

    def before(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/later":
            return app(environ, start)
        clock.moved_s += float(parse_qs(environ["QUERY_STRING"])["seconds"][0])
        start("204 No Content", [])
        return []

    return before


def main() -> int:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    for name in ("shop", "journal", "provider"):
        parser.add_argument(f"--{name}", required=True)
    options = parser.parse_args()
    # Whoever comes while a turn lasts waits, which is what is measured.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    server = waitress.create_server(make_app(options, LaterClock()), host="127.0.0.1", port=0, threads=1)
    sys.stdout.write(f"{server.effective_port}\n")
    sys.stdout.flush()
    server.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
