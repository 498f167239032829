"""What the control plane may be told."""

from __future__ import annotations

from typing import Annotated, Literal, TypeVar

from flask import request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from werkzeug.exceptions import HTTPException

from .arithmetic import MAX_MINOR, MAX_POINTS
from .clock import MAX_ADVANCE_S, moment, stamp
from .faults import MAX_DELAY_S, Echo, Kind, Operation, When
from .problems import Refusal
from .schemas import Currency, Name, VoucherCode
from .webhooks import WebhookFault
from .webhooks import When as WebhookWhen

Points = Annotated[int, Field(ge=1, le=MAX_POINTS)]
Minor = Annotated[int, Field(ge=0, le=MAX_MINOR)]


class _Body(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class NoBody(_Body):
    """Nothing to say."""


def _moment(text: str) -> str:
    """Raises ValueError for another spelling, and for a day that no calendar has."""
    if stamp(moment(text)) != text:
        raise ValueError("not as the sandbox writes a moment")
    return text


class LotBody(_Body):
    """Points with their date, such as 2026-12-31T22:59:59Z; null: they never expire. `issued_by`: by which partner."""

    points: Points
    issued_by: Name | None = None
    expires_at: Annotated[str, AfterValidator(_moment)] | None = None


class MemberBody(_Body):
    """A member to create, or one to set to exactly so many available points."""

    id: Name
    points: Annotated[int, Field(ge=0, le=MAX_POINTS)] | None = None
    lots: list[LotBody] | None = None
    display_name: Name | None = None
    state: Literal["active", "blocked"] | None = None
    consent: bool = True
    bank_account: Annotated[str, Field(max_length=64)] | None = None


class ElsewhereBody(_Body):
    """So many points of a member to be redeemed at the other partner."""

    points: Points


class ClockBody(_Body):
    """Seconds to move forward."""

    advance_s: Annotated[int, Field(ge=0, le=MAX_ADVANCE_S)]


class LineBody(_Body):
    """A line of a statement that the ledger knows nothing of, about what another line is about; signed."""

    line_id: Name
    kind: Literal["capture", "reversal", "correction"] = "correction"
    points: Annotated[int, Field(ge=-MAX_POINTS, le=MAX_POINTS)]
    amount_minor: Annotated[int, Field(ge=-MAX_MINOR, le=MAX_MINOR)]
    reason: Name = "Told to"


class VoucherBody(_Body):
    """A voucher to make, as if somebody had bought it elsewhere: of a product, or with a value of its own.

    `partners` empty: good everywhere; left out: at the demo partner.
    """

    voucher_product_id: Name | None = None
    value_minor: Annotated[int, Field(ge=1, le=MAX_MINOR)] | None = None
    currency: Currency = "EUR"
    residual: Literal["keeps", "lost"] = "keeps"
    partners: list[Name] | None = None
    valid_s: Annotated[int, Field(ge=1, le=10**9)] = 365 * 86_400
    code: VoucherCode | None = None
    member_id: Name | None = None


class PayoutBody(_Body):
    """What became of a payout."""

    state: Literal["paid", "rejected"]
    reason: Annotated[str, Field(min_length=1, max_length=200)] | None = None


class FaultBody(_Body):
    """A fault to play; see faults.py."""

    operation: Operation | Literal["any"]
    kind: Kind
    when: When = "before"
    times: Annotated[int, Field(ge=1, le=10**9)] = 1
    delay_s: Annotated[float, Field(ge=0, le=MAX_DELAY_S)] | None = None
    retry_after: Annotated[str, Field(max_length=100, pattern=r"^[\x20-\x7e]*$")] | int | None = None
    echo: Echo = "points"


class WebhookBody(_Body):
    """Where events shall go, and what they are signed with; see webhooks.py."""

    url: Annotated[str, Field(max_length=500)]
    secret: Annotated[str, Field(max_length=500)]
    when: WebhookWhen = "soon"
    after: Annotated[int, Field(ge=0, le=2**62)] | None = None


class DeliverBody(_Body):
    """What shall be wrong with what is pushed now."""

    fault: WebhookFault | None = None


class RateBody(_Body):
    """`points` points are worth `amount_minor`."""

    id: Name
    points: Points
    amount_minor: Annotated[int, Field(ge=1, le=MAX_MINOR)]
    currency: Currency = "EUR"


class LimitsBody(_Body):
    """Limits per order; null: none."""

    min_points: Points = 1
    max_points: Points | None = None
    step: Points = 1
    max_share_percent: Annotated[int, Field(ge=0, le=100)] | None = None
    max_value_minor: Minor | None = None


class ProgrammeBody(_Body):
    """A new current rate, other limits, or both."""

    rate: RateBody | None = None
    limits: LimitsBody | None = None


Seconds = Annotated[int, Field(ge=0, le=10**9)]


class ProfileBody(_Body):
    """What kind of provider to be: a variant, and where it shall differ from that; see profile.py."""

    name: Name
    has_keys: bool | None = None
    key_format: Literal["text", "hex", "uuid"] | None = None
    key_length_max: Annotated[int, Field(ge=1, le=255)] | None = None
    key_window_s: Seconds | None = None
    is_silent: bool | None = None
    replays_errors: bool | None = None
    finds_by_key: bool | None = None
    finds_by_order: bool | None = None
    settle_s: Seconds | None = None
    cancels_by_key: bool | None = None
    longest_hold_s: Seconds | None = None
    extends: bool | None = None
    captures_in_parts: bool | None = None
    reverses_in_parts: bool | None = None
    approves_in_part: bool | None = None
    accrues: bool | None = None
    accrual_pending: bool | None = None
    vouchers: bool | None = None
    payouts: bool | None = None


BodyT = TypeVar("BodyT", bound=BaseModel)


def read(model: type[BodyT]) -> BodyT:
    """The request's body as `model`; an empty one counts as `{}`. Raises Refusal invalid_request."""
    try:
        sent = request.get_json(force=True) if request.get_data() else {}
        return model.model_validate(sent)
    except HTTPException:
        raise Refusal("invalid_request", "The body has to be JSON.") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise Refusal("invalid_request", f"{field}: {first['msg']}", field=field) from None
