"""What a shop and its worker ask about recovery, and what the provider's events are handed to."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from punktgenau._clock import Clock
from punktgenau.checkout.cart import Order
from punktgenau.checkout.earning.calls import EarningCalls
from punktgenau.checkout.events import Events, EventState
from punktgenau.checkout.exchanging.calls import Exchanges
from punktgenau.checkout.execute import Executor
from punktgenau.checkout.heartbeat import Heartbeat
from punktgenau.checkout.helping import recover_one
from punktgenau.checkout.order_journal import OrderJournal
from punktgenau.checkout.recovery import Recovery, Shop, recover
from punktgenau.checkout.schema import RedemptionRow
from punktgenau.checkout.settings import Settings
from punktgenau.events import Event
from punktgenau.provider import Provider

BEAT_S = 30.0


class Recovering(EarningCalls, Exchanges):
    """The part of `Checkout` that ends what was left open."""

    settings: Settings
    order_loader: Callable[[str], Order | None] | None
    _provider: Provider
    _clock: Clock
    _journal: OrderJournal
    _executor: Executor
    _events: Events
    _heartbeat: Heartbeat

    def recover(
        self,
        *,
        due_only: bool = False,
        stop: Callable[[], bool] | None = None,
        progress: Callable[[Recovery], None] | None = None,
    ) -> Recovery:
        """Finish what a crash or an outage left open, and ask the shop what should become of holds.

        Takes everything that is open, once; with `due_only` only what is due, as a worker does round after round.
        `stop` is asked before each of them whether to end there; `progress` is told after each what was done so far.
        """
        self._heartbeat.beat()
        beaten = self._clock.monotonic()

        def done(so_far: Recovery) -> None:
            nonlocal beaten
            if self._clock.monotonic() - beaten >= BEAT_S:
                self._heartbeat.beat()
                beaten = self._clock.monotonic()
            if progress is not None:
                progress(so_far)

        report = recover(
            self._journal,
            self._executor,
            self._events,
            shop=self._shop(),
            deadline_s=self.settings.worker_deadline_s,
            due_only=due_only,
            clock=self._clock,
            stop=stop or _never,
            progress=done,
        )
        # Also where nothing is earned any more: what was before goes on.
        self._earn_recovery.recover(
            report,
            deadline_s=self.settings.worker_deadline_s,
            due_only=due_only,
            stop=stop or _never,
            progress=done,
        )
        if self.offers_vouchers or self.offers_payouts:
            self._recover_exchanges(report, due_only=due_only, stop=stop or _never, progress=done)
        return report

    def recover_one(self, *, deadline_s: float) -> bool:
        """Do the one thing that has been due longest, for whoever has a moment; False: nothing is due."""
        more = (
            *(self._earn_recovery.ways(deadline_s=deadline_s) if self._journal.has_earned() else ()),
            *self._exchange_ways(deadline_s=deadline_s),
        )
        return recover_one(
            self._journal, self._executor, self._events, shop=self._shop(), deadline_s=deadline_s, more=more
        )

    def recovered_at(self) -> datetime | None:
        """When a worker or `recover` was last at work, in any process; None: never."""
        return self._heartbeat.last()

    def hear(self, event: Event) -> EventState:
        """Take a verified event as a hint: whatever it is about is looked up at the provider soon, once.

        Raises UnavailableError when it could not be written down: then the provider has to say it again.
        """
        return self._events.hear(event, provider=self._provider.profile.name, partner=self._provider.partner_id)

    def _shop(self) -> Shop:
        return Shop(
            order_loader=self.order_loader,
            takes_paid=self.settings.capture != "shipped",
            is_paid=self._plan_paid if self.settings.earns else None,
        )

    def _plan_paid(self, row: RedemptionRow) -> None:
        self._earnings.plan_paid(row.order_reference, row)


def _never() -> bool:
    return False
