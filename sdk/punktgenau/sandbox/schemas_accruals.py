"""What a partner may send about accruals."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from .schemas import _PRINTABLE, Name, Points, Reference, _Request

MAX_PENDING_S = 400 * 86_400
Reason = Annotated[str, Field(min_length=1, max_length=200, pattern=f"^{_PRINTABLE}{{1,200}}$")]


class AccrualRequest(_Request):
    """Give points to a member. `accrual_reference` is the partner's own name for it, unique for ever."""

    member_id: Name
    order_reference: Reference
    accrual_reference: Reference
    points: Points
    reason: Reason = Field(description="What the member reads")
    pending_s: Annotated[int, Field(ge=0, le=MAX_PENDING_S)] | None = Field(
        None, description="Seconds until they can be posted; left out or 0: posted at once"
    )


class PostAccrualRequest(_Request):
    """Let pending points be spent. There is nothing to say."""


class ReverseAccrualRequest(_Request):
    """Take points back, once per return."""

    points: Points
    return_reference: Reference
    reason: Reason = Field(description="What the member reads")
    below_zero: bool = Field(False, description="true: what the member does not have any more is owed")
