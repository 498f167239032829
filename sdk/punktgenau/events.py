"""The noun event: what a provider says has happened. A hint, never evidence: states change by a look-up's answer."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated

from pydantic import AwareDatetime, Field, JsonValue, field_validator

from punktgenau.records import Record

ID_PATTERN = r"^[!-~]{1,255}$"
SEQUENCE_MAX = 2**63 - 1


class Event(Record):
    """One event, delivered at least once and in any order; types that nobody knows yet are events like any other.

    `data` is kept as it came; the properties read what is known of it, and are None for anything that cannot be meant.
    """

    id: Annotated[str, Field(pattern=ID_PATTERN)]
    type: Annotated[str, Field(pattern=r"^[a-z0-9_.-]{1,64}$")]
    timestamp: AwareDatetime
    sequence: Annotated[int, Field(ge=0, le=SEQUENCE_MAX)] | None = None
    data: Mapping[str, JsonValue]

    @field_validator("data")
    @classmethod
    def _read_only(cls, data: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
        return MappingProxyType(dict(data))

    @property
    def redemption_id(self) -> str | None:
        """The provider's id of the redemption that changed."""
        return self._text("redemption_id", length_max=64)

    @property
    def accrual_id(self) -> str | None:
        """The provider's id of the accrual that changed."""
        return self._text("accrual_id", length_max=64)

    @property
    def payout_id(self) -> str | None:
        """The provider's id of the payout that changed."""
        return self._text("payout_id", length_max=64)

    @property
    def order_reference(self) -> str | None:
        """The shop's id of the order."""
        return self._text("order_reference", length_max=36)

    @property
    def idempotency_key(self) -> str | None:
        """The key of the redemption's authorize."""
        return self._text("idempotency_key", length_max=255)

    @property
    def state(self) -> str | None:
        """What the redemption has become, by the event's word."""
        return self._text("state", length_max=24)

    @property
    def member_id(self) -> str | None:
        """The member whose consent changed."""
        return self._text("member_id", length_max=64)

    def _text(self, name: str, *, length_max: int) -> str | None:
        value = self.data.get(name)
        fits = isinstance(value, str) and 1 <= len(value) <= length_max and value.isprintable()
        return value if fits and isinstance(value, str) else None
