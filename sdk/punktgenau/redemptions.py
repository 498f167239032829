"""The noun redemption: hold, capture, extend, void, give back, look up."""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256
from typing import Literal
from urllib.parse import quote, urlencode

from punktgenau._transport import Answer, Operation, R, Transport
from punktgenau.errors import InvalidArgumentError, OutcomeUnknownError, RedemptionEndedError
from punktgenau.money import Money, require_points
from punktgenau.provider import (
    ENDED_STATES,
    Mode,
    Quote,
    Record,
    Redemption,
    RedemptionLine,
    Reversal,
    TenderRequest,
)

_ENDED_BY_RELEASE = frozenset({"voided", "expired", "cancelled", "declined"})


class RedemptionPage(Record):
    """Redemptions of one order or key, newest attempt first."""

    items: tuple[Redemption, ...]
    next_cursor: str | None
    mode: Mode


def derived_key(*parts: str | int) -> str:
    """An idempotency key that any process makes again from the same intention."""
    return "pk_" + sha256("\x1f".join(str(part) for part in parts).encode()).hexdigest()[:40]


class Redemptions:
    """`client.redemptions`: paying with points. Points are whole numbers, amounts `Money`, times seconds.

    Every write takes `idempotency_key`; a missing one is derived from the intention, so the same call again is the
    same intention and answers with the redemption as it is now. Every write may raise NotSentError (nothing happened),
    OutcomeUnknownError (make the same call again, or look up) and AuthenticationError.
    """

    def __init__(self, transport: Transport, *, client_id: str) -> None:
        self._transport = transport
        self._client_id = client_id

    def quote(self, *, member_id: str, total: Money, points: int, deadline_s: float | None = None) -> Quote:
        """What so many points are worth for this total, by the provider's rules; never a promise of balance.

        Raises NotLinkedError, LimitError (currency), NotSentError or UnavailableError.
        """
        body = {"member_id": member_id, "total": _money(total), "points": require_points(points)}
        operation = Operation(name="quote", method="POST", path="/v1/redemptions/quote", reply=Quote, body=_json(body))
        return self._transport.call(operation, deadline_s=deadline_s).record

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
        _reference(order_reference, "order_reference")
        if (points is None) == (tenders is None):
            raise InvalidArgumentError("Give either points or tenders.", field="points")
        if points is not None:
            tenders = (TenderRequest(points=points, value=value),)
        asked = tuple(tenders or ())
        asked_points = sum(require_points(tender.points) for tender in asked)
        body: dict[str, object] = {
            "member_id": member_id,
            "order_reference": order_reference,
            "total": _money(total),
            "tenders": [_tender(tender) for tender in asked],
        }
        if rate_id is not None:
            body["rate_id"] = rate_id
        if hold_s is not None:
            body["hold_s"] = require_points(hold_s, field="hold_s")
        if capture is not None:
            body["capture"] = capture
        if lines:
            body["lines"] = [_line(line) for line in lines]
        key = idempotency_key or derived_key(self._client_id, "authorize", order_reference, attempt)
        answer = self._write("authorize", "/v1/redemptions", body, key, Redemption, deadline_s)
        redemption = answer.record
        values = [tender.value for tender in asked if tender.value is not None]
        wrong = redemption.differs_from(
            idempotency_key=key,
            order_reference=order_reference,
            member_id=member_id,
            points=asked_points,
            value=sum(values[1:], values[0]) if len(values) == len(asked) and values else None,
            total=total,
        )
        if wrong:
            raise _wrong_echo("authorize", wrong, key)
        if redemption.state in ENDED_STATES:
            raise RedemptionEndedError(
                f"The redemption of order {order_reference} for this key has ended ({redemption.state}). "
                "Its points are back; make a new attempt.",
                idempotency_key=key,
                redemption_id=redemption.id,
            )
        return _noted(redemption, answer)

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
        if not final and capture_reference is None:
            raise InvalidArgumentError("capture_reference is needed with final=False.", field="capture_reference")
        body: dict[str, object] = {"final": final}
        if points is not None:
            body["points"] = require_points(points)
        if value is not None:
            body["value"] = _money(value)
        if capture_reference is not None:
            body["capture_reference"] = _reference(capture_reference, "capture_reference")
        key = idempotency_key or derived_key("capture", redemption_id, capture_reference or "")
        answer = self._write("capture", _path(redemption_id, "/capture"), body, key, Redemption, deadline_s)
        if answer.record.id != redemption_id:
            raise _wrong_echo("capture", "id", key)
        if answer.record.captured_points < (points or 1):
            raise _wrong_echo("capture", "captured_points", key)
        return _noted(answer.record, answer)

    def extend(
        self, redemption_id: str, *, hold_s: int, idempotency_key: str | None = None, deadline_s: float | None = None
    ) -> Redemption:
        """Let a live hold end `hold_s` seconds from now.

        Raises HoldExpiredError, AlreadyVoidedError, AlreadyCapturedError, RedemptionEndedError, LimitError.
        """
        body = {"hold_s": require_points(hold_s, field="hold_s")}
        key = idempotency_key or derived_key("extend", redemption_id, hold_s)
        answer = self._write("extend", _path(redemption_id, "/extend"), body, key, Redemption, deadline_s)
        if answer.record.id != redemption_id:
            raise _wrong_echo("extend", "id", key)
        return _noted(answer.record, answer)

    def void(
        self, redemption_id: str, *, idempotency_key: str | None = None, deadline_s: float | None = None
    ) -> Redemption:
        """Release an uncaptured hold; the points are available again at once.

        Raises AlreadyCapturedError (use `reverse`), HoldExpiredError, AlreadyVoidedError, RedemptionEndedError.
        """
        key = idempotency_key or derived_key("void", redemption_id)
        answer = self._write("void", _path(redemption_id, "/void"), {}, key, Redemption, deadline_s)
        if answer.record.id != redemption_id:
            raise _wrong_echo("void", "id", key)
        if answer.record.held_points or answer.record.state not in _ENDED_BY_RELEASE:
            raise _wrong_echo("void", "state", key)
        return _noted(answer.record, answer)

    def reverse(
        self,
        redemption_id: str,
        *,
        points: int,
        value: Money | None = None,
        return_reference: str,
        idempotency_key: str | None = None,
        deadline_s: float | None = None,
    ) -> Reversal:
        """Give captured points back for one return; value left out: the provider prices by the redemption's own rate.

        Raises ReversalExceedsCaptureError (`.remaining` points can still be given back), IdempotencyConflictError (the
        return reference was used for other content), StateConflictError (nothing was captured).
        """
        body: dict[str, object] = {
            "points": require_points(points),
            "return_reference": _reference(return_reference, "return_reference"),
        }
        if value is not None:
            body["value"] = _money(value)
        key = idempotency_key or derived_key("reverse", redemption_id, return_reference)
        answer = self._write("reverse", _path(redemption_id, "/reversals"), body, key, Reversal, deadline_s)
        record = answer.record
        echoed = (record.redemption_id, record.return_reference, record.points)
        if echoed != (redemption_id, return_reference, points) or (value is not None and record.value != value):
            raise _wrong_echo("reverse", "content", key)
        return record.model_copy(update={"replayed": answer.replayed, "sends": answer.sends})

    def cancel_by_key(
        self, *, target_key: str, idempotency_key: str | None = None, deadline_s: float | None = None
    ) -> Redemption:
        """End what is held under an authorize's key; success also means: nothing happened and nothing will.

        Raises AlreadyCapturedError: it was captured meanwhile and is untouched.
        """
        body = {"target_key": _key(target_key)}
        key = idempotency_key or derived_key("cancel_by_key", target_key)
        answer = self._write("cancel_by_key", "/v1/redemptions/cancel-by-key", body, key, Redemption, deadline_s)
        if answer.record.idempotency_key != target_key:
            raise _wrong_echo("cancel_by_key", "idempotency_key", key)
        if answer.record.state not in _ENDED_BY_RELEASE and answer.record.state != "reversed":
            raise _wrong_echo("cancel_by_key", "state", key)
        return _noted(answer.record, answer)

    def get(self, redemption_id: str, *, deadline_s: float | None = None) -> Redemption:
        """One redemption as it is now.

        Raises NotFoundError, NotSentError, UnavailableError.
        """
        operation = Operation(name="get", method="GET", path=_path(redemption_id), reply=Redemption)
        return self._transport.call(operation, deadline_s=deadline_s).record

    def find(
        self,
        *,
        order_reference: str | None = None,
        idempotency_key: str | None = None,
        deadline_s: float | None = None,
    ) -> tuple[Redemption, ...]:
        """Redemptions of an order or of an authorize's key, newest attempt first; empty when there is none.

        Raises NotSentError, UnavailableError.
        """
        if (order_reference is None) == (idempotency_key is None):
            raise InvalidArgumentError("Give either order_reference or idempotency_key.", field="order_reference")
        query = (
            {"order_reference": _reference(order_reference, "order_reference")}
            if order_reference is not None
            else {"idempotency_key": _key(idempotency_key)}
        )
        operation = Operation(
            name="find", method="GET", path=f"/v1/redemptions?{urlencode(query)}", reply=RedemptionPage
        )
        return self._transport.call(operation, deadline_s=deadline_s).record.items

    def _write(
        self,
        name: str,
        path: str,
        body: dict[str, object] | dict[str, str] | dict[str, int],
        key: str,
        reply: type[R],
        deadline_s: float | None,
    ) -> Answer[R]:
        operation = Operation(
            name=name, method="POST", path=path, reply=reply, body=_json(body), idempotency_key=_key(key)
        )
        return self._transport.call(operation, deadline_s=deadline_s)


