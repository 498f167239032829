"""Looking up what the provider has of a row, by its id, its key or its order, and whether it is what was asked for."""

from __future__ import annotations

from punktgenau.checkout.resolve import Kind, look_up_by
from punktgenau.checkout.resolving import BY_HAND
from punktgenau.checkout.return_journal import ReturnJournal
from punktgenau.checkout.schema import OperationRow, RedemptionRow
from punktgenau.checkout.sending import value_of, voucher_tenders
from punktgenau.errors import NotFoundError, PunktgenauError
from punktgenau.money import Money
from punktgenau.provider import Provider, Redemption

CLOCKS_DIFFER_S = 300
"""How much longer ago something may seem to have been made than it was."""


class OtherContentError(PunktgenauError):
    """Something is there, and it is not what was asked for: neither evidence nor proof that nothing was done."""

    default_code = "other_content"

    def __init__(self, found: Redemption, *, code: str | None = None) -> None:
        super().__init__("The provider has something else than what was asked for.", code=code, redemption_id=found.id)
        self.found = found


class LagsBehindError(PunktgenauError):
    """A look-up showed less than what was seen before, so it is older than that."""

    default_code = "lags_behind"


class Looker:
    """Asks the provider, by the ways that its profile offers."""

    def __init__(self, provider: Provider, journal: ReturnJournal) -> None:
        self._provider = provider
        self._journal = journal

    def look_up(self, row: RedemptionRow, *, deadline_s: float) -> Redemption | None:
        """The provider's evidence for a row, or None where it knows nothing of it.

        Raises NotSentError or UnavailableError when there is no answer; OtherContentError; LagsBehindError.
        """
        if row.provider_id is not None:
            try:
                found = self._provider.redemptions.get(row.provider_id, deadline_s=deadline_s)
            except NotFoundError:
                return None
            if self.differs(row, found):
                raise OtherContentError(found)
            if _is_older_than(row, found):
                raise LagsBehindError("The look-up is older than what was seen before.")
            return found
        return self._asked_for(row, self._found(row, deadline_s=deadline_s))

    def _asked_for(self, row: RedemptionRow, found: tuple[Redemption, ...]) -> Redemption | None:
        """Which of these is what the row asked for; None: there is nothing else either. Raises OtherContentError."""
        has_keys = self._provider.profile.keys != "none"
        candidates = [one for one in found if has_keys or not self._was_before(row, one)]
        for one in candidates:
            if one.state == "cancelled" or not self.differs(row, one):
                return one
        for one in candidates:
            # Given up under our key it has to go back, whatever else it shows.
            if is_part_of(row, one) or (has_keys and row.state == "abandoning" and _is_about(row, one)):
                return one
        for one in found:
            # Without keys it may be somebody else's; what has ended pays nothing, whosever it was.
            if has_keys or one.is_holding or one.captured_points > one.reversed_points or one.vouchers:
                raise OtherContentError(one, code=None if one in candidates else "order_used_before")
        return None

    def _was_before(self, row: RedemptionRow, evidence: Redemption) -> bool:
        """Whether this was made before the row, by what either clock says of its own: another order had its number."""
        return (evidence.now - evidence.created_at).total_seconds() > self.age_s(row) + CLOCKS_DIFFER_S

    def differs(self, row: RedemptionRow, evidence: Redemption) -> str | None:
        """The first field in which this is not what the row asked for."""
        # What goes back is known by its id, and may be a part, or worth something else than was asked for.
        is_back = evidence.id == row.provider_id and row.release_cause is not None
        in_part = is_back and 0 < evidence.points == row.captured_points
        total_minor = evidence.total.amount_minor if is_back else row.total_minor
        return evidence.differs_from(
            idempotency_key=None if self._provider.profile.keys == "none" else row.key,
            order_reference=row.order_reference,
            member_id=row.member_id,
            points=row.captured_points if in_part else row.points,
            value=None if is_back else value_of(row),
            total=Money(amount_minor=total_minor, currency=row.currency),
            vouchers=voucher_tenders(row),
        )

    def mismatch(self, kind: Kind, row: RedemptionRow, evidence: Redemption) -> str | None:
        """As `differs`, of an answer: a tombstone differs in everything, and is what giving up asks for."""
        return None if kind == "cancel_by_key" and _is_tombstone(evidence) else self.differs(row, evidence)

    def age_s(self, begun: RedemptionRow | OperationRow) -> float:
        """Seconds since an attempt or an operation was written down."""
        return (self._journal.now_ms() - begun.created_at) / 1000

    def _found(self, row: RedemptionRow, *, deadline_s: float) -> tuple[Redemption, ...]:
        """What the provider has under a row's key, or for its order and not from another attempt."""
        profile, calls = self._provider.profile, self._provider.redemptions
        if look_up_by(profile, age_s=self.age_s(row)) == "key":
            return calls.find(idempotency_key=row.key, deadline_s=deadline_s)
        found = calls.find(order_reference=row.order_reference, deadline_s=deadline_s)
        others = self._journal.other_ids(row) if row.attempt > 1 else frozenset()
        key = None if profile.keys == "none" else row.key
        return tuple(one for one in found if one.id not in others and key in (None, one.idempotency_key))


def is_part_of(row: RedemptionRow, evidence: Redemption) -> bool:
    """Whether this is what a row asked for, but of fewer points."""
    is_asked_for = row.state in {"authorizing", "abandoning"} and row.provider_id is None
    return _is_about(row, evidence) and is_asked_for and 0 < evidence.points < row.points


def _is_about(row: RedemptionRow, evidence: Redemption) -> bool:
    return (evidence.order_reference, evidence.member_id) == (row.order_reference, row.member_id)


def _is_older_than(row: RedemptionRow, evidence: Redemption) -> bool:
    """Whether this shows less than the row has seen: what was captured or given back stays so, unless all has ended."""
    if row.reason == BY_HAND:
        # A person said so, and may have been wrong.
        return False
    is_taken = evidence.captured_points >= row.captured_points or evidence.state in {"voided", "expired"}
    is_back = evidence.reversed_points >= row.reversed_points
    return not (is_back and is_taken and evidence.reversed_vouchers_minor >= row.vouchers_back_minor)


def _is_tombstone(evidence: Redemption) -> bool:
    return evidence.state == "cancelled" and not (evidence.points or evidence.order_reference or evidence.member_id)
