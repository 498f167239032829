"""Lists as CSV: streamed, and without anything that a spreadsheet would take for a formula."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from flask import Response as FlaskResponse
from flask import stream_with_context
from werkzeug import Response

from flask_punktgenau.backoffice_language import OfficeLanguage
from flask_punktgenau.spreadsheets import BOM, Cell, written
from punktgenau.checkout.figures import Figures
from punktgenau.checkout.searching import Found


def csv_response(filename: str, rows: Iterable[list[Cell]]) -> Response:
    """The rows as a file to be saved, sent as they are found."""
    response = FlaskResponse(stream_with_context(chain((BOM,), written(rows))), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{filename}"'
    return response


def redemption_rows(found: Iterable[Found]) -> Iterator[list[Cell]]:
    """One row per attempt; amounts in the smallest unit, times in UTC."""
    yield [
        "order_reference", "attempt", "state", "member_id", "customer_id", "points", "value_minor", "total_minor",
        "currency", "captured_points", "reversed_points", "reversed_minor", "new_points",
        "reason", "placed_at", "changed_at", "vouchers_minor", "vouchers_back_minor",
    ]  # fmt: skip
    for one in found:
        yield [
            one.order_reference,
            one.attempt,
            one.state,
            one.member_id,
            one.customer_id,
            one.points,
            one.value.amount_minor,
            one.payable.amount_minor,
            one.value.currency,
            one.captured_points,
            one.reversed_points,
            one.reversed_value.amount_minor,
            one.new_points,
            one.release_cause or one.reason,
            one.placed_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            one.changed_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            one.vouchers.amount_minor,
            one.vouchers_back.amount_minor,
        ]


def figure_rows(found: Iterable[Figures], t: OfficeLanguage) -> Iterator[list[Cell]]:
    """One row per span and currency; amounts in the smallest unit, days in the page's timezone."""
    yield [
        "since", "until", "attempts", "refused", "captured_points", "reversed_points", "kept_points", "currency",
        "captured_minor", "reversed_minor", "written_off_minor",
    ]  # fmt: skip
    for one in found:
        for currency in sorted({*one.captured, *one.written_off}) or [""]:
            yield [
                t.local(one.span.since).date().isoformat(),
                t.local(one.span.until).date().isoformat(),
                one.attempts,
                one.refused,
                one.captured_points,
                one.reversed_points,
                one.kept_points,
                currency,
                *(
                    of[currency].amount_minor if currency in of else 0
                    for of in (one.captured, one.reversed, one.written_off)
                ),
            ]
