"""What the drawer at the foot of the demo shows of the provider's side, and what its buttons do there."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from flask import current_app

from punktgenau import PunktgenauError

from . import clock, customers
from .control import JsonObject, SandboxAwayError, SandboxControl
from .customers import Customer
from .points import points
from .settings import Settings

_NEWEST = 8
_FOR_LONG = 1_000_000
_SENDS = 3


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """The provider's side as it is now."""

    member: JsonObject | None
    redemptions: list[JsonObject]
    requests: list[JsonObject]
    faults: list[JsonObject]


def snapshot(customer: Customer | None) -> Snapshot | None:
    """None while the sandbox is away."""
    control = _control()
    member_id = _member_id(customer) if customer else None
    try:
        return Snapshot(
            member=control.member(member_id) if member_id else None,
            redemptions=control.redemptions(member_id=member_id)[:_NEWEST] if member_id else [],
            requests=control.requests()[:_NEWEST],
            faults=control.faults(),
        )
    except SandboxAwayError:
        return None


def lose_next_answer() -> None:
    """The provider holds the points, but no answer says so. Raises SandboxAwayError.

    The shop asks up to three times with the same key before it gives up, so that one lost answer would go unnoticed.
    """
    _control().play_fault(operation="authorize", kind="reset", when="after", times=_SENDS)


def provider_away() -> None:
    """The provider answers nothing properly until `all_well`. Raises SandboxAwayError."""
    _control().play_fault(operation="any", kind="status_503", when="before", times=_FOR_LONG)


def all_well() -> None:
    """Raises SandboxAwayError."""
    _control().clear_faults()


def one_hour_later() -> None:
    """Raises SandboxAwayError."""
    _control().advance(advance_s=3600)
    clock.of_app().forget()


def return_window_over() -> None:
    """So much later that nothing comes back any more: what was earned can be used. Raises SandboxAwayError."""
    _control().advance(advance_s=points.checkout.settings.earn_pending_s + 3600)
    clock.of_app().forget()


def a_voucher() -> None:
    """Whoever is signed in is given one over 25 euros, which keeps what is left over. Raises SandboxAwayError."""
    customer = customers.current()
    if customer is not None:
        member_id = _member_id(customer)
        _control().give_voucher(member_id, value_minor=2500, residual="keeps")
        # Else it is seen within a minute.
        points.forget_vouchers(customer.id)


def fill_the_shop() -> None:
    """Begin, in a process of its own; it goes on while pages are looked at."""
    settings: Settings = current_app.extensions["shop_settings"]
    _filling.append(
        subprocess.Popen(
            [sys.executable, "-m", f"{__package__}.fill"],
            cwd=Path(__file__).resolve().parents[2],
            env=os.environ | {"SHOP_DATA": settings.data_dir},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    )


_filling: list[subprocess.Popen[bytes]] = []
ACTIONS = {
    "fill": fill_the_shop,
    "lose_answer": lose_next_answer,
    "away": provider_away,
    "well": all_well,
    "later": one_hour_later,
    "window": return_window_over,
    "voucher": a_voucher,
}


def _member_id(customer: Customer) -> str:
    """The member that the customer has linked, else the one of the same name."""
    try:
        link = points.checkout.find_link(customer.id)
    except PunktgenauError:
        link = None
    return link.member_id if link else customer.id.replace("cust_", "mbr_")


def _control() -> SandboxControl:
    control: SandboxControl = current_app.extensions["shop_control"]
    return control
