"""What a caller may hand in: checked before anything is sent, each refusal an InvalidArgumentError with its field."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Sequence
from datetime import date
from typing import TypeVar
from urllib.parse import SplitResult, quote, urlsplit

from punktgenau._redact import Hidden
from punktgenau.errors import ConfigurationError, InvalidArgumentError
from punktgenau.money import AMOUNT_MINOR_MAX, Money, require_points
from punktgenau.records import RedemptionLine, TenderRequest, VoucherReturn

T = TypeVar("T")
# Made once: `json.dumps` with other than its usual settings makes one per call.
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_CODE = re.compile(r"[0-9A-Za-z][0-9A-Za-z -]{3,39}")
_PERCENT = re.compile(r"[0-9]{1,3}(\.[0-9]{1,6})?")


def text(value: object, *, field: str, most: int = 64) -> str:
    """One line of 1 to `most` printable characters; never cut, nothing that a log or a header could misread."""
    if not isinstance(value, str) or not 1 <= len(value) <= most or not value.isprintable():
        raise InvalidArgumentError(f"{field} must be a text of 1 to {most} printable characters.", field=field)
    return value


def segment(value: object, *, field: str) -> str:
    """An id as one segment of an address, which it cannot leave."""
    if value in (".", ".."):
        raise InvalidArgumentError(f"{field} cannot be only dots.", field=field)
    return quote(text(value, field=field), safe="")


def reference(value: object, *, field: str) -> str:
    """The shop's own id, as the provider takes it."""
    return text(value, field=field, most=36)


def key(value: object, *, else_: str | None = None, field: str = "idempotency_key") -> str:
    """An idempotency key, which travels in a header and in addresses; left out: the other one."""
    if value is None and else_ is not None:
        return else_
    if not isinstance(value, str) or not 1 <= len(value) <= 255 or not all("!" <= ch <= "~" for ch in value):
        raise InvalidArgumentError(f"{field} must be 1 to 255 visible ASCII characters.", field=field)
    return value


def whole(value: object, *, field: str, least: int = 1, most: int | None = None) -> int:
    """A whole number that is not points; no bool."""
    if type(value) is not int or not least <= value <= (AMOUNT_MINOR_MAX if most is None else most):
        upper = "" if most is None else f", at most {most}"
        raise InvalidArgumentError(f"{field} must be a whole number, at least {least}{upper}.", field=field)
    return value


def day(value: object, *, field: str) -> str:
    """A calendar day as the wire writes it; no moment, whose day depends on where one is."""
    if type(value) is not date:
        raise InvalidArgumentError(f"{field} must be a date.", field=field)
    return value.isoformat()


def one_of(value: T, *choices: T, field: str) -> T:
    """One of a few values, of the same type."""
    if not any(type(value) is type(choice) and value == choice for choice in choices):
        raise InvalidArgumentError(f"{field} must be one of {choices}.", field=field)
    return value


def several(values: Sequence[T] | None, *, field: str) -> Sequence[T]:
    """At least one thing, in a list or tuple."""
    if not isinstance(values, list | tuple) or not values:
        raise InvalidArgumentError(f"{field} must be a list with at least one entry.", field=field)
    return values


def money(value: object, *, field: str) -> dict[str, object]:
    """An amount as the wire writes it."""
    if not isinstance(value, Money):
        raise InvalidArgumentError(f"{field} must be Money.", field=field)
    return {"amount_minor": value.amount_minor, "currency": value.currency}


def tender(value: object) -> dict[str, object]:
    """One tender as the wire writes it."""
    if not isinstance(value, TenderRequest):
        raise InvalidArgumentError("tenders must hold TenderRequest records.", field="tenders")
    body: dict[str, object] = {"kind": text(value.kind, field="kind")}
    if value.kind == "voucher":
        body.update(_named_voucher(value))
    else:
        body["points"] = require_points(value.points)
    if value.value is not None:
        body["value"] = money(value.value, field="value")
    return body


def _named_voucher(value: TenderRequest) -> dict[str, object]:
    if (value.voucher_id is None) == (value.code is None) or value.points:
        message = "A voucher is named by voucher_id or by code, and has no points."
        raise InvalidArgumentError(message, field="voucher_id")
    if value.code is not None:
        return {"code": Hidden(voucher_code(value.code, field="code"))}
    return {"voucher_id": text(value.voucher_id, field="voucher_id")}


def voucher_code(value: object, *, field: str) -> str:
    """A code as somebody typed it; what is wrong with it is said without it."""
    if not isinstance(value, str) or not _CODE.fullmatch(value.strip()):
        raise InvalidArgumentError(f"{field} must be 4 to 40 letters and digits.", field=field)
    return value.strip()


def returned(value: object) -> dict[str, object]:
    """What goes back onto a voucher, as the wire writes it."""
    if not isinstance(value, VoucherReturn):
        raise InvalidArgumentError("vouchers must hold VoucherReturn records.", field="vouchers")
    return {"voucher_id": text(value.voucher_id, field="voucher_id"), "value": money(value.value, field="value")}


def line(value: object) -> dict[str, object]:
    """One line of an order as the wire writes it."""
    if not isinstance(value, RedemptionLine):
        raise InvalidArgumentError("lines must hold RedemptionLine records.", field="lines")
    if not isinstance(value.vat_rate, str) or not _PERCENT.fullmatch(value.vat_rate):
        raise InvalidArgumentError("vat_rate must be percent as text, such as '19'.", field="lines.vat_rate")
    return {
        "id": text(value.id, field="lines.id"),
        "sku": text(value.sku, field="lines.sku"),
        "quantity": whole(value.quantity, field="lines.quantity"),
        "amount_minor": whole(value.amount_minor, field="lines.amount_minor", least=0),
        "vat_rate": value.vat_rate,
    }


def json_bytes(body: object) -> bytes:
    """A body as it goes out."""
    return _encode(body).encode()


def deadline(value: object) -> float:
    """Seconds for a whole call."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 600:
        raise InvalidArgumentError("deadline_s must be seconds above 0, at most 600.", field="deadline_s")
    return float(value)


def base_url(value: object) -> str:
    """The provider's address, without a slash at the end: https, or http on this machine.

    Raises ConfigurationError.
    """
    parts = _parts(value)
    if parts is None or parts.query or parts.fragment or "@" in parts.netloc:
        # Not repeated in the text: what is wrong with it may be a password in it.
        raise ConfigurationError("base_url is not the address of a provider.", field="base_url")
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise ConfigurationError("The provider's address must use https, except on this machine.", field="base_url")
    return parts.geturl().rstrip("/")


def _parts(value: object) -> SplitResult | None:
    if not isinstance(value, str) or not value.isprintable() or " " in value or "\\" in value:
        return None
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        return None
    return parts if usable else None


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, by its own name or address and not by how it begins."""
    if host in ("localhost", "localhost."):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
