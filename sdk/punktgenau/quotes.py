"""Asking ahead: what points would pay, and what would become of those given back. Reads: nothing is promised."""

from __future__ import annotations

from punktgenau import _arguments as given
from punktgenau._operation import Operation, redemption_path
from punktgenau._problem import about_something_else
from punktgenau._transport import Transport
from punktgenau.money import Money, require_points
from punktgenau.records import Quote, ReversalQuote


class Quotes:
    """The part of `client.redemptions` that looks ahead."""

    _transport: Transport

    def quote(self, *, member_id: str, total: Money, points: int, deadline_s: float | None = None) -> Quote:
        """What so many points are worth for this total, by the provider's rules; never a promise of balance.

        Raises NotLinkedError, LimitError (currency), NotSentError or UnavailableError.
        """
        body = {
            "member_id": given.text(member_id, field="member_id"),
            "total": given.money(total, field="total"),
            "points": require_points(points),
        }
        operation = Operation(
            name="quote", method="POST", path="/v1/redemptions/quote", reply=Quote, body=given.json_bytes(body)
        )
        answer = self._transport.call(operation, deadline_s=deadline_s)
        quote = answer.record
        if (quote.asked_points, quote.value.currency, quote.due.currency) != (points, total.currency, total.currency):
            raise about_something_else(operation, "points", answer)
        return quote

    def quote_reversal(self, redemption_id: str, *, points: int, deadline_s: float | None = None) -> ReversalQuote:
        """How many of so many captured points would come back usable now, and how many already expired.

        Raises ReversalExceedsCaptureError (`.remaining`), StateConflictError (nothing was captured), ProviderError with
        code not_offered where the provider does not tell, NotSentError or UnavailableError.
        """
        body = {"points": require_points(points)}
        operation = Operation(
            name="quote_reversal",
            method="POST",
            path=redemption_path(redemption_id, "/reversals/quote"),
            reply=ReversalQuote,
            body=given.json_bytes(body),
        )
        answer = self._transport.call(operation, deadline_s=deadline_s)
        told = answer.record
        if (told.redemption_id, told.points) != (redemption_id, points):
            raise about_something_else(operation, "points", answer)
        if told.restoring + told.already_expired + told.converted != points:
            raise about_something_else(operation, "already_expired", answer)
        return told
