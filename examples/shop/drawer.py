"""What the drawer at the foot of the demo shows of the provider's side, and what its buttons do there."""

from dataclasses import dataclass

from flask import current_app

from . import clock
from .control import JsonObject, SandboxAwayError, SandboxControl
from .customers import Customer

# What a shop asks while it sells. "token" is among them: without it, nothing else can be asked.
_OPERATIONS = ("token", "balance", "quote", "authorize", "capture", "void", "get", "find", "cancel_by_key")
_FOR_LONG = 1_000_000
_NEWEST = 8


@dataclass(frozen=True)
class Snapshot:
    """The provider's books as the sandbox shows them now."""

    member_id: str | None
    member: JsonObject | None
    entries: tuple[JsonObject, ...]


def member_id_of(customer: Customer | None) -> str | None:
    """The demo's customers and the sandbox's members are named alike. A real shop learns this by linking."""
    return customer.id.replace("cust_", "mbr_") if customer else None


def snapshot(customer: Customer | None) -> Snapshot | None:
    """None while the sandbox is away."""
    member_id = member_id_of(customer)
    try:
        member = _control().member(member_id) if member_id else None
        entries = _control().entries()
    except SandboxAwayError:
        return None
    return Snapshot(member_id, member, tuple(reversed(entries))[:_NEWEST])


def lose_next_answer() -> None:
    """The provider holds the points, but its answer never arrives. Raises SandboxAwayError."""
    _control().play_fault(operation="authorize", kind="reset", when="after", times=1)


def provider_away() -> None:
    """Every question to the provider is refused until `all_well`. Raises SandboxAwayError."""
    for operation in _OPERATIONS:
        _control().play_fault(operation=operation, kind="refuse", when="before", times=_FOR_LONG)


def all_well() -> None:
    """Raises SandboxAwayError."""
    _control().clear_faults()


def one_hour_later() -> None:
    """Raises SandboxAwayError."""
    _control().advance(advance_s=3600)
    clock.of_app().forget()


ACTIONS = {
    "lose_answer": lose_next_answer,
    "away": provider_away,
    "well": all_well,
    "later": one_hour_later,
}


def _control() -> SandboxControl:
    control: SandboxControl = current_app.extensions["shop_control"]
    return control
