"""Looking up what the provider has of a row, by its id, its key or its order, and whether it is what was asked for."""

from __future__ import annotations

from punktgenau.checkout.resolve import Kind, look_up_by
from punktgenau.checkout.return_journal import ReturnJournal
from punktgenau.checkout.schema import OperationRow, RedemptionRow
from punktgenau.checkout.sending import value_of
from punktgenau.errors import NotFoundError
from punktgenau.money import Money
from punktgenau.provider import Provider, Redemption


class Looker:
    """Asks the provider, by the ways that its profile offers."""

    def __init__(self, provider: Provider, journal: ReturnJournal) -> None:
        self._provider = provider
        self._journal = journal

    def look_up(self, row: RedemptionRow, *, deadline_s: float) -> Redemption | None:
        """The provider's evidence for a row, or None where it knows nothing of it.

        Raises NotSentError or UnavailableError when there is no answer.
        """
        if row.provider_id is not None:
            try:
                found = self._provider.redemptions.get(row.provider_id, deadline_s=deadline_s)
            except NotFoundError:
                return None
            return None if self.differs(row, found) else found
        candidates = self._found(row, deadline_s=deadline_s)
        for candidate in candidates:
            if candidate.state == "cancelled" or not self.differs(row, candidate):
                return candidate
        return next((candidate for candidate in candidates if is_part_of(row, candidate)), None)

    def differs(self, row: RedemptionRow, evidence: Redemption) -> str | None:
        """The first field in which this is not what the row asked for."""
        return evidence.differs_from(
            idempotency_key=None if self._provider.profile.keys == "none" else row.key,
            order_reference=row.order_reference,
            member_id=row.member_id,
            points=row.points,
            value=value_of(row),
            total=Money(amount_minor=row.total_minor, currency=row.currency),
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
        return tuple(one for one in found if one.id not in others)


def is_part_of(row: RedemptionRow, evidence: Redemption) -> bool:
    """Whether this is what a row asked for, but of fewer points."""
    about = (evidence.order_reference, evidence.member_id) == (row.order_reference, row.member_id)
    is_asked_for = row.state in {"authorizing", "abandoning"} and row.provider_id is None
    return about and is_asked_for and 0 < evidence.points < row.points


def _is_tombstone(evidence: Redemption) -> bool:
    return evidence.state == "cancelled" and not (evidence.points or evidence.order_reference or evidence.member_id)
