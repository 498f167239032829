"""What a handler asks of a request, by its annotations: header, path, query and body, each read by its model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Literal, NoReturn, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ValidationError

from .call import Call
from .problems import Refusal

Part = Literal["header", "path", "query", "body"]
_KEY = "Idempotency-Key"


def arguments(call: Call, handler: Callable[..., object]) -> dict[str, BaseModel]:
    """What the handler is called with, besides the call. Raises Refusal for the first thing that does not fit."""
    try:
        return {part: model.model_validate(_READ[part](call, model)) for part, model in _models(handler)}
    except ValidationError as error:
        _refuse(error)


@cache
def _models(handler: Callable[..., object]) -> tuple[tuple[Part, type[BaseModel]], ...]:
    hints = get_type_hints(handler)
    return tuple((part, hints[part]) for part in get_args(Part) if part in hints)


def _header(call: Call, model: type[BaseModel]) -> Mapping[str, object]:
    return {} if call.key is None else {_KEY: call.key}


def _path(call: Call, model: type[BaseModel]) -> Mapping[str, object]:
    return call.named


def _query(call: Call, model: type[BaseModel]) -> Mapping[str, object]:
    """Each said once, but for what is a list; also what no model knows, so that it is refused."""
    args = call.request.args
    lists = _lists(model)
    return {name: args.getlist(name) if name in lists else value for name, value in args.items()}


def _body(call: Call, model: type[BaseModel]) -> object:
    return call.json


@cache
def _lists(model: type[BaseModel]) -> frozenset[str]:
    return frozenset(name for name, field in model.model_fields.items() if get_origin(field.annotation) is list)


_READ: dict[Part, Callable[[Call, type[BaseModel]], Any]] = {
    "header": _header,
    "path": _path,
    "query": _query,
    "body": _body,
}


def _refuse(error: ValidationError) -> NoReturn:
    """The first thing that does not fit, by its field."""
    first = error.errors(include_url=False, include_input=False)[0]
    field = ".".join(str(part) for part in first["loc"])
    message = first["msg"].removeprefix("Value error, ")
    if not field:
        # A rule over several fields names its own.
        field, _, message = message.partition(": ")
    if field == _KEY and first["type"] == "missing":
        raise Refusal("idempotency_key_missing", "Send one with every write.", field=field)
    raise Refusal("invalid_request", f"{field}: {message}", field=field)
