"""Paths, queries and headers of the partner API."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from .schemas import Key, Name, Reference

Cursor = Annotated[str, Field(pattern=r"^[0-9]{1,15}$", description="`next_cursor` of the page before")]
Limit = Annotated[int, Field(ge=1, le=100)]


_SCHEMAS: dict[tuple[object, ...], dict[str, Any]] = {}


class _Parameters(BaseModel):
    @classmethod
    def model_json_schema(cls, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """As always, but worked out once: the framework asks for it with every request."""
        wanted = (cls, args, tuple(sorted(kwargs.items())))
        if wanted not in _SCHEMAS:
            _SCHEMAS[wanted] = super().model_json_schema(*args, **kwargs)
        return _SCHEMAS[wanted]


class WriteHeader(_Parameters):
    """Every write is safe to repeat because it names itself."""

    idempotency_key: Key = Field(
        alias="Idempotency-Key", description="One key, one effect; 1 to 255 visible characters"
    )


class MemberPath(_Parameters):
    """Which member."""

    member_id: str


class RedemptionPath(_Parameters):
    """Which redemption; no id is the name of another resource."""

    redemption_id: Annotated[str, Field(json_schema_extra={"not": {"enum": ["quote", "cancel-by-key"]}})]


class AccrualPath(_Parameters):
    """Which accrual."""

    accrual_id: str


class _Query(_Parameters):
    model_config = ConfigDict(extra="forbid")


class PageQuery(_Query):
    """Which page of a list, newest first."""

    cursor: Cursor | None = None
    limit: Limit = 20


EntryGroup = Literal["earned", "spent", "given_back", "expired", "other"]


def _day(text: str) -> str:
    """Raises ValueError for another spelling, and for a day that no calendar has."""
    if date.fromisoformat(text).isoformat() != text:
        raise ValueError("a day such as 2026-11-22")
    return text


Day = Annotated[str, AfterValidator(_day), Field(json_schema_extra={"format": "date"})]


class EntriesQuery(PageQuery):
    """Which of a member's entries."""

    kind: Annotated[list[EntryGroup], Field(max_length=5)] = Field([], description="Only these, each said once")
    since: Day | None = Field(None, description="Not before this day, UTC")
    until: Day | None = Field(None, description="Not after this day, UTC")


class VoucherPath(_Parameters):
    """Which voucher."""

    voucher_id: str


class PayoutPath(_Parameters):
    """Which payout."""

    payout_id: str


class VouchersQuery(PageQuery):
    """Whose vouchers, or what a reference or a key came to; what is given has to match."""

    member_id: Name | None = None
    voucher_reference: Reference | None = None
    idempotency_key: Key | None = None


class PayoutsQuery(PageQuery):
    """Whose payouts, or what a reference or a key came to; what is given has to match."""

    member_id: Name | None = None
    payout_reference: Reference | None = None
    idempotency_key: Key | None = None


class FindQuery(PageQuery):
    """Which redemptions, or accruals; what is given has to match."""

    order_reference: Reference | None = None
    idempotency_key: Key | None = None


Period = Annotated[str, Field(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$", description="A month, in UTC: 2026-11")]


class StatementQuery(_Query):
    """Which lines of which month, oldest first."""

    period: Period
    cursor: Cursor | None = None
    limit: Limit = 100


class StatementPath(_Parameters):
    """Which month."""

    period: Period


class EventsQuery(_Query):
    """Which events, oldest first."""

    after: Annotated[int, Field(ge=0, le=10**15, description="The last sequence seen")] = 0
    limit: Limit = 100
