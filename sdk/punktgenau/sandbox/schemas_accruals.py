"""What a partner may send about accruals."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from .schemas import _PRINTABLE, Name, Points, Reference, _Request

Reason = Annotated[str, Field(min_length=1, max_length=200, pattern=f"^{_PRINTABLE}{{1,200}}$")]


class AccrualRequest(_Request):
    """Give points to a member. `accrual_reference` is the partner's own name for it, unique for ever."""

    member_id: Name
    order_reference: Reference
    accrual_reference: Reference
    points: Points
    reason: Reason = Field(description="What the member reads")
