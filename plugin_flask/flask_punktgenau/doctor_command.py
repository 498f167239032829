"""`flask punktgenau doctor`: what is missing or broken in this shop, with the line to add."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import closing, nullcontext
from dataclasses import asdict
from datetime import timedelta

import click
from flask import Flask
from flask.cli import ScriptInfo

from flask_punktgenau.doctor import Finding, Progress, Scope, Section, Sheet, exit_status, plural
from flask_punktgenau.doctor_articles import look_at_articles
from flask_punktgenau.doctor_loaders import look_at_loaders
from flask_punktgenau.doctor_orders import look_at_orders
from flask_punktgenau.doctor_provider import look_at_provider, look_at_webhooks, look_at_worker
from flask_punktgenau.doctor_setup import look_at_configuration, look_at_database
from flask_punktgenau.state import AppState, current_state
from punktgenau.checkout.examining import Examiner
from punktgenau.errors import PunktgenauError

_TITLES: dict[Section, str] = {
    "configuration": "Configuration",
    "database": "Journal",
    "provider": "Provider",
    "webhooks": "Webhooks",
    "worker": "Worker",
    "loaders": "The shop's functions",
    "orders": "The shop's orders",
}
_COLOURS = {"fine": "green", "note": None, "warning": "yellow", "broken": "red"}
_ORDERS_IN_A_LINE = 6
_EVERY = 100


@click.command("doctor")
@click.option("--days", type=click.IntRange(1, 3650), default=30, help="Look at orders of so many days (30).")
@click.option("--strict", is_flag=True, help="Exit with 1 where there are warnings.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.pass_context
def doctor(context: click.Context, days: int, strict: bool, as_json: bool) -> None:
    """Look at configuration, journal, provider, hooks and orders, and say what to do.

    Exits with 0 when nothing is broken, with 2 when something is; with --strict also with 1 for warnings.
    """
    progress = _told_on_a_terminal
    findings: list[Finding] = []
    section: Section | None = None
    for finding in _findings(context, days=days, progress=progress):
        findings.append(finding)
        if as_json:
            continue
        if finding.section != section:
            section = finding.section
            _erase_progress()
            click.echo(("\n" if len(findings) > 1 else "") + click.style(_TITLES[section], bold=True))
        _print(finding)
    status = exit_status(findings, strict=strict)
    _erase_progress()
    if as_json:
        told = {"exit_status": status, "findings": [asdict(finding) for finding in findings]}
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
    else:
        click.echo(f"\n{_summary(findings)}")
    raise SystemExit(status)


def _findings(context: click.Context, *, days: int, progress: Progress) -> Iterator[Finding]:
    try:
        app = context.ensure_object(ScriptInfo).load_app()
        with app.app_context():
            state = current_state()
    except click.ClickException:
        raise
    except Exception as error:  # the shop's code, or a configuration that cannot be meant: told, whatever it is
        text = error.message if isinstance(error, PunktgenauError) else f"{type(error).__name__}: {error}"
        field = getattr(error, "field", None) or ""
        yield Sheet("configuration").broken(
            "no_app", f"The shop cannot be started. {text}", f"{field}=..." * bool(field)
        )
        return
    with app.app_context():
        now = state.clock.now()
        scope = Scope(since=now - timedelta(days=days), until=now + timedelta(seconds=1), now=now, progress=progress)
        yield from examine(app, state, scope)


def examine(app: Flask, state: AppState, scope: Scope) -> Iterator[Finding]:
    """Look at everything, section by section; runs in the app's context."""
    yield from look_at_configuration(app, state)
    url = state.database_url()
    try:
        # The same file that the app would make at first use, where nothing else is configured.
        state.open() if url is not None else None
        examiner = Examiner(url, provider=state.provider(), clock=state.clock) if url is not None else None
    except (PunktgenauError, OSError) as error:
        yield Sheet("database").broken("unreachable", str(error))
        examiner = None
    with closing(examiner) if examiner is not None else nullcontext():
        yield from _guarded("database", look_at_database(state, examiner))
        yield from _guarded("provider", look_at_provider(state, scope))
        yield from _guarded("webhooks", look_at_webhooks(state, examiner, scope))
        yield from _guarded("worker", look_at_worker(state, examiner, scope))
        yield from _guarded("loaders", look_at_loaders(app, state, scope))
        yield from _guarded("loaders", look_at_articles(state, examiner, scope))
        yield from _guarded("orders", look_at_orders(state, examiner, scope))


def _guarded(section: Section, found: Iterator[Finding]) -> Iterator[Finding]:
    """One section that cannot be looked at leaves the others."""
    try:
        yield from found
    except PunktgenauError as error:
        yield Sheet(section).broken("not_looked_at", f"This could not be looked at: {error.message}")
    except Exception as error:  # the shop's functions run in here: whatever they raise is a finding
        text = " ".join(str(error).split())[:200]
        yield Sheet(section).broken("not_looked_at", f"This could not be looked at: {type(error).__name__}: {text}")


def _print(finding: Finding) -> None:
    word = "ok" if finding.level == "fine" else finding.level
    click.echo(f"  {click.style(f'{word:<8}', fg=_COLOURS[finding.level])} {finding.what}")
    if finding.orders:
        shown = ", ".join(finding.orders[:_ORDERS_IN_A_LINE])
        more = finding.count - _ORDERS_IN_A_LINE
        click.echo(f"           {shown}" + (f" and {more:,} more" if more > 0 else ""))
    for line in finding.fix.splitlines():
        click.echo(f"           > {line}")


def _summary(findings: list[Finding]) -> str:
    count = {level: sum(finding.level == level for finding in findings) for level in _COLOURS}
    if count["broken"]:
        return (
            click.style(f"{count['broken']} broken", fg="red") + f", {plural(count['warning'], 'warning', 'warnings')}."
        )
    if count["warning"]:
        return f"Nothing is broken. {plural(count['warning'], 'warning', 'warnings')}."
    return "Nothing is broken."


def _told_on_a_terminal(seen: int) -> None:
    if seen % _EVERY == 0 and sys.stderr.isatty():
        click.echo(f"\r  {seen:,} looked at ...", err=True, nl=False)


def _erase_progress() -> None:
    if sys.stderr.isatty():
        click.echo("\r\033[K", err=True, nl=False)
