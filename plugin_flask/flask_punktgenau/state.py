"""What one app has of ours, kept in `app.extensions["punktgenau"]`: its configuration, and its Checkout once needed."""

from __future__ import annotations

import logging
import os
import weakref
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from functools import cached_property
from pathlib import Path
from threading import RLock
from typing import Literal

from flask import Flask, current_app, has_app_context

from flask_punktgenau.away import AwayProvider
from flask_punktgenau.config import Config
from flask_punktgenau.consent import ConsentPort
from flask_punktgenau.loaders import GUEST_PREFIX, Loaders
from flask_punktgenau.panel import Urls
from flask_punktgenau.seen_vouchers import VoucherMemory
from flask_punktgenau.signals import fire
from flask_punktgenau.weakly import weakly
from punktgenau import Client, Clock, Provider
from punktgenau.checkout import Article, Campaign, Checkout, Order, Payment
from punktgenau.checkout.accruing import require_accruals
from punktgenau.checkout.database import Database
from punktgenau.errors import ConfigurationError, UnavailableError

EXTENSION = "punktgenau"
OffReason = Literal["provider_missing", "disabled", "database_missing", "not_upgraded", "journal_unavailable"]

_GUEST_IS_DONE = frozenset({"redemption_captured", "redemption_expired"})

logger = logging.getLogger("flask_punktgenau")