def _noted(redemption: Redemption, answer: Answer[Redemption]) -> Redemption:
    if not answer.replayed and answer.sends == 1:
        return redemption
    return redemption.model_copy(update={"replayed": answer.replayed, "sends": answer.sends})


def _wrong_echo(name: str, field: str, key: str) -> OutcomeUnknownError:
    return OutcomeUnknownError(
        f"{name}: the answer is about something else ({field} differs from what was sent), so it is not known whether "
        "points moved. Look the redemption up before anything else.",
        code="wrong_echo",
        field=field,
        idempotency_key=key,
    )


def _json(body: object) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _money(money: Money) -> dict[str, object]:
    return {"amount_minor": money.amount_minor, "currency": money.currency}


def _tender(tender: TenderRequest) -> dict[str, object]:
    body: dict[str, object] = {"kind": tender.kind, "points": tender.points}
    if tender.value is not None:
        body["value"] = _money(tender.value)
    return body


def _line(line: RedemptionLine) -> dict[str, object]:
    return {
        "id": line.id,
        "sku": line.sku,
        "quantity": line.quantity,
        "amount_minor": line.amount_minor,
        "vat_rate": line.vat_rate,
    }


def _reference(text: str | None, field: str) -> str:
    """The shop's id as the provider takes it: never cut, never with characters that a log or a header could misread."""
    if not isinstance(text, str) or not 1 <= len(text) <= 36 or not text.isprintable():
        raise InvalidArgumentError(f"{field} must be 1 to 36 printable characters.", field=field)
    return text


def _key(key: str | None) -> str:
    if not isinstance(key, str) or not 1 <= len(key) <= 255 or not all("!" <= ch <= "~" for ch in key):
        raise InvalidArgumentError("An idempotency key is 1 to 255 visible ASCII characters.", field="idempotency_key")
    return key


def _path(redemption_id: str, tail: str = "") -> str:
    if not isinstance(redemption_id, str) or not 1 <= len(redemption_id) <= 64 or not redemption_id.isprintable():
        raise InvalidArgumentError("redemption_id must be 1 to 64 printable characters.", field="redemption_id")
    return f"/v1/redemptions/{quote(redemption_id, safe='')}{tail}"
