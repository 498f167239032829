"""What a partner may send, to the last key. Strict: `true`, `"10"` and `10.0` are not points."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from .arithmetic import MAX_MINOR, MAX_POINTS

MIN_HOLD_S = 300
MAX_HOLD_S = 604_800
DEFAULT_HOLD_S = 7_200

Points = Annotated[int, Field(ge=1, le=MAX_POINTS)]
Minor = Annotated[int, Field(ge=0, le=MAX_MINOR)]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
# Printable: no control characters, no line separators, nothing invisible that changes how a text is read.
_PRINTABLE = r"[^\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]"
Reference = Annotated[str, Field(min_length=1, max_length=36, pattern=f"^{_PRINTABLE}{{1,36}}$")]
Name = Annotated[str, Field(min_length=1, max_length=64, pattern=f"^{_PRINTABLE}{{1,64}}$")]
VoucherCode = Annotated[str, Field(min_length=4, max_length=40, pattern=r"^[0-9A-Za-z][0-9A-Za-z -]{3,39}$")]
Key = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[\x21-\x7e]{1,255}$")]


class _Request(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class MoneyIn(_Request):
    """An amount of money."""

    amount_minor: Minor = Field(description="Whole number of the currency's smallest unit")
    currency: Currency = Field(description="ISO 4217")


_NULL = {"type": "null"}
_POINTS_OR_VOUCHER: dict[str, Any] = {
    "oneOf": [
        {
            "required": ["points"],
            "properties": {
                "kind": {"not": {"const": "voucher"}}, "points": {"type": "integer"}, "voucher_id": _NULL, "code": _NULL
            },
        },
        {
            "required": ["voucher_id"],
            "properties": {
                "kind": {"const": "voucher"}, "points": _NULL, "voucher_id": {"type": "string"}, "code": _NULL
            },
        },
        {
            "required": ["code"],
            "properties": {
                "kind": {"const": "voucher"}, "points": _NULL, "voucher_id": _NULL, "code": {"type": "string"}
            },
        },
    ]
}  # fmt: skip


class TenderIn(_Request):
    """One way of paying a part of the order: so many points, or a voucher by its id or its code."""

    model_config = ConfigDict(json_schema_extra=_POINTS_OR_VOUCHER)

    kind: Name
    points: Points | None = None
    value: MoneyIn | None = Field(None, description="Left out: what the points are worth; as much as the voucher pays")
    voucher_id: Name | None = None
    code: VoucherCode | None = None

    @model_validator(mode="after")
    def _what_its_kind_needs(self) -> TenderIn:
        named = [self.voucher_id, self.code].count(None)
        if self.kind == "voucher" and (self.points is not None or named != 1):
            raise ValueError("a voucher is named by voucher_id or by code, and has no points")
        if self.kind != "voucher" and (self.points is None or named != 2):
            raise ValueError("points are needed, and nothing of a voucher")
        return self


class LineIn(_Request):
    """One line of the order, shipping included."""

    id: Name
    sku: Name
    quantity: Annotated[int, Field(ge=1, le=1_000_000)]
    amount_minor: Minor
    vat_rate: Annotated[str, Field(pattern=r"^[0-9]{1,2}(\.[0-9]{1,3})?$")] | None = None


class QuoteRequest(_Request):
    """What points would be worth for this total now."""

    member_id: Name
    total: MoneyIn
    points: Points | None = Field(None, description="Left out: as many as may be used")


_EXAMPLE = {
    "member_id": "mbr_2500",
    "order_reference": "A-1001",
    "total": {"amount_minor": 5990, "currency": "EUR"},
    "tenders": [{"kind": "points", "points": 427, "value": {"amount_minor": 427, "currency": "EUR"}}],
    "hold_s": DEFAULT_HOLD_S,
}
_POINTS_OR_TENDERS: dict[str, Any] = {
    "examples": [_EXAMPLE],
    "oneOf": [
        {"required": ["points"], "properties": {"points": {"type": "integer"}, "tenders": _NULL}},
        {"required": ["tenders"], "properties": {"tenders": {"type": "array"}, "points": _NULL, "value": _NULL}},
    ],
}
_FINAL_OR_NAMED: dict[str, Any] = {
    "anyOf": [
        {"properties": {"final": {"const": True}}},
        {"required": ["capture_reference"], "properties": {"capture_reference": {"type": "string"}}},
    ]
}


class AuthorizeRequest(_Request):
    """Hold points for an order. Exactly one of `points` (with `value`) and `tenders`."""

    model_config = ConfigDict(json_schema_extra=_POINTS_OR_TENDERS)

    member_id: Name
    order_reference: Reference
    total: MoneyIn
    points: Points | None = None
    value: MoneyIn | None = None
    tenders: Annotated[list[TenderIn], Field(min_length=1, max_length=21)] | None = None
    rate_id: Name | None = None
    hold_s: Annotated[int, Field(ge=MIN_HOLD_S, le=10**9)] | None = Field(
        None, description=f"Seconds; left out: {DEFAULT_HOLD_S}; the longest: {MAX_HOLD_S}"
    )
    lines: Annotated[list[LineIn], Field(max_length=1000)] | None = None
    capture: Literal["now"] | None = Field(None, description="`now`: hold and capture in one step")
    branch: Name | None = None
    channel: Name | None = None

    @model_validator(mode="after")
    def _one_way_of_saying_it(self) -> AuthorizeRequest:
        if (self.points is None) == (self.tenders is None):
            raise ValueError("points: give either points or tenders, and not both")
        if self.tenders is not None and self.value is not None:
            raise ValueError("value: it stands in each tender when tenders are given")
        return self


class CaptureRequest(_Request):
    """Make a hold final, wholly or in part."""

    model_config = ConfigDict(json_schema_extra=_FINAL_OR_NAMED)

    points: Points | None = Field(None, description="Left out: everything that is held")
    value: MoneyIn | None = None
    final: bool = Field(True, description="true: what is left is released; false: it stays held")
    capture_reference: Reference | None = None

    @model_validator(mode="after")
    def _parts_have_names(self) -> CaptureRequest:
        if not self.final and self.capture_reference is None:
            raise ValueError("capture_reference: a capture that is not final needs one")
        return self


class ExtendRequest(_Request):
    """Keep the hold for so many seconds from now."""

    hold_s: Annotated[int, Field(ge=MIN_HOLD_S, le=10**9)]


class VoidRequest(_Request):
    """Release a hold. There is nothing to say."""


class VoucherBack(_Request):
    """So much of a captured voucher goes back onto it."""

    voucher_id: Name
    value: MoneyIn


_SOMETHING: dict[str, Any] = {
    "anyOf": [
        {"properties": {"points": {"minimum": 1}}},
        {"required": ["vouchers"], "properties": {"vouchers": {"type": "array"}}},
    ]
}


class ReverseRequest(_Request):
    """Give captured points back, captured vouchers, or both."""

    model_config = ConfigDict(json_schema_extra=_SOMETHING)

    points: Annotated[int, Field(ge=0, le=MAX_POINTS)]
    value: MoneyIn | None = None
    return_reference: Reference
    vouchers: Annotated[list[VoucherBack], Field(min_length=1, max_length=20)] | None = None

    @model_validator(mode="after")
    def _gives_something(self) -> ReverseRequest:
        if not self.points and self.vouchers is None:
            raise ValueError("points: nothing would be given back")
        return self


class ReversalQuoteRequest(_Request):
    """What would become of so many points if they were given back now."""

    points: Points


class CancelByKeyRequest(_Request):
    """End whatever the authorize with this key holds, now or when it should still arrive."""

    target_key: Key
