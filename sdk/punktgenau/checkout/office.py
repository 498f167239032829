"""The back office's side of the engine: what an operator sees, and what one may do; each deed is recorded first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from punktgenau.checkout import attention, difference_pages, figures, personal, searching
from punktgenau.checkout.actions import Action
from punktgenau.checkout.attempt import payment_of
from punktgenau.checkout.books import Books
from punktgenau.checkout.difference import Difference, DifferenceState
from punktgenau.checkout.engine import Checkout
from punktgenau.checkout.frozen import FrozenCart, thaw
from punktgenau.checkout.intent import wished
from punktgenau.checkout.looking import OtherContentError
from punktgenau.checkout.office_deeds import Deeds, can_give_back, would_go_back, would_go_onto
from punktgenau.checkout.office_exchanged import ExchangedOffice
from punktgenau.checkout.payment import Payment
from punktgenau.checkout.refund import Refund
from punktgenau.checkout.resolving import Resolution, resolutions
from punktgenau.checkout.schema import OperationRow, RedemptionRow
from punktgenau.checkout.schema_returns import AmendmentRow, ReturnRow
from punktgenau.checkout.standing import check_returnable, so_far
from punktgenau.checkout.timeline import Chapter, Moment, heard_of, story
from punktgenau.errors import PunktgenauError, StateConflictError
from punktgenau.money import Money
from punktgenau.provider import Entry, Redemption

_ENTRY_PAGES_MAX = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """One redemption with all that belongs to it; `cart` and its units are of the order as it is now.

    `missing`: what a shortfall is about, in points and their worth in the smallest unit. By line: `units_left` can come
    back, `units_to_come` have not left the shop. `references` are those of every return of the order, whichever attempt
    paid it.
    """

    row: RedemptionRow
    payment: Payment
    cart: FrozenCart
    refunds: tuple[Refund, ...]
    returns: tuple[ReturnRow, ...]
    attempts: tuple[searching.Found, ...]
    story: tuple[Moment, ...]
    open_operation: OperationRow | None
    resolutions: tuple[Resolution, ...]
    is_latest: bool
    can_retry: bool
    can_give_back: bool
    can_return: bool
    back_points: int
    """What would go back if the order did not happen."""
    back_value: Money
    back_vouchers: Money
    units_left: Mapping[str, int]
    units_to_come: Mapping[str, int]
    references: frozenset[str]
    missing: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderView:
    """What the provider has of a redemption now, and its movements; `error`: why that could not be asked."""

    redemption: Redemption | None = None
    entries: tuple[Entry, ...] = ()
    error: PunktgenauError | None = None


class Office(Deeds, ExchangedOffice):
    """What the back office may ask of one Checkout."""

    def __init__(self, checkout: Checkout) -> None:
        super().__init__(checkout)
        self.personal = personal.Personal(self._journal, self._database, actions=self.actions, clock=self._clock)

    # Seeing

    def counts(self) -> attention.Attention:
        """How much needs a person."""
        return attention.counts(self._database, now_ms=self._journal.now_ms())

    def attention(self) -> attention.Attention:
        """All that needs a person, the oldest first."""
        return attention.attention(self._database, now_ms=self._journal.now_ms())

    def figures(self, spans: Sequence[figures.Span]) -> tuple[figures.Figures, ...]:
        """What became of orders that were placed in each span."""
        return figures.figures(self._database, spans)

    def whole(self, redemption_id: str) -> Whole:
        """One redemption of this shop with its order's whole story. Raises NotFoundError."""
        row = self._row(redemption_id)
        attempts = self.searching.attempts(row.order_reference)
        chapters = tuple(self._chapter(row if one.id == row.id else self._row(one.id)) for one in attempts)
        own = next(chapter for chapter in chapters if chapter.redemption.id == row.id)
        is_latest = attempts[-1].id == row.id
        open_operation = next((one for one in own.operations if one.open_key == row.id), None)
        amended = own.amendments[-1] if own.amendments else None
        books = self._journal.books(row.id)
        at = so_far(books)
        back_points, back_minor = would_go_back(row)
        return Whole(
            row=row,
            payment=payment_of(row),
            cart=_cart(row, amended),
            refunds=self._checkout._returns.of_order(row),
            returns=own.returns,
            attempts=attempts,
            story=story(chapters),
            open_operation=open_operation,
            resolutions=resolutions(row, open_operation) if is_latest else (),
            is_latest=is_latest,
            can_retry=is_latest and self._can_retry(own, open_operation),
            can_give_back=is_latest and can_give_back(row),
            can_return=is_latest and at.has_goods_here and _can_return(books),
            back_points=back_points,
            back_value=Money(amount_minor=max(0, back_minor), currency=row.currency),
            back_vouchers=Money(amount_minor=would_go_onto(row), currency=row.currency),
            units_left=at.units_here(),
            units_to_come=at.units_to_come(),
            references=frozenset(one.reference for chapter in chapters for one in chapter.returns),
            missing=books.missing if row.state == "short" else (0, 0),
        )

    def ask_provider(self, redemption_id: str) -> ProviderView:
        """What the provider has of it now; changes nothing. Raises NotFoundError for a redemption that is none."""
        row = self._row(redemption_id)
        deadline_s = self._checkout.settings.deadline_s
        try:
            evidence = self._looked_up(row, deadline_s=deadline_s) if self._executor.can_look_up else None
            entries: list[Entry] = []
            cursor: str | None = None
            for _ in range(_ENTRY_PAGES_MAX):
                page = self._checkout._provider.members.entries(
                    member_id=row.member_id, cursor=cursor, deadline_s=deadline_s
                )
                entries += [one for one in page.items if one.order_reference == row.order_reference]
                if not (cursor := page.next_cursor):
                    break
        except PunktgenauError as error:
            return ProviderView(error=error)
        return ProviderView(redemption=evidence, entries=tuple(entries))

    def log(self, *, before: tuple[int, str] | None = None, most: int = 50) -> tuple[Action, ...]:
        """Who did what, the newest first."""
        return self.actions.page(before=before, most=most)

    # Clearing

    def differences(
        self, *, state: DifferenceState, period: str = "", after: tuple[str, str] | None = None, most: int = 50
    ) -> tuple[Difference, ...]:
        """What statement, journal and orders do not agree about, by month and id; `after` as on the page before."""
        return difference_pages.page(self._database, state=state, period=period, after=after, most=most)

    def difference_counts(self) -> dict[str, int]:
        """How many differences there are in each state."""
        return difference_pages.counts(self._database)

    def difference(self, difference_id: str) -> Difference | None:
        """One difference, by its id."""
        return self._checkout.difference(difference_id)

    # Inside

    def _looked_up(self, row: RedemptionRow, *, deadline_s: float) -> Redemption | None:
        try:
            return self._executor.look_up(row, deadline_s=deadline_s)
        except OtherContentError as error:
            # Just what a person has to see.
            return error.found

    def _chapter(self, row: RedemptionRow) -> Chapter:
        events, amendments, shipments, payouts = heard_of(self._database, row.id)
        return Chapter(
            redemption=row,
            operations=self._journal.operations(row.id),
            returns=self._journal.books(row.id).given_back,
            payouts=payouts,
            amendments=amendments,
            shipments=shipments,
            events=events,
            actions=self.actions.of_redemption(row.id),
        )

    def _can_retry(self, chapter: Chapter, open_operation: OperationRow | None) -> bool:
        row = chapter.redemption
        states = {*(one.state for one in chapter.returns), *(one.state for one in chapter.shipments)}
        waits = "requested" in states
        to_repair = row.state == "short" and row.cause != "shortfall" and not row.release_cause
        return open_operation is not None or waits or to_repair or wished(row) is not None


def _cart(row: RedemptionRow, amended: AmendmentRow | None) -> FrozenCart:
    return thaw(row.cart if amended is None else amended.cart)


def _can_return(books: Books) -> bool:
    if books.redemption.state in {"capturing", "extending", "voiding"}:
        return False
    try:
        check_returnable(books)
    except StateConflictError:
        return False
    return True
