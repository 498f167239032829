"""The noun accrual: give points to a member, at once or pending first, take them back, look up what was given."""

from __future__ import annotations

from functools import partial

from punktgenau import _arguments as given
from punktgenau._finding import pages, sought
from punktgenau._operation import Operation, derived_key, write
from punktgenau._problem import about_something_else
from punktgenau._transport import Transport
from punktgenau.accrual_records import Accrual, AccrualPage, AccrualReversal
from punktgenau.money import require_points
from punktgenau.profiles import ProviderProfile

REASON_MAX = 200
PENDING_MAX_S = 400 * 86_400
"""No points wait for longer."""


class Accruals:
    """`client.accruals`: points that the shop gives. Whole numbers; the provider says what they cost the shop.

    A write may raise NotSentError (nothing happened), OutcomeUnknownError (make the same call again, or look up) and
    AuthenticationError; every call InvalidArgumentError.
    """

    def __init__(self, transport: Transport, *, profile: ProviderProfile | None = None) -> None:
        self._transport = transport
        profile = profile or ProviderProfile()
        self._has_keys = profile.keys != "none"
        self._key = partial(derived_key, profile)

    def create(
        self,
        *,
        member_id: str,
        points: int,
        order_reference: str,
        accrual_reference: str,
        reason: str,
        pending_s: int | None = None,
        idempotency_key: str | None = None,
        deadline_s: float | None = None,
    ) -> Accrual:
        """Give points to a member; `reason` is what the member reads, `accrual_reference` the shop's name for it.

        With `pending_s` (seconds, at most 400 days) they are seen but cannot be spent until they are posted, which is
        possible when so much time has passed by the provider's clock; left out or 0: posted at once.

        A missing key is derived from the accrual reference, which is unique for ever: the same call again answers with
        the accrual as it is now. Raises IdempotencyConflictError (key or reference were used for other content),
        DeclinedError (MemberBlockedError, NotLinkedError): nothing was given; NotFoundError for an unknown member.
        """
        body: dict[str, object] = {
            "member_id": given.text(member_id, field="member_id"),
            "order_reference": given.reference(order_reference, field="order_reference"),
            "accrual_reference": given.reference(accrual_reference, field="accrual_reference"),
            "points": require_points(points),
            "reason": given.text(reason, field="reason", most=REASON_MAX),
        }
        if pending_s is not None:
            body["pending_s"] = given.whole(pending_s, field="pending_s", least=0, most=PENDING_MAX_S)
        key = given.key(idempotency_key, else_=self._key("accrue", accrual_reference))
        by_key, by_order = f"idempotency_key={key!r}", f"order_reference={order_reference!r}"
        look_up = f"accruals.find({by_key if self._has_keys else by_order})"
        operation = write("accrue", "/v1/accruals", body, key, Accrual, look_up=look_up)
        answer = self._transport.call(operation, deadline_s=deadline_s)
        wrong = answer.record.differs_from(
            idempotency_key=key if self._has_keys else None,
            member_id=member_id,
            points=points,
            order_reference=order_reference,
            accrual_reference=accrual_reference,
        )
        if wrong is None and not answer.replayed and (answer.record.state == "pending") is not bool(pending_s):
            wrong = "state"
        if wrong:
            raise about_something_else(operation, wrong, answer)
        return answer.record.model_copy(update={"replayed": answer.replayed, "sends": answer.sends})

    def post(self, accrual_id: str, *, idempotency_key: str | None = None, deadline_s: float | None = None) -> Accrual:
        """Let pending points be spent; what is posted already is answered as it is now.

        A missing key is derived from the accrual's id. Raises StateConflictError: `accrual_not_due` before
        `pending_until` (nothing was done, the same call later), `accrual_reversed` where all was taken back;
        NotFoundError.
        """
        key = given.key(idempotency_key, else_=self._key("post_accrual", accrual_id))
        path, look_up = _path(accrual_id, "/post"), f"accruals.get({accrual_id!r})"
        operation = write("post_accrual", path, {}, key, Accrual, look_up=look_up)
        answer = self._transport.call(operation, deadline_s=deadline_s)
        if answer.record.id != accrual_id:
            raise about_something_else(operation, "id", answer)
        if answer.record.state == "pending":
            raise about_something_else(operation, "state", answer)
        return answer.record.model_copy(update={"replayed": answer.replayed, "sends": answer.sends})

    def reverse(
        self,
        accrual_id: str,
        *,
        points: int,
        return_reference: str,
        reason: str,
        below_zero: bool = False,
        idempotency_key: str | None = None,
        deadline_s: float | None = None,
    ) -> AccrualReversal:
        """Take points back for one return: pending ones first, then what the member has available.

        With `below_zero` the rest is owed by the member's account, else it is told as `not_taken`. Either way all
        `points` count as taken back from this accrual. Needs no consent. A missing key is derived from the accrual's id
        and the return reference, which is unique for ever. Raises StateConflictError (`reversal_exceeds_accrual`: at
        most `.remaining` points), IdempotencyConflictError (the return reference was used for other content),
        NotFoundError.
        """
        body: dict[str, object] = {
            "points": require_points(points),
            "return_reference": given.reference(return_reference, field="return_reference"),
            "reason": given.text(reason, field="reason", most=REASON_MAX),
            "below_zero": given.one_of(below_zero, True, False, field="below_zero"),
        }
        key = given.key(idempotency_key, else_=self._key("reverse_accrual", accrual_id, return_reference))
        path, look_up = _path(accrual_id, "/reversals"), f"accruals.get({accrual_id!r})"
        operation = write("reverse_accrual", path, body, key, AccrualReversal, look_up=look_up)
        answer = self._transport.call(operation, deadline_s=deadline_s)
        wrong = answer.record.differs_from(
            accrual_id=accrual_id, points=points, return_reference=return_reference, below_zero=below_zero
        )
        if wrong:
            raise about_something_else(operation, wrong, answer)
        return answer.record.model_copy(update={"replayed": answer.replayed, "sends": answer.sends})

    def get(self, accrual_id: str, *, deadline_s: float | None = None) -> Accrual:
        """One accrual as it is now. Raises NotFoundError, NotSentError, UnavailableError."""
        operation = Operation(name="get_accrual", method="GET", path=_path(accrual_id), reply=Accrual)
        answer = self._transport.call(operation, deadline_s=deadline_s)
        if answer.record.id != accrual_id:
            raise about_something_else(operation, "id", answer)
        return answer.record

    def find(
        self,
        *,
        order_reference: str | None = None,
        idempotency_key: str | None = None,
        deadline_s: float | None = None,
    ) -> tuple[Accrual, ...]:
        """Accruals of an order or of a key, newest first; empty when there is none; `deadline_s` is per page of them.

        Raises NotSentError, UnavailableError.
        """
        query = sought(order_reference=order_reference, idempotency_key=idempotency_key)
        found = pages(self._transport, "find_accruals", "/v1/accruals", AccrualPage, query, deadline_s=deadline_s)
        return tuple(one for page in found for one in page.items)


def _path(accrual_id: str, tail: str = "") -> str:
    return f"/v1/accruals/{given.segment(accrual_id, field='accrual_id')}{tail}"
