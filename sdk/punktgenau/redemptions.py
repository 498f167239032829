"""The noun redemption: hold, capture, extend, void, give back, look up."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Literal

from punktgenau import _arguments as given
from punktgenau._finding import pages, sought
from punktgenau._operation import Answer, Operation, derived_key, redemption_path, step, write
from punktgenau._problem import about_something_else
from punktgenau._transport import Transport
from punktgenau.errors import InvalidArgumentError, RedemptionEndedError
from punktgenau.money import Money, require_points
from punktgenau.profiles import ProviderProfile
from punktgenau.quotes import Quotes
from punktgenau.records import (
    ENDED_STATES,
    Redemption,
    RedemptionLine,
    RedemptionPage,
    Reversal,
    TenderRequest,
    VoucherReturn,
)

_ENDED_BY_RELEASE = frozenset({"voided", "expired", "cancelled", "declined"})


class Redemptions(Quotes):
    """`client.redemptions`: paying with points. Points are whole numbers, amounts `Money`, times seconds.

    Every write takes `idempotency_key`; a missing one is derived from the intention, so the same call again is the
    same intention and answers with the redemption as it is now. Every write may raise NotSentError (nothing happened),
    OutcomeUnknownError (make the same call again, or look up) and AuthenticationError; every call InvalidArgumentError.
    """

    def __init__(self, transport: Transport, *, client_id: str, profile: ProviderProfile | None = None) -> None:
        self._transport = transport
        self._client_id = client_id
        profile = profile or ProviderProfile()
        self._has_keys = profile.keys != "none"
        self._key = partial(derived_key, profile)

    def authorize(
        self,
        *,
        member_id: str,
        order_reference: str,
        total: Money,
        points: int | None = None,
        value: Money | None = None,
        rate_id: str | None = None,
        tenders: Sequence[TenderRequest] | None = None,
        lines: Sequence[RedemptionLine] | None = None,
        hold_s: int | None = None,
        capture: Literal["now"] | None = None,
        attempt: int = 1,
        idempotency_key: str | None = None,
        deadline_s: float | None = None,
    ) -> Redemption:
        """Hold points for an order; `points` is short for one tender, `capture="now"` takes them in one step.

        Raises DeclinedError (InsufficientPointsError, MemberBlockedError, NotLinkedError, LimitError): nothing is held;
        LiveRedemptionError: the order has another live redemption; RedemptionEndedError: this attempt's hold has ended,
        use the next `attempt`; IdempotencyConflictError: the key was used for other content.
        """
        asked = _asked_tenders(points, value, tenders)
        body: dict[str, object] = {
            "member_id": given.text(member_id, field="member_id"),
            "order_reference": given.reference(order_reference, field="order_reference"),
            "total": given.money(total, field="total"),
            "tenders": [given.tender(tender) for tender in asked],
        }
        if rate_id is not None:
            body["rate_id"] = given.text(rate_id, field="rate_id")
        if hold_s is not None:
            body["hold_s"] = given.whole(hold_s, field="hold_s")
        if capture is not None:
            body["capture"] = given.one_of(capture, "now", field="capture")
        if lines:
            body["lines"] = [given.line(line) for line in given.several(lines, field="lines")]
        number = given.whole(attempt, field="attempt")
        key = given.key(idempotency_key, else_=self._key(self._client_id, "authorize", order_reference, number))
        of_points = [tender for tender in asked if tender.kind != "voucher"]
        values = [tender.value for tender in of_points if tender.value is not None]
        asked_value = sum(values[1:], values[0]) if values and len(values) == len(of_points) else None
        look_up = _find(key) if self._has_keys else f"redemptions.find(order_reference={order_reference!r})"
        operation = write("authorize", "/v1/redemptions", body, key, Redemption, look_up=look_up)
        answer = self._transport.call(operation, deadline_s=deadline_s)
        redemption = answer.record
        wrong = redemption.differs_from(
            idempotency_key=key if self._has_keys else None,
            order_reference=order_reference,
            member_id=member_id,
            points=sum(tender.points for tender in asked),
            value=asked_value,
            total=total,
            rate_id=rate_id,
            vouchers=[tender for tender in asked if tender.kind == "voucher"],
        )
        if wrong:
            raise about_something_else(operation, wrong, answer)
        if redemption.state in ENDED_STATES:
            raise _ended(operation, answer)
        return _noted(answer)

    def capture(
        self,
        redemption_id: str,
        *,
        points: int | None = None,
        value: Money | None = None,
        final: bool = True,
        capture_reference: str | None = None,
        idempotency_key: str | None = None,
        deadline_s: float | None = None,
    ) -> Redemption:
        """Make a hold final: all of it, or `points` of it; with `final=False` the rest stays held.

        Raises HoldExpiredError, AlreadyVoidedError, RedemptionEndedError: the points are back with the member;
        AlreadyCapturedError; StateConflictError where more is asked than is held (`.remaining`).
        """
        body: dict[str, object] = {"final": given.one_of(final, True, False, field="final")}
        if not final and capture_reference is None:
            raise InvalidArgumentError("capture_reference is needed with final=False.", field="capture_reference")
        if points is not None:
            body["points"] = require_points(points)
        if value is not None:
            body["value"] = given.money(value, field="value")
        if capture_reference is not None:
            body["capture_reference"] = given.reference(capture_reference, field="capture_reference")
        key = given.key(idempotency_key, else_=self._key("capture", redemption_id, capture_reference or ""))
        operation = step("capture", redemption_id, "/capture", body, key, Redemption)
        answer = self._transport.call(operation, deadline_s=deadline_s)
        if answer.record.id != redemption_id:
            raise about_something_else(operation, "id", answer)
        if answer.record.captured_points < (points or 1) and (points or not answer.record.has_captured):
            raise about_something_else(operation, "captured_points", answer)
        return _noted(answer)

    def extend(
        self, redemption_id: str, *, hold_s: int, idempotency_key: str | None = None, deadline_s: float | None = None
    ) -> Redemption:
        """Let a live hold end `hold_s` seconds from now.

        Raises HoldExpiredError, AlreadyVoidedError, AlreadyCapturedError, RedemptionEndedError, LimitError.
        """
        body = {"hold_s": given.whole(hold_s, field="hold_s")}
        key = given.key(idempotency_key, else_=self._key("extend", redemption_id, hold_s))
        operation = step("extend", redemption_id, "/extend", body, key, Redemption)
        answer = self._transport.call(operation, deadline_s=deadline_s)
        if answer.record.id != redemption_id:
            raise about_something_else(operation, "id", answer)
        return _noted(answer)

    def void(
        self, redemption_id: str, *, idempotency_key: str | None = None, deadline_s: float | None = None
    ) -> Redemption:
        """Release a hold, or what is left of it; the points are available again at once.

        Raises AlreadyCapturedError (use `reverse`), HoldExpiredError, AlreadyVoidedError, RedemptionEndedError.
        """
        key = given.key(idempotency_key, else_=self._key("void", redemption_id))
        operation = step("void", redemption_id, "/void", {}, key, Redemption)
        answer = self._transport.call(operation, deadline_s=deadline_s)
        if answer.record.id != redemption_id:
            raise about_something_else(operation, "id", answer)
        if answer.record.is_holding or not (answer.record.has_captured or answer.record.state in _ENDED_BY_RELEASE):
            raise about_something_else(operation, "state", answer)
        return _noted(answer)

    def reverse(
        self,
        redemption_id: str,
        *,
        points: int,
        value: Money | None = None,
        vouchers: Sequence[VoucherReturn] | None = None,
        return_reference: str,
        idempotency_key: str | None = None,
        deadline_s: float | None = None,
    ) -> Reversal:
        """Give captured points back for one return; value left out: the provider prices by the redemption's own rate.

        `vouchers`: so much goes back onto each; `points` may be 0 then.

        Raises ReversalExceedsCaptureError (`.remaining` points can still be given back), IdempotencyConflictError (the
        return reference was used for other content), StateConflictError (nothing was captured).
        """
        body: dict[str, object] = {
            "points": points if vouchers and type(points) is int and points == 0 else require_points(points),
            "return_reference": given.reference(return_reference, field="return_reference"),
        }
        if value is not None:
            body["value"] = given.money(value, field="value")
        if vouchers is not None:
            body["vouchers"] = [given.returned(one) for one in given.several(vouchers, field="vouchers")]
        key = given.key(idempotency_key, else_=self._key("reverse", redemption_id, return_reference))
        operation = step("reverse", redemption_id, "/reversals", body, key, Reversal)
        answer = self._transport.call(operation, deadline_s=deadline_s)
        record = answer.record
        echoed = (record.redemption_id, record.redemption.id, record.return_reference, record.points)
        if echoed != (redemption_id, redemption_id, return_reference, points):
            raise about_something_else(operation, "content", answer)
        if value is not None and record.value != value:
            raise about_something_else(operation, "value", answer)
        if [(one.voucher_id, one.value) for one in record.vouchers] != [
            (v.voucher_id, v.value) for v in vouchers or ()
        ]:
            raise about_something_else(operation, "vouchers", answer)
        return record.model_copy(update={"replayed": answer.replayed, "sends": answer.sends})

    def cancel_by_key(
        self, *, target_key: str, idempotency_key: str | None = None, deadline_s: float | None = None
    ) -> Redemption:
        """End what is held under an authorize's key; success also means: nothing happened and nothing will.

        Raises AlreadyCapturedError: it was captured meanwhile and is untouched.
        """
        body = {"target_key": given.key(target_key, field="target_key")}
        key = given.key(idempotency_key, else_=self._key("cancel_by_key", target_key))
        path = "/v1/redemptions/cancel-by-key"
        operation = write("cancel_by_key", path, body, key, Redemption, look_up=_find(target_key))
        answer = self._transport.call(operation, deadline_s=deadline_s)
        if answer.record.idempotency_key != target_key:
            raise about_something_else(operation, "idempotency_key", answer)
        if answer.record.state not in _ENDED_BY_RELEASE and answer.record.state != "reversed":
            raise about_something_else(operation, "state", answer)
        return _noted(answer)

    def get(self, redemption_id: str, *, deadline_s: float | None = None) -> Redemption:
        """One redemption as it is now.

        Raises NotFoundError, NotSentError, UnavailableError.
        """
        operation = Operation(name="get", method="GET", path=redemption_path(redemption_id), reply=Redemption)
        answer = self._transport.call(operation, deadline_s=deadline_s)
        if answer.record.id != redemption_id:
            raise about_something_else(operation, "id", answer)
        return answer.record

    def find(
        self,
        *,
        order_reference: str | None = None,
        idempotency_key: str | None = None,
        deadline_s: float | None = None,
    ) -> tuple[Redemption, ...]:
        """Redemptions of an order or of an authorize's key, newest attempt first; empty when there is none.

        `deadline_s` is per page of them. Raises NotSentError, UnavailableError.
        """
        query = sought(order_reference=order_reference, idempotency_key=idempotency_key)
        found = pages(self._transport, "find", "/v1/redemptions", RedemptionPage, query, deadline_s=deadline_s)
        return tuple(one for page in found for one in page.items)


def _asked_tenders(
    points: int | None, value: Money | None, tenders: Sequence[TenderRequest] | None
) -> tuple[TenderRequest, ...]:
    if (points is None) == (tenders is None):
        raise InvalidArgumentError("Give either points or tenders.", field="points")
    if points is not None:
        return (TenderRequest(points=points, value=value),)
    if value is not None:
        raise InvalidArgumentError("With tenders, the value stands in each of them.", field="value")
    return tuple(given.several(tenders, field="tenders"))


def _find(key: str) -> str:
    return f"redemptions.find(idempotency_key={key!r})"


def _ended(operation: Operation[Redemption], answer: Answer[Redemption]) -> RedemptionEndedError:
    redemption = answer.record
    error = RedemptionEndedError(
        f"The redemption of order {redemption.order_reference} for this key has ended ({redemption.state}). "
        "Its points are back; make a new attempt.",
        idempotency_key=operation.idempotency_key,
        redemption_id=redemption.id,
    )
    error.sends, error.answered = answer.sends, True
    return error


def _noted(answer: Answer[Redemption]) -> Redemption:
    if (answer.record.replayed, answer.record.sends) == (answer.replayed, answer.sends):
        return answer.record
    return answer.record.model_copy(update={"replayed": answer.replayed, "sends": answer.sends})
