"""The doctor's look at the provider, at its webhooks, and at whoever recovers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from flask_punktgenau.doctor import Finding, Scope, Sheet, ago, plural
from flask_punktgenau.inline import NO_WORKER_FOR
from flask_punktgenau.state import AppState
from punktgenau import Client, Provider
from punktgenau.checkout.examining import Examiner
from punktgenau.errors import AuthenticationError, ConfigurationError, NotSentError, PunktgenauError

UNKNOWN_ORDER = "punktgenau-doctor"
"""No shop's order: asked for to see that the provider and the shop answer "there is none"."""
SKEW_NOTICED_S = 30
SKEW_MOST_S = 300
WORKER_LATE = timedelta(minutes=10)
EVENTS_LATE = timedelta(days=7)


def look_at_provider(state: AppState, scope: Scope) -> Iterator[Finding]:
    """Whether it answers, in time, at the same time of day, and can do what the configuration asks of it."""
    sheet = Sheet("provider")
    if not state.has_provider:
        yield sheet.note("not_asked", "Not asked: no provider is configured.")
        return
    provider, clock = state.provider(), state.clock
    began = clock.monotonic()
    try:
        # With a look-up or without: whoever is asked needs our token first.
        if provider.profile.lookup:
            provider.redemptions.find(order_reference=UNKNOWN_ORDER)
        elif isinstance(provider, Client):
            provider.statements.page(period=f"{scope.now:%Y-%m}")
        else:
            yield sheet.note("not_asked", "Not asked: there is nothing that could be looked up.")
            return
    except AuthenticationError as error:
        yield sheet.broken("credentials", f"It refuses the shop's credentials: {error.message}", _CREDENTIALS)
        return
    except NotSentError as error:
        yield sheet.broken("away", f"Nobody answers there. {error.message}", "PUNKTGENAU_PROVIDER_URL=...")
        return
    except PunktgenauError as error:
        code = "wrong_mode" if isinstance(error, ConfigurationError) else "no_answer"
        yield sheet.broken(code, error.message, "PUNKTGENAU_MODE=..." if code == "wrong_mode" else "")
        return
    took_s = clock.monotonic() - began
    yield sheet.fine("answers", f"It knows the shop as {provider.partner_id}, and answered in {took_s:.1f} s.")
    if took_s > state.config.settings.deadline_s / 2:
        yield sheet.warning(
            "slow",
            f"That is more than half of what a customer's page waits ({state.config.settings.deadline_s:g} s).",
            "PUNKTGENAU_DEADLINE_S=...",
        )
    yield from _clock(sheet, provider, state, scope)
    yield from _abilities(sheet, provider, state)


def look_at_webhooks(state: AppState, examiner: Examiner | None, scope: Scope) -> Iterator[Finding]:
    """Whether there is a door for the provider's events, and whether they come."""
    sheet = Sheet("webhooks")
    if not state.config.webhook_secrets:
        yield sheet.warning(
            "no_secret",
            "There is no /points/webhook: what happens at the provider is noticed only when it is looked up.",
            "PUNKTGENAU_WEBHOOK_SECRETS=whsec_...",
        )
        return
    heard_at = _heard_at(examiner)
    if heard_at is None:
        yield sheet.warning(
            "never_heard",
            "No event was ever heard.",
            "tell the provider the address: https://your-shop.example/points/webhook",
        )
    elif scope.now - heard_at > EVENTS_LATE:
        yield sheet.warning("silent", f"The last event came {ago(heard_at, scope.now)}.")
    else:
        yield sheet.fine("heard", f"The last event came {ago(heard_at, scope.now)}.")


def look_at_worker(state: AppState, examiner: Examiner | None, scope: Scope) -> Iterator[Finding]:
    """Whether somebody finishes what a crash or an outage left open."""
    sheet = Sheet("worker")
    checkout = state.journal()
    if checkout is None or examiner is None:
        yield sheet.note("not_asked", "Not asked: the journal is not there.")
        return
    run = "flask punktgenau worker      (or, from cron: flask punktgenau recover)"
    seen = checkout.recovered_at()
    if seen is not None and scope.now - seen <= WORKER_LATE:
        yield sheet.fine("at_work", f"It was at work {ago(seen, scope.now)}.")
    elif state.config.inline_recovery:
        last = f"was last at work {ago(seen, scope.now)}" if seen else "was never seen"
        yield sheet.warning("no_worker", f"A worker {last}; requests help, a little and only while there are any.", run)
    else:
        last = f"was last at work {ago(seen, scope.now)}" if seen else "was never seen"
        yield sheet.broken("nobody_recovers", f"A worker {last}, and requests may not help.", run)
    overdue = examiner.overdue(before=scope.now - max(WORKER_LATE, NO_WORKER_FOR))
    if overdue:
        what = plural(overdue, "operation has", "operations have")
        yield sheet.broken("overdue", f"{what} been waiting for more than ten minutes.", "flask punktgenau recover")


_CREDENTIALS = "PUNKTGENAU_CLIENT_ID=...\nPUNKTGENAU_CLIENT_SECRET=..."


def _heard_at(examiner: Examiner | None) -> datetime | None:
    try:
        return examiner.heard_at() if examiner is not None else None
    except PunktgenauError:
        # What is wrong with the journal stands in its own section.
        return None


def _clock(sheet: Sheet, provider: Provider, state: AppState, scope: Scope) -> Iterator[Finding]:
    if not isinstance(provider, Client):
        return
    before = state.clock.now()
    try:
        theirs = provider.statements.page(period=f"{scope.now:%Y-%m}").now
    except PunktgenauError as error:
        yield sheet.note("clock_unknown", f"Its clock could not be compared: {error.brief}")
        return
    ours = before + (state.clock.now() - before) / 2
    ahead_s = round((theirs - ours).total_seconds())
    if abs(ahead_s) < SKEW_NOTICED_S:
        yield sheet.fine("clock", "Its clock and ours agree.")
        return
    what = f"Its clock is {abs(ahead_s):,} s {'ahead of' if ahead_s > 0 else 'behind'} ours."
    if abs(ahead_s) > SKEW_MOST_S:
        yield sheet.broken("clock_skew", what, "synchronise this machine's clock: webhooks are refused as too old")
    else:
        yield sheet.warning("clock_skew", what, "synchronise this machine's clock")


def _abilities(sheet: Sheet, provider: Provider, state: AppState) -> Iterator[Finding]:
    profile, settings = provider.profile, state.config.settings
    if not state.can_link:
        yield sheet.note("no_linking", "Customers cannot link an account here; the provider has no sign-in page.")
    if settings.expired_points == "new_points":
        yield sheet.fine("new_points", "Points that come back expired are given anew, on the shop's account.")
    if not profile.has_holds:
        yield sheet.note("no_holds", "It has no holds: points leave the customer when an order is placed.")
    elif settings.hold_s > profile.longest_hold_s and not profile.extend:
        yield sheet.warning(
            "hold_too_long",
            f"It holds points for {profile.longest_hold_s} s at most, {settings.hold_s} s are asked for.",
            f"PUNKTGENAU_HOLD_S={profile.longest_hold_s}",
        )
    yield sheet.fine("profile", f"Its profile is {profile.name!r}.")
