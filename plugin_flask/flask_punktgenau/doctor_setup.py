"""The doctor's look at the configuration and at the journal's database."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from flask import Flask

from flask_punktgenau.config import KEYS, PREFIX
from flask_punktgenau.doctor import Finding, Sheet
from flask_punktgenau.state import AppState
from punktgenau.checkout.examining import Examiner, Store
from punktgenau.errors import PunktgenauError

LEAST_FREE_BYTES = 50 * 2**20
LOW_FREE_BYTES = 500 * 2**20
_PLACEHOLDERS = frozenset({"change me", "changeme", "change-me", "dev", "secret", "your-secret-key", "xxx"})
_NAMES = tuple(key.full_name for key in KEYS)


def look_at_configuration(
    app: Flask, state: AppState, environment: Mapping[str, str] | None = None
) -> Iterator[Finding]:
    """Keys, sessions, and names that nobody reads."""
    sheet, config = Sheet("configuration"), state.config
    if not state.has_provider:
        missing = config.missing_provider_keys
        yield sheet.broken(
            "provider_missing",
            f"Points are off: {', '.join(missing)} not set.",
            "\n".join(f"{name}=..." for name in missing),
        )
    else:
        yield sheet.fine("provider_set", "The provider's address and credentials are set.")
    if not config.settings.enabled:
        yield sheet.warning(
            "disabled",
            "New quotes and holds are switched off; what is begun goes on.",
            "PUNKTGENAU_ENABLED=1",
        )
    if config.mode is None and not (app.debug or app.testing) and (config.provider_url or "").startswith("https:"):
        yield sheet.warning(
            "mode_unset",
            "The provider's first answer decides whether this is the live shop or a sandbox.",
            "PUNKTGENAU_MODE=live",
        )
    if config.settings.earn_rules.welcome_points:
        yield sheet.note(
            "welcome_per_member",
            "The welcome is once per member: whoever opens a second account at the provider gets it once more.",
        )
    yield from _sessions(sheet, app)
    yield from _unread(sheet, app, os.environ if environment is None else environment)


def look_at_database(state: AppState, examiner: Examiner | None) -> Iterator[Finding]:
    """Whether the journal is there, of this version, safe, and with room to grow."""
    sheet = Sheet("database")
    if examiner is None:
        yield sheet.broken(
            "database_missing",
            "Points are off: no journal is configured.",
            "PUNKTGENAU_DATABASE_URL=sqlite:////var/lib/shop/points.sqlite",
        )
        return
    try:
        store = examiner.store()
    except PunktgenauError as error:
        yield sheet.broken("unreachable", error.message, "PUNKTGENAU_DATABASE_URL=...")
        return
    yield sheet.fine("reachable", f"The journal is in {_named(store)}.")
    try:
        is_ready = state.open().ready()
    except PunktgenauError as error:
        yield sheet.broken("old_tables", error.message, "flask punktgenau upgrade")
    else:
        if is_ready:
            yield sheet.fine("upgraded", "Its tables are of this version.")
        elif state.config.database_url is None:
            yield sheet.note("made_at_first_use", "Its tables are made at first use, as this is not production.")
        else:
            yield sheet.broken("not_upgraded", "The journal has no tables yet.", "flask punktgenau upgrade")
    yield from _safety(sheet, store)


def _sessions(sheet: Sheet, app: Flask) -> Iterator[Finding]:
    if not app.secret_key:
        yield sheet.broken(
            "no_secret_key",
            "Without a secret key there are no sessions, and nobody can choose points.",
            'app.config["SECRET_KEY"] = os.environ["SECRET_KEY"]',
        )
    elif str(app.secret_key).strip().lower() in _PLACEHOLDERS:
        yield sheet.warning(
            "known_secret_key",
            "The secret key is one that everybody can guess, so anybody can write sessions and forms of this shop.",
            "SECRET_KEY=...      # python -c 'import secrets; print(secrets.token_hex(32))'",
        )
    same_site = app.config.get("SESSION_COOKIE_SAMESITE")
    lax = 'app.config["SESSION_COOKIE_SAMESITE"] = "Lax"'
    if same_site == "Strict":
        yield sheet.broken(
            "strict_cookie",
            "The session's cookie does not come along on the way back from the provider, so no account can be linked.",
            lax,
        )
    elif same_site != "Lax":
        yield sheet.warning("cookie_same_site", "The session's cookie goes along with other sites' forms.", lax)
    else:
        yield sheet.fine("sessions", "Sessions are set up.")


def _unread(sheet: Sheet, app: Flask, environment: Mapping[str, str]) -> Iterator[Finding]:
    """Names that look like ours: in the app's config nobody else can mean them, outside only what is nearly right."""
    for name in sorted({*app.config, *environment}):
        if not name.startswith(PREFIX) or name in _NAMES:
            continue
        near = get_close_matches(name, _NAMES, n=1, cutoff=0.8)
        if near or name in app.config:
            yield sheet.warning("unknown_key", f"{name} is read by nobody.", f"{near[0]}=..." if near else "")


def _safety(sheet: Sheet, store: Store) -> Iterator[Finding]:
    if not store.is_writable:
        yield sheet.broken(
            "read_only",
            "This user or server may only read it.",
            f"chown the file and its folder: {store.path}" if store.path else "connect to the primary server",
        )
    if not store.is_durable:
        yield sheet.warning(
            "not_durable",
            "A commit may be lost when the server fails: a hold could be unknown to the journal.",
            "synchronous_commit = on",
        )
    if store.journal_mode is not None and store.journal_mode != "wal":
        yield sheet.broken("no_wal", f"It does not use write-ahead logging ({store.journal_mode}).", "use a local disk")
    elif store.journal_mode is not None:
        yield sheet.fine("wal", "It uses write-ahead logging.")
    if store.others:
        yield sheet.warning(
            "shared_file",
            f"Other tables are in the same SQLite file: {', '.join(store.others[:5])}. A transaction of the shop's "
            "would lock the journal.",
            "PUNKTGENAU_DATABASE_URL=sqlite:///a-file-of-its-own.sqlite",
        )
    if store.free_bytes is not None:
        free = f"{store.free_bytes // 2**20:,} MB are free on its disk."
        if store.free_bytes < LEAST_FREE_BYTES:
            yield sheet.broken("disk_full", free, "make room: without it no order can be placed with points")
        elif store.free_bytes < LOW_FREE_BYTES:
            yield sheet.warning("disk_low", free)
        else:
            yield sheet.fine("disk", free)


def _named(store: Store) -> str:
    kind = "SQLite" if store.dialect == "sqlite" else "PostgreSQL"
    return f"{kind} {store.version}" + (f", {store.path}" if store.path else "")
