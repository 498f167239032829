"""What an order or a key came to: one question, every page of its answer, and nothing in it that was not asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar
from urllib.parse import urlencode

from punktgenau import _arguments as given
from punktgenau._operation import Operation
from punktgenau._problem import about_something_else
from punktgenau._transport import Transport
from punktgenau.errors import InvalidArgumentError
from punktgenau.records import Page

_PAGES_MAX = 100
_Page = TypeVar("_Page", bound=Page)


def sought(*, order_reference: str | None, idempotency_key: str | None) -> Mapping[str, str]:
    """The one that is given. Raises InvalidArgumentError for both or none."""
    if (order_reference is None) == (idempotency_key is None):
        raise InvalidArgumentError("Give either order_reference or idempotency_key.", field="order_reference")
    if order_reference is not None:
        return {"order_reference": given.reference(order_reference, field="order_reference")}
    return {"idempotency_key": given.key(idempotency_key)}


def pages(
    transport: Transport,
    name: str,
    path: str,
    page: type[_Page],
    query: Mapping[str, str],
    *,
    echoed: bool = True,
    deadline_s: float | None,
) -> Iterator[_Page]:
    """Every page of what matches, newest first; `deadline_s` is per page. `echoed`: each names what was asked for.

    Raises NotSentError, UnavailableError.
    """
    cursor: dict[str, str] = {}
    for _ in range(_PAGES_MAX):
        asked_for = urlencode({**query, **cursor})
        operation = Operation(name=name, method="GET", path=f"{path}?{asked_for}" if asked_for else path, reply=page)
        answer = transport.call(operation, deadline_s=deadline_s)
        if echoed and any(
            getattr(item, field) != asked for item in answer.record.items for field, asked in query.items()
        ):
            raise about_something_else(operation, next(iter(query)), answer)
        yield answer.record
        if answer.record.next_cursor is None:
            return
        cursor = {"cursor": answer.record.next_cursor}
