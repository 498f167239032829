"""`flask punktgenau`: upgrade, recover, worker, reconcile, tax-report, import-articles, doctor, export, erase, ..."""

from __future__ import annotations

import importlib.util
import signal
import subprocess
import sys
from types import FrameType

import click
from flask.cli import AppGroup

from flask_punktgenau.cli_articles import import_articles
from flask_punktgenau.cli_personal import erase, export, purge
from flask_punktgenau.cli_reconcile import reconcile
from flask_punktgenau.cli_tax import tax_report
from flask_punktgenau.doctor_command import doctor
from flask_punktgenau.ending import Ending
from flask_punktgenau.state import current_state
from punktgenau.checkout import Recovery
from punktgenau.errors import PunktgenauError, UnavailableError

SANDBOX_HOST = "127.0.0.1"
EARNED = ("given", "usable", "taken_back", "never_given", "refused", "waiting")
"""What becomes of points that orders earn, in the order in which it is told."""
TOLD_EVERY_S = 10.0
"""How often a worker says how far it has come while a pass takes long."""

punktgenau = AppGroup("punktgenau", help="Points: the journal's tables, recovery, and a provider to develop against.")
punktgenau.add_command(doctor)
punktgenau.add_command(reconcile)
punktgenau.add_command(import_articles)
punktgenau.add_command(tax_report)
for command in (export, erase, purge):
    punktgenau.add_command(command)


@punktgenau.command("upgrade")
def upgrade() -> None:
    """Create or change the journal's tables; safe to run again."""
    try:
        current_state().open().upgrade()
    except PunktgenauError as error:
        raise click.ClickException(str(error)) from error
    click.echo("The journal is up to date.")


@punktgenau.command("recover")
def recover() -> None:
    """Finish what a crash or an outage left open; for cron. Exits with 1 if something needs a person."""
    try:
        report = current_state().require().recover()
    except PunktgenauError as error:
        raise click.ClickException(str(error)) from error
    click.echo(_told(report))
    if report.needs_attention:
        raise SystemExit(1)


@punktgenau.command("worker")
@click.option("--every", "pause_s", type=click.FloatRange(0.1, 3600), default=5.0, help="Pause between passes (5 s).")
def worker(pause_s: float) -> None:
    """Recover again and again, until it is told to end; what has begun is finished first, and no more than that."""
    try:
        checkout = current_state().require()
    except PunktgenauError as error:
        raise click.ClickException(str(error)) from error
    clock = current_state().clock
    told_s = clock.monotonic()

    def tell(so_far: Recovery) -> None:
        nonlocal told_s
        if clock.monotonic() - told_s >= TOLD_EVERY_S:
            told_s = clock.monotonic()
            click.echo(f"{_told(so_far)} so far")

    with Ending() as ending:
        click.echo("The worker is at work.")
        while not ending.is_asked():
            try:
                report = checkout.recover(due_only=True, stop=ending.is_asked, progress=tell)
            except UnavailableError as error:
                # The database is away: that passes, and everything due is still written down.
                click.echo(str(error), err=True)
            else:
                if report.finished or report.still_open or report.looked_at or report.earned:
                    click.echo(_told(report))
            ending.wait(pause_s)
        click.echo("The worker has ended.")


@punktgenau.command("sandbox", with_appcontext=False)
@click.option("--port", type=click.IntRange(1, 65535), default=8600, help="The port on this machine (8600).")
@click.option("--db", default="", help="Keep its books in this SQLite file (else: in memory).")
def sandbox(port: int, db: str) -> None:
    """Start a provider to develop against, with demo members; and say how the shop reaches it."""
    if importlib.util.find_spec("flask_openapi3") is None:
        raise click.ClickException("The sandbox is not installed: pip install 'punktgenau[sandbox]'")
    click.echo("Configure the shop with these, as environment variables or in app.config:")
    click.echo(f"PUNKTGENAU_PROVIDER_URL=http://{SANDBOX_HOST}:{port}")
    click.echo("PUNKTGENAU_CLIENT_ID=demo-shop")
    click.echo("PUNKTGENAU_CLIENT_SECRET=demo-secret")
    sys.stdout.flush()
    command = [sys.executable, "-m", "punktgenau.sandbox", "--port", str(port), "--seed", "demo"]
    raise SystemExit(_run_until_told(command + (["--db", db] if db else [])))


def _run_until_told(command: list[str]) -> int:
    """Run a child until it ends, or end it when this process is told to end."""
    child = subprocess.Popen(command)

    def end(_number: int, _frame: FrameType | None) -> None:
        child.terminate()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    status = child.wait()
    # Ended because we asked for it: that is no failure.
    return 0 if status in (-signal.SIGTERM, -signal.SIGINT) else status


def _told(report: Recovery) -> str:
    said = (
        f"finished {report.finished}, still open {report.still_open}, looked at {report.looked_at}, "
        f"need attention {report.needs_attention}"
    )
    earned = ", ".join(f"{word.replace('_', ' ')} {report.earned[word]}" for word in EARNED if report.earned[word])
    return f"{said}; earned: {earned}" if earned else said
