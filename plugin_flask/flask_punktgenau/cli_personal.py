"""`flask punktgenau export | erase | purge`: what is kept of a customer, and pseudonyms in its place."""

from __future__ import annotations

import getpass
import json
from dataclasses import asdict

import click
from flask.cli import with_appcontext

from flask_punktgenau.doctor import plural
from flask_punktgenau.state import current_state
from punktgenau.checkout.office import Office
from punktgenau.checkout.personal import RETURN_DAYS, Personal
from punktgenau.errors import PunktgenauError

_return_days = click.option(
    "--return-days",
    type=click.IntRange(0, 36_500),
    default=RETURN_DAYS,
    show_default=True,
    help="For how many days after its last change an order may still come back.",
)
_by = click.option("--by", "actor", default="", help="Who asks for it, for the log (the account of this machine).")


@click.command("export")
@click.argument("customer")
@with_appcontext
def export(customer: str) -> None:
    """Print all that the journal keeps of a CUSTOMER, as JSON."""
    try:
        found = _personal().export(customer)
    except PunktgenauError as error:
        raise click.ClickException(error.message) from error
    click.echo(json.dumps(asdict(found), indent=2, ensure_ascii=False))


@click.command("erase")
@click.argument("customer")
@_return_days
@_by
@with_appcontext
def erase(customer: str, return_days: int, actor: str) -> None:
    """Put a pseudonym in a CUSTOMER's place, and forget the link; refused while something is open."""
    try:
        count = _personal().erase(customer, actor=_actor(actor), return_days=return_days)
    except PunktgenauError as error:
        raise click.ClickException(error.message) from error
    click.echo(f"Erased: {_carry(count)} a pseudonym now, the link is gone. The books stay.")


@click.command("purge")
@_return_days
@_by
@with_appcontext
def purge(return_days: int, actor: str) -> None:
    """Put pseudonyms into every redemption that is at rest for so long; for cron."""
    try:
        count = _personal().purge(actor=_actor(actor), return_days=return_days)
    except PunktgenauError as error:
        raise click.ClickException(error.message) from error
    click.echo(f"Purged: {_carry(count)} a pseudonym now. The books stay.")


def _personal() -> Personal:
    return Office(current_state().require()).personal


def _actor(named: str) -> str:
    try:
        return named or f"cli:{getpass.getuser()}"
    except (OSError, KeyError):
        # A container's account may have no name.
        return "cli"


def _carry(count: int) -> str:
    return plural(count, "redemption carries", "redemptions carry")
