"""The noun payout: points that become money on the member's bank account, which the provider knows."""

from __future__ import annotations

from functools import partial

from punktgenau import _arguments as given
from punktgenau._finding import pages
from punktgenau._operation import Operation, derived_key, write
from punktgenau._problem import about_something_else
from punktgenau._transport import Transport
from punktgenau.errors import InvalidArgumentError
from punktgenau.money import require_points
from punktgenau.payout_records import Payout, PayoutPage
from punktgenau.profiles import ProviderProfile

_PATH = "/v1/payouts"


class Payouts:
    """`client.payouts`: asking for money instead of points, and what became of that."""

    def __init__(self, transport: Transport, *, profile: ProviderProfile | None = None) -> None:
        self._transport = transport
        profile = profile or ProviderProfile()
        self._has_keys = profile.keys != "none"
        self._key = partial(derived_key, profile)

    def request(
        self,
        *,
        member_id: str,
        points: int,
        payout_reference: str,
        idempotency_key: str | None = None,
        deadline_s: float | None = None,
    ) -> Payout:
        """Turn points into money: they leave at once, the money comes later, or the points are back (`rejected`).

        A missing key is derived from the payout reference, which is unique for ever: the same call again answers with
        the payout as it is now. Raises DeclinedError (InsufficientPointsError, MemberBlockedError, NotLinkedError, and
        `payout_account_missing`), IdempotencyConflictError, NotFoundError for an unknown member; NotSentError, and
        OutcomeUnknownError: make the same call again, or look up.
        """
        body: dict[str, object] = {
            "member_id": given.text(member_id, field="member_id"),
            "points": require_points(points),
            "payout_reference": given.reference(payout_reference, field="payout_reference"),
        }
        key = given.key(idempotency_key, else_=self._key("payout", payout_reference))
        by_key, by_name = f"idempotency_key={key!r}", f"payout_reference={payout_reference!r}"
        look_up = f"payouts.find({by_key if self._has_keys else by_name})"
        operation = write("payout", _PATH, body, key, Payout, look_up=look_up)
        answer = self._transport.call(operation, deadline_s=deadline_s)
        made = answer.record
        if self._has_keys and made.idempotency_key != key:
            raise about_something_else(operation, "idempotency_key", answer)
        if member_id != made.member_id and member_id not in made.former_member_ids:
            raise about_something_else(operation, "member_id", answer)
        if (made.points, made.payout_reference) != (points, payout_reference):
            raise about_something_else(operation, "points", answer)
        return made.model_copy(update={"replayed": answer.replayed, "sends": answer.sends})

    def get(self, payout_id: str, *, deadline_s: float | None = None) -> Payout:
        """One payout as it is now. Raises NotFoundError, NotSentError, UnavailableError."""
        path = f"{_PATH}/{given.segment(payout_id, field='payout_id')}"
        operation = Operation(name="get_payout", method="GET", path=path, reply=Payout)
        answer = self._transport.call(operation, deadline_s=deadline_s)
        if answer.record.id != payout_id:
            raise about_something_else(operation, "id", answer)
        return answer.record

    def find(
        self,
        *,
        member_id: str | None = None,
        payout_reference: str | None = None,
        idempotency_key: str | None = None,
        deadline_s: float | None = None,
    ) -> tuple[Payout, ...]:
        """Payouts of a member, of a reference or of a key, newest first; empty when there is none.

        Raises NotSentError, UnavailableError, and for a member NotLinkedError, NotFoundError.
        """
        if [member_id, payout_reference, idempotency_key].count(None) != 2:
            message = "Give one of member_id, payout_reference and idempotency_key."
            raise InvalidArgumentError(message, field="payout_reference")
        if member_id is not None:
            query = {"member_id": given.text(member_id, field="member_id")}
        elif payout_reference is not None:
            query = {"payout_reference": given.reference(payout_reference, field="payout_reference")}
        else:
            query = {"idempotency_key": given.key(idempotency_key)}
        found = pages(
            self._transport, "find_payouts", _PATH, PayoutPage, query, echoed=member_id is None, deadline_s=deadline_s
        )
        return tuple(one for page in found for one in page.items)
