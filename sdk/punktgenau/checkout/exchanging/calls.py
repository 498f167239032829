"""What a shop asks about points that become a voucher or money."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from punktgenau._clock import Clock
from punktgenau._redact import logger, short
from punktgenau.checkout.balances import Balances
from punktgenau.checkout.database import Database
from punktgenau.checkout.defects import LOOK_AGAIN_MS
from punktgenau.checkout.exchanging.execute import CIRCUIT_OPEN, ExchangeExecutor, Heard, payouts_of, vouchers_of
from punktgenau.checkout.exchanging.journal import ExchangeJournal
from punktgenau.checkout.exchanging.schema import ExchangeClaim, ExchangeRow
from punktgenau.checkout.exchanging.told import Exchange, ExchangeKind, told
from punktgenau.checkout.exchanging.unsettled import UnsettledExchanges
from punktgenau.checkout.goals import POLL_S
from punktgenau.checkout.order_journal import OrderJournal
from punktgenau.checkout.recovery import BATCH, Recovery
from punktgenau.checkout.settings import Settings
from punktgenau.checkout.vouchers import MOST
from punktgenau.errors import (
    AmountChangedError,
    ConfigurationError,
    DeclinedError,
    IdempotencyConflictError,
    InvalidArgumentError,
    UnavailableError,
    VoucherError,
)
from punktgenau.money import require_points
from punktgenau.provider import Provider

if TYPE_CHECKING:
    from punktgenau.voucher_ports import VouchersPort
    from punktgenau.voucher_records import Voucher, VoucherProduct

SHOWN = 50


class Exchanges(UnsettledExchanges):
    """The part of `Checkout` by which customers turn points into a voucher, or into money on their bank account.

    `form` is the page's own name for one wish, random, the same when it is sent again: then it is done once, and
    answered as the first time. An unknown is a state ("sending"); recovery ends it.
    """

    settings: Settings
    _provider: Provider
    _database: Database
    _clock: Clock
    _journal: OrderJournal
    _balances: Balances
    _has_open_exchanges = False

    @cached_property
    def offers_vouchers(self) -> bool:
        """Whether points can become vouchers here; every page asks, and what a provider has does not change."""
        return vouchers_of(self._provider) is not None

    @cached_property
    def offers_payouts(self) -> bool:
        """Whether points can become money here."""
        return payouts_of(self._provider) is not None

    def voucher_products(self) -> tuple[VoucherProduct, ...]:
        """What can be bought with points, good at this shop. Raises NotSentError, UnavailableError."""
        port = vouchers_of(self._provider)
        found = () if port is None else port.products(deadline_s=self.settings.deadline_s)
        return tuple(one for one in found if not one.partners or self._provider.partner_id in one.partners)

    def vouchers(self, customer_id: str) -> tuple[Voucher, ...]:
        """The linked member's vouchers, newest first, from the provider; never with their codes.

        Raises NotLinkedError, NotSentError, UnavailableError.
        """
        port, link = vouchers_of(self._provider), self._balances.link(customer_id)
        return () if port is None else port.list(member_id=link.member_id, deadline_s=self.settings.deadline_s)

    def look_up_voucher(self, code: str) -> Voucher:
        """What a code that a customer has typed in is worth; the code is needed no more, its id pays from then on.

        Raises VoucherError, InvalidArgumentError (no code at all), NotSentError, UnavailableError, ConfigurationError
        where there are no vouchers.
        """
        return self._vouchers_port().look_up(code=code, deadline_s=self.settings.deadline_s)

    def vouchers_now(self, voucher_ids: Sequence[str]) -> tuple[Voucher, ...]:
        """These vouchers as they are at the provider, in this order; one call each, within one deadline.

        Raises VoucherError: `.field` is the id of the one that there is not (any more); InvalidArgumentError for more
        than 20; NotSentError, UnavailableError, ConfigurationError where there are no vouchers.
        """
        if len(voucher_ids) > MOST:
            raise InvalidArgumentError(f"No more than {MOST} vouchers pay one order.", field="voucher_ids")
        ends, found = self._clock.monotonic() + self.settings.deadline_s, []
        for voucher_id in voucher_ids:
            try:
                left_s = max(0.1, ends - self._clock.monotonic())
                found.append(self._vouchers_port().get(voucher_id, deadline_s=left_s))
            except VoucherError as error:
                error.field = voucher_id
                raise
        return tuple(found)

    def _vouchers_port(self) -> VouchersPort:
        port = vouchers_of(self._provider)
        if port is None:
            raise ConfigurationError("This provider has no vouchers.", code="not_offered")
        return port

    def buy_voucher(self, customer_id: str, product_id: str, *, points: int, form: str) -> Exchange:
        """Turn points into a voucher at once; `points` is its price as it was shown. The answer has its code.

        Raises NotLinkedError, DeclinedError (no points have left), AmountChangedError (it costs others by now),
        IdempotencyConflictError (the form was sent with other content), ConfigurationError where there are no vouchers.
        """
        if not self.offers_vouchers:
            raise ConfigurationError("This provider has no vouchers.", code="not_offered")
        if not isinstance(product_id, str) or not 1 <= len(product_id) <= 64 or not product_id.isprintable():
            raise InvalidArgumentError("product_id must be 1 to 64 printable characters.", field="product_id")
        require_points(points)
        if self._exchange_journal.by_form(customer_id, form) is None:
            self._check_price(product_id, points)
        return self._exchange(customer_id, "voucher", product_id, points, form)

    def request_payout(self, customer_id: str, points: int, *, form: str) -> Exchange:
        """Turn points into money on the bank account that the provider knows; they leave at once.

        Raises NotLinkedError, DeclinedError (no points have left), IdempotencyConflictError (the form was sent with
        other content), ConfigurationError where nothing is paid out.
        """
        if not self.offers_payouts:
            raise ConfigurationError("This provider pays nothing out.", code="not_offered")
        return self._exchange(customer_id, "payout", None, require_points(points), form)

    def exchanges(self, customer_id: str) -> tuple[Exchange, ...]:
        """What a customer turned into vouchers or money in this shop, newest first; from the journal."""
        return tuple(told(row) for row in self._exchange_journal.of_customer(customer_id, most=SHOWN))

    def _exchange(
        self, customer_id: str, kind: ExchangeKind, product_id: str | None, points: int, form: str
    ) -> Exchange:
        if not isinstance(form, str) or not 8 <= len(form) <= 64 or not form.isalnum():
            raise InvalidArgumentError("form must be 8 to 64 letters and digits.", field="form")
        if not self.settings.enabled:
            raise UnavailableError("Points are switched off in this shop. Nothing was sent.", code="points_off")
        link, lease_s = self._balances.link(customer_id), self.settings.deadline_s
        journal, executor = self._exchange_journal, self._exchange_executor
        asked = self._asked(customer_id, link.member_id, kind, product_id, points, form)
        row, claim = journal.begin(asked, lease_s=lease_s)
        if (row.kind, row.product_id, row.points) != (kind, product_id, points):
            raise IdempotencyConflictError("This form was sent before with other content; the first one stands.")
        if claim is None:
            row = self._waited_for(row, lease_s)
        if claim is None and row.state == "done":
            code = executor.code_again(row, deadline_s=lease_s)
            return told(row, code=code)
        if claim is None and row.state == "sending":
            claim = journal.claim(row.id, lease_s=lease_s)
        if claim is None:
            return _known(row)
        heard = executor.run(claim, deadline_s=lease_s)
        self._has_open_exchanges = self._has_open_exchanges or heard.row.state == "sending"
        if heard.row.state == "declined" and heard.error is not None:
            raise heard.error
        return told(heard.row, code=heard.code)

    def _waited_for(self, row: ExchangeRow, wait_s: float) -> ExchangeRow:
        """A double click: the first one is still sending. Wait for its result rather than doubt it."""
        ends = self._clock.monotonic() + wait_s
        while row.state == "sending" and row.lease_until and self._clock.monotonic() + POLL_S < ends:
            self._clock.sleep(POLL_S)
            row = self._exchange_journal.by_form(row.customer_id, row.form) or row
        return row

    def _check_price(self, product_id: str, points: int) -> None:
        """Raises VoucherError where there is no such product (any more), AmountChangedError where it costs others."""
        product = next((one for one in self.voucher_products() if one.id == product_id), None)
        if product is None:
            raise VoucherError("There is no such voucher to buy. No points have left.", field="product_id")
        if product.price_points != points:
            raise AmountChangedError(
                f"The voucher costs {product.price_points} points by now, {points} were shown. Nothing was bought; "
                "show the customer again.",
                remaining=product.price_points,
            )

    def _asked(
        self, customer_id: str, member_id: str, kind: ExchangeKind, product_id: str | None, points: int, form: str
    ) -> ExchangeRow:
        now, provider = self._journal.now_ms(), self._provider
        return ExchangeRow(
            id=self._journal.fresh_id(),
            provider=provider.profile.name,
            partner=provider.partner_id,
            mode=provider.mode or "",
            kind=kind,
            customer_id=customer_id,
            member_id=member_id,
            form=form,
            reference="",
            key="",
            fingerprint="",
            product_id=product_id,
            points=points,
            state="sending",
            provider_id=None,
            value_minor=None,
            currency=None,
            hint=None,
            outcome=None,
            code=None,
            reason="",
            sends=0,
            passes=0,
            next_at=now,
            lease_until=0,
            lease_token=1,
            created_at=now,
            updated_at=now,
        )

    def _recover_exchanges(
        self, report: Recovery, *, due_only: bool, stop: Callable[[], bool], progress: Callable[[Recovery], None]
    ) -> None:
        """Finish what is open, each once; with `due_only` what is due, until nothing is."""
        journal, lease_s = self._exchange_journal, self.settings.worker_deadline_s
        ids: list[str | None] = [None] * BATCH if due_only else [*journal.waiting(most=BATCH)]
        for exchange_id in ids:
            if stop():
                break
            claim = journal.claim(exchange_id, lease_s=lease_s)
            if claim is None and due_only:
                break
            if claim is None:
                continue
            heard = self._carried_out(claim, deadline_s=lease_s)
            report.finished += heard.row.next_at is None
            report.still_open += heard.row.state == "sending"
            progress(report)
            if heard.error is not None and heard.error.code == CIRCUIT_OPEN:
                break
        report.needs_attention += journal.attention()

    def _exchange_ways(self, *, deadline_s: float) -> tuple[tuple[int | None, Callable[[], bool]], ...]:
        """What is due here, since when, where this process has left something open: nobody else pays for asking."""
        if not self._has_open_exchanges:
            return ()
        journal = self._exchange_journal

        def one() -> bool:
            if (claim := journal.claim(lease_s=deadline_s)) is None:
                return False
            error = self._carried_out(claim, deadline_s=deadline_s).error
            self._has_open_exchanges = bool(journal.waiting(most=1))
            return error is None or error.code != CIRCUIT_OPEN

        return ((journal.due_since(), one),)

    def _carried_out(self, claim: ExchangeClaim, *, deadline_s: float) -> Heard:
        """As the executor does it; what that raises is told, and it is due again later. Raises UnavailableError."""
        try:
            return self._exchange_executor.run(claim, deadline_s=deadline_s)
        except UnavailableError:
            raise
        except Exception:  # an adapter's defect with one of them must not stop the others
            logger.exception("carrying out %s failed", short(claim.operation.reference))
            self._exchange_journal.put_off(claim, next_at=self._journal.now_ms() + LOOK_AGAIN_MS)
            return Heard(claim.operation)

    @cached_property
    def _exchange_journal(self) -> ExchangeJournal:
        return ExchangeJournal(
            self._database, clock=self._clock, key_of=self._provider.profile.key_of, secret=self._journal._secret
        )

    def _its_journal(self) -> ExchangeJournal:
        return self._exchange_journal

    @cached_property
    def _exchange_executor(self) -> ExchangeExecutor:
        return ExchangeExecutor(self._provider, self._exchange_journal, clock=self._clock)


def _known(row: ExchangeRow) -> Exchange:
    """What a form came to that was sent before. Raises DeclinedError as the first time."""
    if row.state == "declined":
        logger.info("a form was sent again that was refused: %s", row.code)
        raise DeclinedError("This was refused before. No points have left.", code=row.code)
    return told(row)
