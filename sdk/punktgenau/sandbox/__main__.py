"""`python -m punktgenau.sandbox`: the provider as a process of its own."""

from __future__ import annotations

import argparse
import signal
import sqlite3
import sys
from pathlib import Path
from types import FrameType

from .app import create_app
from .database import Database
from .server import Server


def main(arguments: list[str] | None = None) -> int:
    """Serve until told to stop. 0 when stopped properly."""
    parser = argparse.ArgumentParser(prog="python -m punktgenau.sandbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=8600, help="port to listen on; 0 takes a free one")
    parser.add_argument("--db", type=Path, default=None, help="SQLite file of the books; left out: memory")
    parser.add_argument("--seed", choices=["demo", "none"], default="demo", help="what an empty database begins with")
    parser.add_argument("--mode", choices=["sandbox", "live"], default="sandbox", help="what its answers say they are")
    options = parser.parse_args(arguments)
    try:
        database = Database(options.db)
    except sqlite3.Error as error:
        parser.exit(1, f"{options.db} cannot be used as a database: {error}\n")
    app = create_app(database, mode=options.mode, seed="demo" if options.seed == "demo" else None)
    server = Server(app, host=options.host, port=options.port)
    signal.signal(signal.SIGTERM, _stop)
    sys.stdout.write(f"Punktgenau sandbox: http://{options.host}:{server.port}/\n")
    sys.stdout.flush()
    server.serve_forever()
    return 0


def _stop(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
