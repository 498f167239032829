"""What every record is made of."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from punktgenau.money import POINTS_MAX

Points = Annotated[int, Field(ge=0, le=POINTS_MAX)]

Mode = Literal["sandbox", "live"]


class Record(BaseModel):
    """Base of everything a provider answers: frozen, strict, open for fields that are added later."""

    # Inputs are hidden because a reply that does not fit may hold a token or a person's data.
    # Only the keys of a reply are worth keeping: ids and references come once each.
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True, hide_input_in_errors=True, cache_strings="keys")


class Page(Record):
    """Some of what was looked for, newest first; `next_cursor` leads to more, None: there is no more."""

    items: tuple[Record, ...]
    next_cursor: str | None


class Named(Record):
    """What a write makes: known by its key, its order, and the member whose points move."""

    id: str
    member_id: str
    former_member_ids: tuple[str, ...]
    order_reference: str
    idempotency_key: str

    def differs_in_name(self, *, idempotency_key: str | None, order_reference: str, member_id: str) -> str | None:
        """The first of these that is not what was asked for, or None.

        `idempotency_key` None: the provider has no keys, so it has none to echo.
        """
        if idempotency_key is not None and self.idempotency_key != idempotency_key:
            return "idempotency_key"
        if self.order_reference != order_reference:
            return "order_reference"
        is_member = member_id == self.member_id or member_id in self.former_member_ids
        return None if is_member else "member_id"
