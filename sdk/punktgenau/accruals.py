"""The noun accrual: give points to a member, look up what was given."""

from __future__ import annotations

from functools import partial

from punktgenau import _arguments as given
from punktgenau._finding import pages, sought
from punktgenau._operation import Operation, derived_key, write
from punktgenau._problem import about_something_else
from punktgenau._transport import Transport
from punktgenau.accrual_records import Accrual, AccrualPage
from punktgenau.money import require_points
from punktgenau.profiles import ProviderProfile

REASON_MAX = 200


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
        idempotency_key: str | None = None,
        deadline_s: float | None = None,
    ) -> Accrual:
        """Give points to a member; `reason` is what the member reads, `accrual_reference` the shop's name for it.

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
        if wrong:
            raise about_something_else(operation, wrong, answer)
        return answer.record.model_copy(update={"replayed": answer.replayed, "sends": answer.sends})

    def get(self, accrual_id: str, *, deadline_s: float | None = None) -> Accrual:
        """One accrual as it is now. Raises NotFoundError, NotSentError, UnavailableError."""
        path = f"/v1/accruals/{given.segment(accrual_id, field='accrual_id')}"
        operation = Operation(name="get_accrual", method="GET", path=path, reply=Accrual)
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
