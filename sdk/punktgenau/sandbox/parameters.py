"""Paths, queries and headers of the partner API."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from .schemas import Key, Reference

Cursor = Annotated[str, Field(pattern=r"^[0-9]{1,15}$", description="`next_cursor` of the page before")]
Limit = Annotated[int, Field(ge=1, le=100)]


class WriteHeader(BaseModel):
    """Every write is safe to repeat because it names itself."""

    idempotency_key: Key = Field(
        alias="Idempotency-Key", description="One key, one effect; 1 to 255 visible characters"
    )


class MemberPath(BaseModel):
    member_id: str


class RedemptionPath(BaseModel):
    redemption_id: str


class _Query(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PageQuery(_Query):
    cursor: Cursor | None = None
    limit: Limit = 20


class FindQuery(PageQuery):
    order_reference: Reference | None = None
    idempotency_key: Key | None = None


class EventsQuery(_Query):
    after: Annotated[int, Field(ge=0, le=10**15, description="The last sequence seen")] = 0
    limit: Limit = 100


class NoQuery(_Query):
    """Nothing to ask."""
