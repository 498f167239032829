"""The description of the partner API, drawn from its routes; made once, when somebody asks for it."""

from __future__ import annotations

from functools import cache
from typing import Any

from flask_openapi3.openapi import OpenAPI

from . import openapi, replies
from .dispatch import ROUTES
from .routes import CONVERTERS


@cache
def described() -> dict[str, Any]:
    """What /openapi.json says, OpenAPI 3.1."""
    # It answers nobody: it only knows how to write down what the handlers' annotations say.
    described_by = OpenAPI(
        __name__,
        info=openapi.INFO,
        security_schemes=openapi.SECURITY_SCHEMES,
        validation_error_status=400,
        validation_error_model=replies.Problem,
        doc_ui=False,
    )
    described_by.url_map.converters.update(CONVERTERS)
    for route in ROUTES:
        told = described_by.get if route.method == "GET" else described_by.post
        told(
            route.rule,
            endpoint=route.operation,
            operation_id=route.operation,
            tags=[route.tag],
            security=route.security,
            responses=route.responses,
            openapi_extensions=route.extensions,
        )(route.handler)
    found: dict[str, Any] = described_by.api_doc
    return found