class AppState:
    """One app's configuration, and its one Checkout per process, made at first use.

    After a fork the child makes its own: connections are never shared, and the parent's are not closed by the child.
    """

    def __init__(
        self, app: Flask, *, owner: object, config: Config, loaders: Loaders, provider: Provider | None, clock: Clock
    ) -> None:
        self.owner = owner
        self.config = config
        self.loaders = loaders
        self.clock = clock
        self.has_provider = provider is not None or not config.missing_provider_keys
        """Whether there is somebody to ask."""
        self.urls: dict[tuple[str, str, str], Urls] = {}
        """Our own URLs by the address that a request came to."""
        self.vouchers = VoucherMemory(clock)
        self._app = app
        self._own_database_url = f"sqlite:///{Path(app.instance_path) / 'punktgenau.sqlite'}"
        self._given = provider
        self._lock = RLock()
        self._provider: Provider | None = None
        self._checkout: Checkout | None = None
        self._ready: Checkout | None = None
        """The Checkout, once its tables were seen in place."""
        self._closing: list[Callable[[], None]] = []
        self._inherited: list[object] = []
        self._forking: list[Callable[[], None]] = []
        self._told: set[OffReason] = set()
        _states.add(self)
        weakref.finalize(self, _close, self._closing)

    @cached_property
    def can_link(self) -> bool:
        """Whether customers can sign in at the provider from here."""
        return isinstance(self.provider().members, ConsentPort)

    def off_reason(self) -> OffReason | None:
        """Why points cannot be used for new orders; None when they can."""
        if not self.has_provider:
            self._tell("provider_missing", f"{', '.join(self.config.missing_provider_keys)} not set")
            return "provider_missing"
        if not self.config.settings.enabled:
            return "disabled"
        if self.database_url() is None:
            self._tell("database_missing", "PUNKTGENAU_DATABASE_URL not set")
            return "database_missing"
        try:
            return None if self.journal() is not None else "not_upgraded"
        except UnavailableError as error:
            logger.warning("points cannot be used now: %s", error.brief)
            return "journal_unavailable"

    def journal(self) -> Checkout | None:
        """This process's Checkout with its tables in place, or None while there is none.

        Raises UnavailableError where the database does not answer: what it knows must not be taken for nothing.
        """
        ready = self._ready
        if ready is not None:
            return ready
        # Without a provider there is nothing to write down yet; only a journal that was configured may hold something.
        if self.database_url() is None or not (self.has_provider or self.config.database_url):
            return None
        with self._lock:
            checkout = self.open()
            if checkout.ready() or self._upgraded(checkout):
                self._ready = checkout
                return checkout
        self._tell("not_upgraded", "the journal's tables are missing or old; run `flask punktgenau upgrade`")
        return None

    def require(self) -> Checkout:
        """The Checkout.

        Raises ConfigurationError with code points_off while points are not set up.
        """
        checkout = self.journal()
        if checkout is None:
            raise ConfigurationError(
                f"Points are off in this app ({self.off_reason()}); the log says what is missing.", code="points_off"
            )
        return checkout

    def open(self) -> Checkout:
        """This process's Checkout, whether its tables are there or not; opens neither network nor database yet.

        Raises ConfigurationError where no database is configured.
        """
        url = self.database_url()
        if url is None:
            raise ConfigurationError(
                "No journal is configured: set PUNKTGENAU_DATABASE_URL.", field="PUNKTGENAU_DATABASE_URL"
            )
        with self._lock:
            if self._checkout is None:
                if self.config.database_url is None:
                    Path(self._app.instance_path).mkdir(parents=True, exist_ok=True)
                # The engine must not keep this state alive: it is closed when the app is gone.
                me = weakref.ref(self)
                self._checkout = Checkout(
                    self.provider(),
                    url,
                    order_loader=weakly(me, AppState.load_order) if self.loaders.order is not None else None,
                    orders_loader=weakly(me, AppState._load_orders) if self.loaders.orders is not None else None,
                    article_loader=weakly(me, AppState.load_article) if self.loaders.article is not None else None,
                    settings=self.config.settings,
                    clock=self.clock,
                    on_event=weakly(me, AppState._on_event),
                )
                self._checkout.campaign_loader = weakly(me, AppState._load_campaigns)
                self._closing.append(self._checkout.close)
            return self._checkout

    def provider(self) -> Provider:
        """Who keeps the points: the one that was handed in, else the configured one, else nobody."""
        if self._given is not None:
            return self._given
        with self._lock:
            if self._provider is None:
                self._provider = self._connected()
            return self._provider

    def check(self) -> None:
        """Refuse at start what could never work, and would be found out on a customer's page; nothing is opened.

        Raises ConfigurationError.
        """
        provider = self.provider()
        if self.has_provider:
            try:
                require_accruals(provider, self.config.settings)
            except ConfigurationError as error:
                name = f"PUNKTGENAU_{(error.field or '').upper()}"
                raise ConfigurationError(f"{name}: {error.message}", field=name) from error
        if self.config.database_url is not None:
            Database(self.config.database_url, clock=self.clock).close()

    def load_order(self, order_reference: str) -> Order | None:
        """The shop's order as it is committed, in an app context of its own: a running request's database session must
        not answer for what may still be rolled back."""
        with self._app.app_context():
            return self.loaders.load_order(order_reference)

    def app_context(self) -> AbstractContextManager[object]:
        """The app's context: the current one if it is this app's, else a new one."""
        if has_app_context() and current_app._get_current_object() is self._app:  # type: ignore[attr-defined]
            return nullcontext()
        return self._app.app_context()

    def after_fork(self) -> None:
        """Start anew in a forked child. What the parent opened is kept, unused, so that nothing here closes it."""
        self._lock = RLock()
        self._inherited += [self._checkout, self._provider]
        self._checkout = self._ready = self._provider = None
        self._closing.clear()
        self.vouchers = VoucherMemory(self.clock)
        for begin_anew in self._forking:
            begin_anew()

    def when_forked(self, begin_anew: Callable[[], None]) -> None:
        """Have this called in every forked child."""
        self._forking.append(begin_anew)

    def _connected(self) -> Provider:
        config = self.config
        if config.provider_url is None or config.client_id is None or config.client_secret is None:
            return AwayProvider(config.client_id or "", profile=config.profile)
        client = Client(
            config.provider_url,
            client_id=config.client_id,
            client_secret=config.client_secret,
            mode=config.mode,
            profile=config.profile,
            deadline_s=config.settings.deadline_s,
            clock=self.clock,
        )
        self._closing.append(client.close)
        return client

    def database_url(self) -> str | None:
        """Where the journal is; None: nowhere yet."""
        if self.config.database_url is not None:
            return self.config.database_url
        if self._app.debug or self._app.testing:
            return self._own_database_url
        return None

    def _upgraded(self, checkout: Checkout) -> bool:
        if self.config.database_url is not None:
            return False
        checkout.upgrade()
        return True

    def _tell(self, reason: OffReason, what: str) -> None:
        if reason not in self._told:
            self._told.add(reason)
            logger.warning("points are off in %s: %s", self._app.name, what)

    def _load_orders(self, since: datetime, until: datetime) -> Iterator[Order]:
        # Read to the end inside the context: a generator that is suspended would leave it pushed.
        with self._app.app_context():
            return iter(list(self.loaders.orders(since, until))) if self.loaders.orders is not None else iter(())

    def load_article(self, sku: str) -> Article | None:
        """What points have to do with an article, as the shop's own loader tells it."""
        with self.app_context():
            return self.loaders.article(sku) if self.loaders.article is not None else None

    def _load_campaigns(self) -> list[Campaign]:
        with self.app_context():
            return list(self.loaders.campaigns()) if self.loaders.campaigns is not None else []

    def _on_event(self, name: str, payment: Payment) -> None:
        self.vouchers.seen.forget(payment.customer_id)
        with self.app_context():
            fire(self._app, name, payment)
        if name in _GUEST_IS_DONE and self._checkout is not None:
            forget_guest(self._checkout, payment)


def forget_guest(checkout: Checkout, payment: Payment) -> None:
    """End a guest's link, once the one order that it was for needs it no more; best effort."""
    if not payment.customer_id.startswith(GUEST_PREFIX):
        return
    try:
        checkout.unlink(payment.customer_id)
    except UnavailableError as error:
        # What was asked for has happened; a link that is left over gives nobody anything.
        logger.warning("a guest's link could not be forgotten: %s", error.brief)


_states: weakref.WeakSet[AppState] = weakref.WeakSet()


def current_state() -> AppState:
    """What the current app has of ours.

    Raises ConfigurationError without an app, or for an app that was not initialised.
    """
    if not has_app_context():
        raise ConfigurationError("Points belong to an app: call this in a request or inside `with app.app_context():`.")
    state = current_app.extensions.get(EXTENSION)
    if not isinstance(state, AppState):
        raise ConfigurationError("This app has no points yet: call points.init_app(app) first.")
    return state


def _close(closing: list[Callable[[], None]]) -> None:
    while closing:
        closing.pop()()


def _after_fork_in_child() -> None:
    for state in list(_states):
        state.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
