"""`python3 examples`: the sandbox, the bank and the shop, each in a process of its own, until Ctrl-C."""

import argparse
import importlib.util
import logging
import os
import shutil
import signal
import sys
import tempfile
import threading
import webbrowser
from pathlib import Path
from socket import socket
from types import FrameType

import waitress

from punktgenau import PunktgenauError

from . import articles
from .app import create_app
from .children import HOST, Children, StartError, free_port, is_demo, listen, require_free
from .points import points
from .settings import Settings, secret_key_for

# Slower than what is unknown becomes due, so that a person sees it before the worker has resolved it.
_WORK = ("punktgenau", "worker", "--every", "10")
_ENDINGS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


def main(argv: list[str]) -> int:
    arguments = _parse(argv)
    # A page asks for more files at once than there are threads: nothing to tell a person at the terminal.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    for name in _ENDINGS:
        signal.signal(name, _stop)
    if arguments.no_worker:
        # Then nobody helps unasked, in no process: what is unknown stays so until `recover` or a person acts.
        os.environ["PUNKTGENAU_INLINE_RECOVERY"] = "0"
    data_dir = Path(arguments.data or tempfile.mkdtemp(prefix="halbschatten-")).resolve()
    data_dir.mkdir(parents=True, exist_ok=True)
    children = Children()
    try:
        listener = _listen(arguments.port, option="--port")
        settings = Settings(
            data_dir=str(data_dir),
            shop_port=listener.getsockname()[1],
            bank_port=free_port(),
            sandbox_url=f"http://{HOST}:{arguments.sandbox_port}",
            secret_key=secret_key_for(data_dir),
        )
        settings.save()
        has_sandbox = _start_sandbox(children, settings, port=arguments.sandbox_port)
        environment = os.environ | {"SHOP_DATA": str(data_dir)}
        # It makes the shop's database, which the bank opens, too.
        app = create_app(settings)
        children.start(
            f"{__package__}.bank", environment=environment, ready_url=f"http://{HOST}:{settings.bank_port}/healthz"
        )
        with app.app_context():
            points.upgrade()
            articles.load()
        if not arguments.no_worker:
            children.start("flask", "--app", __package__, *_WORK, environment=environment)
        children.wait()
        _welcome(settings, kept=bool(arguments.data), has_sandbox=has_sandbox)
        if not arguments.no_browser:
            threading.Thread(target=webbrowser.open, args=(_url(settings),), daemon=True).start()
        waitress.serve(app, sockets=[listener], threads=8, _quiet=True)
    except (StartError, PunktgenauError) as error:
        print(f"The demo could not start. {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    finally:
        # Whoever presses Ctrl-C twice would otherwise leave processes behind.
        for name in _ENDINGS:
            signal.signal(name, signal.SIG_IGN)
        children.end()
        if not arguments.data:
            shutil.rmtree(data_dir, ignore_errors=True)
    return 0


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python3 examples", description="The demo shop and its sandbox provider.")
    parser.add_argument("--port", type=int, default=5000, help="the shop's port (5000)")
    parser.add_argument("--sandbox-port", type=int, default=8600, help="the sandbox provider's port (8600)")
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser")
    parser.add_argument("--no-worker", action="store_true", help="leave what is unknown to `flask punktgenau recover`")
    parser.add_argument("--data", metavar="DIR", help="keep orders and points in this folder (else: fresh every time)")
    return parser.parse_args(argv)


def _listen(port: int, *, option: str) -> socket:
    try:
        return listen(port)
    except StartError as error:
        raise StartError(_taken(error, f"http://{HOST}:{port}/healthz", option=option, port=port)) from error


def _taken(error: StartError, url: str, *, option: str, port: int) -> str:
    """Why a port cannot be had, and what to do."""
    another = f"choose another one: python3 examples {option} {port + 50}"
    if not is_demo(url):
        return f"{error} Please {another}"
    what = "the demo shop" if option == "--port" else "a demo's provider"
    return f"On port {port} {what} runs already: http://{HOST}:{port}/ . Use it, end it there, or {another}"


def _start_sandbox(children: Children, settings: Settings, *, port: int) -> bool:
    if importlib.util.find_spec("punktgenau.sandbox") is None:
        return False
    try:
        require_free(port)
    except StartError as error:
        url = f"{settings.sandbox_url}/sandbox/clock"
        raise StartError(_taken(error, url, option="--sandbox-port", port=port)) from error
    children.start(
        "punktgenau.sandbox",
        *("--port", str(port), "--db", str(settings.sandbox_database), "--seed", "demo"),
        environment=os.environ,
        ready_url=f"{settings.sandbox_url}/sandbox/clock",
    )
    return True


def _url(settings: Settings) -> str:
    return f"http://{HOST}:{settings.shop_port}/"


def _welcome(settings: Settings, *, kept: bool, has_sandbox: bool) -> None:
    print(f"The demo shop   {_url(settings)}")
    print(f"The provider    {settings.sandbox_url}/" if has_sandbox else "The provider    is not there; the shop sells")
    print(f"The data        {settings.data_dir}" + ("" if kept else "   (goes when the demo ends)"))
    flask = f"{sys.executable} -m flask --app {__package__}"
    print(f"By hand         SHOP_DATA={settings.data_dir} {flask} punktgenau recover")
    print("Stop with Ctrl-C.", flush=True)


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
