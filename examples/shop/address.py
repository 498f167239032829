"""The address form: what was typed, what is missing."""

import re
from collections.abc import Mapping
from dataclasses import asdict

from . import language
from .customers import Customer
from .orders import Address

FIELDS = ("name", "email", "street", "postcode", "city")
_MAX_LENGTH = 120
_SHAPES = {"email": r"[^@\s]+@[^@\s]+\.[^@\s]+", "postcode": r"[0-9]{5}"}


def prefilled(customer: Customer | None) -> dict[str, str]:
    """What stands in the form at first: a demo customer's address, and nothing for a guest."""
    if customer is None:
        return dict.fromkeys(FIELDS, "")
    return {"name": language.text("account.short_name")} | {
        field: str(value) for field, value in asdict(customer).items() if field in FIELDS
    }


def read(form: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """The values as typed (trimmed), and for each one that will not do the key of a sentence that says why."""
    values = {field: " ".join(form.get(field, "").split()) for field in FIELDS}
    errors = {field: problem for field in FIELDS if (problem := _problem(field, values[field]))}
    return values, errors


def of(values: Mapping[str, str]) -> Address:
    return Address(**{field: values[field] for field in FIELDS})


def _problem(field: str, value: str) -> str | None:
    if not value:
        return "checkout.error.missing"
    if len(value) > _MAX_LENGTH:
        return "checkout.error.long"
    if field in _SHAPES and not re.fullmatch(_SHAPES[field], value):
        return f"checkout.error.{field}"
    return None
