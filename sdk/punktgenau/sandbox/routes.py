"""Where each operation of the contract is found, who carries it out, and how it is described."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from flask_openapi3.models.tag import Tag
from werkzeug.routing import BaseConverter

from .call import Reply
from .faults import Operation
from .openapi import NEEDS_TOKEN, Responses

Handler = Callable[..., Reply]
"""Takes the call, and what its annotations ask for: header, path, query, body."""


@dataclass(frozen=True, kw_only=True)
class Route:
    """One operation: `rule` as werkzeug writes paths, `responses` as the description says them."""

    method: Literal["GET", "POST"]
    rule: str
    operation: Operation
    handler: Handler
    tag: Tag
    responses: Responses
    security: list[dict[str, list[Any]]] = field(default_factory=lambda: NEEDS_TOKEN)
    extensions: dict[str, Any] | None = None


@dataclass(frozen=True)
class Noun:
    """What stands below one path, and is described under one heading."""

    prefix: str
    tag: Tag

    def get(self, rest: str, operation: Operation, handler: Handler, responses: Responses) -> Route:
        """A reading operation."""
        rule = f"{self.prefix}{rest}"
        return Route(method="GET", rule=rule, operation=operation, handler=handler, tag=self.tag, responses=responses)

    def post(self, rest: str, operation: Operation, handler: Handler, responses: Responses) -> Route:
        """Any other."""
        rule = f"{self.prefix}{rest}"
        return Route(method="POST", rule=rule, operation=operation, handler=handler, tag=self.tag, responses=responses)


class RedemptionId(BaseConverter):
    """Anything in the place of an id that is not the name of another resource."""

    regex = r"(?!(?:quote|cancel-by-key)$)[^/]+"


class VoucherId(BaseConverter):
    """The same, below vouchers."""

    regex = r"(?!look-up$)[^/]+"


CONVERTERS: Mapping[str, type[BaseConverter]] = {"redemption": RedemptionId, "voucher": VoucherId}
